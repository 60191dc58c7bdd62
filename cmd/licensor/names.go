package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"licensor/internal/guid"
)

// userPath returns the path of a user below the root of an API. The user is an id or a
// userPrincipalName, which may have any characters.
func userPath(key string) string {
	return "/users(" + url.PathEscape(quoted(key)) + ")"
}

// findProduct returns the SKU id of a product that the tenant has, by its id or part number. An id
// is returned as it is.
func findProduct(ctx context.Context, c *connection, key string) (string, error) {
	if id, ok := guid.Parse(key); ok {
		return id.String(), nil
	}
	found := ""
	_, err := c.pages(ctx, "/licensor/v1/products", nil, 0, func(raw json.RawMessage) error {
		var p product
		err := json.Unmarshal(raw, &p)
		if strings.EqualFold(p.SKUPartNumber, key) {
			found = p.SKUID
		}
		return err
	})
	if err == nil && found == "" {
		err = fmt.Errorf("the tenant has no product with the part number %q: `licensor products` lists those it has",
			key)
	}
	return found, err
}

// parseTime reads a time in a flag: 2026-01-31T12:00:00Z, a date, which is its beginning in UTC, or
// how long ago it was, such as 7d or 12h.
func parseTime(flag, text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	if ago, err := parseKeep(flag, text, ""); err == nil && ago > 0 {
		return time.Now().UTC().Add(-ago), nil
	}
	return time.Time{}, usage(fmt.Errorf("%s is %q: write a time as 2026-01-31T12:00:00Z or 2026-01-31, or how long "+
		"ago it was as 7d or 12h", flag, text))
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"licensor/internal/graph/wire"
)

// use opens the connection that the flags name, and closes it after do.
func (c *connecting) use(cmd *cobra.Command, do func(ctx context.Context, c *connection) error) (err error) {
	opened, err := c.open(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.close()) }()
	return do(cmd.Context(), opened)
}

// ask sends a request, with a body unless that is nil, and decodes the response into a value. It
// also returns the response as it was sent.
func (c *connection) ask(ctx context.Context, method, path string, body []byte, into any) (json.RawMessage, error) {
	kind := ""
	if body != nil {
		kind = wire.JSONType
	}
	var raw json.RawMessage
	if err := c.do(ctx, method, path, kind, body, &raw); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return nil, fmt.Errorf("%s %s sent a response that cannot be read: %w", method, path, err)
	}
	return raw, nil
}

// mostOnPage is the largest $top of most lists.
const mostOnPage = 999

// page is a page of a list.
type page struct {
	NextLink string `json:"@odata.nextLink"`
	Value    []json.RawMessage
}

// pages reads a list page by page, as many rows as the limit says, or all if that is 0. It reports
// whether there are more.
func (c *connection) pages(
	ctx context.Context, path string, query url.Values, limit int, take func(row json.RawMessage) error,
) (more bool, err error) {
	var first page
	if err := c.get(ctx, listPath(path, query, limit), &first); err != nil {
		return false, err
	}
	return c.follow(ctx, first, limit, take)
}

// follow is pages with a first page that was read already.
func (c *connection) follow(
	ctx context.Context, p page, limit int, take func(row json.RawMessage) error,
) (more bool, err error) {
	for taken := 0; ; {
		for i := range p.Value {
			if limit > 0 && taken == limit {
				return true, nil
			}
			taken++
			if err := take(p.Value[i]); err != nil {
				return false, err
			}
		}
		next := p.NextLink
		if next == "" || limit > 0 && taken == limit {
			return next != "", nil
		}
		path, err := localPath(next)
		if err != nil {
			return false, err
		}
		p = page{}
		if err := c.get(ctx, path, &p); err != nil {
			return false, err
		}
	}
}

// listPath returns the address of the first page of a list, which has no more rows than are wanted.
func listPath(path string, query url.Values, limit int) string {
	all := url.Values{}
	for name, values := range query {
		all[name] = values
	}
	if !all.Has("$top") {
		top := mostOnPage
		if limit > 0 {
			top = min(limit, mostOnPage)
		}
		all.Set("$top", strconv.Itoa(top))
	}
	return path + "?" + all.Encode()
}

// quoted returns a text as a literal of $filter.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

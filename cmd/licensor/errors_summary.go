package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"licensor/internal/tables"
)

// errorSummary counts errors, as GET /licensor/v1/licenseErrors/summary has it. Each list has at
// most its first 100 rows.
type errorSummary struct {
	Users          int
	OldestDateTime string
	ByError        []errorSum
	ByProduct      []errorSum
	ByGroup        []errorSum
	Remedies       []errorSum
}

// errorSum counts the users with some of the errors.
type errorSum struct {
	Error, SKUID, SKUPartNumber, AssignedByGroup, GroupDisplayName, Kind, Text string

	Users          int
	Exact          *bool // of remedies
	OldestDateTime string
}

func printSummary(ctx context.Context, out *printer, c *connection, query url.Values) error {
	var s errorSummary
	raw, err := c.ask(ctx, http.MethodGet, "/licensor/v1/licenseErrors/summary?"+query.Encode(), nil, &s)
	if err != nil {
		return err
	}
	if out.format == tables.JSON {
		return writeJSON(out, json.RawMessage(raw))
	}
	if out.format == tables.Text {
		if s.Users == 0 {
			_, err := fmt.Fprintln(out, "There are no license errors.")
			return err
		}
		fmt.Fprintf(out, "%d users with license errors, the oldest since %s.\n\n", s.Users, s.OldestDateTime)
	}
	t := out.table(
		tables.Column{Title: "BY", Name: "by", Whole: true}, tables.Column{Title: "USERS", Name: "users", Right: true},
		tables.Column{Title: "OLDEST", Name: "oldestDateTime", Whole: true},
		tables.Column{Title: "WHAT", Name: "name", Below: true}, tables.Column{Title: "ID", Name: "id", Whole: true, Extra: true},
		tables.Column{Title: "EXACT", Name: "exact", Extra: true},
	)
	for _, part := range []struct {
		by   string
		sums []errorSum
	}{{"error", s.ByError}, {"product", s.ByProduct}, {"group", s.ByGroup}, {"remedy", s.Remedies}} {
		for i := range part.sums {
			sum := &part.sums[i]
			name, id := sum.what(part.by)
			var exact any = ""
			if sum.Exact != nil {
				exact = *sum.Exact
			}
			if err := t.Row(nil, part.by, sum.Users, sum.OldestDateTime, name, id, exact); err != nil {
				return err
			}
		}
	}
	return t.End(false)
}

// what returns the name and the id of what the errors have in common.
func (s *errorSum) what(by string) (name, id string) {
	switch by {
	case "error":
		return s.Error, ""
	case "product":
		return firstOf(s.SKUPartNumber, s.SKUID), s.SKUID
	case "group":
		return firstOf(s.GroupDisplayName, s.AssignedByGroup, "direct"), s.AssignedByGroup
	}
	return s.Text, ""
}

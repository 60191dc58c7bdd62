package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"licensor/internal/directory"
	"licensor/internal/graph/wire"
	"licensor/internal/tables"
)

func groupsCommand() *cobra.Command {
	var f finding
	cmd := &cobra.Command{
		Use:   "groups",
		Short: "List groups, their licenses, members and errors",
		Long: `Groups lists the groups that satisfy a condition of Graph, with the licenses that they give, and how many members
they have and how many of them are in error. As JSON, these numbers are memberCount and memberErrorCount. --search
finds a text in displayName, mail and description.`,
		Example: "  licensor groups --info demo.json\n" +
			"  licensor groups --filter \"hasMembersWithLicenseErrors eq true\"\n" +
			"  licensor groups --filter \"assignedLicenses/$count ne 0\" --order displayName --csv",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			const usual = "id,displayName,groupTypes,assignedLicenses,hasMembersWithLicenseErrors"
			l := list{
				path: "/v1.0/groups", query: f.query(usual, "displayName", "mail", "description"),
				columns: groupColumns, none: "No group was found.",
			}
			return f.print(cmd, func(out *printer) error {
				return f.use(cmd, func(ctx context.Context, c *connection) error {
					if len(f.selected) > 0 {
						return out.list(ctx, c, f.limit, f.selection(l))
					}
					return listGroups(ctx, out, c, f.limit, l)
				})
			})
		},
	}
	f.register(cmd, "groups")
	return cmd
}

var groupColumns = []tables.Column{
	{Title: "GROUP", Name: "displayName"},
	{Title: "KIND", Name: "kind", Whole: true, Extra: true},
	{Title: "LICENSES", Name: "licenses"},
	{Title: "MEMBERS", Name: "members", Right: true},
	{Title: "IN ERROR", Name: "inError", Right: true},
	{Title: "ID", Name: "id", Whole: true, Extra: true},
}

// listedGroup is a group with what is printed of it.
type listedGroup struct {
	ID, DisplayName  string
	GroupTypes       []string
	AssignedLicenses []assigned

	HasMembersWithLicenseErrors bool

	raw              json.RawMessage
	members, inError int
}

// groupLister prints groups. It counts the members of several of them at a time.
type groupLister struct {
	c       *connection
	t       *tables.Writer
	names   skuNames
	waiting []*listedGroup
}

func listGroups(ctx context.Context, out *printer, c *connection, limit int, l list) error {
	names, err := readNames(ctx, c)
	if err != nil {
		return err
	}
	g := &groupLister{c: c, t: out.table(l.columns...), names: names}
	g.t.None = l.none
	more, err := c.pages(ctx, l.path, l.query, limit, func(raw json.RawMessage) error {
		group := &listedGroup{raw: raw}
		if err := json.Unmarshal(raw, group); err != nil {
			return fmt.Errorf("a row of the response cannot be read: %w", err)
		}
		if g.waiting = append(g.waiting, group); len(g.waiting) < mostSteps/2 {
			return nil
		}
		return g.flush(ctx)
	})
	if err = errors.Join(err, g.flush(ctx)); err != nil {
		return err
	}
	return out.end(g.t, more)
}

// flush prints the groups that wait.
func (g *groupLister) flush(ctx context.Context) error {
	if len(g.waiting) == 0 {
		return nil
	}
	var paths []string
	var numbers []*int
	for _, group := range g.waiting {
		paths, numbers = append(paths, "/groups/"+group.ID+"/members/$count"), append(numbers, &group.members)
		if group.HasMembersWithLicenseErrors {
			paths = append(paths, "/groups/"+group.ID+"/membersWithLicenseErrors/$count")
			numbers = append(numbers, &group.inError)
		}
	}
	if err := g.c.counts(ctx, paths, numbers); err != nil {
		return err
	}
	for _, group := range g.waiting {
		if err := group.print(g.t, g.names); err != nil {
			return err
		}
	}
	g.waiting = nil
	return nil
}

func (group *listedGroup) print(t *tables.Writer, names skuNames) error {
	kind := "assigned"
	if slices.Contains(group.GroupTypes, directory.DynamicMembership) {
		kind = "dynamic"
	}
	row := fmt.Appendf(bytes.TrimSuffix(group.raw, []byte("}")), `,"memberCount":%d,"memberErrorCount":%d}`, group.members, group.inError)
	return t.Row(json.RawMessage(row), group.DisplayName, kind, names.join(group.AssignedLicenses),
		group.members, signed(group.inError, tables.Bad), group.ID)
}

// mostSteps is the largest number of requests of a batch.
const mostSteps = 20

// counts reads numbers of objects in one request.
func (c *connection) counts(ctx context.Context, paths []string, into []*int) error {
	type step struct {
		ID      string            `json:"id"`
		Method  string            `json:"method"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers"`
	}
	var steps []step
	for i, path := range paths {
		steps = append(steps, step{strconv.Itoa(i), http.MethodGet, path, map[string]string{"ConsistencyLevel": "eventual"}})
	}
	body, err := json.Marshal(map[string]any{"requests": steps})
	if err != nil {
		return err
	}
	return c.retry(ctx, func() error {
		answer, err := c.send(ctx, http.MethodPost, "/v1.0/$batch", wire.JSONType, body)
		if err != nil {
			return err
		}
		return readCounts(answer, paths, into)
	})
}

func readCounts(answer []byte, paths []string, into []*int) error {
	var all struct {
		Responses []struct {
			ID      string
			Status  int
			Headers map[string]string
			Body    json.RawMessage
		}
	}
	if err := json.Unmarshal(answer, &all); err != nil {
		return fmt.Errorf("a batch sent a response that cannot be read: %w", err)
	}
	for _, r := range all.Responses {
		at, err := strconv.Atoi(r.ID)
		if err != nil || at < 0 || at >= len(into) {
			return fmt.Errorf("a batch sent a response to another request %q", r.ID)
		}
		if r.Status == http.StatusNotFound { // deleted meanwhile
			continue
		}
		if r.Status != http.StatusOK {
			header := http.Header{}
			for name, value := range r.Headers {
				header.Set(name, value)
			}
			return newRefusal("GET "+paths[at], &http.Response{StatusCode: r.Status, Header: header}, r.Body)
		}
		text := strings.TrimPrefix(strings.Trim(string(r.Body), `"`), "\ufeff")
		if *into[at], err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("GET %s sent a response that cannot be read: %w", paths[at], err)
		}
	}
	return nil
}

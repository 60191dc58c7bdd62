package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"licensor/internal/tables"
)

// happened is what is known of a commit, of a license of a user by it, or both.
type happened struct {
	Commit          int
	CreatedDateTime string
	Operation       string
	Operations      []string
	Author          struct{ Type, ID, DisplayName string }
	Users           *struct {
		Gain, Lose, Fail, Change int
		Clear                    *int // nil: not known
	}

	ID, UserPrincipalName, SKUID, SKUPartNumber, Outcome, Error string
	Groups                                                      []struct{ ID, DisplayName string }

	Reprocessed *struct {
		Processed, Fixed, NewlyInError int
		StillInError                   map[string]int
	}
}

func (h *happened) author() string { return firstOf(h.Author.DisplayName, h.Author.ID, h.Author.Type) }

// did returns the operations of the commit.
func (h *happened) did() string {
	if len(h.Operations) > 0 {
		return h.Operation + ": " + strings.Join(h.Operations, ", ")
	}
	return h.Operation
}

// listingLog holds the arguments of the command log.
type listingLog struct {
	reading
	since, before, author, operation, user, group, sku, filter string
}

func logCommand() *cobra.Command {
	var l listingLog
	cmd := &cobra.Command{
		Use:   "log [COMMIT]",
		Short: "List changes and what each did to licenses",
		Long: `Log lists the commits, the newest first: when, what, by which author, and how many users gained, lost, failed to get, were
cleared of an error of, or changed a license. The flags select commits; those that are given must all fit. With the number of a commit, it lists what that
one did, user by user.`,
		Example: "  licensor log --info demo.json --since 7d --sku ENTERPRISEPACK\n" +
			"  licensor log --info demo.json 57",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return l.commit(cmd, args[0])
			}
			return l.list(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&l.since, "since", "", "commits from then on: a time, a date, or how long ago, such as 7d")
	f.StringVar(&l.before, "before", "", "commits before then")
	f.StringVar(&l.author, "author", "", "id or name of the author")
	f.StringVar(&l.operation, "operation", "", "operation, such as assignGroupLicense")
	f.StringVar(&l.user, "user", "", "id or userPrincipalName of a user to whose licenses something happened")
	f.StringVar(&l.group, "group", "", "id or displayName of a group whose members or licenses were concerned")
	f.StringVar(&l.sku, "sku", "", "id or part number of a product of which users gained, lost or failed to get licenses")
	f.StringVar(&l.filter, "filter", "", "a further condition, such as \"operation eq 'reprocessLicenseAssignment'\"")
	l.register(cmd, "commits or users", 50)
	return cmd
}

var logColumns = []tables.Column{
	{Title: "COMMIT", Name: "commit", Right: true},
	{Title: "TIME", Name: "createdDateTime", Whole: true},
	{Title: "AUTHOR", Name: "author"},
	{Title: "OPERATION", Name: "operation"},
	{Title: "GAIN", Name: "gain", Right: true},
	{Title: "LOSE", Name: "lose", Right: true},
	{Title: "FAIL", Name: "fail", Right: true},
	{Title: "CLEAR", Name: "clear", Right: true},
	{Title: "CHANGE", Name: "change", Right: true},
}

func printCommit(t *tables.Writer, raw json.RawMessage, h *happened) error {
	var gain, lose, fail, clears, change any = "", "", "", "", "" // not known
	if u := h.Users; u != nil {
		gain, lose, fail, change = u.Gain, u.Lose, signed(u.Fail, tables.Bad), u.Change
		if u.Clear != nil {
			clears = *u.Clear
		}
	}
	return t.Row(raw, h.Commit, h.CreatedDateTime, h.author(), h.did(), gain, lose, fail, clears, change)
}

func (l *listingLog) list(cmd *cobra.Command) error {
	var all []string
	for _, limit := range []struct{ flag, text, operator string }{{"--since", l.since, "ge"}, {"--before", l.before, "lt"}} {
		if limit.text == "" {
			continue
		}
		at, err := parseTime(limit.flag, limit.text)
		if err != nil {
			return err
		}
		all = append(all, fmt.Sprintf("createdDateTime %s %s", limit.operator, at.Format(time.RFC3339)))
	}
	return l.print(cmd, func(out *printer) error {
		return l.use(cmd, func(ctx context.Context, c *connection) error {
			filter, err := l.condition(ctx, c, all)
			if err != nil {
				return err
			}
			query := url.Values{}
			if filter != "" {
				query.Set("$filter", filter)
			}
			return out.list(ctx, c, l.limit, list{
				path: "/licensor/v1/log", query: query, columns: logColumns, row: rows(printCommit),
				none: "There are no such commits.",
			})
		})
	})
}

// condition returns the $filter that the flags stand for.
func (l *listingLog) condition(ctx context.Context, c *connection, all []string) (string, error) {
	is := func(property, value string) {
		if value != "" {
			all = append(all, property+" eq "+quoted(value))
		}
	}
	is("author", l.author)
	is("operation", l.operation)
	is("user", l.user)
	if l.group != "" {
		group, err := findGroup(ctx, c, l.group)
		if err != nil {
			return "", err
		}
		is("group", group.ID)
	}
	if l.sku != "" {
		id, err := findProduct(ctx, c, l.sku)
		if err != nil {
			return "", err
		}
		is("skuId", id)
	}
	if l.filter != "" {
		all = append(all, l.filter)
	}
	return strings.Join(all, " and "), nil
}

var commitColumns = []tables.Column{
	{Title: "USER", Name: "userPrincipalName"},
	{Title: "PRODUCT", Name: "product"},
	{Title: "OUTCOME", Name: "outcome"},
	{Title: "ERROR", Name: "error"},
	{Title: "GROUPS", Name: "groups"},
	{Title: "ID", Name: "id", Whole: true, Extra: true},
}

// commit prints what a commit did.
func (l *listingLog) commit(cmd *cobra.Command, number string) error {
	if l.since+l.before+l.author+l.operation+l.user+l.group+l.sku+l.filter != "" {
		return usage(errors.New("the flags that select commits cannot be used with the number of one"))
	}
	path := "/licensor/v1/log/" + url.PathEscape(number)
	return l.print(cmd, func(out *printer) error {
		return l.use(cmd, func(ctx context.Context, c *connection) error {
			var h struct {
				happened
				page
			}
			raw, err := c.ask(ctx, http.MethodGet, listPath(path, nil, l.limit), nil, &h)
			if err != nil {
				return err
			}
			t := out.table(commitColumns...)
			if out.format == tables.JSON {
				var members map[string]json.RawMessage
				if err := json.Unmarshal(raw, &members); err != nil {
					return fmt.Errorf("the server's commit cannot be read: %w", err)
				}
				delete(members, "value")
				delete(members, "@odata.nextLink")
				t.Member("commit", members)
			}
			if out.format == tables.Text {
				h.printHead(out)
			}
			t.None = "It did nothing to licenses."
			more, err := c.follow(ctx, h.page, l.limit, func(row json.RawMessage) error {
				return rows(printHappened)(t, row)
			})
			if err != nil {
				return err
			}
			return out.end(t, more)
		})
	})
}

// printHead prints what is known of a commit as a whole.
func (h *happened) printHead(out *printer) {
	fmt.Fprintf(out, "Commit %d, %s, by %s: %s\n", h.Commit, h.CreatedDateTime, h.author(), h.did())
	if did := h.Reprocessed; did != nil {
		fmt.Fprintf(out, "Reprocessed %d users: %d fixed, %d newly in error",
			did.Processed, did.Fixed, did.NewlyInError)
		for _, name := range slices.Sorted(maps.Keys(did.StillInError)) {
			fmt.Fprintf(out, ", %d still in error %s", did.StillInError[name], name)
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out)
}

func printHappened(t *tables.Writer, raw json.RawMessage, h *happened) error {
	return t.Row(raw, firstOf(h.UserPrincipalName, h.ID), h.product(), h.outcome(), h.wrong(), h.groups(), h.ID)
}

func (h *happened) product() string { return firstOf(h.SKUPartNumber, h.SKUID) }

func (h *happened) outcome() tables.Cell {
	return tables.Cell{Value: h.Outcome, Sign: outcomeSigns[h.Outcome]}
}

// wrong returns the error of a license that failed, or that was cleared.
func (h *happened) wrong() any {
	if h.Error == "None" {
		return ""
	}
	return tables.Cell{Value: h.Error, Sign: outcomeSigns[h.Outcome]}
}

func (h *happened) groups() string {
	var names []string
	for _, g := range h.Groups {
		names = append(names, firstOf(g.DisplayName, g.ID))
	}
	return strings.Join(names, ", ")
}

func historyCommand() *cobra.Command {
	var from reading
	cmd := &cobra.Command{
		Use:   "history USER|GROUP",
		Short: "List which changes gave and took the licenses of a user or group",
		Long: `History lists each license that a user gained, lost, failed to get or was cleared of an error of, the newest first, and by which
commit and author.
Of a group, it lists the commits that changed its members or licenses, with the numbers of users to whom something happened by them.
A user is found by id or userPrincipalName, a group by id or displayName.`,
		Example: "  licensor history olga.ebert@contoso.example --info demo.json\n" +
			"  licensor history Sales --info demo.json",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return from.print(cmd, func(out *printer) error {
				return from.use(cmd, func(ctx context.Context, c *connection) error {
					return printHistory(ctx, out, c, args[0], from.limit)
				})
			})
		},
	}
	from.register(cmd, "commits", 50)
	return cmd
}

var historyColumns = []tables.Column{
	{Title: "COMMIT", Name: "commit", Right: true},
	{Title: "TIME", Name: "createdDateTime", Whole: true},
	{Title: "PRODUCT", Name: "product"},
	{Title: "OUTCOME", Name: "outcome"},
	{Title: "ERROR", Name: "error"},
	{Title: "GROUPS", Name: "groups"},
	{Title: "AUTHOR", Name: "author"},
	{Title: "OPERATION", Name: "operation"},
}

// printHistory prints the history of a user or, if there is none of that name, of a group.
func printHistory(ctx context.Context, out *printer, c *connection, key string, limit int) error {
	none := "No commit that is kept concerns it."
	var user struct{ ID string }
	err := c.get(ctx, "/v1.0"+userPath(key)+"?$select=id", &user)
	if err == nil {
		return out.list(ctx, c, limit, list{
			path: "/licensor/v1/users/" + user.ID + "/history", columns: historyColumns, none: none,
			row: rows(func(t *tables.Writer, raw json.RawMessage, h *happened) error {
				return t.Row(raw, h.Commit, h.CreatedDateTime, h.product(), h.outcome(), h.wrong(), h.groups(),
					h.author(), h.did())
			}),
		})
	}
	if !isMissing(err) {
		return err
	}
	group, err := findGroup(ctx, c, key)
	if err != nil {
		return err
	}
	return out.list(ctx, c, limit, list{
		path: "/licensor/v1/groups/" + group.ID + "/history", columns: logColumns, none: none, row: rows(printCommit),
	})
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"licensor/internal/tables"
)

// drifting holds the arguments of the command drift.
type drifting struct {
	trying
	kinds   []string
	where   string
	days    int
	cleanUp bool
}

func driftCommand() *cobra.Command {
	var d drifting
	cmd := &cobra.Command{
		Use:   "drift",
		Short: "List licenses that are not as they should be, and clean them up",
		Long: `Drift lists licenses that are not as they should be, with the seats that would become free and what these cost per month:
covered (direct, and a group gives the same), duplicate (all plans are in another product that the user holds), disabledAccount,
emptyGroup (of a group without members), stuck (in an error for many days), noLocation, inactive (of users who have not signed in for
many days; only if sign-ins are known) and unassigned (seats that no user holds). Its exit code is 4 if there are any.

With --clean-up, it removes direct licenses of the kinds covered, duplicate, disabledAccount and inactive, and licenses of
empty groups, in one commit. It prints what would become of users first, and asks. What stays is said, and why: no user loses a
service plan because of covered and duplicate, and no license is removed that another one needs.`,
		Example: "  licensor drift --info demo.json\n" +
			"  licensor drift --kind inactive --days 90 --csv -o inactive.csv --limit 0\n" +
			"  licensor drift --clean-up --kind covered,duplicate",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&d.kinds, "kind", nil, "kind of licenses to list; can be repeated")
	f.StringVar(&d.where, "filter", "", "further condition over skuId, group, error, department and usageLocation")
	f.IntVar(&d.days, "days", 30, "days after which an error is stuck, and a user inactive")
	f.BoolVar(&d.cleanUp, "clean-up", false, "remove what can be removed, after showing what that does")
	d.registerApplying(cmd)
	f.BoolVar(&d.csv, "csv", false, "print CSV; cells that a spreadsheet would take for formulas get an apostrophe")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	cmd.MarkFlagsMutuallyExclusive("clean-up", "csv")
	completeWords(cmd, "kind", "covered", "duplicate", "disabledAccount", "emptyGroup", "stuck", "noLocation", "inactive",
		"unassigned")
	return cmd
}

// driftReport is the first page of GET /licensor/v1/drift.
type driftReport struct {
	page
	Kinds []struct {
		Kind, Status  string
		Rows, Seats   int
		CostsPerMonth []monthlyCost
		Text          string
	}
	raw json.RawMessage
}

type monthlyCost struct{ Amount, Currency string }

func (m *monthlyCost) String() string {
	if m == nil {
		return ""
	}
	return m.Amount + " " + m.Currency
}

// driftRow is a license that is not as it should be.
type driftRow struct {
	Kind                              string
	User                              *namedUser
	SKUID, SKUPartNumber              string
	AssignedByGroup, GroupDisplayName *string
	Seats                             int
	CostPerMonth                      *monthlyCost
	CoveredBy                         *struct{ GroupDisplayName string }
	DuplicateOf                       *struct{ SKUPartNumber string }
	Error, Since, LastSignInDateTime  string
	RenewalDateTime                   string
}

var driftColumns = []tables.Column{
	{Title: "KIND", Name: "kind", Whole: true},
	{Title: "USER", Name: "userPrincipalName"},
	{Title: "PRODUCT", Name: "product"},
	{Title: "FROM", Name: "from"},
	{Title: "SEATS", Name: "seats", Right: true},
	{Title: "PER MONTH", Name: "costPerMonth", Right: true},
	{Title: "WHY", Name: "why"},
}

func (d *drifting) run(cmd *cobra.Command) error {
	return d.print(cmd, func(out *printer) error {
		return d.use(cmd, func(ctx context.Context, c *connection) error {
			if d.cleanUp {
				return d.clean(cmd, out, c)
			}
			return d.list(ctx, out, c)
		})
	})
}

// condition returns the $filter that the flags stand for.
func (d *drifting) condition() string {
	var all []string
	if len(d.kinds) > 0 {
		var kinds []string
		for _, kind := range d.kinds {
			kinds = append(kinds, quoted(kind))
		}
		all = append(all, "kind in ("+strings.Join(kinds, ",")+")")
	}
	if d.where != "" {
		all = append(all, "("+d.where+")")
	}
	return strings.Join(all, " and ")
}

// list prints the sums of the kinds and the rows.
func (d *drifting) list(ctx context.Context, out *printer, c *connection) error {
	query := url.Values{"days": {strconv.Itoa(d.days)}}
	if filter := d.condition(); filter != "" {
		query.Set("$filter", filter)
	}
	var r driftReport
	raw, err := c.ask(ctx, http.MethodGet, listPath("/licensor/v1/drift", query, d.limit), nil, &r)
	if err != nil {
		return err
	}
	r.raw = raw
	found := 0
	for _, k := range r.Kinds {
		found += k.Rows
	}
	t := out.table(driftColumns...)
	if err := r.printKinds(out, t); err != nil {
		return err
	}
	more, err := c.follow(ctx, r.page, d.limit, func(row json.RawMessage) error {
		return printDrift(t, row)
	})
	if err == nil {
		err = out.end(t, more)
	}
	if err == nil && found > 0 {
		return damaged(fmt.Errorf("%d licenses and products are not as they should be", found))
	}
	return err
}

// printKinds prints the sums of the kinds before the rows of a table.
func (r *driftReport) printKinds(out *printer, rows *tables.Writer) error {
	if out.format == tables.JSON {
		var sums struct{ Kinds json.RawMessage }
		if err := json.Unmarshal(r.raw, &sums); err != nil {
			return err
		}
		rows.Member("kinds", sums.Kinds)
		return nil
	}
	if out.format == tables.CSV {
		return nil
	}
	t := out.table(
		tables.Column{Title: "KIND", Whole: true},
		tables.Column{Title: "FOUND", Right: true},
		tables.Column{Title: "SEATS", Right: true},
		tables.Column{Title: "PER MONTH", Right: true},
		tables.Column{Title: "REMARK"},
	)
	for _, k := range r.Kinds {
		if k.Status == "unknown" {
			if err := t.Row(nil, k.Kind, "unknown", nil, nil, k.Text); err != nil {
				return err
			}
			continue
		}
		var costs []string
		for i := range k.CostsPerMonth {
			costs = append(costs, k.CostsPerMonth[i].String())
		}
		if err := t.Row(nil, k.Kind, k.Rows, k.Seats, strings.Join(costs, ", "), k.Text); err != nil {
			return err
		}
	}
	if err := t.End(false); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out)
	return err
}

func printDrift(t *tables.Writer, raw json.RawMessage) error {
	var row driftRow
	if err := json.Unmarshal(raw, &row); err != nil {
		return fmt.Errorf("a row of the response cannot be read: %w", err)
	}
	user, from := "", ""
	if row.User != nil {
		user, from = row.User.UserPrincipalName, "direct"
	}
	if row.AssignedByGroup != nil {
		from = *row.AssignedByGroup
		if row.GroupDisplayName != nil {
			from = *row.GroupDisplayName
		}
	}
	return t.Row(raw, row.Kind, user, firstOf(row.SKUPartNumber, row.SKUID), from, row.Seats, row.CostPerMonth.String(),
		row.why())
}

// why says what the kind does not say.
func (row *driftRow) why() string {
	switch {
	case row.CoveredBy != nil:
		return "also from " + row.CoveredBy.GroupDisplayName
	case row.DuplicateOf != nil:
		return "all plans are in " + row.DuplicateOf.SKUPartNumber
	case row.Error != "":
		return row.Error + " since " + row.Since
	case row.LastSignInDateTime != "":
		return "last seen " + row.LastSignInDateTime
	case row.RenewalDateTime != "":
		return "renews " + row.RenewalDateTime
	}
	return ""
}

// skippedRows are licenses that are not cleaned up.
type skippedRows struct {
	Kind, Reason, Text string
	Rows               int
	Users              []namedUser
	Groups             []struct{ DisplayName string }
}

// clean cleans up what the flags select: without --kind, all kinds that can be.
func (d *drifting) clean(cmd *cobra.Command, out *printer, c *connection) error {
	filter := d.condition()
	if filter == "" {
		filter = "kind in ('covered','duplicate','disabledAccount','emptyGroup','inactive')"
	}
	body, err := json.Marshal(map[string]any{"filter": filter, "days": d.days})
	if err != nil {
		return err
	}
	var p proposed
	raw, err := c.ask(cmd.Context(), http.MethodPost, "/licensor/v1/drift/cleanups", body, &p)
	if err != nil {
		return err
	}
	if out.format == tables.Text {
		if err := p.printSkipped(out); err != nil {
			return err
		}
	}
	if len(p.Requests) == 0 {
		return out.value(raw, func() error {
			_, err := fmt.Fprintln(out, "There is nothing that can be cleaned up.")
			return err
		})
	}
	return d.propose(cmd, out, c, &p)
}

// printSkipped prints what is not cleaned up.
func (p *proposed) printSkipped(out *printer) error {
	if p.Left > 0 {
		fmt.Fprintf(out, "%d licenses are left for the next clean-up.\n\n", p.Left)
	}
	if len(p.Skipped) == 0 {
		return nil
	}
	t := out.table(
		tables.Column{Title: "KIND", Whole: true},
		tables.Column{Title: "STAYS", Right: true},
		tables.Column{Title: "WHY"},
		tables.Column{Title: "FOR"},
	)
	for _, s := range p.Skipped {
		var names []string
		for _, g := range s.Groups {
			names = append(names, "group "+g.DisplayName)
		}
		for _, u := range s.Users {
			names = append(names, u.UserPrincipalName)
		}
		if err := t.Row(nil, s.Kind, s.Rows, s.Text, firstNames(names, max(len(names), s.Rows))); err != nil {
			return err
		}
	}
	if err := t.End(false); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out)
	return err
}

// firstNames joins the first of some names, of which all may not be known.
func firstNames(names []string, all int) string {
	shown := names[:min(len(names), maxNamed)]
	text := strings.Join(shown, ", ")
	if more := all - len(shown); more > 0 && text != "" {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

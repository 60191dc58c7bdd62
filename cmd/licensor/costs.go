package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"licensor/internal/tables"
)

// costs holds the arguments of the command costs.
type costs struct {
	reading
	by   string
	past past
}

func costsCommand() *cobra.Command {
	var c costs
	cmd := &cobra.Command{
		Use:   "costs",
		Short: "Show what seats cost per month",
		Long: `Costs prints what seats cost per month, by currency: those that were bought, are held, are unassigned, are held by
disabled accounts, are held twice (with another product that has all the plans), and are needed by users in error
because no seat was free. Amounts are never converted. Products without a price are listed; licensor prices import
sets prices.

With --by, the seats are divided by a property of the users who hold them, or by the group that gives the license.`,
		Example: "  licensor costs --info demo.json\n" +
			"  licensor costs --by department --csv -o costs.csv",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	cmd.Flags().StringVar(&c.by, "by", "", "department, companyName, country, usageLocation or group")
	c.past.register(cmd)
	c.register(cmd, "rows of --by", 0)
	completeWords(cmd, "by", "department", "companyName", "country", "usageLocation", "group")
	cmd.AddCommand(costsHistoryCommand())
	return cmd
}

// costSum is what seats cost per month in a currency.
type costSum struct {
	Currency, Bought, Held, Unassigned, OnDisabledAccounts, Duplicate, Needed string
}

func (s *costSum) cells() []any {
	return []any{
		s.Currency, s.Bought, s.Held, s.Unassigned, s.OnDisabledAccounts, s.Duplicate, s.Needed,
	}
}

// costReport is the response of GET /licensor/v1/costs.
type costReport struct {
	page
	Costs        []costSum
	WithoutPrice []struct{ SKUID, SKUPartNumber string }
}

// costRow is what the seats of some users cost.
type costRow struct {
	Name  string
	Value *string
	Costs []costSum
}

var costColumns = []tables.Column{
	{Title: "CURRENCY", Name: "currency", Whole: true},
	{Title: "BOUGHT", Name: "bought", Right: true},
	{Title: "HELD", Name: "held", Right: true},
	{Title: "UNASSIGNED", Name: "unassigned", Right: true},
	{Title: "ON DISABLED", Name: "onDisabledAccounts", Right: true},
	{Title: "DUPLICATE", Name: "duplicate", Right: true},
	{Title: "NEEDED", Name: "needed", Right: true},
}

func (k *costs) run(cmd *cobra.Command) error {
	query := url.Values{}
	if k.by != "" {
		query.Set("by", k.by)
	}
	if err := k.past.set(query); err != nil {
		return err
	}
	return k.print(cmd, func(out *printer) error {
		return k.use(cmd, func(ctx context.Context, c *connection) error {
			var r costReport
			raw, err := c.ask(ctx, http.MethodGet, listPath("/licensor/v1/costs", query, k.limit), nil, &r)
			if err != nil {
				return err
			}
			switch {
			case k.by != "":
				err = k.printRows(ctx, out, c, raw, &r)
			case out.format == tables.JSON:
				err = writeJSON(out, raw)
			default:
				err = r.print(out)
			}
			if err == nil && out.format == tables.Text {
				err = r.printUnpriced(out)
			}
			return err
		})
	})
}

// print prints the sums by currency.
func (r *costReport) print(out *printer) error {
	t := out.table(costColumns...)
	t.None = "No product has a price."
	for i := range r.Costs {
		if err := t.Row(nil, r.Costs[i].cells()...); err != nil {
			return err
		}
	}
	return t.End(false)
}

// printRows prints a row for each value and currency. As JSON, a value with all its currencies is
// one row.
func (k *costs) printRows(ctx context.Context, out *printer, c *connection, raw json.RawMessage, r *costReport) error {
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(raw, &sent); err != nil {
		return err
	}
	columns := []tables.Column{{Title: strings.ToUpper(k.by), Name: "name"}}
	for _, column := range costColumns {
		if column.Name != "bought" { // seats that are bought belong to no user
			columns = append(columns, column)
		}
	}
	columns = append(columns, tables.Column{Title: "VALUE", Name: "value", Extra: true})
	t := out.table(columns...)
	for _, member := range []string{"costs", "withoutPrice"} {
		t.Member(member, sent[member])
	}
	more, err := c.follow(ctx, r.page, k.limit, func(raw json.RawMessage) error { return rows(printCostRow)(t, raw) })
	if err != nil {
		return err
	}
	return out.end(t, more)
}

func printCostRow(t *tables.Writer, raw json.RawMessage, row *costRow) error {
	sums := row.Costs
	if t.JSON() || len(sums) == 0 {
		sums = []costSum{{}} // one row, without any cost
	}
	for _, s := range sums {
		err := t.Row(raw, row.Name, s.Currency, s.Held, s.Unassigned, s.OnDisabledAccounts, s.Duplicate, s.Needed,
			row.Value)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *costReport) printUnpriced(out *printer) error {
	if len(r.WithoutPrice) == 0 {
		return nil
	}
	var names []string
	for _, p := range r.WithoutPrice {
		names = append(names, firstOf(p.SKUPartNumber, p.SKUID))
	}
	_, err := fmt.Fprintf(out, "\nWithout a price: %s\n", strings.Join(names, ", "))
	return err
}

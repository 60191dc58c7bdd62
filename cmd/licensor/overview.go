package main

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/spf13/cobra"

	"licensor/internal/tables"
)

// overview are the numbers of a tenant, as GET /licensor/v1/overview has them.
type overview struct {
	Commit struct {
		Number   uint64
		DateTime string
	}
	Users struct {
		Count, Licensed, Unlicensed, Disabled, Guests, WithoutUsageLocation int
	}
	Groups struct {
		Count, Licensed, Dynamic, WithFailedRules, WithErrors int
	}
	Products struct {
		Count, Units, SuspendedUnits, Held, Unassigned, Short int
		RenewalDateTime                                       string
	}
	Errors struct {
		Users, Waiting int
		OldestDateTime string
		ByError        map[string]int
	}
}

func overviewCommand() *cobra.Command {
	var from reading
	cmd := &cobra.Command{
		Use:     "overview",
		Short:   "Show the numbers of the tenant: users, groups, products, errors",
		Long:    "Overview prints how many users, groups, seats and errors the tenant has, as of its last change.",
		Example: "  licensor overview --info demo.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return from.print(cmd, func(out *printer) error {
				return from.use(cmd, func(ctx context.Context, c *connection) error {
					var o overview
					raw, err := c.ask(ctx, http.MethodGet, "/licensor/v1/overview", nil, &o)
					if err != nil {
						return err
					}
					return out.value(json.RawMessage(raw), func() error { return o.print(out) })
				})
			})
		},
	}
	from.registerForms(cmd)
	from.connecting.register(cmd)
	return cmd
}

func (o *overview) print(out *printer) error {
	t := out.table(
		tables.Column{Title: "OF", Name: "of", Whole: true}, tables.Column{Title: "WHAT", Name: "what", Whole: true},
		tables.Column{Title: "NUMBER", Name: "number", Right: true},
	)
	bad := func(n int) any { return signed(n, tables.Bad) }
	for _, row := range []struct {
		of, what string
		n        any
	}{
		{"commit", "number", o.Commit.Number},
		{"commit", "time", o.Commit.DateTime},
		{"users", "all", o.Users.Count},
		{"users", "licensed", o.Users.Licensed},
		{"users", "unlicensed", o.Users.Unlicensed},
		{"users", "disabled accounts", o.Users.Disabled},
		{"users", "guests", o.Users.Guests},
		{"users", "without a usage location", o.Users.WithoutUsageLocation},
		{"groups", "all", o.Groups.Count},
		{"groups", "licensed", o.Groups.Licensed},
		{"groups", "dynamic", o.Groups.Dynamic},
		{"groups", "rule fails", bad(o.Groups.WithFailedRules)},
		{"groups", "with license errors", bad(o.Groups.WithErrors)},
		{"products", "all", o.Products.Count},
		{"products", "seats", o.Products.Units},
		{"products", "seats held", o.Products.Held},
		{"products", "seats unassigned", o.Products.Unassigned},
		{"products", "seats suspended", signed(o.Products.SuspendedUnits, tables.Warning)},
		{"products", "short of seats", bad(o.Products.Short)},
		{"products", "next renewal", o.Products.RenewalDateTime},
		{"errors", "users", bad(o.Errors.Users)},
		{"errors", "users waiting for a seat", bad(o.Errors.Waiting)},
		{"errors", "oldest", o.Errors.OldestDateTime},
	} {
		if row.n == "" {
			continue
		}
		if err := t.Row(nil, row.of, row.what, row.n); err != nil {
			return err
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(o.Errors.ByError)) {
		if err := t.Row(nil, "errors", kind, bad(o.Errors.ByError[kind])); err != nil {
			return err
		}
	}
	return t.End(false)
}

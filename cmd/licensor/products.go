package main

import (
	"encoding/json"
	"net/url"

	"github.com/spf13/cobra"

	"licensor/internal/tables"
)

// product is a row of GET /licensor/v1/products.
type product struct {
	SKUID, SKUPartNumber, Name, CapabilityStatus string

	Units struct {
		Enabled, Warning, Suspended, LockedOut int
	}
	Held, Unassigned, Waiting, InError int
	RenewalDateTime                    string
	PricePerMonth                      *struct{ Amount, Currency string }
}

func productsCommand() *cobra.Command {
	var from reading
	var then past
	cmd := &cobra.Command{
		Use:   "products",
		Short: "List products, and how their seats are used",
		Long: `Products lists the products of the tenant: how many seats can be assigned, how many users hold and wait for one,
how many are in error with it, how many seats no user has, when it is renewed, and what a seat costs per month.`,
		Example: "  licensor products --info demo.json\n" +
			"  licensor products --json | jq -r '.value[] | select(.waiting > 0) | .skuPartNumber'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{}
			if err := then.set(query); err != nil {
				return err
			}
			return from.printList(cmd, list{
				path: "/licensor/v1/products", query: query, columns: productColumns, row: rows(printProduct),
				none: "The tenant has no products.",
			})
		},
	}
	then.register(cmd)
	from.register(cmd, "products", 0)
	return cmd
}

var productColumns = []tables.Column{
	{Title: "PRODUCT", Name: "skuPartNumber"},
	{Title: "NAME", Name: "name", Extra: true},
	{Title: "SEATS", Name: "seats", Right: true},
	{Title: "HELD", Name: "held", Right: true},
	{Title: "UNASSIGNED", Name: "unassigned", Right: true},
	{Title: "WAITING", Name: "waiting", Right: true},
	{Title: "IN ERROR", Name: "inError", Right: true},
	{Title: "SUSPENDED", Name: "suspended", Right: true, Extra: true},
	{Title: "RENEWAL", Name: "renewalDateTime", Whole: true, Extra: true},
	{Title: "PER MONTH", Name: "pricePerMonth", Right: true, Extra: true},
	{Title: "CURRENCY", Name: "currency", Whole: true, Extra: true},
	{Title: "SKU ID", Name: "skuId", Whole: true, Extra: true},
}

func printProduct(t *tables.Writer, raw json.RawMessage, p *product) error {
	amount, currency := "", ""
	if p.PricePerMonth != nil {
		amount, currency = p.PricePerMonth.Amount, p.PricePerMonth.Currency
	}
	return t.Row(raw, firstOf(p.SKUPartNumber, p.SKUID), p.Name, p.Units.Enabled+p.Units.Warning, p.Held, p.Unassigned,
		signed(p.Waiting, tables.Bad), signed(p.InError, tables.Bad),
		signed(p.Units.Suspended+p.Units.LockedOut, tables.Warning), p.RenewalDateTime, amount, currency, p.SKUID)
}

// signed returns a number that has a sign unless it is 0.
func signed(n int, sign tables.Sign) any {
	if n == 0 {
		return 0
	}
	return tables.Cell{Value: n, Sign: sign}
}

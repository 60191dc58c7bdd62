package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"licensor/internal/licensing"
	"licensor/internal/sheet"
	"licensor/internal/tables"
)

// price is what a seat of a product costs, as GET and PUT /licensor/v1/prices have it.
type price struct {
	SKUID         string `json:"skuId"`
	SKUPartNumber string `json:"skuPartNumber,omitempty"`
	Amount        string `json:"amount"`
	Currency      string `json:"currency"`
	Period        string `json:"period"`
	ValidFrom     string `json:"validFrom"`
}

func pricesCommand() *cobra.Command {
	var from reading
	cmd := &cobra.Command{
		Use:   "prices",
		Short: "List and import what products cost",
		Long:  "Prices prints what a seat of each product costs, by the date from which the price is valid.",
		Example: "  licensor prices\n" +
			"  licensor prices --json --info demo.json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return from.printList(cmd, list{
				path: "/licensor/v1/prices", none: "No product has a price.", row: rows(printPrice),
				columns: []tables.Column{
					{Title: "PRODUCT", Name: "skuPartNumber"},
					{Title: "FROM", Name: "validFrom", Whole: true},
					{Title: "AMOUNT", Name: "amount", Right: true},
					{Title: "CURRENCY", Name: "currency", Whole: true},
					{Title: "PER", Name: "period", Whole: true},
					{Title: "SKU ID", Name: "skuId", Whole: true, Extra: true},
				},
			})
		},
	}
	from.register(cmd, "prices", 0)
	cmd.AddCommand(pricesImportCommand())
	return cmd
}

func printPrice(t *tables.Writer, raw json.RawMessage, p *price) error {
	return t.Row(raw, p.SKUPartNumber, p.ValidFrom, p.Amount, p.Currency, p.Period, p.SKUID)
}

func pricesImportCommand() *cobra.Command {
	var to connecting
	var yes bool
	cmd := &cobra.Command{
		Use:   "import FILE.csv",
		Short: "Replace all prices by those of a file, after showing what that changes",
		Long: `Import replaces the prices of the tenant by those of a CSV file, whose first line names the columns: skuId or
skuPartNumber, amount (a decimal number with a point), currency (a code such as EUR), period (month or year) and
validFrom (a date such as 2026-01-31). A product may have several prices with different dates. If a line is wrong,
nothing is changed. The name - is the standard input.

Prices that the file does not have are removed. Import prints which prices are new, changed and removed, and asks. Undo
does not bring prices back: "licensor prices --csv -o old.csv" keeps them in a file that can be imported again.`,
		Example: "  licensor prices import prices.csv\n" +
			"  licensor prices import --yes --info demo.json prices.csv",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := readPrices(args[0], cmd.InOrStdin())
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			err = to.use(cmd, func(ctx context.Context, c *connection) error {
				return importPrices(ctx, cmd, c, rows, yes)
			})
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d prices were imported\n", len(rows))
			return err
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	to.register(cmd)
	return cmd
}

// priceColumns are the columns of a file of prices. Each row needs one of the first two.
var priceColumns = []string{"skuId", "skuPartNumber", "amount", "currency", "period", "validFrom"}

// maxPricesFile is the size of the largest file.
const maxPricesFile = 16 << 20

// readPrices reads a file, whose cells are checked by the server.
func readPrices(name string, stdin io.Reader) ([]price, error) {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxPricesFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxPricesFile {
		return nil, fmt.Errorf("it has more than %d MB", maxPricesFile>>20)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	_, header, _ := bufio.ScanLines(data, true)
	rows := csv.NewReader(bytes.NewReader(data))
	rows.Comma = sheet.Separator(string(header))
	table, err := rows.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(table) == 0 {
		return nil, errors.New("it has no line that names the columns")
	}
	return pricesOf(table)
}

func pricesOf(table [][]string) ([]price, error) {
	at := map[string]int{}
	for i, name := range table[0] {
		name = strings.TrimSpace(name)
		known := slices.IndexFunc(priceColumns, func(c string) bool { return strings.EqualFold(c, name) })
		if known < 0 {
			return nil, fmt.Errorf("the column %q is unknown: the columns are %s", name,
				strings.Join(priceColumns, ", "))
		}
		at[priceColumns[known]] = i
	}
	list := make([]price, 0, len(table)-1)
	for _, row := range table[1:] {
		cell := func(name string) string {
			if i, ok := at[name]; ok {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		list = append(list, price{
			cell("skuId"), cell("skuPartNumber"), cell("amount"), cell("currency"), cell("period"), cell("validFrom"),
		})
	}
	return list, nil
}

// importPrices finds products by their part numbers, shows what changes, asks unless yes is set,
// and sets all prices.
func importPrices(ctx context.Context, cmd *cobra.Command, c *connection, rows []price, yes bool) error {
	var all licensing.Catalog
	if err := c.get(ctx, "/licensor/v1/catalog", &all); err != nil {
		return err
	}
	if err := findPriced(rows, &all); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"prices": rows})
	if err != nil {
		return err
	}
	before, err := pricesNow(ctx, c)
	if err != nil {
		return err
	}
	change := comparePrices(before, rows, &all)
	if err := change.print(cmd.OutOrStdout()); err != nil {
		return err
	}
	if !yes && !change.none() {
		if err := confirm(cmd); err != nil {
			return err
		}
	}
	return c.do(ctx, http.MethodPut, "/licensor/v1/prices", "application/json", body, nil)
}

// findPriced sets the ids of products that only have a part number.
func findPriced(rows []price, all *licensing.Catalog) error {
	for i := range rows {
		p := &rows[i]
		if p.SKUID != "" {
			continue
		}
		known := slices.IndexFunc(all.Products, func(q licensing.Product) bool {
			return strings.EqualFold(q.SKUPartNumber, p.SKUPartNumber)
		})
		if known < 0 {
			return fmt.Errorf("line %d: the catalog has no product with the part number %q", i+2, p.SKUPartNumber)
		}
		p.SKUID = all.Products[known].SKUID.String()
	}
	return nil
}

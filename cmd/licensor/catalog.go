package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"licensor/internal/catalog"
	"licensor/internal/licensing"
	"licensor/internal/tables"
)

func catalogCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "catalog",
		Short: "Import and list the products that can be bought",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(catalogImportCommand(), catalogListCommand())
	return cmd
}

// catalogImport holds the arguments of the command catalog import.
type catalogImport struct {
	connecting
	replace, dryRun, json bool
}

func catalogImportCommand() *cobra.Command {
	var ci catalogImport
	cmd := &cobra.Command{
		Use:   "import FILE.csv",
		Short: "Import products and service plans from Microsoft's published list",
		Long: `Import reads the table "Product names and service plan identifiers for licensing", which Microsoft publishes as
CSV, and adds its products and service plans to the tenant's catalog. The catalog keeps what the table does not
have: conflicts and dependencies of plans, the countries where they are not offered, and their services. The
rules that Licensor knows are added.

Products that are not in the file remain, unless --replace is given. Problems in the file are reported with
their line. The name - is the standard input.`,
		Example: "  licensor catalog import --dry-run 'Product names and service plan identifiers for " +
			"licensing.csv'\n" +
			"  licensor catalog import --info demo.json products.csv",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return ci.run(cmd, args[0]) },
	}
	cmd.Flags().BoolVar(&ci.replace, "replace", false,
		"remove products and rules that are not in the file and not known to Licensor")
	cmd.Flags().BoolVar(&ci.dryRun, "dry-run", false, "only print what would change")
	cmd.Flags().BoolVar(&ci.json, "json", false, "print the summary, with the problems of the file, as JSON")
	ci.register(cmd)
	return cmd
}

// catalogSummary describes the effect of importing the list.
type catalogSummary struct {
	Rows         int               `json:"rows"`
	Skipped      int               `json:"skipped"`
	Problems     []catalog.Problem `json:"problems"`
	RulesLeftOut []string          `json:"rulesLeftOut"`
	Products     catalog.Changes   `json:"products"`
	ServicePlans catalog.Changes   `json:"servicePlans"`
	Written      bool              `json:"written"`
}

func (ci *catalogImport) run(cmd *cobra.Command, name string) error {
	table, report, err := readList(name, cmd.InOrStdin())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c, err := ci.open(cmd)
	if err != nil {
		return err
	}
	summary, err := ci.write(cmd.Context(), c, table)
	if err = errors.Join(err, c.close()); err != nil {
		return err
	}
	summary.Rows, summary.Skipped = report.Rows, report.Skipped
	summary.Problems = append([]catalog.Problem{}, report.Problems...)
	if ci.json {
		err = writeJSON(cmd.OutOrStdout(), summary)
	} else {
		err = summary.print(cmd.OutOrStdout(), cmd.ErrOrStderr(), name)
	}
	if err == nil && report.Skipped > 0 {
		return partly(fmt.Errorf("%d rows were skipped", report.Skipped))
	}
	return err
}

func readList(name string, stdin io.Reader) (*licensing.Catalog, *catalog.Report, error) {
	if name == "-" {
		return catalog.Read(stdin)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	return catalog.Read(file)
}

// write saves the list as the tenant's catalog.
func (ci *catalogImport) write(ctx context.Context, c *connection, table *licensing.Catalog) (*catalogSummary, error) {
	old := new(licensing.Catalog)
	if err := c.get(ctx, "/licensor/v1/catalog", old); err != nil {
		return nil, err
	}
	merged := table
	if !ci.replace {
		merged = catalog.Merge(old, table)
	}
	merged, leftOut := catalog.WithKnownRules(merged)
	s := &catalogSummary{RulesLeftOut: append([]string{}, leftOut...)}
	s.Products = catalog.CompareProducts(old.Products, merged.Products)
	s.ServicePlans = catalog.CompareServicePlans(old.ServicePlans, merged.ServicePlans)
	if ci.dryRun || !s.Products.Any() && !s.ServicePlans.Any() {
		return s, nil
	}
	body, err := json.Marshal(merged)
	if err != nil {
		return nil, err
	}
	s.Written = true
	return s, c.do(ctx, http.MethodPut, "/licensor/v1/catalog", "application/json", body, nil)
}

func (s *catalogSummary) print(out, err io.Writer, name string) error {
	for _, p := range s.Problems {
		fmt.Fprintf(err, "%s:%d: %s\n", name, p.Line, p.Text)
	}
	for _, text := range s.RulesLeftOut {
		fmt.Fprintf(err, "%s: %s\n", name, text)
	}
	fmt.Fprintf(out, "%d rows read, %d of them skipped\n\n", s.Rows, s.Skipped)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tADDED\tCHANGED\tUNCHANGED\tREMOVED")
	for _, line := range []struct {
		what string
		catalog.Changes
	}{{"products", s.Products}, {"service plans", s.ServicePlans}} {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\n", line.what, line.Added, line.Changed, line.Unchanged, line.Removed)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if !s.Written {
		fmt.Fprintln(out, "\nNothing was written.")
	}
	return nil
}

func catalogListCommand() *cobra.Command {
	var from reading
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the products of the catalog",
		Long: "List prints the products of the tenant's catalog. With --json it prints the whole catalog, in the " +
			"form that PUT /licensor/v1/catalog takes.",
		Example: "  licensor catalog list\n" +
			"  licensor catalog list --json --info demo.json > catalog.json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return from.print(cmd, func(out *printer) error {
				return from.use(cmd, func(ctx context.Context, c *connection) error {
					var all licensing.Catalog
					if err := c.get(ctx, "/licensor/v1/catalog", &all); err != nil {
						return err
					}
					return out.value(all, func() error { return listCatalog(out, all.Products) })
				})
			})
		},
	}
	from.registerForms(cmd)
	from.connecting.register(cmd)
	return cmd
}

func listCatalog(out *printer, products []licensing.Product) error {
	t := out.table(
		tables.Column{Title: "SKU ID", Name: "skuId", Whole: true}, tables.Column{Title: "PLANS", Name: "plans", Right: true},
		tables.Column{Title: "SKU PART NUMBER", Name: "skuPartNumber"}, tables.Column{Title: "NAME", Name: "name"},
	)
	t.None = "The catalog has no products."
	for _, p := range products {
		if err := t.Row(nil, p.SKUID.String(), len(p.ServicePlanIDs), p.SKUPartNumber, p.DisplayName); err != nil {
			return err
		}
	}
	return t.End(false)
}

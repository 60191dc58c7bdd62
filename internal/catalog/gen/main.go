// Command gen writes internal/catalog/builtin.txt, the built-in catalog. It is run by hand, from
// the top folder of the project, when the specification has changed:
//
//	LICENSOR_SPEC=../specification go run ./internal/catalog/gen
//
// LICENSOR_SPEC is the folder with spec/products.csv (which products), spec/exclusive.csv and
// spec/dependencies.csv (the rules between plans), and catalog/product-names-and-service-plans.csv,
// Microsoft's table (which plans).
package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/licensing"
)

const target = "internal/catalog/builtin.txt"

func main() {
	log.SetFlags(0)
	spec := os.Getenv("LICENSOR_SPEC")
	if spec == "" {
		log.Fatal("gen: set LICENSOR_SPEC to the specification folder, the one that holds spec/ and catalog/")
	}
	text, err := generate(spec)
	if err != nil {
		log.Fatalf("gen: %v", err)
	}
	if err := os.WriteFile(target, []byte(text), 0o644); err != nil {
		log.Fatalf("gen: %v (run it from the top folder of the project)", err)
	}
}

// generator collects the lines of the file.
type generator struct {
	whole  *licensing.Catalog // all plans of Microsoft's table
	plans  map[uuid.UUID]int  // plan -> its place in whole
	places map[uuid.UUID]int  // plan -> its place in the file
	first  strings.Builder    // the plans
	then   strings.Builder    // products and rules, which name plans
}

func generate(spec string) (string, error) {
	whole, err := readTable(filepath.Join(spec, "catalog", "product-names-and-service-plans.csv"))
	if err != nil {
		return "", err
	}
	g := &generator{whole: whole, plans: map[uuid.UUID]int{}, places: map[uuid.UUID]int{}}
	for i, p := range whole.ServicePlans {
		g.plans[p.ID] = i
	}
	err = errors.Join(
		each(spec, "products.csv", g.product),
		each(spec, "exclusive.csv", func(r map[string]string) error { return g.rule("excludes", r["planA"], r["planB"]) }),
		each(spec, "dependencies.csv", func(r map[string]string) error {
			return g.rule("requires", append([]string{r["plan"]}, strings.Split(r["requiresAnyOf"], ";")...)...)
		}),
	)
	return "# The built-in catalog; written by go run ./internal/catalog/gen. The format is explained in " +
		"builtin.go.\n" +
		g.first.String() + g.then.String(), err
}

func readTable(path string) (*licensing.Catalog, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	whole, _, err := catalog.Read(file)
	return whole, err
}

// each calls with every row of a file of the specification, by column name.
func each(spec, name string, do func(map[string]string) error) error {
	file, err := os.Open(filepath.Join(spec, "spec", name))
	if err != nil {
		return err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil || len(rows) == 0 {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, row := range rows[1:] {
		record := map[string]string{}
		for i, heading := range rows[0] {
			record[heading] = row[i]
		}
		if err := do(record); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// product writes a product of the specification with its plans, whose number must match the
// specification.
func (g *generator) product(record map[string]string) error {
	sku, part := record["skuId"], record["skuPartNumber"]
	for _, p := range g.whole.Products {
		if p.SKUID.String() != sku {
			continue
		}
		if strconv.Itoa(len(p.ServicePlanIDs)) != record["servicePlans"] {
			return fmt.Errorf("%s has %d plans in the table and %s in the specification",
				part, len(p.ServicePlanIDs), record["servicePlans"])
		}
		places := make([]string, len(p.ServicePlanIDs))
		for i, id := range p.ServicePlanIDs {
			places[i] = strconv.Itoa(g.place(id))
		}
		line(&g.then, "product", sku, part, record["displayName"], strings.Join(places, " "))
		return nil
	}
	return fmt.Errorf("the table has no product %s %s", sku, part)
}

// place returns the position of a plan in the file. The first call for a plan writes it.
func (g *generator) place(id uuid.UUID) int {
	at, written := g.places[id]
	if !written {
		at = len(g.places)
		g.places[id] = at
		p := g.whole.ServicePlans[g.plans[id]]
		parts := []string{"plan", id.String(), p.Name}
		if p.DisplayName != p.Name {
			parts = append(parts, p.DisplayName)
		}
		line(&g.first, parts...)
	}
	return at
}

func (g *generator) rule(kind string, ids ...string) error {
	parts := []string{kind}
	for _, text := range ids {
		id, err := uuid.Parse(text)
		if err != nil {
			return err
		}
		at, ok := g.plans[id]
		if !ok {
			return fmt.Errorf("the table has no plan %s", id)
		}
		g.place(id)
		parts = append(parts, g.whole.ServicePlans[at].Name)
	}
	line(&g.then, parts...)
	return nil
}

func line(to *strings.Builder, parts ...string) {
	to.WriteString(strings.Join(parts, "\t") + "\n")
}

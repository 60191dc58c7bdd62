package catalog

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// builtInText has a line for each fact, its parts separated by tabs; plans come before the lines
// that name them:
//
//	plan      id name [friendly name, when it is another]
//	product   id part number, name, the places of its plans among the plans, counted from 0
//	excludes  plan name, plan name
//	requires  plan name, the plans of which it needs one
//
//go:embed builtin.txt
var builtInText string

// BuiltIn returns a fresh catalog of the products met most often, with all known rules. It takes
// about a millisecond.
func BuiltIn() *licensing.Catalog {
	c, err := parseBuiltIn(builtInText)
	if err != nil {
		panic("catalog: builtin.txt: " + err.Error()) // it is part of the program and read by its tests
	}
	return c
}

// builtIn is the built-in catalog while it is read.
type builtIn struct {
	catalog licensing.Catalog
	byName  map[string]int
}

func parseBuiltIn(text string) (*licensing.Catalog, error) {
	b := builtIn{byName: map[string]int{}}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := b.read(strings.Split(line, "\t")); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	return &b.catalog, b.catalog.Validate()
}

func (b *builtIn) read(parts []string) error {
	switch kind := parts[0]; {
	case kind == "plan" && len(parts) >= 3:
		return b.plan(parts[1:])
	case kind == "product" && len(parts) == 5:
		return b.product(parts[1:])
	case kind == "excludes" && len(parts) == 3, kind == "requires" && len(parts) >= 3:
		return b.rule(kind, parts[1:])
	default:
		return fmt.Errorf("%q with %d parts is not a fact", kind, len(parts)-1)
	}
}

func (b *builtIn) plan(parts []string) error {
	id, err := uuid.Parse(parts[0])
	if err != nil {
		return err
	}
	name := parts[1]
	b.byName[name] = len(b.catalog.ServicePlans)
	b.catalog.ServicePlans = append(b.catalog.ServicePlans, licensing.ServicePlan{
		ID: id, Name: name, DisplayName: parts[len(parts)-1], Service: serviceOf(name), AppliesTo: appliesTo(name),
	})
	return nil
}

func (b *builtIn) product(parts []string) error {
	id, err := uuid.Parse(parts[0])
	if err != nil {
		return err
	}
	p := licensing.Product{
		SKUID: id, SKUPartNumber: parts[1], DisplayName: parts[2], AppliesTo: licensing.AppliesToUser,
	}
	for field := range strings.FieldsSeq(parts[3]) {
		at, err := strconv.Atoi(field)
		if err != nil || at < 0 || at >= len(b.catalog.ServicePlans) {
			return fmt.Errorf("product %s: there is no plan %q", p.SKUPartNumber, field)
		}
		p.ServicePlanIDs = append(p.ServicePlanIDs, b.catalog.ServicePlans[at].ID)
	}
	b.catalog.Products = append(b.catalog.Products, p)
	return nil
}

func (b *builtIn) rule(kind string, names []string) error {
	var others []uuid.UUID
	for _, name := range names {
		at, ok := b.byName[name]
		if !ok {
			return fmt.Errorf("there is no plan %q", name)
		}
		others = append(others, b.catalog.ServicePlans[at].ID)
	}
	p := &b.catalog.ServicePlans[b.byName[names[0]]]
	if kind == "excludes" {
		p.Excludes = append(p.Excludes, others[1])
	} else {
		p.RequiresAnyOf = append(p.RequiresAnyOf, others[1:])
	}
	return nil
}

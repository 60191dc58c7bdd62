package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// WithKnownRules returns the catalog with the rules of the built-in one added to the plans it has;
// its own rules and everything else stay. A conflict is added if the catalog has both plans. A
// dependency is reduced to the plans that the catalog has. If it has none of them, the plan could
// never be assigned, so the rule is omitted and returned in the second result.
func WithKnownRules(c *licensing.Catalog) (*licensing.Catalog, []string) {
	k, rules := newKnown(c), BuiltIn().ServicePlans
	for _, rule := range rules {
		k.names[rule.ID] = rule.Name
	}
	for _, rule := range rules {
		if at, ok := k.places[rule.ID]; ok {
			k.exclude(at, rule.Excludes)
			k.require(at, rule.RequiresAnyOf)
		}
	}
	return &k.result, k.leftOut
}

// known is a catalog to which the known rules are added.
type known struct {
	result  licensing.Catalog
	places  map[uuid.UUID]int
	names   map[uuid.UUID]string
	leftOut []string
}

// newKnown copies the parts of the catalog that will be written to.
func newKnown(c *licensing.Catalog) *known {
	k := &known{
		result: licensing.Catalog{Products: c.Products, ServicePlans: slices.Clone(c.ServicePlans)},
		places: make(map[uuid.UUID]int, len(c.ServicePlans)), names: map[uuid.UUID]string{},
	}
	for i, p := range k.result.ServicePlans {
		k.places[p.ID] = i
	}
	return k
}

func (k *known) exclude(at int, others []uuid.UUID) {
	p := &k.result.ServicePlans[at]
	for _, id := range others {
		other, ok := k.places[id]
		if ok && !slices.Contains(p.Excludes, id) && !slices.Contains(k.result.ServicePlans[other].Excludes, p.ID) {
			p.Excludes = append(slices.Clip(p.Excludes), id)
		}
	}
}

func (k *known) require(at int, sets [][]uuid.UUID) {
	p := &k.result.ServicePlans[at]
	for _, set := range sets {
		there := slices.DeleteFunc(slices.Clone(set), func(id uuid.UUID) bool { _, ok := k.places[id]; return !ok })
		same := func(have []uuid.UUID) bool { return sameSet(have, there) }
		switch {
		case len(there) == 0:
			k.leftOut = append(k.leftOut,
				fmt.Sprintf("service plan %s needs %s, and the catalog has none of them: the rule was left out",
					p.Name, strings.Join(k.namesOf(set), " or ")))
		case !slices.ContainsFunc(p.RequiresAnyOf, same):
			p.RequiresAnyOf = append(slices.Clip(p.RequiresAnyOf), there)
		}
	}
}

func (k *known) namesOf(ids []uuid.UUID) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = k.names[id]
	}
	return names
}

func sameSet(a, b []uuid.UUID) bool {
	missing := func(from []uuid.UUID) func(uuid.UUID) bool {
		return func(id uuid.UUID) bool { return !slices.Contains(from, id) }
	}
	return !slices.ContainsFunc(a, missing(b)) && !slices.ContainsFunc(b, missing(a))
}

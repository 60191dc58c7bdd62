package catalog

import (
	"strings"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// plan is the description of a service plan in a row.
type plan struct {
	id             uuid.UUID
	name, friendly string
}

// plansOf reads the plans of a row: at most one, or in the older layout a list. It returns false
// when the row was skipped.
func (t *table) plansOf(row row) ([]plan, bool) {
	if t.columns.has(planID) {
		return t.planOf(row)
	}
	list, rest := splitList(t.text(row, planList))
	if rest != "" {
		t.report.skip(row.line, "%q in %s is not a NAME (GUID)", shortened(rest), planList)
		return nil, false
	}
	friendly := map[string]string{}
	names, _ := splitList(t.text(row, friendlyName))
	for _, n := range names {
		friendly[strings.ToLower(n.id)] = n.name
	}
	plans := make([]plan, 0, len(list))
	for _, n := range list {
		id, ok := t.parse(row.line, planList, n.id)
		if !ok || !t.named(row.line, id, n.name) {
			return nil, false
		}
		plans = append(plans, plan{id, n.name, friendly[id.String()]})
	}
	return plans, true
}

func (t *table) planOf(row row) ([]plan, bool) {
	name, friendly := t.text(row, planName), t.text(row, friendlyName)
	if name == "" && t.text(row, planID) == "" {
		return nil, true
	}
	id, ok := t.guid(row, planID)
	if !ok || !t.named(row.line, id, name) {
		return nil, false
	}
	return []plan{{id, name, friendly}}, true
}

func (t *table) named(line int, id uuid.UUID, name string) bool {
	if _, known := t.plans[id]; name == "" && !known {
		t.report.skip(line, "Service_Plan_Name is empty, and no row above names plan %s", id)
		return false
	}
	return true
}

// product finds or adds a product and returns its place.
func (t *table) product(line int, sku uuid.UUID, part, name string) int {
	at, known := t.products[sku]
	if !known {
		at = len(t.result.Products)
		t.products[sku] = at
		t.result.Products = append(t.result.Products, licensing.Product{SKUID: sku, AppliesTo: licensing.AppliesToUser})
		t.claim(line, partNumber, part, sku, t.partNumbers)
	}
	p := &t.result.Products[at]
	t.keep(line, partNumber, sku, &p.SKUPartNumber, part)
	t.keep(line, productName, sku, &p.DisplayName, name)
	return at
}

// include adds a plan to a product, and to the catalog if it is new.
func (t *table) include(line, product int, given plan) {
	at, known := t.plans[given.id]
	if !known {
		at = len(t.result.ServicePlans)
		t.plans[given.id] = at
		t.result.ServicePlans = append(t.result.ServicePlans, licensing.ServicePlan{ID: given.id})
		t.claim(line, planName, given.name, given.id, t.planNames)
	}
	p := &t.result.ServicePlans[at]
	t.keep(line, planName, given.id, &p.Name, given.name)
	t.keep(line, friendlyName, given.id, &p.DisplayName, given.friendly)

	owner := &t.result.Products[product]
	key := [2]uuid.UUID{owner.SKUID, given.id}
	if first, twice := t.included[key]; twice {
		t.report.note(line, "repeats line %d: plan %s of product %s", first, p.Name, owner.SKUPartNumber)
		return
	}
	t.included[key] = line
	owner.ServicePlanIDs = append(owner.ServicePlanIDs, given.id)
}

// keep keeps the first name and notes each other one.
func (t *table) keep(line int, what column, id uuid.UUID, kept *string, given string) {
	switch {
	case *kept == "":
		*kept = given
	case given != "" && given != *kept:
		t.report.note(line, "%s of %s is %q here and was %q before; the first is kept",
			what, id, shortened(given), shortened(*kept))
	}
}

// claim notes that two ids have one name. Both are kept: Microsoft has such pairs, and only ids
// identify.
func (t *table) claim(line int, what column, name string, id uuid.UUID, owners map[string]uuid.UUID) {
	key := strings.ToLower(name)
	if other, taken := owners[key]; taken && name != "" {
		t.report.note(line, "%s %q belongs to %s and to %s; both are kept", what, shortened(name), other, id)
		return
	}
	owners[key] = id
}

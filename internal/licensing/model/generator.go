package model

import (
	"fmt"
	"slices"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/licensing"
)

// World is the world of a drawn history: the ids it uses, and its initial catalog.
type World struct {
	Catalog                    licensing.Catalog
	Users, Groups, SKUs, Plans []uuid.UUID
	Countries                  []licensing.Country // without NoCountry
}

// DrawWorld draws a small world. The order of ids as bytes differs from that of their numbers.
func DrawWorld(t *rapid.T) *World {
	w := &World{
		Users:  drawIDs(t, 'u', 2+evenly(t, 5, "users")),
		Groups: drawIDs(t, 'g', 1+evenly(t, 3, "groups")),
		SKUs:   drawIDs(t, 's', 5+evenly(t, 3, "products")),
		Plans:  drawIDs(t, 'p', 10),
	}
	for _, code := range []string{"DE", "FR", "US"} {
		country, _ := licensing.ParseCountry(code)
		w.Countries = append(w.Countries, country)
	}
	w.Catalog = w.drawCatalog(t)
	return w
}

func drawIDs(t *rapid.T, kind byte, n int) []uuid.UUID {
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = i
	}
	ids := make([]uuid.UUID, n)
	for i, rank := range rapid.Permutation(ranks).Draw(t, "order of "+string(kind)) {
		ids[i] = ID(kind, i, rank)
	}
	return ids
}

// evenly draws one of 0…n-1, each as often as the others; rapid's own ranges favour the first by
// far.
func evenly(t *rapid.T, n int, label string) int {
	bits := 0
	for _, bit := range rapid.SliceOfN(rapid.Bool(), 8, 8).Draw(t, label) {
		bits *= 2
		if bit {
			bits++
		}
	}
	return bits * n / 256
}

func pick[T any](t *rapid.T, from []T, label string) T { return from[evenly(t, len(from), label)] }

// onceIn is true one time in n.
func onceIn(t *rapid.T, n int, label string) bool { return evenly(t, n, label) == n-1 }

// some draws a few distinct elements, in the order of from.
func some(t *rapid.T, from []uuid.UUID, least, most int, label string) []uuid.UUID {
	if len(from) == 0 {
		return nil
	}
	least, most = min(least, len(from)), min(most, len(from))
	n := least + evenly(t, most-least+1, "number of "+label)
	left := slices.Clone(from)
	for len(left) > n {
		i := evenly(t, len(left), "not among "+label)
		left = slices.Delete(left, i, i+1)
	}
	return left
}

// drawCatalog draws products of one to three plans; the last product is the company's, the last
// plan exchange's.
func (w *World) drawCatalog(t *rapid.T) licensing.Catalog {
	var c licensing.Catalog
	for i, id := range w.Plans {
		c.ServicePlans = append(c.ServicePlans, licensing.ServicePlan{ID: id, Name: fmt.Sprintf("PLAN_%d", i), Service: "other"})
	}
	c.ServicePlans[len(w.Plans)-1].Service = licensing.ExchangeService
	for i, id := range w.SKUs {
		p := licensing.Product{SKUID: id, SKUPartNumber: fmt.Sprintf("SKU_%d", i), AppliesTo: licensing.AppliesToUser}
		p.ServicePlanIDs = some(t, w.Plans, 1, 3, "plans of product")
		c.Products = append(c.Products, p)
	}
	c.Products[len(c.Products)-1].AppliesTo = licensing.AppliesToCompany
	for range 1 + evenly(t, 3, "exclusions") {
		w.addExclusion(t, &c)
	}
	for range 1 + evenly(t, 3, "requirements") {
		w.addRequirement(t, &c)
	}
	for range evenly(t, 3, "prohibitions") {
		w.addProhibition(t, &c)
	}
	return c
}

func (w *World) addExclusion(t *rapid.T, c *licensing.Catalog) {
	pair := some(t, w.Plans, 2, 2, "excluding plans")
	p := &c.ServicePlans[slices.Index(w.Plans, pair[0])]
	if !slices.Contains(p.Excludes, pair[1]) {
		p.Excludes = append(slices.Clone(p.Excludes), pair[1])
	}
}

func (w *World) addRequirement(t *rapid.T, c *licensing.Catalog) {
	named := some(t, w.Plans, 2, 3, "requiring plan and required")
	if rapid.Bool().Draw(t, "the last requires") {
		slices.Reverse(named)
	}
	p := &c.ServicePlans[slices.Index(w.Plans, named[0])]
	p.RequiresAnyOf = append(slices.Clone(p.RequiresAnyOf), slices.Clone(named[1:]))
}

func (w *World) addProhibition(t *rapid.T, c *licensing.Catalog) {
	p := &c.ServicePlans[slices.Index(w.Plans, pick(t, w.Plans, "prohibited plan"))]
	country := pick(t, w.Countries, "prohibiting country")
	if !slices.Contains(p.ProhibitedIn, country) {
		p.ProhibitedIn = append(slices.Clone(p.ProhibitedIn), country)
	}
}

// drawChange draws a catalog that differs from another in one thing: the rules of a plan, or the
// plans of a product.
func (w *World) drawChange(t *rapid.T, from licensing.Catalog) licensing.Catalog {
	c := licensing.Catalog{Products: slices.Clone(from.Products), ServicePlans: slices.Clone(from.ServicePlans)}
	switch pick(t, []string{"requirement", "requirement", "exclusion", "prohibition", "lenient", "plan", "plan"}, "catalog change") {
	case "requirement":
		w.addRequirement(t, &c)
	case "exclusion":
		w.addExclusion(t, &c)
	case "prohibition":
		w.addProhibition(t, &c)
	case "lenient":
		p := &c.ServicePlans[slices.Index(w.Plans, pick(t, w.Plans, "lenient plan"))]
		p.Excludes, p.RequiresAnyOf, p.ProhibitedIn = nil, nil, nil
	case "plan":
		p := &c.Products[slices.Index(w.SKUs, pick(t, w.SKUs, "changed product"))]
		toggled := pick(t, w.Plans, "toggled plan")
		if i := slices.Index(p.ServicePlanIDs, toggled); i >= 0 {
			p.ServicePlanIDs = slices.Delete(slices.Clone(p.ServicePlanIDs), i, i+1)
		} else {
			p.ServicePlanIDs = append(slices.Clone(p.ServicePlanIDs), toggled)
		}
	}
	return c
}

// Setup draws the operations with which every history begins: settings, catalog, seats, groups, all
// users, or all but one, who may be added later.
func (w *World) Setup(t *rapid.T) []Op {
	ops := []Op{
		SetSettings{w.drawSettings(t)},
		SetOrganization{w.drawCountry(t)},
		SetCatalog{w.Catalog},
	}
	for _, sku := range w.SKUs {
		ops = append(ops, w.drawUnits(t, sku))
	}
	for _, id := range w.Groups {
		ops = append(ops, AddGroup{id})
	}
	for _, id := range w.Users[:len(w.Users)-rapid.IntRange(0, 1).Draw(t, "late users")] {
		ops = append(ops, AddUser{id, w.drawCountry(t)})
	}
	return ops
}

func (w *World) drawSettings(t *rapid.T) Settings {
	return Settings{AutoReprocess: rapid.Bool().Draw(t, "autoReprocess"), Independent: rapid.Bool().Draw(t, "independent")}
}

func (w *World) drawCountry(t *rapid.T) licensing.Country {
	return pick(t, slices.Concat([]licensing.Country{licensing.NoCountry}, w.Countries, w.Countries), "country")
}

func (w *World) drawUnits(t *rapid.T, sku uuid.UUID) Op {
	if onceIn(t, 20, "unsubscribed") {
		return SetUnits{SKU: sku}
	}
	return SetUnits{sku, Units{
		Enabled:   pick(t, []int{0, 1, 1, 2, 2, 3, len(w.Users)}, "enabled"),
		Warning:   pick(t, []int{0, 0, 0, 1}, "warning"),
		Suspended: pick(t, []int{0, 0, 1}, "suspended"),
		LockedOut: pick(t, []int{0, 0, 0, 1}, "lockedOut"),
	}, true}
}

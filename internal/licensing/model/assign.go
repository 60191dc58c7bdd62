package model

import (
	"slices"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// Assign is one member of addLicenses.
type Assign struct {
	SKU      uuid.UUID
	Disabled []uuid.UUID
}

// AssignUser is assignLicense of a user (L20).
type AssignUser struct {
	User   uuid.UUID
	Add    []Assign
	Remove []uuid.UUID
}

// AssignGroup is assignLicense of a group (L30).
type AssignGroup struct {
	Group  uuid.UUID
	Add    []Assign
	Remove []uuid.UUID
}

// validate refuses requests that are invalid for any user or group (L5, L22, L23).
func (m *Model) validate(add []Assign, remove []uuid.UUID) error {
	for _, a := range add {
		if _, known := m.product(a.SKU); !known {
			return refuse(UnknownSKU, a.SKU)
		}
	}
	seen := Set{}
	for _, sku := range namedSKUs(add, remove) {
		if seen[sku] {
			return refuse(RepeatedSKU, sku)
		}
		seen[sku] = true
	}
	for _, a := range add {
		if !m.Subscriptions[a.SKU].Subscribed {
			return refuse(NotSubscribed, a.SKU)
		}
		if p, _ := m.product(a.SKU); p.AppliesTo == licensing.AppliesToCompany {
			return refuse(CompanySKU, a.SKU)
		}
	}
	for _, a := range add {
		p, _ := m.product(a.SKU)
		for _, plan := range a.Disabled {
			if !slices.Contains(p.ServicePlanIDs, plan) {
				return refuse(UnknownPlan, a.SKU)
			}
		}
	}
	return nil
}

func namedSKUs(add []Assign, remove []uuid.UUID) []uuid.UUID {
	skus := slices.Clone(remove)
	for _, a := range add {
		skus = append(skus, a.SKU)
	}
	return skus
}

// apply checks the direct licenses named as one bundle, and refuses all of the request or does all
// of it (L24).
func (op AssignUser) apply(w *work) error {
	u, err := w.living(op.User)
	if err != nil {
		return err
	}
	if err := w.validate(op.Add, op.Remove); err != nil {
		return err
	}
	for _, sku := range op.Remove {
		if u.Entries[Source{Direct, sku}] != nil {
			continue
		}
		if w.holds(u, sku) {
			return refuse(Inherited, sku)
		}
		return refuse(NotHeld, sku)
	}
	if len(op.Add) > 0 && u.Location == licensing.NoCountry {
		return refuse(NoUsageLocation, uuid.Nil)
	}
	if err := w.admit(u, op.Add, op.Remove); err != nil {
		return err
	}
	w.give(u, op.Add, op.Remove)
	w.touched[u.ID] = true
	return nil
}

// admit does the checks of L24: the first product of the request that fails, by its first check
// that fails, then L46.
func (w *work) admit(u *User, add []Assign, remove []uuid.UUID) error {
	named := setOf(namedSKUs(add, remove)...)
	var outside, had, will []product
	for source, e := range u.Entries {
		switch {
		case e.InForce == nil:
		case source.Group == Direct && named[source.SKU]:
			had = append(had, w.enabled(source.SKU, e.InForce))
		default:
			outside = append(outside, w.enabled(source.SKU, e.InForce))
		}
	}
	for _, a := range add {
		will = append(will, w.enabled(a.SKU, setOf(a.Disabled...)))
	}
	verdicts := w.judge(u, true, false, outside, had, will)
	for _, p := range will {
		if verdicts[p.sku] != "" {
			return refuse(RefusalKind(verdicts[p.sku]), p.sku)
		}
	}
	for _, sku := range remove {
		if verdicts[sku] != "" {
			return refuse(RefusalKind(verdicts[sku]), sku)
		}
	}
	return nil
}

// give applies a request that admit has accepted.
func (w *work) give(u *User, add []Assign, remove []uuid.UUID) {
	for _, sku := range remove {
		delete(u.Entries, Source{Direct, sku})
		if !w.holds(u, sku) {
			w.freed[sku] = true
		}
	}
	for _, a := range add {
		source := Source{Direct, a.SKU}
		if u.Entries[source] == nil {
			u.Entries[source] = &Entry{Error: None, Since: w.now.Seq}
		}
		u.Entries[source].Wished = setOf(a.Disabled...)
		u.Entries[source].InForce = setOf(a.Disabled...)
	}
}

// apply changes a group's licenses, and processes its bundle of every member if that changed
// anything (L60).
func (op AssignGroup) apply(w *work) error {
	g, err := w.group(op.Group)
	if err != nil {
		return err
	}
	if err := w.validate(op.Add, op.Remove); err != nil {
		return err
	}
	changed := len(op.Remove) > 0
	for _, sku := range op.Remove {
		if g.Licenses[sku] == nil {
			return refuse(NotHeld, sku)
		}
		delete(g.Licenses, sku)
	}
	for _, a := range op.Add {
		disabled := setOf(a.Disabled...)
		changed = changed || !same(g.Licenses[a.SKU], disabled)
		g.Licenses[a.SKU] = disabled
	}
	if !changed {
		return nil
	}
	if err := w.fits(g.Licenses); err != nil {
		return err
	}
	w.follow(g, setOf(g.Members.sorted()...))
	return nil
}

// fits is L31: first missing plans, then conflicts.
func (m *Model) fits(licenses map[uuid.UUID]Set) error {
	var products []product
	skus := Set{}
	for sku := range licenses {
		skus[sku] = true
	}
	for _, sku := range skus.sorted() {
		products = append(products, m.enabled(sku, licenses[sku]))
	}
	for _, p := range products {
		if m.dependency(p, products) != None {
			return refuse(GroupDependency, p.sku)
		}
	}
	for _, p := range products {
		if m.exclusive(p, products) != None {
			return refuse(GroupExclusive, p.sku)
		}
	}
	return nil
}

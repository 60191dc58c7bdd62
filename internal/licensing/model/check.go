package model

import (
	"slices"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// Violation is an error of an entry, by its name in Graph.
type Violation string

// The violations of L40 to L45.
const (
	None       Violation = "None"
	Prohibited Violation = "ProhibitedInUsageLocationViolation"
	Exclusive  Violation = "MutuallyExclusiveViolation"
	Dependency Violation = "DependencyViolation"
	Uniqueness Violation = "UniquenessViolation"
	Count      Violation = "CountViolation"
	Other      Violation = "Other"
)

// product is a SKU with the plans of it that are enabled.
type product struct {
	sku   uuid.UUID
	plans Set
}

// enabled returns the product that a SKU is under disabled plans, by the current catalog (L36).
func (m *Model) enabled(sku uuid.UUID, disabled Set) product {
	p := product{sku, Set{}}
	known, _ := m.product(sku)
	for _, plan := range known.ServicePlanIDs {
		if !disabled[plan] {
			p.plans[plan] = true
		}
	}
	return p
}

// firstOf returns the first violation that is not empty.
func firstOf(violations ...Violation) Violation {
	for _, v := range violations {
		if v != None {
			return v
		}
	}
	return None
}

// check checks a product that a user has or would have by L40 to L43, in that order. Around are the
// user's other products.
func (m *Model) check(u *User, direct bool, p product, around []product) Violation {
	return firstOf(
		m.prohibited(u, direct, p),
		m.exclusive(p, around),
		m.dependency(p, around),
		m.uniqueness(u, p),
	)
}

// prohibited is L40, with L34. A direct license needs the user's own location (L22).
func (m *Model) prohibited(u *User, direct bool, p product) Violation {
	location := u.Location
	if location == licensing.NoCountry {
		if direct {
			return Prohibited
		}
		location = m.Organization
	}
	for plan := range p.plans {
		if location != licensing.NoCountry && slices.Contains(m.plan(plan).ProhibitedIn, location) {
			return Prohibited
		}
	}
	return None
}

// exclusive is L41.
func (m *Model) exclusive(p product, around []product) Violation {
	for _, other := range around {
		if other.sku == p.sku {
			continue
		}
		for a := range p.plans {
			for b := range other.plans {
				if slices.Contains(m.plan(a).Excludes, b) || slices.Contains(m.plan(b).Excludes, a) {
					return Exclusive
				}
			}
		}
	}
	return None
}

// dependency is L42.
func (m *Model) dependency(p product, around []product) Violation {
	for plan := range p.plans {
		for _, set := range m.plan(plan).RequiresAnyOf {
			if !gives(set, p) && !gives(set, around...) {
				return Dependency
			}
		}
	}
	return None
}

// gives reports whether one of the products enables one of the plans.
func gives(plans []uuid.UUID, products ...product) bool {
	for _, p := range products {
		for _, plan := range plans {
			if p.plans[plan] {
				return true
			}
		}
	}
	return false
}

// uniqueness is L43.
func (m *Model) uniqueness(u *User, p product) Violation {
	for plan := range p.plans {
		if u.Duplicate && m.plan(plan).Service == licensing.ExchangeService &&
			m.plan(plan).AppliesTo != licensing.AppliesToCompany {
			return Uniqueness
		}
	}
	return None
}

// seats is L44.
func (m *Model) seats(u *User, p product) Violation {
	if m.holds(u, p.sku) || m.free(p.sku) > 0 {
		return None
	}
	return Count
}

func (m *Model) holds(u *User, sku uuid.UUID) bool {
	for source, e := range u.Entries {
		if source.SKU == sku && e.InForce != nil {
			return true
		}
	}
	return false
}

// free returns the number of available seats; an over-used SKU has none (L4).
func (m *Model) free(sku uuid.UUID) int {
	return max(0, m.Subscriptions[sku].seats()-m.Consumed(sku))
}

// needed is L46: the SKUs that the bundle had whose plans something outside it needs, and would
// lack after the change of the bundle.
func (m *Model) needed(outside, had, will []product) Set {
	needed := Set{}
	before, after := slices.Concat(outside, had), slices.Concat(outside, will)
	for _, stays := range outside {
		for plan := range stays.plans {
			for _, set := range m.plan(plan).RequiresAnyOf {
				if !gives(set, before...) || gives(set, after...) {
					continue
				}
				for _, p := range had {
					if gives(set, p) {
						needed[p.sku] = true
					}
				}
			}
		}
	}
	return needed
}

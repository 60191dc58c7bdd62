package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Row is a comparable form of an entry. Wished and InForce are sorted; nil means none, and empty
// that no plan is disabled.
type Row struct {
	Source
	Wished, InForce   []uuid.UUID
	State             string // Active, ActiveWithError, Disabled or Error (L11); empty for a deleted user
	Error             Violation
	Since             uint64
	Updated, Assigned uint32
	Waiting           uint64
}

func (r Row) String() string {
	source := "direct"
	if r.Group != Direct {
		source = Name(r.Group)
	}
	return fmt.Sprintf("%s %s wished %s in force %s %s/%s since %d updated %d assigned %d waiting %d",
		source, Name(r.SKU),
		disabledText(r.Wished), disabledText(r.InForce), r.State, r.Error, r.Since, r.Updated, r.Assigned, r.Waiting)
}

func disabledText(plans []uuid.UUID) string {
	if plans == nil {
		return "-"
	}
	return "without[" + names(plans) + "]"
}

// Snapshot returns the entries of a user: the direct ones, then group by group in order of
// creation, SKUs as bytes. For a deleted user these are the wishes.
func (m *Model) Snapshot(user uuid.UUID) []Row {
	u, err := m.user(user)
	if err != nil {
		return nil
	}
	var rows []Row
	for source, e := range u.Entries {
		row := Row{
			Source: source, Wished: e.Wished.sorted(), InForce: e.InForce.sorted(), Error: e.Error,
			Since: e.Since, Updated: e.Updated, Assigned: e.Assigned, Waiting: e.Waiting,
		}
		if !u.Deleted {
			row.State = m.state(source.SKU, e)
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(m.ordinal(a.Group), m.ordinal(b.Group)), compareID(a.SKU, b.SKU))
	})
	return rows
}

func (m *Model) state(sku uuid.UUID, e *Entry) string {
	units := m.Subscriptions[sku].Units
	switch {
	case e.InForce == nil:
		return "Error"
	case units.Enabled+units.Warning == 0 && units.Suspended+units.LockedOut > 0: // L6
		return "Disabled"
	case e.Error == None:
		return "Active"
	}
	return "ActiveWithError"
}

// ordinal returns the position of a group in order of creation; Direct has -1.
func (m *Model) ordinal(group uuid.UUID) int {
	return slices.IndexFunc(m.Groups, func(g *Group) bool { return g.ID == group })
}

// Dump returns the whole tenant as text, for messages and comparisons.
func (m *Model) Dump() string {
	var b strings.Builder
	for _, p := range m.Catalog.Products {
		s := m.Subscriptions[p.SKUID]
		fmt.Fprintf(&b, "%s subscribed %t units %v consumed %d\n",
			Name(p.SKUID), s.Subscribed, s.Units, m.Consumed(p.SKUID))
	}
	for _, g := range m.Groups {
		fmt.Fprintf(&b, "%s deleted %t members %s in error %s\n",
			Name(g.ID), g.Deleted, names(g.Members.sorted()), names(m.InError(g.ID)))
	}
	for _, u := range m.Users {
		fmt.Fprintf(&b, "%s at %q duplicate %t deleted %t purged %t\n", Name(u.ID),
			u.Location, u.Duplicate, u.Deleted, u.Purged)
		for _, row := range m.Snapshot(u.ID) {
			fmt.Fprintf(&b, "    %s\n", row)
		}
	}
	return b.String()
}

// Consumed returns the number of users who hold the SKU (L3).
func (m *Model) Consumed(sku uuid.UUID) int {
	n := 0
	for _, u := range m.Users {
		if m.holds(u, sku) {
			n++
		}
	}
	return n
}

// InError returns the users with an entry in error from the group, in order of creation (L14).
func (m *Model) InError(group uuid.UUID) []uuid.UUID {
	var users []uuid.UUID
	for _, u := range m.Users {
		for source, e := range u.Entries {
			if source.Group == group && e.Error != None {
				users = append(users, u.ID)
				break
			}
		}
	}
	return users
}

func (m *Model) heldSet(u *User) Set {
	held := Set{}
	for source, e := range u.Entries {
		if e.InForce != nil {
			held[source.SKU] = true
		}
	}
	return held
}

// Held returns the SKUs that a user holds, sorted as bytes.
func (m *Model) Held(user uuid.UUID) []uuid.UUID {
	u, err := m.user(user)
	if err != nil {
		return nil
	}
	return m.heldSet(u).sorted()
}

// AssignedLicenses returns the SKUs that a user holds, each with the plans that none of its sources
// enables (L10).
func (m *Model) AssignedLicenses(user uuid.UUID) []Assign {
	var licenses []Assign
	for _, sku := range m.Held(user) {
		u, _ := m.user(user)
		missing := m.enabled(sku, nil).plans
		for source, e := range u.Entries {
			if source.SKU != sku || e.InForce == nil {
				continue
			}
			for plan := range m.enabled(sku, e.InForce).plans {
				delete(missing, plan)
			}
		}
		licenses = append(licenses, Assign{sku, missing.sorted()})
	}
	return licenses
}

// Plans returns the service plans that are enabled for a user, each once, sorted as bytes (L12).
func (m *Model) Plans(user uuid.UUID) []uuid.UUID {
	plans := Set{}
	if u, err := m.user(user); err == nil {
		for source, e := range u.Entries {
			if e.InForce != nil {
				for plan := range m.enabled(source.SKU, e.InForce).plans {
					plans[plan] = true
				}
			}
		}
	}
	return plans.sorted()
}

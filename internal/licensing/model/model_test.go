package model

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// The catalog of the scenarios, small as it can be.
var (
	exchange2, sharePoint2, teams = ID('p', 0, 0), ID('p', 1, 0), ID('p', 2, 0)
	sharePoint1, protection, chat = ID('p', 3, 0), ID('p', 4, 0), ID('p', 5, 0)

	e3    = ID('s', 0, 0) // Exchange Plan 2, SharePoint Plan 2, Teams
	sites = ID('s', 1, 0) // SharePoint Plan 1
	addOn = ID('s', 2, 0) // Protection, which needs Exchange Plan 2
	basic = ID('s', 3, 0) // Chat

	china, _   = licensing.ParseCountry("CN")
	germany, _ = licensing.ParseCountry("DE")

	one, two = ID('g', 1, 0), ID('g', 2, 0)
)

func user(n int) uuid.UUID { return ID('u', n, 0) }

func scenarioCatalog() licensing.Catalog {
	plan := func(id uuid.UUID, name string) licensing.ServicePlan {
		return licensing.ServicePlan{ID: id, Name: name, Service: name}
	}
	sku := func(id uuid.UUID, name string, plans ...uuid.UUID) licensing.Product {
		return licensing.Product{
			SKUID: id, SKUPartNumber: name, AppliesTo: licensing.AppliesToUser, ServicePlanIDs: plans,
		}
	}
	c := licensing.Catalog{
		ServicePlans: []licensing.ServicePlan{
			plan(exchange2, licensing.ExchangeService), plan(sharePoint2, "sharepoint2"), plan(teams, "teams"),
			plan(sharePoint1, "sharepoint1"), plan(protection, "protection"), plan(chat, "chat"),
		},
		Products: []licensing.Product{
			sku(e3, "E3", exchange2, sharePoint2, teams), sku(sites, "SITES", sharePoint1),
			sku(addOn, "ADDON", protection), sku(basic, "BASIC", chat),
		},
	}
	c.ServicePlans[1].Excludes = []uuid.UUID{sharePoint1}
	c.ServicePlans[2].ProhibitedIn = []licensing.Country{china}
	c.ServicePlans[4].RequiresAnyOf = [][]uuid.UUID{{exchange2}}
	return c
}

// stage is a tenant in a scenario, with a clock that continues by a second a commit.
type stage struct {
	*testing.T
	m   *Model
	now Commit
}

// newStage has two groups, users in Germany, and seats of every product.
func newStage(t *testing.T, users, seats int) *stage {
	t.Helper()
	t.Parallel()
	s := &stage{T: t, m: New(), now: Commit{At: 1000}}
	s.do(SetCatalog{scenarioCatalog()})
	for _, sku := range []uuid.UUID{e3, sites, addOn, basic} {
		s.seats(sku, seats)
	}
	s.do(AddGroup{one}, AddGroup{two})
	for n := range users {
		s.do(AddUser{user(n), germany})
	}
	return s
}

func (s *stage) do(ops ...Op) {
	s.Helper()
	for _, op := range ops {
		s.now.Seq++
		s.now.At++
		if err := s.m.Apply(s.now, op); err != nil {
			s.Fatalf("%s: %v", op, err)
		}
	}
}

func (s *stage) refused(op Op, kind RefusalKind) {
	s.Helper()
	before := s.m.Dump()
	err := s.m.Apply(Commit{s.now.Seq + 1, s.now.At + 1}, op)
	var refusal *RefusalError
	if !errors.As(err, &refusal) || refusal.Kind != kind {
		s.Fatalf("%s: %v, want %s", op, err, kind)
	}
	if s.m.Dump() != before {
		s.Fatalf("%s: refused and yet something changed", op)
	}
}

func (s *stage) seats(sku uuid.UUID, n int) {
	s.Helper()
	s.do(SetUnits{sku, Units{Enabled: n}, true})
}

func (s *stage) license(group uuid.UUID, skus ...uuid.UUID) {
	s.Helper()
	op := AssignGroup{Group: group}
	for _, sku := range skus {
		op.Add = append(op.Add, Assign{SKU: sku})
	}
	s.do(op)
}

func (s *stage) join(group uuid.UUID, users ...int) {
	s.Helper()
	op := AddMembers{Group: group}
	for _, n := range users {
		op.Users = append(op.Users, user(n))
	}
	s.do(op)
}

func (s *stage) leave(group uuid.UUID, n int) {
	s.Helper()
	s.do(RemoveMembers{group, []uuid.UUID{user(n)}})
}

func (s *stage) reprocess(n int) {
	s.Helper()
	s.do(Reprocess{[]uuid.UUID{user(n)}})
}

func direct(n int, skus ...uuid.UUID) AssignUser {
	op := AssignUser{User: user(n)}
	for _, sku := range skus {
		op.Add = append(op.Add, Assign{SKU: sku})
	}
	return op
}

// row returns the entry of a user, or an empty row.
func (s *stage) row(n int, group, sku uuid.UUID) Row {
	for _, row := range s.m.Snapshot(user(n)) {
		if row.Group == group && row.SKU == sku {
			return row
		}
	}
	return Row{}
}

// state wants an entry in a state: "Active", "Error CountViolation", or "" for no entry.
func (s *stage) state(n int, group, sku uuid.UUID, want string) {
	s.Helper()
	row := s.row(n, group, sku)
	got := row.State
	if row.Error != None && row.Error != "" {
		got += " " + string(row.Error)
	}
	if got != want {
		s.Fatalf("u%d %s: %q, want %q\n%s", n, Name(sku), got, want, s.m.Dump())
	}
}

func (s *stage) consumed(sku uuid.UUID, want int) {
	s.Helper()
	if got := s.m.Consumed(sku); got != want {
		s.Fatalf("%s: consumed %d, want %d\n%s", Name(sku), got, want, s.m.Dump())
	}
}

func (s *stage) errors(group uuid.UUID, want int) {
	s.Helper()
	if got := s.m.InError(group); len(got) != want {
		s.Fatalf("%s: in error %s, want %d", Name(group), names(got), want)
	}
}

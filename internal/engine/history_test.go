package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/directory"
	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/verify"
)

// TestAnyHistorySurvivesRestarts plays random commands with restarts in between, and takes
// snapshots often or never. It compares the image after a restart with the one before, and with a
// replay of all commits, and the members of dynamic groups with a naive evaluation.
func TestAnyHistorySurvivesRestarts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouse(t, rapid.SampledFrom([]int{1, 400, 1 << 30}).Draw(rt, "snapshot after"))
		defer h.close()
		h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 2})
		h.must(tenant.CreateSubscription{SKUID: ems, TotalLicenses: 1})
		p := &player{house: h, t: rt}
		for range rapid.IntRange(1, 40).Draw(rt, "commands") {
			if rapid.IntRange(0, 12).Draw(rt, "restart") == 0 {
				p.restart(false)
				p.checkObjects()
			}
			if rapid.IntRange(0, 5).Draw(rt, "together") == 0 {
				p.together()
			} else {
				p.step()
			}
			p.checkObjects()
			p.checkLinks()
			p.checkUnits()
			checkRules(rt, p.Image(), false)
		}
		p.checkSeats()
		p.verify()
		p.restart(true)
		p.checkObjects()
	})
}

// verify examines what is stored.
func (p *player) verify() {
	r, err := verify.Tenant(p.tb.Context(), p.store, p.ID(), verify.Options{Deep: true, Report: func(d verify.Damage) {
		p.t.Errorf("verify finds: %s", d)
	}})
	if err != nil || r.Commits == 0 || r.Rows == 0 {
		p.t.Errorf("%d commits and %d rows are examined: %v", r.Commits, r.Rows, err)
	}
}

// forgetSnapshots makes the next start replay all commits.
func (h *house) forgetSnapshots() {
	h.tb.Helper()
	h.close()
	s := h.openStore()
	ids, err := s.Tenants(context.Background())
	for _, id := range ids {
		list, e := s.Manifests(context.Background(), id)
		for _, m := range list {
			e = errors.Join(e, s.DropManifest(context.Background(), id, m.Name, time.Now()))
		}
		err = errors.Join(err, e)
	}
	if err := errors.Join(err, s.Close()); err != nil {
		h.tb.Fatal(err)
	}
	h.after = 1 << 30
	h.open(nil)
}

// player makes up commands. Many are refused; they must leave no trace.
type player struct {
	*house
	t *rapid.T

	units   map[uuid.UUID]map[uuid.UUID]bool // the members that each administrative unit must have
	earlier *tenant.Image                    // an earlier one
}

func (p *player) user() uint32 {
	return uint32(rapid.IntRange(0, max(0, int(p.Image().Directory.Users())-1)).Draw(p.t, "user"))
}

func (p *player) group() uint32 {
	return uint32(rapid.IntRange(0, max(0, int(p.Image().Directory.Groups())-1)).Draw(p.t, "group"))
}

func (p *player) sku() uuid.UUID { return rapid.SampledFrom([]uuid.UUID{e3, ems}).Draw(p.t, "sku") }

func (p *player) name() string {
	return fmt.Sprint("user", rapid.IntRange(0, 9).Draw(p.t, "name"))
}

func (p *player) id(of uint32) uuid.UUID { return p.Image().Directory.UserID(of) }

func (p *player) step() {
	p.clock.Add(int64(rapid.IntRange(0, 2).Draw(p.t, "seconds")))
	before := p.Image()
	cmd := p.command()
	done, err := p.do(cmd)
	p.t.Logf("%T %+v: %v", cmd, cmd, err)
	if (err != nil || !done.Changed) && p.Image() != before {
		p.t.Fatalf("%T changed the image though it was refused or changed nothing", cmd)
	}
	if err == nil {
		p.followUnits(cmd, done, before)
	}
	if _, catalog := cmd.(tenant.SetCatalog); err == nil && done.Changed && !catalog {
		p.checkHappenings(before)
	}
}

// followUnits updates the plain sets of members after a command.
func (p *player) followUnits(cmd tenant.Command, done tenant.Done, before *tenant.Image) {
	img := p.Image()
	switch cmd := cmd.(type) {
	case tenant.CreateUnit:
		if p.units == nil {
			p.units = map[uuid.UUID]map[uuid.UUID]bool{}
		}
		p.units[done.ID] = map[uuid.UUID]bool{}
		for _, id := range cmd.Members {
			p.units[done.ID][id] = true
		}
	case tenant.AddUnitMember:
		p.units[before.Units.At(cmd.Unit).ID][cmd.Member] = true
	case tenant.RemoveUnitMember:
		delete(p.units[before.Units.At(cmd.Unit).ID], cmd.Member)
	case tenant.CreateGroup:
		if cmd.Unit != nil {
			p.units[before.Units.At(*cmd.Unit).ID][done.ID] = true
		}
	}
	for unit, members := range p.units {
		if _, there := img.Units.EverByID(unit); !there {
			delete(p.units, unit)
		}
		for id := range members {
			_, isUser := img.Directory.UserByID(id)
			if _, isGroup := img.Directory.GroupByID(id); !isUser && !isGroup { // purged
				delete(members, id)
			}
		}
	}
}

// checkUnits compares the members of administrative units with the plain sets, and their documents
// with columns and rows.
func (p *player) checkUnits() {
	img := p.Image()
	units, found := map[uint32]plainObject{}, 0
	for ordinal := range img.Units.Len() {
		u := img.Units.At(ordinal)
		if u == nil {
			if img.UnitMembers.Users(ordinal) != nil || img.UnitMembers.Groups(ordinal) != nil {
				p.t.Fatalf("unit %d is purged and has members", ordinal)
			}
			continue
		}
		found++
		units[ordinal] = plainObject{plainDocument(p.t, u.Document()), !u.DeletedDateTime.IsZero()}
		want := p.units[u.ID]
		if got := len(membersOf(img, ordinal)); got != len(want) {
			p.t.Fatalf("unit %d has %d members, want %v", ordinal, got, want)
		}
		for _, id := range membersOf(img, ordinal) {
			if !want[id] || !slices.Contains(img.UnitsOf(id), ordinal) {
				p.t.Fatalf("%s is a member of unit %d and in %v; want %v", id, ordinal, img.UnitsOf(id), want)
			}
		}
	}
	if found != len(p.units) {
		p.t.Fatalf("there are %d units, want %d", found, len(p.units))
	}
	checkRows(p, store.KindAdministrativeUnit, img.Units, func(u *directory.AdministrativeUnit) (uuid.UUID, []byte) {
		return u.ID, u.Document()
	})
	compareWith(p.t, img.Columns(directory.TypeAdministrativeUnit), store.KindAdministrativeUnit, units)
}

// membersOf returns the ids of the members of an administrative unit.
func membersOf(img *tenant.Image, unit uint32) (ids []uuid.UUID) {
	if users := img.UnitMembers.Users(unit); users != nil {
		ids = append(ids, idsOf(users.ToArray(), img.Directory.UserID)...)
	}
	if groups := img.UnitMembers.Groups(unit); groups != nil {
		ids = append(ids, idsOf(groups.ToArray(), img.Directory.GroupID)...)
	}
	return ids
}

// checkLinks checks that both ends of every link exist, and are of kinds that the relation links.
func (p *player) checkLinks() {
	img := p.Image()
	kind := func(id uuid.UUID) string {
		if _, ok := img.Directory.UserByID(id); ok {
			return "user"
		}
		if _, ok := img.Directory.GroupByID(id); ok {
			return "group"
		}
		if _, ok := img.Principals.EverByID(id); ok {
			return "principal"
		}
		if _, ok := img.Applications.EverByID(id); ok {
			return "application"
		}
		return "nothing"
	}
	joined := map[directory.Relation][]string{
		directory.RelationOwnedBy: {
			"application-user", "application-principal", "principal-user", "principal-principal", "group-principal",
		},
		directory.RelationHasMember:   {"group-principal"},
		directory.RelationCreatedBy:   {"group-user", "group-principal", "application-user", "principal-user", "application-principal", "principal-principal"},
		directory.RelationSponsoredBy: {"user-user", "user-group"},
		directory.RelationHasRole:     {"user-principal", "group-principal", "principal-principal"},
	}
	for l := range img.Links.All() {
		if !slices.Contains(joined[l.Relation], kind(l.From)+"-"+kind(l.To)) {
			p.t.Fatalf("relation %d joins a %s and a %s", l.Relation, kind(l.From), kind(l.To))
		}
	}
}

// checkSeats counts consumed units itself, and checks that the rows are those of the index.
func (p *player) checkSeats() {
	img := p.Image()
	for _, s := range img.Licensing.SKUs() {
		n := 0
		for user := range img.Directory.Users() {
			for held := range img.Licensing.Held(user) {
				if held.SKUID == s.SKUID {
					n++
				}
			}
		}
		if n != s.Consumed {
			p.t.Fatalf("consumedUnits of %s is %d, but %d users hold it", s.SKUID, s.Consumed, n)
		}
	}
	for principal := range img.Roles {
		if _, ok := img.Directory.UserByID(principal); !ok {
			p.t.Fatalf("%s has a role, but is no user", principal)
		}
	}
	for g := range img.Grants.All() {
		if _, ok := img.Principals.EverByID(g.Client); !ok {
			p.t.Fatalf("%s has a grant, but is no service principal", g.Client)
		}
	}
	live := p.live(img, store.KindUser)
	documents, err := p.Users(context.Background(), img, live)
	if err != nil {
		p.t.Fatal(err)
	}
	for i, u := range documents {
		user, ok := img.Directory.UserByName(u.UserPrincipalName)
		if !ok || user != live[i] {
			p.t.Fatalf("user %s of row %d is found at %d, %t", u.UserPrincipalName, live[i], user, ok)
		}
	}
}

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/licensing"
	"licensor/internal/query"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// TestChangesNameEverythingThatIsDifferent plays random commands and compares the tenant before and
// after. All objects that differ in a property must be among those that changed in it according to
// the log, over restarts and however the log is divided.
func TestChangesNameEverythingThatIsDifferent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouse(t, 1<<30)
		defer h.close()
		h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 2})
		subscription := h.must(tenant.CreateSubscription{SKUID: ems, TotalLicenses: 1}).ID
		p := &player{house: h, t: rt}
		before := h.sight()
		for range rapid.IntRange(1, 4).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 6).Draw(rt, "commands") {
				p.step()
			}
			if rapid.IntRange(0, 3).Draw(rt, "suspend") == 0 {
				status := rapid.SampledFrom([]string{tenant.StatusEnabled, tenant.StatusSuspended}).Draw(rt, "status")
				h.must(tenant.UpdateSubscription{ID: subscription, Status: &status})
			}
			if rapid.IntRange(0, 3).Draw(rt, "restart") == 0 {
				h.reopen()
			}
			after := h.sight()
			changes, err := h.Changes(context.Background(), before.seq, after.seq)
			if err != nil {
				rt.Fatal(err)
			}
			for _, wrong := range slices.Concat(
				unnamed(&changes.Users, before.users, after.users),
				unnamed(&changes.Groups, before.groups, after.groups),
				unnamed(&changes.Units, before.units, after.units),
			) {
				rt.Errorf("from %d to %d: %s", before.seq, after.seq, wrong)
			}
			for group, members := range after.members {
				if !slices.Equal(members, before.members[group]) && !changes.Membership().Contains(group) {
					rt.Errorf("the members of group %d were %v and are %v", group, before.members[group], members)
				}
			}
			for unit, members := range after.unitMembers {
				if !slices.Equal(members, before.unitMembers[unit]) && !changes.UnitMembership().Contains(unit) {
					rt.Errorf("the members of unit %d were %v and are %v", unit, before.unitMembers[unit], members)
				}
			}
			if rapid.Bool().Draw(rt, "round ends") {
				before = after
			}
		}
	})
}

// sight is what a client can see of a tenant: the properties of each user, group and administrative
// unit by ordinal, as text; nil for those that do not exist.
type sight struct {
	seq                  uint64
	users, groups, units []map[string]string
	members              map[uint32][]uint32
	unitMembers          map[uint32][]uuid.UUID
}

func (h *house) sight() sight {
	h.tb.Helper()
	img := h.Image()
	s := sight{
		seq: img.Seq, users: make([]map[string]string, img.Directory.Users()),
		groups: make([]map[string]string, img.Directory.Groups()), members: map[uint32][]uint32{},
	}
	users := h.live(img, store.KindUser)
	documents, err := h.Users(context.Background(), img, users)
	if err != nil {
		h.tb.Fatal(err)
	}
	for i, user := range users {
		seen := properties(h.tb, documents[i].Document())
		for held := range img.Licensing.Held(user) {
			seen["assignedLicenses"] += fmt.Sprintln(held.SKUID, held.DisabledPlans)
		}
		seen["licenseAssignmentStates"] = fmt.Sprint(slices.Collect(img.Licensing.States(user)))
		s.users[user] = seen
	}
	groups := h.live(img, store.KindGroup)
	others, err := h.Groups(context.Background(), img, groups)
	if err != nil {
		h.tb.Fatal(err)
	}
	for i, group := range groups {
		seen := properties(h.tb, others[i].Document())
		seen["assignedLicenses"] = fmt.Sprint(img.Licensing.GroupLicenses(group))
		seen["hasMembersWithLicenseErrors"] = fmt.Sprint(img.Licensing.GroupErrors(group).IsEmpty())
		s.groups[group] = seen
		s.members[group] = slices.DeleteFunc(img.Licensing.GroupMembers(group).ToArray(), img.Directory.UserDeleted)
	}
	s.units, s.unitMembers = make([]map[string]string, img.Units.Len()), map[uint32][]uuid.UUID{}
	for unit, u := range img.Units.All() {
		s.units[unit] = properties(h.tb, u.Document())
		s.unitMembers[unit] = slices.DeleteFunc(membersOf(img, unit), func(id uuid.UUID) bool {
			_, live := img.Kind(id)
			return !live
		})
	}
	return s
}

// live lists the objects of a kind that are not deleted.
func (h *house) live(img *tenant.Image, kind store.Kind) []uint32 {
	h.tb.Helper()
	rows, err := h.Find(context.Background(), img, directory.Type(kind), query.WithinLive, query.All(), "", nil)
	if err != nil {
		h.tb.Fatal(err)
	}
	return rows.After(nil, -1, rows.Count())
}

func properties(tb testing.TB, document []byte) map[string]string {
	all := map[string]string{}
	for _, m := range members(tb, string(document)) {
		all[m.Name] = string(m.Value)
	}
	return all
}

// unnamed returns the differences that changes do not contain.
func unnamed(changes *engine.ObjectChanges, before, after []map[string]string) (wrong []string) {
	for i, now := range after {
		ordinal, was := uint32(i), map[string]string(nil)
		if i < len(before) {
			was = before[i]
		}
		switch {
		case now == nil && was == nil:
		case now == nil:
			if !changes.Deleted(ordinal) {
				wrong = append(wrong, fmt.Sprintf("number %d went", i))
			}
		case was == nil:
			if !changes.Created(ordinal) {
				wrong = append(wrong, fmt.Sprintf("number %d came", i))
			}
		default:
			for name := range everyName(was, now) {
				if was[name] != now[name] && !changes.Touched([]string{name}).Contains(ordinal) {
					wrong = append(wrong, fmt.Sprintf("%s of number %d was %s and is %s", name, i, was[name], now[name]))
				}
			}
		}
	}
	return wrong
}

func everyName(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// TestChangesNameNothingElse executes one command at a time.
func TestChangesNameNothingElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 1})
	ann, bob := h.must(newUser(t, "ann")), h.must(newUser(t, "bob"))
	red := h.must(newGroup(t, "red"))
	h.must(tenant.AddMembers{Group: red.Ordinal, Members: []uuid.UUID{ann.ID}})
	changed := func(cmd tenant.Command) *engine.Changes {
		t.Helper()
		seq := h.Image().Seq
		changes, err := h.Changes(t.Context(), seq, h.must(cmd).Image.Seq)
		if err != nil {
			t.Fatal(err)
		}
		return changes
	}
	c := changed(tenant.UpdateUser{User: bob.Ordinal, Patch: userPatch(t, `{"city":"Bonn"}`)})
	if c.Users.Touched([]string{"displayName", "assignedLicenses"}).Contains(bob.Ordinal) || !c.Users.Touched([]string{"city"}).Contains(bob.Ordinal) {
		t.Error("a new city is a change of the city, and of nothing else")
	}
	c = changed(tenant.AssignGroup{Group: red.Ordinal, Add: []licensing.Assign{{SKUID: e3}}})
	if c.Users.Touched([]string{"displayName"}).GetCardinality() != 0 ||
		!reflect.DeepEqual(c.Users.Touched([]string{"assignedPlans"}).ToArray(), []uint32{ann.Ordinal}) {
		t.Error("a license of a group is a change of its members' licenses, and of nothing else")
	}
	h.must(tenant.DeleteUser{User: ann.Ordinal})
	c = changed(tenant.PurgeUser{User: ann.Ordinal})
	id, ok := c.Users.Purged(ann.Ordinal)
	if !ok || id != ann.ID || !c.Members(red.Ordinal).Users.Contains(ann.Ordinal) {
		t.Errorf("of who is gone for good the id is %s, %t; the group is %v", id, ok, c.Members(red.Ordinal))
	}
	if ordinal, ok := c.Users.PurgedByID(ann.ID); !ok || ordinal != ann.Ordinal {
		t.Errorf("by id it is %d, %t", ordinal, ok)
	}
}

// TestAStretchThatTheLogDoesNotHold is refused, wherever it is incomplete.
func TestAStretchThatTheLogDoesNotHold(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	h.must(newUser(t, "ann"))
	h.must(newUser(t, "bob"))
	seq := h.Image().Seq
	h.close()
	log := new(trimmed)
	h.open(func(s store.Store) store.Store { log.Store = s; return log })
	log.first = 2
	for _, c := range []struct{ after, upTo uint64 }{{0, seq}, {seq, seq + 1}, {seq, 1}} {
		if _, err := h.Changes(t.Context(), c.after, c.upTo); !errors.Is(err, engine.ErrForgotten) {
			t.Errorf("from %d to %d: %v", c.after, c.upTo, err)
		}
	}
	if changes, err := h.Changes(t.Context(), 2, seq); err != nil || changes.Users.Touched(nil).GetCardinality() != 1 {
		t.Errorf("what the log holds: %v, %v", changes, err)
	}
}

// trimmed is a store whose log lacks its first commits once the tenant is open.
type trimmed struct {
	store.Store
	first uint64
}

func (s *trimmed) Commits(ctx context.Context, id uuid.UUID, after uint64, yield func(store.Commit) error) error {
	return s.Store.Commits(ctx, id, after, func(c store.Commit) error {
		if c.Seq <= s.first {
			return nil
		}
		return yield(c)
	})
}

func TestALogInANewerFormatIsNotRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	h.close()
	log := new(reformatted)
	h.open(func(s store.Store) store.Store { log.Store = s; return log })
	log.format = tenant.Format + 1
	_, err := h.Changes(t.Context(), 0, h.Image().Seq)
	for _, part := range []string{h.ID().String(), fmt.Sprint("commit 1 is in format ", tenant.Format+1), "reads formats up to"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %v, want one that says %q", err, part)
		}
	}
}

// reformatted is a store whose commits have another format if that is set.
type reformatted struct {
	store.Store
	format uint32
}

func (s *reformatted) Commits(ctx context.Context, id uuid.UUID, after uint64, yield func(store.Commit) error) error {
	return s.Store.Commits(ctx, id, after, func(c store.Commit) error {
		if s.format > 0 {
			c.Format = s.format
		}
		return yield(c)
	})
}

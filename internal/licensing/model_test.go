package licensing_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/licensing"
	"licensor/internal/licensing/model"
)

// tenant plays the model's operations on the real thing.
type tenant struct {
	image  *licensing.Image
	users  []uuid.UUID // by ordinal
	groups []uuid.UUID
	log    []commit
}

type commit struct {
	before, after *licensing.Image
	effects       *licensing.Effects
	heldBefore    []licensing.HeldBefore
	errorsBefore  []licensing.HeldBefore
	seq           uint64
	at            time.Time
}

func (t *tenant) user(id uuid.UUID) (uint32, bool) {
	at := slices.Index(t.users, id)
	return uint32(at), at >= 0 && !t.image.Purged(uint32(at))
}

func (t *tenant) bitmap(ids []uuid.UUID) *roaring.Bitmap {
	b := roaring.New()
	for _, id := range ids {
		if u, ok := t.user(id); ok {
			b.Add(u)
		}
	}
	return b
}

var errRefused = fmt.Errorf("refused outside the rules")

// apply does an operation as one commit and reports whether it was refused.
func (t *tenant) apply(now model.Commit, op model.Op) error {
	at := time.Unix(int64(now.At), 0)
	d := t.image.Draft(now.Seq, at)
	if err := t.do(d, op); err != nil {
		return err
	}
	before := t.image
	next, effects := d.Finish()
	t.image = next
	switch op := op.(type) {
	case model.AddUser:
		t.users = append(t.users, op.User)
	case model.AddGroup:
		t.groups = append(t.groups, op.Group)
	}
	t.log = append(t.log, commit{before, next, effects, d.Before(), d.ErrorsBefore(), now.Seq, at})
	return nil
}

func (t *tenant) do(d *licensing.Draft, op model.Op) error {
	switch op := op.(type) {
	case model.AddUser:
		if slices.Contains(t.users, op.User) {
			return errRefused
		}
		d.AddUser(op.Location)
	case model.AddGroup:
		d.AddGroup(op.Group)
	case model.SetCatalog:
		return d.SetCatalog(&op.Catalog)
	case model.SetOrganization:
		d.SetCountry(op.Country)
	case model.SetSettings:
		s := licensing.Settings{
			AutoReprocess: op.Settings.AutoReprocess, GroupBundles: licensing.BundlesTogether,
			ReprocessFailure: licensing.FailureState,
		}
		if op.Settings.Independent {
			s.GroupBundles = licensing.BundlesIndependent
		}
		return d.SetSettings(s)
	case model.SetUnits:
		return d.SetUnits(op.SKU, licensing.Units(op.Units), op.Subscribed)
	case model.Reprocess:
		for _, id := range op.Users {
			if u, ok := t.user(id); !ok || t.image.Deleted(u) {
				return errRefused
			}
		}
		d.Reprocess(t.bitmap(op.Users))
	case model.AssignGroup, model.DeleteGroup, model.AddMembers, model.RemoveMembers:
		return t.doGroup(d, op)
	default:
		return t.doUser(d, op)
	}
	return nil
}

func (t *tenant) doGroup(d *licensing.Draft, op model.Op) error {
	group := func(id uuid.UUID) uint32 { return uint32(slices.Index(t.groups, id)) }
	switch op := op.(type) {
	case model.AssignGroup:
		if t.image.GroupPurged(group(op.Group)) {
			return errRefused
		}
		return d.AssignGroup(group(op.Group), assigns(op.Add), op.Remove)
	case model.DeleteGroup:
		if t.image.GroupPurged(group(op.Group)) {
			return errRefused
		}
		return d.PurgeGroup(group(op.Group))
	case model.AddMembers:
		users := t.bitmap(op.Users)
		if t.image.GroupPurged(group(op.Group)) || int(users.GetCardinality()) < len(op.Users) {
			return errRefused
		}
		d.AddMembers(group(op.Group), users)
	case model.RemoveMembers:
		users := t.bitmap(op.Users)
		if t.image.GroupPurged(group(op.Group)) || int(users.GetCardinality()) < len(op.Users) {
			return errRefused
		}
		d.RemoveMembers(group(op.Group), users)
	}
	return nil
}

func (t *tenant) doUser(d *licensing.Draft, op model.Op) error {
	var id uuid.UUID
	var deleted bool
	var do func(u uint32) error
	quiet := func(f func(u uint32)) func(uint32) error { return func(u uint32) error { f(u); return nil } }
	switch op := op.(type) {
	case model.SetLocation:
		u, ok := t.user(op.User)
		if !ok {
			return errRefused
		}
		d.SetLocation(u, op.Location)
		return nil
	case model.SetDuplicate:
		u, ok := t.user(op.User)
		if !ok {
			return errRefused
		}
		d.SetDuplicate(u, op.Duplicate)
		return nil
	case model.DeleteUser:
		id, deleted, do = op.User, false, quiet(d.DeleteUser)
	case model.RestoreUser:
		id, deleted, do = op.User, true, quiet(d.RestoreUser)
	case model.PurgeUser:
		id, deleted, do = op.User, true, func(u uint32) error { d.PurgeUser(u, t.memberOf(u)); return nil }
	case model.AssignUser:
		id, do = op.User, func(u uint32) error { return d.AssignUser(u, assigns(op.Add), op.Remove) }
	}
	u, ok := t.user(id)
	if !ok || t.image.Deleted(u) != deleted {
		return errRefused
	}
	return do(u)
}

func (t *tenant) memberOf(user uint32) (groups []uint32) {
	for g := range uint32(t.image.Groups()) {
		if t.image.GroupMembers(g).Contains(user) {
			groups = append(groups, g)
		}
	}
	return groups
}

func assigns(list []model.Assign) (all []licensing.Assign) {
	for _, a := range list {
		all = append(all, licensing.Assign{SKUID: a.SKU, DisabledPlans: a.Disabled})
	}
	return all
}

// rows are a user's entries in the words of the model.
func (t *tenant) rows(user uint32) []model.Row {
	var rows []model.Row
	var states []licensing.State
	for s := range t.image.States(user) {
		states = append(states, s)
	}
	for i, e := range t.image.Entries(user) {
		row := model.Row{
			Source: model.Source{SKU: states[i].SKUID},
			Wished: t.image.WishedPlans(e.Wished), InForce: t.image.WishedPlans(e.InForce),
			Error: model.Violation(e.Error.String()), Since: e.Since, Updated: e.Updated, Waiting: e.WaitingSince(),
		}
		if e.InForce != licensing.None {
			row.Assigned = e.Assigned
		}
		if !states[i].Direct {
			row.Group = t.groups[states[i].Group]
		}
		if !t.image.Deleted(user) {
			row.State = states[i].State
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b model.Row) int {
		if x, y := slices.Index(t.groups, a.Group), slices.Index(t.groups, b.Group); x != y {
			return x - y
		}
		return bytes.Compare(a.SKU[:], b.SKU[:])
	})
	return rows
}

// difference is the first place where the real thing and the model do not agree; empty when there
// is none.
func (t *tenant) difference(m *model.Model) string {
	for i, id := range t.users {
		if t.image.Purged(uint32(i)) {
			continue
		}
		got, want := fmt.Sprint(t.rows(uint32(i))), fmt.Sprint(m.Snapshot(id))
		if got != want {
			return fmt.Sprintf("%s:\n got %s\nwant %s", model.Name(id), got, want)
		}
		held := map[uuid.UUID]string{}
		for h := range t.image.Held(uint32(i)) {
			held[h.SKUID] = fmt.Sprint(sorted(h.DisabledPlans))
		}
		want2 := map[uuid.UUID]string{}
		for _, a := range m.AssignedLicenses(id) {
			want2[a.SKU] = fmt.Sprint(sorted(a.Disabled))
		}
		if !maps.Equal(held, want2) {
			return fmt.Sprintf("%s holds %v, want %v", model.Name(id), held, want2)
		}
		if got, want := t.plans(uint32(i)), sorted(m.Plans(id)); !slices.Equal(got, want) {
			return fmt.Sprintf("%s has plans %v, want %v", model.Name(id), got, want)
		}
	}
	return t.sets(m)
}

func (t *tenant) plans(user uint32) []uuid.UUID {
	var ids []uuid.UUID
	for p := range t.image.Plans(user, t.log[len(t.log)-1].at) {
		if p.Capability != licensing.Deleted {
			ids = append(ids, p.Plan.ID)
		}
	}
	return sorted(ids)
}

// sets compares what is counted.
func (t *tenant) sets(m *model.Model) string {
	for _, s := range t.image.SKUs() {
		if want := m.Consumed(s.SKUID); s.Consumed != want {
			return fmt.Sprintf("%s: consumed %d, want %d", model.Name(s.SKUID), s.Consumed, want)
		}
	}
	for g, id := range t.groups {
		var got []uuid.UUID
		for it := t.image.GroupErrors(uint32(g)).Iterator(); it.HasNext(); {
			got = append(got, t.users[it.Next()])
		}
		if want := m.InError(id); !slices.Equal(got, want) {
			return fmt.Sprintf("%s: in error %v, want %v", model.Name(id), got, want)
		}
	}
	return ""
}

func sorted(ids []uuid.UUID) []uuid.UUID {
	all := slices.Clone(ids)
	slices.SortFunc(all, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return all
}

// play runs one drawn history on both and calls check after each operation.
func play(t *rapid.T, check func(played *tenant, m *model.Model)) (*tenant, *model.Model) {
	return playIn(t, model.DrawWorld(t), (*model.World).Draw, check)
}

func playIn(
	t *rapid.T, w *model.World, draw func(*model.World, *rapid.T, *model.Model) model.Op,
	check func(*tenant, *model.Model),
) (*tenant, *model.Model) {
	m, played := model.New(), &tenant{image: licensing.New(&licensing.Catalog{})}
	now := model.Commit{Seq: 0, At: 1000}
	do := func(op model.Op) {
		now.Seq++
		now.At += uint32(rapid.IntRange(0, 1).Draw(t, "seconds"))
		before := played.image
		want, got := m.Apply(now, op), played.apply(now, op)
		t.Logf("%d at %d: %s: %v", now.Seq, now.At, op, want)
		if (want == nil) != (got == nil) {
			t.Fatalf("the model says %v, the real thing %v", want, got)
		}
		if got != nil && played.image != before {
			t.Fatal("a refusal changed something")
		}
		if d := played.difference(m); d != "" {
			t.Fatalf("after %s\n%s\n%s", op, d, m.Dump())
		}
		check(played, m)
	}
	for _, op := range w.Setup(t) {
		do(op)
	}
	for range rapid.IntRange(1, 30).Draw(t, "operations") {
		do(draw(w, t, m))
	}
	return played, m
}

func TestEveryHistoryIsAsTheModelSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		play(t, func(*tenant, *model.Model) {})
	})
}

// Where seats are scarce and nothing else is in the way, nearly every history has a queue that is
// served out of the order of users.
func TestEveryQueueIsAsTheModelSays(t *testing.T) { // L52
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := model.DrawWorld(t)
		for i := range w.Catalog.ServicePlans {
			p := &w.Catalog.ServicePlans[i]
			p.Excludes, p.RequiresAnyOf, p.ProhibitedIn = nil, nil, nil
		}
		playIn(t, w, (*model.World).DrawScarce, func(*tenant, *model.Model) {})
	})
}

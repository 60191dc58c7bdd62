package licensing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// stage is a tenant whose users, groups and products go by names. Each method that changes
// something is one commit, a minute after the one before.
type stage struct {
	t             testing.TB
	image         *licensing.Image
	users, groups []string // by ordinal
	seq           uint64
	effects       *licensing.Effects // of the last commit
}

// newStage has these users, all in Germany, and 100 seats of everything in the catalog but of
// what is the company's.
func newStage(t testing.TB, users ...string) *stage {
	t.Helper()
	return newStageOf(t, office, users...)
}

func newStageOf(t testing.TB, catalog string, users ...string) *stage {
	t.Helper()
	s := &stage{t: t, image: licensing.New(readCatalog(catalog))}
	for _, p := range s.image.Catalog().Products {
		s.seats(called(p.SKUID), 100)
	}
	for _, name := range users {
		s.user(name, "DE")
	}
	return s
}

// fork is the same tenant, from now on with a future of its own.
func (s *stage) fork() *stage {
	f := *s
	f.users, f.groups = slices.Clone(s.users), slices.Clone(s.groups)
	return &f
}

func (s *stage) now() time.Time { return time.Unix(int64(s.seq)*60, 0).UTC() }

// try makes a commit, or none when do is refused.
func (s *stage) try(do func(d *licensing.Draft) error) error {
	s.seq++
	d := s.image.Draft(s.seq, s.now())
	if err := do(d); err != nil {
		return err
	}
	s.image, s.effects = d.Finish()
	return nil
}

func (s *stage) do(do func(d *licensing.Draft) error) {
	s.t.Helper()
	if err := s.try(do); err != nil {
		s.t.Fatalf("refused: %v", err)
	}
}

// quiet is for changes that cannot be refused.
func (s *stage) quiet(do func(d *licensing.Draft)) {
	_ = s.try(func(d *licensing.Draft) error { do(d); return nil })
}

func (s *stage) user(name, location string) {
	s.users = append(s.users, name)
	s.quiet(func(d *licensing.Draft) { d.AddUser(country(location)) })
}

func (s *stage) group(name string, members ...string) {
	s.groups = append(s.groups, name)
	s.quiet(func(d *licensing.Draft) { d.AddMembers(d.AddGroup(id('g', name)), s.all(members...)) })
}

// u is the ordinal of a user, g that of a group.
func (s *stage) u(name string) uint32 { return s.ordinal(s.users, name) }
func (s *stage) g(name string) uint32 { return s.ordinal(s.groups, name) }

func (s *stage) ordinal(names []string, name string) uint32 {
	s.t.Helper()
	at := slices.Index(names, name)
	if at < 0 {
		s.t.Fatalf("who is %s?", name)
	}
	return uint32(at)
}

func (s *stage) all(names ...string) *roaring.Bitmap {
	b := roaring.New()
	for _, name := range names {
		b.Add(s.u(name))
	}
	return b
}

// request reads what must be assigned: "E3", "E3 without CHAT SITES2", and to be removed: "-E3".
func request(licenses []string) (add []licensing.Assign, remove []uuid.UUID) {
	for _, l := range licenses {
		if name, ok := strings.CutPrefix(l, "-"); ok {
			remove = append(remove, product(name))
			continue
		}
		name, without, _ := strings.Cut(l, " without ")
		add = append(add, licensing.Assign{SKUID: product(name), DisabledPlans: plans(strings.Fields(without)...)})
	}
	return add, remove
}

// tryAssign changes a user's direct licenses, tryLicense a group's.
func (s *stage) tryAssign(user string, licenses ...string) error {
	add, remove := request(licenses)
	return s.try(func(d *licensing.Draft) error { return d.AssignUser(s.u(user), add, remove) })
}

func (s *stage) tryLicense(group string, licenses ...string) error {
	add, remove := request(licenses)
	return s.try(func(d *licensing.Draft) error { return d.AssignGroup(s.g(group), add, remove) })
}

func (s *stage) assign(user string, licenses ...string) {
	s.t.Helper()
	s.accepted(s.tryAssign(user, licenses...))
}

func (s *stage) license(group string, licenses ...string) {
	s.t.Helper()
	s.accepted(s.tryLicense(group, licenses...))
}

func (s *stage) accepted(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("refused: %v", err)
	}
}

func (s *stage) join(group string, users ...string) {
	s.quiet(func(d *licensing.Draft) { d.AddMembers(s.g(group), s.all(users...)) })
}

func (s *stage) leave(group string, users ...string) {
	s.quiet(func(d *licensing.Draft) { d.RemoveMembers(s.g(group), s.all(users...)) })
}

func (s *stage) seats(sku string, enabled int) { s.units(sku, licensing.Units{Enabled: enabled}) }

func (s *stage) units(sku string, units licensing.Units) {
	s.t.Helper()
	s.do(func(d *licensing.Draft) error { return d.SetUnits(product(sku), units, true) })
}

func (s *stage) locate(user, code string) {
	s.quiet(func(d *licensing.Draft) { d.SetLocation(s.u(user), country(code)) })
}

func (s *stage) duplicate(user string, is bool) {
	s.quiet(func(d *licensing.Draft) { d.SetDuplicate(s.u(user), is) })
}

func (s *stage) delete(user string) { s.quiet(func(d *licensing.Draft) { d.DeleteUser(s.u(user)) }) }

func (s *stage) restore(user string) { s.quiet(func(d *licensing.Draft) { d.RestoreUser(s.u(user)) }) }

func (s *stage) settings(change func(*licensing.Settings)) {
	s.t.Helper()
	set := s.image.Settings()
	change(&set)
	s.do(func(d *licensing.Draft) error { return d.SetSettings(set) })
}

func (s *stage) auto() { s.settings(func(set *licensing.Settings) { set.AutoReprocess = true }) }

func (s *stage) independent() {
	s.settings(func(set *licensing.Settings) { set.GroupBundles = licensing.BundlesIndependent })
}

// catalog replaces the catalog by one in which lines are others: pairs of old and new text.
func (s *stage) catalog(oldnew ...string) {
	s.t.Helper()
	s.do(func(d *licensing.Draft) error {
		return d.SetCatalog(readCatalog(strings.NewReplacer(oldnew...).Replace(office)))
	})
}

func (s *stage) reprocess(users ...string) (r licensing.Report) {
	s.quiet(func(d *licensing.Draft) { r = d.Reprocess(s.all(users...)) })
	return r
}

// states are a user's licenseAssignmentStates, such as "E3 from sales: Active without CHAT" or "E3
// direct: Error/CountViolation".
func (s *stage) states(user string) (list []string) {
	for st := range s.image.States(s.u(user)) {
		text := called(st.SKUID) + " direct: "
		if !st.Direct {
			text = called(st.SKUID) + " from " + s.groups[st.Group] + ": "
		}
		text += st.State
		if st.Error != licensing.NoViolation {
			text += "/" + st.Error.String()
		}
		list = append(list, text+without(st.DisabledPlans))
	}
	return list
}

func without(disabled []uuid.UUID) string {
	if len(disabled) == 0 {
		return ""
	}
	return " without " + strings.Join(names(disabled), " ")
}

func names(ids []uuid.UUID) (list []string) {
	for _, id := range ids {
		list = append(list, called(id))
	}
	return list
}

// shows wants just these licenseAssignmentStates, direct ones first, then by the age of group and
// product.
func (s *stage) shows(user string, want ...string) {
	s.t.Helper()
	equal(s.t, user+" shows", s.states(user), want)
}

// holds wants just these assignedLicenses.
func (s *stage) holds(user string, want ...string) {
	s.t.Helper()
	var got []string
	for h := range s.image.Held(s.u(user)) {
		got = append(got, called(h.SKUID)+without(h.DisabledPlans))
	}
	equal(s.t, user+" holds", got, want)
}

// plansOf are a user's assignedPlans as the last commit left them; after those that are Enabled, "
// Deleted" and so on is said.
func (s *stage) plansOf(user string) (list []string) { return s.plansAt(user, s.now()) }

func (s *stage) plansAt(user string, at time.Time) (list []string) {
	for p := range s.image.Plans(s.u(user), at) {
		text := p.Plan.Name
		if p.Capability != licensing.Enabled {
			text += " " + p.Capability
		}
		list = append(list, text)
	}
	return list
}

func (s *stage) updated(user, sku string) time.Time {
	s.t.Helper()
	for st := range s.image.States(s.u(user)) {
		if st.SKUID == product(sku) {
			return st.Updated
		}
	}
	s.t.Fatalf("%s has no entry of %s", user, sku)
	return time.Time{}
}

func (s *stage) sku(name string) licensing.SKUInfo {
	s.t.Helper()
	for _, info := range s.image.SKUs() {
		if info.SKUID == product(name) {
			return info
		}
	}
	s.t.Fatalf("the tenant has no %s", name)
	return licensing.SKUInfo{}
}

func (s *stage) consumed(sku string, want int) {
	s.t.Helper()
	equal(s.t, "consumed of "+sku, s.sku(sku).Consumed, want)
}

// refused wants an error with just this text.
func (s *stage) refused(err error, want string) {
	s.t.Helper()
	if err == nil {
		s.t.Fatalf("accepted, want: %s", want)
	}
	equal(s.t, "refusal", err.Error(), want)
}

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Fatalf("%s\n     %s\nwant %s", what, g, w)
	}
}

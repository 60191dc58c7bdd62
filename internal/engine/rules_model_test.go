package engine_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/licensing/model"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// statedRule is a rule, and what it says in the plainest way: of a user's document, the users who
// are managers, and the tenant as the model of licensing has it.
type statedRule struct {
	text  string
	stage model.Stage
	holds func(f *facts, m *model.Model, user uuid.UUID) bool
}

// facts are the documents of a tenant after a command.
type facts struct {
	users    map[uuid.UUID]*directory.User // live ones
	managers map[uuid.UUID]uuid.UUID       // by user
	groups   []*directory.Group            // live ones, in order of creation
}

func (f *facts) group(id uuid.UUID) bool {
	return slices.ContainsFunc(f.groups, func(g *directory.Group) bool { return g.ID == id })
}

// modeled plays commands on a tenant and on the naive model of licensing.
type modeled struct {
	*player
	model *model.Model
	said  map[string]statedRule // the rules drawn so far, by text
}

// TestD20D23D24D27L39LicensesFollowRulesAsTheModelSays plays random commands with dynamic groups.
// After each, the members of all groups, the licenses of all users and the seats are those of the
// naive model, which evaluates each rule on each user's document until nothing changes. Restarts,
// with snapshots and without, change nothing.
func TestD20D23D24D27L39LicensesFollowRulesAsTheModelSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouseInMemory(t, rapid.SampledFrom([]int{1, 400, 1 << 30}).Draw(rt, "snapshot after"))
		defer h.close()
		m := newModeled(h, rt)
		for range rapid.IntRange(1, 30).Draw(rt, "commands") {
			m.clock.Add(int64(rapid.IntRange(0, 2).Draw(rt, "seconds")))
			if circle := m.step(); circle {
				break // who keeps a side follows from the history (D24), and the model has none
			}
			if rapid.IntRange(0, 11).Draw(rt, "restart") == 11 {
				m.restart(rapid.Bool().Draw(rt, "without snapshots"))
				m.compare(m.Image())
			}
		}
		m.restart(true)
		m.compare(m.Image())
	})
}

// newModeled returns a tenant with few seats, users and groups, and the same in the model.
func newModeled(h *house, t *rapid.T) *modeled {
	m := &modeled{player: &player{house: h, t: t}, model: model.New(), said: map[string]statedRule{}}
	now := model.Commit{Seq: 1, At: uint32(h.clock.Load())}
	known := *h.Image().Licensing.Catalog()
	for _, op := range []model.Op{model.SetCatalog{Catalog: known}, model.SetOrganization{Country: m.country("DE")}} {
		if err := m.model.Apply(now, op); err != nil {
			t.Fatal(err)
		}
	}
	for _, sku := range conflicting {
		seats := rapid.IntRange(1, 4).Draw(t, "seats")
		h.must(tenant.CreateSubscription{SKUID: sku, TotalLicenses: seats})
		m.follow(model.SetUnits{SKU: sku, Units: model.Units{Enabled: seats}, Subscribed: true})
	}
	on := rapid.Bool().Draw(t, "autoReprocess")
	h.must(tenant.UpdateSettings{AutoReprocess: &on})
	m.follow(model.SetSettings{Settings: model.Settings{AutoReprocess: on}})
	for range 4 {
		cmd, op := m.newUser()
		m.follow(op(h.must(cmd)))
	}
	for range 2 {
		done := h.must(newGroup(h.tb, "static"))
		m.follow(model.AddGroup{Group: done.ID})
	}
	if rapid.Bool().Draw(t, "two departments") {
		m.departments()
	}
	return m
}

// departments adds two dynamic groups with licenses that conflict: users who move from one to the
// other within a commit are processed twice.
func (m *modeled) departments() {
	m.t.Helper()
	for i, rule := range []statedRule{ofSales, ofSupport} {
		m.said[rule.text] = rule
		group := m.must(dynamicGroup(m.tb, "department", rule.text))
		m.follow(model.AddGroup{Group: group.ID})
		m.must(tenant.AssignGroup{Group: group.Ordinal, Add: []licensing.Assign{{SKUID: conflicting[i]}}})
		m.follow(model.AssignGroup{Group: group.ID, Add: []model.Assign{{SKU: conflicting[i]}}})
	}
}

// step plays one command. It reports whether licenses and rules have chased each other.
func (m *modeled) step() (circle bool) {
	cmd, op := m.draw()
	before := m.Image()
	done, err := m.do(cmd)
	m.t.Logf("%T %+v: %v", cmd, cmd, err)
	if err != nil {
		if m.Image() != before {
			m.t.Fatalf("%T changed the image though it was refused", cmd)
		}
		return false
	}
	m.follow(op(done))
	m.compare(m.Image())
	for group := range m.Image().Directory.Groups() {
		if d := m.Image().Dynamic(group); d != nil && d.Failed != "" {
			circle = true
		}
	}
	return circle
}

// follow has the model do what the tenant has just done.
func (m *modeled) follow(op model.Op) {
	m.t.Helper()
	img := m.Image()
	f := m.facts(img)
	followed := model.Follow{Op: op}
	for _, g := range f.groups {
		said, known := m.said[g.MembershipRule]
		if !g.Dynamic() || g.MembershipRuleProcessingState != directory.RuleOn {
			continue
		}
		if !known {
			m.t.Fatalf("group %s has the rule %q", g.ID, g.MembershipRule)
		}
		if said.stage == model.StageGroups && img.MemberOfRules() == tenant.MemberOfRulesFrozen {
			continue
		}
		followed.Rules = append(followed.Rules, model.Rule{
			Group: g.ID, Stage: said.stage,
			Holds: func(at *model.Model, user uuid.UUID) bool { return said.holds(f, at, user) },
		})
	}
	if err := m.model.Apply(model.Commit{Seq: img.Seq, At: uint32(m.clock.Load())}, followed); err != nil {
		m.t.Fatalf("the model refuses %v: %v", op, err)
	}
}

// facts reads all documents.
func (m *modeled) facts(img *tenant.Image) *facts {
	m.t.Helper()
	f := &facts{users: map[uuid.UUID]*directory.User{}, managers: map[uuid.UUID]uuid.UUID{}}
	users, err := m.Users(m.tb.Context(), img, m.live(img, store.KindUser))
	if err != nil {
		m.t.Fatal(err)
	}
	for _, u := range users {
		f.users[u.ID] = u
		user, _ := img.Directory.UserByID(u.ID)
		if manager, ok := img.Directory.Manager(user); ok {
			f.managers[u.ID] = img.Directory.UserID(manager)
		}
	}
	if f.groups, err = m.Groups(m.tb.Context(), img, m.live(img, store.KindGroup)); err != nil {
		m.t.Fatal(err)
	}
	return f
}

// compare compares members, licenses and seats.
func (m *modeled) compare(img *tenant.Image) {
	m.t.Helper()
	for group := range img.Directory.Groups() {
		if img.Directory.GroupPurged(group) {
			continue
		}
		got := idsOf(img.Licensing.GroupMembers(group).ToArray(), img.Directory.UserID)
		want := m.members(img.Directory.GroupID(group))
		slices.SortFunc(got, compareIDs)
		if !slices.Equal(got, want) {
			m.t.Fatalf("group %d has the members %v, want %v", group, got, want)
		}
	}
	for user := range img.Directory.Users() {
		if img.Directory.UserPurged(user) {
			continue
		}
		got, want := m.states(img, user), m.wanted(img.Directory.UserID(user))
		if got != want {
			m.t.Fatalf("user %d has\n%swant\n%s", user, got, want)
		}
	}
	for _, s := range img.Licensing.SKUs() {
		if want := m.model.Consumed(s.SKUID); s.Consumed != want {
			m.t.Fatalf("%d seats of %s are consumed, want %d", s.Consumed, s.SKUID, want)
		}
	}
}

func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

func (m *modeled) members(group uuid.UUID) []uuid.UUID {
	for _, g := range m.model.Groups {
		if g.ID == group {
			return slices.SortedFunc(maps.Keys(g.Members), compareIDs)
		}
	}
	return nil
}

// states describes the assignments of a user, and wanted those of the model, in the same words.
func (m *modeled) states(img *tenant.Image, user uint32) string {
	var list []string
	entries := img.Licensing.Entries(user)
	i := 0
	for s := range img.Licensing.States(user) {
		group := uuid.Nil
		if !s.Direct {
			group = img.Directory.GroupID(s.Group)
		}
		if img.Licensing.Deleted(user) {
			s.State = ""
		}
		updated, e := uint32(s.Updated.Unix()), entries[i]
		list = append(list, stateText(group, s.SKUID, s.State, s.Error.String(), updated, e.Since, e.WaitingSince()))
		i++
	}
	return sortedLines(list)
}

func (m *modeled) wanted(user uuid.UUID) string {
	var list []string
	for _, r := range m.model.Snapshot(user) {
		list = append(list, stateText(r.Group, r.SKU, r.State, string(r.Error), r.Updated, r.Since, r.Waiting))
	}
	return sortedLines(list)
}

func stateText(group, sku uuid.UUID, state, violation string, updated uint32, since, waiting uint64) string {
	return fmt.Sprintf("%s from %s: %s/%s updated %d since %d waiting %d", sku, group, state, violation, updated, since, waiting)
}

func sortedLines(list []string) string {
	slices.Sort(list)
	return strings.Join(append(list, ""), "\n")
}

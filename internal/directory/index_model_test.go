package directory

import (
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// model is the naive index.
type model struct {
	users  []modelUser
	groups []modelGroup
}

type modelUser struct {
	id        uuid.UUID
	state     state
	name      string
	addresses []string
	groups    map[uint32]bool
	manager   int // -1 for none
}

type modelGroup struct {
	id              uuid.UUID
	state           state
	members, owners map[uint32]bool
}

func (m *model) clone() *model {
	c := &model{slices.Clone(m.users), slices.Clone(m.groups)}
	for i := range c.users {
		c.users[i].groups = maps.Clone(c.users[i].groups)
	}
	for i := range c.groups {
		c.groups[i].members, c.groups[i].owners = maps.Clone(c.groups[i].members), maps.Clone(c.groups[i].owners)
	}
	return c
}

func keysFor(addresses []string) (keys []Key) {
	for _, a := range addresses {
		keys = append(keys, KeyOf(a))
	}
	return keys
}

func sorted(set map[uint32]bool) []uint32 { return slices.Sorted(maps.Keys(set)) }

var sampleAddresses = []string{"a", "b", "c", "d", "e"}

// change makes one random change to both.
func (m *model) change(t *rapid.T, d *Draft) {
	pickUser := func() (uint32, bool) {
		if len(m.users) == 0 {
			return 0, false
		}
		u := uint32(rapid.IntRange(0, len(m.users)-1).Draw(t, "user"))
		return u, m.users[u].state != purged
	}
	pickGroup := func() (uint32, bool) {
		if len(m.groups) == 0 {
			return 0, false
		}
		g := uint32(rapid.IntRange(0, len(m.groups)-1).Draw(t, "group"))
		return g, m.groups[g].state != purged
	}
	addresses := rapid.SliceOfN(rapid.SampledFrom(sampleAddresses), 0, 3)
	switch action := rapid.IntRange(0, 14).Draw(t, "action"); action {
	case 0, 1:
		n := rapid.SampledFrom([]int{1, 2, 300}).Draw(t, "users")
		for range n {
			u := uint32(len(m.users))
			added := modelUser{
				id: numbered(1, u), name: fmt.Sprint("user", u),
				addresses: addresses.Draw(t, "addresses"), groups: map[uint32]bool{}, manager: -1,
			}
			m.users = append(m.users, added)
			if got := d.AddUser(added.id, KeyOf(added.name), keysFor(added.addresses)); got != u {
				t.Fatalf("user %d is number %d", u, got)
			}
		}
	case 2:
		g := uint32(len(m.groups))
		m.groups = append(m.groups, modelGroup{
			id: numbered(2, g), members: map[uint32]bool{}, owners: map[uint32]bool{},
		})
		if got := d.AddGroup(numbered(2, g)); got != g {
			t.Fatalf("group %d is number %d", g, got)
		}
	case 3, 4, 5:
		if u, ok := pickUser(); ok {
			m.changeUser(t, d, u, action, addresses.Draw(t, "addresses"))
		}
	case 6, 7, 8:
		if g, ok := pickGroup(); ok {
			m.changeGroup(d, g, action)
		}
	case 9, 10:
		if g, ok := pickGroup(); ok {
			m.changeMembers(t, d, g, action == 9)
		}
	case 11, 12:
		g, ok := pickGroup()
		if member, there := pickGroup(); ok && there && g != member {
			in := action == 11
			change := map[bool]func(group, member uint32) bool{true: d.JoinGroup, false: d.LeaveGroup}[in]
			if changed := m.groups[g].members[member] != in; change(g, member) != changed {
				t.Fatalf("group %d in %d: %t is no change", member, g, in)
			}
			setModel(m.groups[g].members, member, in)
		}
	case 13:
		g, ok := pickGroup()
		if u, there := pickUser(); ok && there {
			in := rapid.Bool().Draw(t, "owner")
			change := map[bool]func(group, user uint32) bool{true: d.AddOwner, false: d.RemoveOwner}[in]
			if changed := m.groups[g].owners[u] != in; change(g, u) != changed {
				t.Fatalf("user %d owns %d: %t is no change", u, g, in)
			}
			setModel(m.groups[g].owners, u, in)
		}
	case 14:
		u, ok := pickUser()
		if manager, there := pickUser(); ok && there && u != manager {
			was := m.users[u].manager
			if m.users[u].manager = int(manager); rapid.Bool().Draw(t, "remove") {
				m.users[u].manager = -1
				if d.RemoveManager(u) != (was >= 0) {
					t.Fatalf("user %d had the manager %d", u, was)
				}
			} else if d.SetManager(u, manager) != (was != int(manager)) {
				t.Fatalf("user %d had the manager %d, got %d", u, was, manager)
			}
		}
	}
}

func setModel(set map[uint32]bool, value uint32, in bool) {
	if in {
		set[value] = true
	} else {
		delete(set, value)
	}
}

func (m *model) changeUser(t *rapid.T, d *Draft, u uint32, action int, addresses []string) {
	user := &m.users[u]
	switch {
	case action == 3:
		user.name, user.addresses = fmt.Sprint("new", u), addresses
		d.SetUserKeys(u, KeyOf(user.name), keysFor(addresses))
	case action == 4 && rapid.Bool().Draw(t, "purge"):
		user.state = purged
		user.groups = map[uint32]bool{}
		user.manager = -1
		for i := range m.users {
			if m.users[i].manager == int(u) {
				m.users[i].manager = -1
			}
		}
		for _, g := range m.groups {
			delete(g.owners, u)
		}
		d.PurgeUser(u)
	case action == 4:
		user.state = deleted
		d.DeleteUser(u)
	case user.state == deleted:
		user.state = live
		d.RestoreUser(u)
	default:
		before := d.UserRevision(u)
		if d.TouchUser(u); d.UserRevision(u) == before {
			t.Fatalf("user %d has the same revision", u)
		}
	}
}

func (m *model) changeGroup(d *Draft, g uint32, action int) {
	group := &m.groups[g]
	switch action {
	case 6:
		group.state = deleted
		d.DeleteGroup(g)
	case 7:
		group.state = live
		d.RestoreGroup(g)
	case 8:
		var members []uint32
		for u := range m.users {
			if m.users[u].groups[g] {
				members = append(members, uint32(u))
				delete(m.users[u].groups, g)
			}
		}
		d.Leave(g, slices.Values(members))
		for _, other := range m.groups {
			delete(other.members, g)
		}
		*group = modelGroup{state: purged}
		d.PurgeGroup(g)
	}
}

func (m *model) changeMembers(t *rapid.T, d *Draft, g uint32, in bool) {
	if len(m.users) == 0 {
		return
	}
	step := uint32(rapid.SampledFrom([]int{1, 3, 100}).Draw(t, "step"))
	var users []uint32
	for u := uint32(0); u < uint32(len(m.users)); u += step {
		if m.users[u].state != purged {
			users = append(users, u)
		}
	}
	if rapid.Bool().Draw(t, "descending") {
		slices.Reverse(users)
	}
	want := 0
	for _, u := range users {
		if m.users[u].groups[g] != in {
			want++
		}
		setModel(m.users[u].groups, g, in)
	}
	change := d.Leave
	if in {
		change = d.Join
	}
	if got := change(g, slices.Values(users)); got != want {
		t.Fatalf("%d memberships changed, not %d", got, want)
	}
}

// check compares all answers.
func (m *model) check(t *rapid.T, v *view) {
	if v.Users() != uint32(len(m.users)) || v.Groups() != uint32(len(m.groups)) {
		t.Fatalf("%d users and %d groups, not %d and %d", v.Users(), v.Groups(), len(m.users), len(m.groups))
	}
	owners := map[string][]uint32{}
	for i, want := range m.users {
		u := uint32(i)
		if want.state == live {
			for _, a := range sampleAddresses {
				if slices.Contains(want.addresses, a) {
					owners[a] = append(owners[a], u)
				}
			}
		}
		found, byName := v.UserByName(want.name)
		if byName != (want.state == live) || byName && found != u {
			t.Fatalf("%s of user %d in state %d is %d, %t", want.name, u, want.state, found, byName)
		}
		found, byID := v.UserByID(want.id)
		if byID != (want.state != purged) || byID && found != u || byID && v.UserID(u) != want.id {
			t.Fatalf("id of user %d in state %d is of %d, %t", u, want.state, found, byID)
		}
		if v.UserPurged(u) != (want.state == purged) || v.UserDeleted(u) != (want.state == deleted) {
			t.Fatalf("user %d is not in state %d", u, want.state)
		}
		var reports []uint32
		for i, other := range m.users {
			if other.manager == int(u) {
				reports = append(reports, uint32(i))
			}
		}
		if got := v.Reports(u); !slices.Equal(got, reports) {
			t.Fatalf("user %d has the reports %d, not %d", u, got, reports)
		}
		if got, ok := v.Manager(u); ok != (want.manager >= 0) || ok && int(got) != want.manager {
			t.Fatalf("user %d has the manager %d, %t, not %d", u, got, ok, want.manager)
		}
		if got := v.MemberOf(u); !slices.Equal(got, sorted(want.groups)) {
			t.Fatalf("user %d is in %d, not %d", u, got, sorted(want.groups))
		}
	}
	for _, a := range sampleAddresses {
		if got := slices.Collect(v.AddressOwners(KeyOf(a))); !slices.Equal(got, owners[a]) {
			t.Fatalf("%s is an address of %d, not %d", a, got, owners[a])
		}
	}
	for i, want := range m.users {
		shared := want.state != purged && slices.ContainsFunc(want.addresses, func(a string) bool {
			return slices.ContainsFunc(owners[a], func(u uint32) bool { return u != uint32(i) })
		})
		if v.AddressShared(uint32(i)) != shared {
			t.Fatalf("user %d shares an address: %t", i, !shared)
		}
	}
	m.checkGroups(t, v)
}

func (m *model) checkGroups(t *rapid.T, v *view) {
	memberOf := make([][]uint32, len(m.groups))
	for i, want := range m.groups {
		for member := range want.members {
			memberOf[member] = append(memberOf[member], uint32(i))
		}
	}
	for i, want := range m.groups {
		g := uint32(i)
		found, byID := v.GroupByID(numbered(2, g))
		if byID != (want.state != purged) || byID && found != g || v.GroupID(g) != want.id {
			t.Fatalf("group %d is found as %d, %t", g, found, byID)
		}
		if v.GroupPurged(g) != (want.state == purged) || v.GroupDeleted(g) != (want.state == deleted) {
			t.Fatalf("group %d is not in state %d", g, want.state)
		}
		if got := v.GroupMembersOf(g); !slices.Equal(got, sorted(want.members)) {
			t.Fatalf("group %d has %d, not %d", g, got, sorted(want.members))
		}
		if got := v.GroupMemberOf(g); !slices.Equal(got, memberOf[i]) {
			t.Fatalf("group %d is in %d, not %d", g, got, memberOf[i])
		}
		if got := v.Owners(g); !slices.Equal(got, sorted(want.owners)) {
			t.Fatalf("group %d is owned by %d, not %d", g, got, sorted(want.owners))
		}
	}
}

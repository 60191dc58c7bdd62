package directory

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// numbered makes ids as people make them up, differing in few bits.
func numbered(kind byte, n uint32) (id uuid.UUID) {
	id[0] = kind
	binary.BigEndian.PutUint32(id[12:], n)
	return id
}

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
		return u, m.users[u].state != gone
	}
	pickGroup := func() (uint32, bool) {
		if len(m.groups) == 0 {
			return 0, false
		}
		g := uint32(rapid.IntRange(0, len(m.groups)-1).Draw(t, "group"))
		return g, m.groups[g].state != gone
	}
	addresses := rapid.SliceOfN(rapid.SampledFrom(sampleAddresses), 0, 3)
	switch action := rapid.IntRange(0, 14).Draw(t, "action"); action {
	case 0, 1:
		n := rapid.SampledFrom([]int{1, 2, 300}).Draw(t, "users")
		for range n {
			u := uint32(len(m.users))
			added := modelUser{id: numbered(1, u), name: fmt.Sprint("user", u), addresses: addresses.Draw(t, "addresses"), groups: map[uint32]bool{}, manager: -1}
			m.users = append(m.users, added)
			if got := d.AddUser(added.id, KeyOf(added.name), keysFor(added.addresses)); got != u {
				t.Fatalf("user %d is number %d", u, got)
			}
		}
	case 2:
		g := uint32(len(m.groups))
		m.groups = append(m.groups, modelGroup{id: numbered(2, g), members: map[uint32]bool{}, owners: map[uint32]bool{}})
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
		user.state = gone
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
		user.state = hidden
		d.HideUser(u)
	case user.state == hidden:
		user.state = live
		d.ShowUser(u)
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
		group.state = hidden
		d.HideGroup(g)
	case 7:
		group.state = live
		d.ShowGroup(g)
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
		*group = modelGroup{state: gone}
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
		if m.users[u].state != gone {
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
		if byID != (want.state != gone) || byID && found != u || byID && v.UserID(u) != want.id {
			t.Fatalf("id of user %d in state %d is of %d, %t", u, want.state, found, byID)
		}
		if v.UserGone(u) != (want.state == gone) || v.UserHidden(u) != (want.state == hidden) {
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
		shared := want.state != gone && slices.ContainsFunc(want.addresses, func(a string) bool {
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
		if byID != (want.state != gone) || byID && found != g || v.GroupID(g) != want.id {
			t.Fatalf("group %d is found as %d, %t", g, found, byID)
		}
		if v.GroupGone(g) != (want.state == gone) || v.GroupHidden(g) != (want.state == hidden) {
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

func encode(x *Index) (head []byte, parts [][]byte) {
	for i := range x.Parts() {
		parts = append(parts, x.AppendPart(nil, i))
	}
	return x.AppendHead(nil), parts
}

func encodeColumns(x *Index) *Columns {
	c := new(Columns)
	for i := range x.UserColumns().Parts() {
		c.Users = append(c.Users, x.UserColumns().AppendPart(nil, i))
	}
	for i := range x.GroupColumns().Parts() {
		c.Groups = append(c.Groups, x.GroupColumns().AppendPart(nil, i))
	}
	return c
}

// TestIndexIsTheModel makes random changes in drafts, some thrown away, and looks at the new index,
// at the old one and at the one decoded from a snapshot.
func TestIndexIsTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m, x := new(model), NewIndex()
		for range rapid.IntRange(1, 6).Draw(t, "drafts") {
			next, d := m.clone(), x.Draft()
			for range rapid.IntRange(1, 8).Draw(t, "changes") {
				next.change(t, d)
			}
			next.check(t, &d.view)
			y := d.Finish()
			next.check(t, &y.view)
			m.check(t, &x.view)
			if rapid.IntRange(0, 3).Draw(t, "keep") > 0 {
				m, x = next, y
			}
		}
		head, parts := encode(x)
		for _, columns := range []*Columns{nil, encodeColumns(x)} {
			decoded, err := Decode(head, parts, columns)
			if err != nil {
				t.Fatal(err)
			}
			m.check(t, &decoded.view)
		}
		decoded, err := Decode(head, parts, nil)
		if err != nil {
			t.Fatal(err)
		}
		for u := range x.Users() {
			if x.UserRevision(u) != decoded.UserRevision(u) && !x.UserGone(u) {
				t.Fatalf("user %d has revision %d, not %d", u, decoded.UserRevision(u), x.UserRevision(u))
			}
		}
	})
}

func TestNobodyIsFoundWhereNobodyIs(t *testing.T) {
	t.Parallel()
	x := NewIndex()
	if _, ok := x.UserByID(uuid.Nil); ok || !x.UserGone(0) || !x.GroupGone(7) || x.MemberOf(3) != nil || x.UserID(1) != uuid.Nil || x.AddressShared(2) {
		t.Error("an empty index has users")
	}
}

func TestChangesOfNobodyPanic(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Draft){
		"touch":      func(d *Draft) { d.TouchUser(1) },
		"join":       func(d *Draft) { d.Join(0, slices.Values([]uint32{0, 1})) },
		"join group": func(d *Draft) { d.Join(1, slices.Values([]uint32{0})) },
		"owner":      func(d *Draft) { d.AddOwner(0, 1) },
		"itself":     func(d *Draft) { d.JoinGroup(0, 0) },
		"purged":     func(d *Draft) { d.PurgeUser(0); d.ShowUser(0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := NewIndex().Draft()
			d.AddUser(numbered(1, 0), Key{}, nil)
			d.AddGroup(numbered(2, 0))
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			change(d)
		})
	}
}

// TestReadersNeedNoLock is for the race detector: readers of an index while drafts are made of it
// and changed.
func TestReadersNeedNoLock(t *testing.T) {
	t.Parallel()
	x := sample(3000, 4)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for u := range x.Users() {
				if found, ok := x.UserByID(x.UserID(u)); !ok || found != u || x.AddressShared(u) {
					t.Errorf("user %d is lost", u)
				}
				if _, ok := x.UserByName(fmt.Sprint("user", u)); !ok {
					t.Errorf("name of user %d is lost", u)
				}
			}
		})
	}
	for w := range uint32(2) {
		wait.Go(func() {
			y := x
			for round := range uint32(20) {
				d := y.Draft()
				for u := w; u < 3000; u += 97 {
					d.SetUserKeys(u, KeyOf(fmt.Sprint("round", round, "user", u)), nil)
				}
				d.PurgeUser(round + 100)
				d.AddUser(numbered(3, round), Key{1}, []Key{{2}})
				d.Leave(w, slices.Values([]uint32{1, 2, 3}))
				y = d.Finish()
			}
		})
	}
	wait.Wait()
}

func TestPartsThatChanged(t *testing.T) {
	t.Parallel()
	x := sample(PartUsers+10, 2)
	d := x.Draft()
	d.TouchUser(PartUsers + 1)
	d.Join(0, slices.Values([]uint32{0, 2})) // members already
	y := d.Finish()
	if x.Parts() != 2 || y.PartChanged(x, 0) || !y.PartChanged(x, 1) || !y.PartChanged(NewIndex(), 0) {
		t.Error("only part 1 changed")
	}
}

// sample has users who are each in two groups, with one address.
func sample(users, groups uint32) *Index {
	d := NewIndex().Draft()
	for g := range groups {
		d.AddGroup(numbered(2, g))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for u := range users {
		var id uuid.UUID
		binary.LittleEndian.PutUint64(id[:], random.Uint64())
		binary.LittleEndian.PutUint64(id[8:], random.Uint64())
		d.AddUser(id, KeyOf(fmt.Sprint("user", u)), []Key{KeyOf(fmt.Sprint("user", u, "@contoso.com"))})
	}
	for g := range groups {
		d.Join(g, func(yield func(uint32) bool) {
			for u := range users {
				if (u%groups == g || (u+1)%groups == g) && !yield(u) {
					return
				}
			}
		})
	}
	return d.Finish()
}

// bytesPerUser measures what keep keeps alive.
func bytesPerUser(users uint32, build func() any) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := build()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return (float64(after.HeapAlloc) - float64(before.HeapAlloc)) / float64(users)
}

func TestSnapshotIsRefusedWhenDamaged(t *testing.T) {
	t.Parallel()
	head, parts := encode(sample(20, 3))
	for n := range head {
		if _, err := Decode(head[:n], parts, nil); err == nil {
			t.Errorf("%d of %d bytes of a head are taken", n, len(head))
		}
	}
	for n := range parts[0] {
		if _, err := Decode(head, [][]byte{parts[0][:n]}, nil); err == nil {
			t.Errorf("%d of %d bytes of a part are taken", n, len(parts[0]))
		}
	}
	for name, broken := range map[string][2][]byte{
		"longer head":        {append(slices.Clone(head), 0), parts[0]},
		"longer part":        {head, append(slices.Clone(parts[0]), 0)},
		"other format":       {append([]byte{9}, head[1:]...), parts[0]},
		"other part format":  {head, append([]byte{9}, parts[0][1:]...)},
		"a state that isn't": {head, append([]byte{1, 3}, parts[0][2:]...)},
	} {
		if _, err := Decode(broken[0], [][]byte{broken[1]}, nil); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := Decode(head, nil, nil); err == nil {
		t.Error("no parts are taken for 20 users")
	}
}

func BenchmarkIndex(b *testing.B) {
	const users = 1_000_000
	x := sample(users, 100)
	all := func(yield func(uint32) bool) {
		for u := range uint32(users) {
			if !yield(u) {
				return
			}
		}
	}
	b.Run("memory", func(b *testing.B) {
		head, parts := encode(x)
		for b.Loop() {
			b.ReportMetric(bytesPerUser(users, func() any { return sample(users, 100) }), "added-B/user")
			b.ReportMetric(bytesPerUser(users, func() any { y, _ := Decode(head, parts, nil); return y }), "decoded-B/user")
		}
	})
	b.Run("add a million users", func(b *testing.B) {
		keys := make([]Key, 2*users)
		for i := range keys {
			keys[i] = KeyOf(fmt.Sprint(i))
		}
		for b.Loop() {
			d := NewIndex().Draft()
			for u := range uint32(users) {
				d.AddUser(uuid.UUID(keys[u]), keys[u], keys[users+u:users+u+1])
			}
			d.Finish()
		}
	})
	b.Run("join a million users", func(b *testing.B) {
		d := x.Draft()
		g := d.AddGroup(numbered(9, 9))
		y := d.Finish()
		for b.Loop() {
			d := y.Draft()
			d.Join(g, all)
			d.Finish()
		}
	})
	b.Run("encode a million users", func(b *testing.B) {
		for b.Loop() {
			encode(x)
		}
	})
	b.Run("decode a million users", func(b *testing.B) {
		head, parts := encode(x)
		for b.Loop() {
			if _, err := Decode(head, parts, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("find by id", func(b *testing.B) {
		b.ReportAllocs()
		for u := uint32(0); b.Loop(); u = (u + 7919) % users {
			x.UserByID(x.UserID(u))
		}
	})
	b.Run("find by name", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			x.UserByName("User500000")
		}
	})
	b.Run("address shared", func(b *testing.B) {
		b.ReportAllocs()
		for u := uint32(0); b.Loop(); u = (u + 7919) % users {
			x.AddressShared(u)
		}
	})
	b.Run("draft that touches", func(b *testing.B) {
		b.ReportAllocs()
		for u := uint32(0); b.Loop(); u = (u + 7919) % users {
			d := x.Draft()
			d.TouchUser(u)
			d.Finish()
		}
	})
	b.Run("draft that joins", func(b *testing.B) {
		b.ReportAllocs()
		for u := uint32(0); b.Loop(); u = (u + 7919) % users {
			d := x.Draft()
			d.Join(u%100, slices.Values([]uint32{(u + 50) % users}))
			d.Finish()
		}
	})
	b.Run("draft that adds a user", func(b *testing.B) {
		b.ReportAllocs()
		for u := uint32(0); b.Loop(); u++ {
			d := x.Draft()
			d.AddUser(numbered(5, u), Key{1, byte(u)}, []Key{{2, byte(u)}})
			d.Finish()
		}
	})
}

// TestBytesPerUser is not parallel: it measures the heap.
func TestBytesPerUser(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a second")
	}
	const users, most = PartUsers, 150
	head, parts := encode(sample(users, 100))
	if got := bytesPerUser(users, func() any { return sample(users, 100) }); got > most {
		t.Errorf("users who were added take %.0f bytes each, more than %d", got, most)
	}
	if got := bytesPerUser(users, func() any { x, _ := Decode(head, parts, nil); return x }); got > most {
		t.Errorf("users of a snapshot take %.0f bytes each, more than %d", got, most)
	}
}

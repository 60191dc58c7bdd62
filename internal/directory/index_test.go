package directory

import (
	"encoding/binary"
	"fmt"
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
			if x.UserRevision(u) != decoded.UserRevision(u) && !x.UserPurged(u) {
				t.Fatalf("user %d has revision %d, not %d", u, decoded.UserRevision(u), x.UserRevision(u))
			}
		}
	})
}

func TestNobodyIsFoundWhereNobodyIs(t *testing.T) {
	t.Parallel()
	x := NewIndex()
	_, ok := x.UserByID(uuid.Nil)
	if ok || !x.UserPurged(0) || !x.GroupPurged(7) ||
		x.MemberOf(3) != nil || x.UserID(1) != uuid.Nil || x.AddressShared(2) {
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
		"purged":     func(d *Draft) { d.PurgeUser(0); d.RestoreUser(0) },
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

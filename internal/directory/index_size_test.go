package directory

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/google/uuid"
)

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

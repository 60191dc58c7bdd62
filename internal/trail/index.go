package trail

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/licensing/vector"
)

const (
	// StretchLen is the number of commits of a stretch. Stored indexes depend on it.
	StretchLen = 4096
	// few is the number of users, or of groups, up to which each gets an entry of its own.
	few = 64
	// maxBytes is how large the finished stretches of an index are at most, in bytes. Ten million
	// commits about one user and one group each fit.
	maxBytes = 128 << 20
)

// Kind is the kind of an object. Numbers are stored; never renumber.
type Kind uint8

// The kinds.
const (
	User Kind = iota
	Group
	kinds
)

// Object is a user or a group.
type Object struct {
	Kind    Kind
	Ordinal uint32
}

// Concerned are the objects that a commit concerns, by kind. Nil means none.
type Concerned [kinds]*roaring.Bitmap

// Unite adds other objects, whose bitmaps it may keep.
func (c *Concerned) Unite(other Concerned) {
	for kind, objects := range other {
		switch {
		case objects == nil:
		case c[kind] == nil:
			c[kind] = objects
		default:
			c[kind].Or(objects)
		}
	}
}

// Index is an index of a log up to a commit. The zero value is that of an empty log. An Index is
// immutable, except for Add; its methods are safe for concurrent use.
type Index struct {
	last   uint64     // the last commit
	sealed []*stretch // the finished stretches; nil: not indexed
	open   open       // the last stretch
	bytes  int        // of sealed
}

// open is a stretch that is not finished.
type open struct {
	first   uint64 // the first commit that is indexed
	entries [kinds]vector.Vector[entry]
	wide    []wide
}

// entry says that a commit concerns an object.
type entry struct {
	ordinal uint32
	commit  uint16 // its place in the stretch
}

// wide is a commit that concerns many objects of a kind.
type wide struct {
	Commit  uint16 `cbor:"1,keyasint,omitempty"`
	Kind    Kind   `cbor:"2,keyasint,omitempty"`
	Objects []byte `cbor:"3,keyasint"` // a serialized bitmap
}

// After returns an index that has no commits up to one.
func After(last uint64) Index {
	x := Index{last: last, open: open{first: last + 1}}
	if last > 0 {
		x.sealed = make([]*stretch, number(last))
	}
	return x
}

// number returns the number of the stretch of a commit.
func number(seq uint64) int { return int((seq - 1) / StretchLen) }

// begin returns the commit at place 0 of a stretch.
func begin(number int) uint64 { return uint64(number)*StretchLen + 1 }

// Add adds the next commit. Only the newest index of an owner may be used while that adds more.
func (x *Index) Add(owner *vector.Owner, c Concerned) {
	if x.last++; x.open.first == 0 {
		x.open.first = x.last
	}
	if at := number(x.last); at > len(x.sealed) {
		x.seal()
		x.open = open{first: x.last}
	}
	place := uint16((x.last - 1) % StretchLen)
	for kind, objects := range c {
		switch {
		case objects == nil || objects.IsEmpty():
		case objects.GetCardinality() > few:
			x.open.wide = append(slices.Clip(x.open.wide), wide{place, Kind(kind), serialized(objects)})
		default:
			for ordinal := range roaring.Values(objects) {
				x.open.entries[kind].Append(owner, entry{ordinal, place})
			}
		}
	}
}

// serialized returns the bitmap in few bytes.
func serialized(objects *roaring.Bitmap) []byte {
	small := objects.Clone()
	small.RunOptimize()
	data, err := small.ToBytes()
	if err != nil { // it is written to memory
		panic(err)
	}
	return data
}

// seal finishes the last stretch, and drops the oldest ones when there is no room for it.
func (x *Index) seal() {
	s := x.open.finish()
	x.sealed = append(slices.Clip(x.sealed), s)
	x.bytes += s.size()
	if x.bytes <= maxBytes {
		return
	}
	x.sealed = slices.Clone(x.sealed)
	for i := 0; i < len(x.sealed)-1 && x.bytes > maxBytes; i++ {
		if x.sealed[i] != nil {
			x.bytes -= x.sealed[i].size()
			x.sealed[i] = nil
		}
	}
}

// Commits returns the commits from one to another that may concern one of the objects: the first
// of them, or the last, as many as the limit allows. They ascend, or descend.
func (x *Index) Commits(objects []Object, from, to uint64, descending bool, limit int) (list []uint64) {
	from, to = max(from, 1), min(to, x.last)
	for from <= to && len(list) < limit {
		at := number(from)
		if descending {
			at = number(to)
		}
		low, high := max(from, begin(at)), min(to, begin(at+1)-1)
		some := x.within(at, objects, low, high)
		if descending {
			slices.Reverse(some)
			to = low - 1
		} else {
			from = high + 1
		}
		list = append(list, some[:min(len(some), limit-len(list))]...)
	}
	return list
}

// within returns the commits of a stretch.
func (x *Index) within(at int, objects []Object, low, high uint64) (list []uint64) {
	first, find := high+1, func(Object, map[uint16]bool) {}
	switch {
	case at == len(x.sealed):
		first, find = x.open.first, x.open.find
	case x.sealed[at] != nil:
		first, find = x.sealed[at].First, x.sealed[at].find
	}
	first = min(max(first, low), high+1) // the first of the commits that is indexed
	for seq := low; seq < first; seq++ {
		list = append(list, seq)
	}
	places := map[uint16]bool{}
	for _, o := range objects {
		find(o, places)
	}
	indexed := len(list)
	for place := range places {
		if seq := begin(at) + uint64(place); seq >= first && seq <= high {
			list = append(list, seq)
		}
	}
	slices.Sort(list[indexed:])
	return list
}

// find adds the places of the commits that concern an object.
func (o *open) find(object Object, places map[uint16]bool) {
	for _, e := range o.entries[object.Kind].All() {
		if e.ordinal == object.Ordinal {
			places[e.commit] = true
		}
	}
	findWide(o.wide, object, places)
}

// findWide is find for commits that concern many objects.
func findWide(list []wide, object Object, places map[uint16]bool) {
	for i := range list {
		if w := &list[i]; w.Kind == object.Kind && !places[w.Commit] && w.has(object.Ordinal) {
			places[w.Commit] = true
		}
	}
}

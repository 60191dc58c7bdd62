package trail

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/fxamacker/cbor/v2"

	"licensor/internal/compressed"
	"licensor/internal/licensing/vector"
)

// stretch has the entries of a stretch, by object and commit. It is stored as it is.
type stretch struct {
	First uint64 `cbor:"1,keyasint"` // the first commit that is indexed
	// Ordinals and Commits have an element for each entry, in little-endian order.
	Ordinals [kinds]words `cbor:"2,keyasint"` // 4 bytes each
	Commits  [kinds]words `cbor:"3,keyasint"` // 2 bytes each
	Wide     []wide       `cbor:"4,keyasint,omitempty"`
}

// words is a list of numbers.
type words []byte

func (w words) ordinal(i int) uint32 { return binary.LittleEndian.Uint32(w[4*i:]) }
func (w words) commit(i int) uint16  { return binary.LittleEndian.Uint16(w[2*i:]) }

// finish returns the stretch so far.
func (o *open) finish() *stretch {
	s := &stretch{First: o.first, Wide: o.wide}
	for kind := range o.entries {
		list := make([]entry, 0, o.entries[kind].Len())
		for _, e := range o.entries[kind].All() {
			list = append(list, e)
		}
		slices.SortFunc(list, func(a, b entry) int {
			return cmp.Or(cmp.Compare(a.ordinal, b.ordinal), cmp.Compare(a.commit, b.commit))
		})
		s.Ordinals[kind], s.Commits[kind] = make(words, 0, 4*len(list)), make(words, 0, 2*len(list))
		for _, e := range list {
			s.Ordinals[kind] = binary.LittleEndian.AppendUint32(s.Ordinals[kind], e.ordinal)
			s.Commits[kind] = binary.LittleEndian.AppendUint16(s.Commits[kind], e.commit)
		}
	}
	return s
}

// size returns the memory of the stretch, in bytes.
func (s *stretch) size() (n int) {
	for kind := range s.Ordinals {
		n += len(s.Ordinals[kind]) + len(s.Commits[kind])
	}
	for _, w := range s.Wide {
		n += len(w.Objects)
	}
	return n
}

// find adds the places of the commits that concern an object.
func (s *stretch) find(o Object, places map[uint16]bool) {
	ordinals, commits := s.Ordinals[o.Kind], s.Commits[o.Kind]
	n := len(ordinals) / 4
	for i := sort.Search(n, func(i int) bool { return ordinals.ordinal(i) >= o.Ordinal }); i < n; i++ {
		if ordinals.ordinal(i) != o.Ordinal {
			break
		}
		places[commits.commit(i)] = true
	}
	findWide(s.Wide, o, places)
}

// has reports whether the commit concerns an object of its kind.
func (w *wide) has(ordinal uint32) bool {
	objects := roaring.New()
	_, err := objects.FromBuffer(w.Objects) // was checked when it was read
	return err == nil && objects.Contains(ordinal)
}

// Parts returns the number of parts in which the index is stored: one for each stretch.
func (x *Index) Parts() int {
	if x.last == 0 {
		return 0
	}
	return number(x.last) + 1
}

// PartChanged reports whether a part may differ from that of an earlier index of the same log.
func (x *Index) PartChanged(was *Index, part int) bool {
	if part < len(x.sealed) && part < len(was.sealed) {
		return x.sealed[part] != was.sealed[part]
	}
	return x.last != was.last
}

// AppendPart appends a part to b.
func (x *Index) AppendPart(b []byte, part int) []byte {
	s := (*stretch)(nil) // is null if the stretch is not indexed
	if part < len(x.sealed) {
		s = x.sealed[part]
	} else {
		s = x.open.finish()
	}
	data, err := cbor.Marshal(s)
	if err != nil { // it is written to memory
		panic(err)
	}
	return append(b, data...)
}

// decoding refuses what this version does not know, which would be lost.
var decoding = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, DupMapKey: cbor.DupMapKeyEnforcedAPF,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}()

// Decode returns the index of a log up to a commit, from its parts.
func Decode(parts [][]byte, last uint64) (Index, error) {
	x := Index{last: last}
	if len(parts) != x.Parts() {
		return Index{}, fmt.Errorf("the index of %d commits has %d parts, and should have %d",
			last, len(parts), x.Parts())
	}
	for i, data := range parts {
		s, err := decode(data, i)
		if err != nil {
			return Index{}, fmt.Errorf("part %d of the index of commits: %w", i, err)
		}
		if i < len(parts)-1 {
			x.sealed = append(x.sealed, s)
			if s != nil {
				x.bytes += s.size()
			}
		} else {
			x.open = opened(s, last)
		}
	}
	return x, nil
}

// decode returns a stretch; nil if it is not indexed.
func decode(part []byte, number int) (s *stretch, err error) {
	data, err := compressed.Unpack(part)
	if err != nil {
		return nil, err
	}
	if err := decoding.Unmarshal(data, &s); err != nil || s == nil {
		return nil, err
	}
	if s.First < begin(number) || s.First > begin(number+1) {
		return nil, fmt.Errorf("it begins with commit %d", s.First)
	}
	for kind := range s.Ordinals {
		if err := checkEntries(s.Ordinals[kind], s.Commits[kind]); err != nil {
			return nil, err
		}
	}
	for _, w := range s.Wide {
		if err := w.check(); err != nil {
			return nil, fmt.Errorf("the objects of commit %d: %w", w.Commit, err)
		}
	}
	return s, nil
}

func checkEntries(ordinals, commits words) error {
	if n := len(ordinals); n%4 != 0 || len(commits) != n/2 {
		return fmt.Errorf("it has %d bytes of objects and %d of their commits", n, len(commits))
	}
	for i := range len(commits) / 2 {
		if commits.commit(i) >= StretchLen || i > 0 && ordinals.ordinal(i) < ordinals.ordinal(i-1) {
			return errors.New("its entries are not in order")
		}
	}
	return nil
}

func (w *wide) check() error {
	if w.Commit >= StretchLen || w.Kind >= kinds {
		return fmt.Errorf("there are none of kind %d", w.Kind)
	}
	objects := roaring.New()
	if err := objects.UnmarshalBinary(w.Objects); err != nil {
		return err
	}
	return objects.Validate()
}

// opened returns the last stretch, to which commits are added.
func opened(s *stretch, last uint64) open {
	if s == nil {
		return open{first: last + 1}
	}
	o, owner := open{first: s.First, wide: s.Wide}, new(vector.Owner)
	for kind := range s.Ordinals {
		for i := range len(s.Commits[kind]) / 2 {
			o.entries[kind].Append(owner, entry{s.Ordinals[kind].ordinal(i), s.Commits[kind].commit(i)})
		}
	}
	return o
}

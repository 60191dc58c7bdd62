package directory

import (
	"encoding/binary"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/compressed"
	"licensor/internal/licensing/vector"
)

// UnitMembers are the users and groups that are members of administrative units, all by their
// ordinals. They are immutable, so they are safe for concurrent use. A change copies only a small
// part, however many members a unit has.
type UnitMembers struct {
	units vector.Vector[unitSets] // by the ordinal of the unit; units at the end that never had members may be missing
	count int
}

// unitSets are the members of one unit; nil is an empty set. All containers of the sets are marked
// as shared, see withMember.
type unitSets struct{ users, groups *roaring.Bitmap }

// UnitMember is a member of an administrative unit that was added or removed. Field numbers are
// stored; never renumber.
type UnitMember struct {
	Unit    uint32 `cbor:"1,keyasint,omitempty"`
	Member  uint32 `cbor:"2,keyasint,omitempty"`
	IsGroup bool   `cbor:"3,keyasint,omitempty"` // the member is a group, otherwise a user
	Removed bool   `cbor:"4,keyasint,omitempty"`
}

func (m *UnitMembers) at(unit uint32) unitSets {
	if unit >= m.Units() {
		return unitSets{}
	}
	return m.units.At(int(unit))
}

// Units returns the highest ordinal of a unit that has, or had, members, plus one.
func (m *UnitMembers) Units() uint32 { return uint32(m.units.Len()) }

// Len returns the number of members of all units.
func (m *UnitMembers) Len() int { return m.count }

// Users returns the users that are members of a unit, including deleted ones; nil if there are
// none. They must not be changed.
func (m *UnitMembers) Users(unit uint32) *roaring.Bitmap { return m.at(unit).users }

// Groups is Users for groups.
func (m *UnitMembers) Groups(unit uint32) *roaring.Bitmap { return m.at(unit).groups }

// Has reports whether a user or group is a member of a unit.
func (m *UnitMembers) Has(member UnitMember) bool {
	sets := m.at(member.Unit)
	set := *sets.of(member.IsGroup)
	return set != nil && set.Contains(member.Member)
}

func (s *unitSets) len() (n int) {
	for _, set := range []*roaring.Bitmap{s.users, s.groups} {
		if set != nil {
			n += int(set.GetCardinality())
		}
	}
	return n
}

func (s *unitSets) of(groups bool) **roaring.Bitmap {
	if groups {
		return &s.groups
	}
	return &s.users
}

// Of returns the units that a user or group is a member of, including deleted ones, in ascending
// order. It checks every unit; there are few.
func (m *UnitMembers) Of(member uint32, isGroup bool) (units []uint32) {
	for unit, sets := range m.units.All() {
		if set := *sets.of(isGroup); set != nil && set.Contains(member) {
			units = append(units, uint32(unit))
		}
	}
	return units
}

// Change returns the members after additions and removals, in this order.
func (m *UnitMembers) Change(changes []UnitMember) *UnitMembers {
	next, owner := &UnitMembers{m.units, m.count}, new(vector.Owner)
	for _, c := range changes {
		for next.Units() <= c.Unit {
			next.units.Append(owner, unitSets{})
		}
		if has := next.Has(c); has && c.Removed {
			next.count--
		} else if !has && !c.Removed {
			next.count++
		}
		set := next.units.Own(owner, int(c.Unit)).of(c.IsGroup)
		*set = withMember(*set, c.Member, !c.Removed)
	}
	return next
}

// Empty returns the members after all have left a unit.
func (m *UnitMembers) Empty(unit uint32) *UnitMembers {
	if unit >= m.Units() {
		return m
	}
	sets := m.at(unit)
	next := &UnitMembers{m.units, m.count - sets.len()}
	next.units.Set(new(vector.Owner), int(unit), unitSets{})
	return next
}

// withMember returns a set with a member, or without it. Both sets share equal containers: Or takes
// over a container that is marked as shared, and copies it before a change. Cloning with
// copy-on-write marks all. The set does not stay in copy-on-write mode, since each Clone would then
// write the marks again, while other goroutines read them.
func withMember(was *roaring.Bitmap, member uint32, is bool) *roaring.Bitmap {
	set := roaring.New()
	if was != nil {
		set.Or(was)
	}
	if is {
		set.Add(member)
	} else {
		set.Remove(member)
	}
	if set.IsEmpty() {
		return nil
	}
	return marked(set)
}

func marked(set *roaring.Bitmap) *roaring.Bitmap {
	set.SetCopyOnWrite(true)
	set.Clone()
	set.SetCopyOnWrite(false)
	return set
}

// Parts returns the number of parts of a snapshot of the members.
func (m *UnitMembers) Parts() int { return m.units.Chunks() }

// PartChanged reports whether a part may differ from that of older members that m was made from.
func (m *UnitMembers) PartChanged(older *UnitMembers, part int) bool {
	return !m.units.SameChunk(&older.units, part)
}

// unitMembersFormat is the first byte of each part. A new format takes the next number.
const unitMembersFormat = 1

// AppendPart writes the members of the units of a part.
func (m *UnitMembers) AppendPart(dst []byte, part int) []byte {
	dst = append(dst, unitMembersFormat)
	for _, sets := range m.units.Chunk(part) {
		dst = appendBitmap(appendBitmap(dst, sets.users), sets.groups)
	}
	return dst
}

// appendBitmap writes the size of a set in bytes, 0 if it is empty, and the set.
func appendBitmap(dst []byte, set *roaring.Bitmap) []byte {
	if set == nil {
		return append(dst, 0)
	}
	dst = binary.AppendUvarint(dst, set.GetSerializedSizeInBytes())
	data, err := set.ToBytes()
	if err != nil {
		panic(fmt.Errorf("write a set to memory: %w", err))
	}
	return append(dst, data...)
}

// DecodeUnitMembers returns the members of parts that AppendPart wrote. It needs all parts, in
// order. Data that members of so many units, users and groups could not have written is an error.
func DecodeUnitMembers(parts [][]byte, units, users, groups uint32) (*UnitMembers, error) {
	m, owner := new(UnitMembers), new(vector.Owner)
	for i, part := range parts {
		data, err := compressed.Unpack(part)
		if err != nil {
			return nil, fmt.Errorf("snapshot: part %d of unit members: %w", i, err)
		}
		r := &reader{rest: data}
		if v := r.bytes(1)[0]; r.err == nil && v != unitMembersFormat {
			return nil, fmt.Errorf("snapshot: part %d of unit members is in format %d, and this version reads "+
				"formats up to %d: run the version that wrote it or a newer one",
				i, v, unitMembersFormat)
		}
		for r.err == nil && len(r.rest) > 0 {
			sets := unitSets{r.bitmap(users), r.bitmap(groups)}
			m.count += sets.len()
			m.units.Append(owner, sets)
		}
		if r.err != nil {
			return nil, fmt.Errorf("snapshot: part %d of unit members: %w", i, r.err)
		}
		if rest := m.units.Len() % vector.ChunkLen; rest > 0 && i < len(parts)-1 {
			return nil, fmt.Errorf("snapshot: part %d of unit members has only %d units", i, rest)
		}
	}
	if m.Units() > units {
		return nil, fmt.Errorf("snapshot: members of %d units, and there are %d", m.Units(), units)
	}
	return m, nil
}

// bitmap reads a set of values below limit.
func (r *reader) bitmap(limit uint32) *roaring.Bitmap {
	data := r.bytes(int(r.count(1)))
	if r.err != nil || len(data) == 0 {
		return nil
	}
	set := roaring.New()
	err := set.UnmarshalBinary(data)
	if err == nil {
		err = set.Validate()
	}
	if err != nil {
		r.fail(err)
		return nil
	}
	if set.IsEmpty() || set.Maximum() >= limit {
		r.fail(fmt.Errorf("a set with values beyond %d, or none", limit))
		return nil
	}
	return marked(set)
}

package tenant

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"licensor/internal/directory"
)

// Differences returns which parts of two images of one commit are different, except columns, which
// follow from documents, and the trail, which begins with the snapshot that was loaded. Sets have
// several forms, so members of administrative units are compared one by one.
func (img *Image) Differences(other *Image) (list []string) {
	for _, p := range Pieces {
		if p.Columns || p.Name == "administrativeUnitMembers" || p.Name == trailPiece {
			continue
		}
		if p.Parts(img) != p.Parts(other) {
			list = append(list, fmt.Sprintf("%s: %d parts and %d", p.Name, p.Parts(img), p.Parts(other)))
			continue
		}
		for part := range p.Parts(img) {
			if !bytes.Equal(p.Write(img, part), p.Write(other, part)) {
				list = append(list, fmt.Sprintf("%s, part %d", p.Name, part))
			}
		}
	}
	for unit := range img.UnitMembers.Units() {
		if !sameMembers(img.UnitMembers, other.UnitMembers, unit) {
			list = append(list, fmt.Sprintf("the members of administrative unit number %d", unit))
		}
	}
	was, err := cbor.Marshal(HeadOf(img, nil))
	now, otherErr := cbor.Marshal(HeadOf(other, nil))
	if err != nil || otherErr != nil || !bytes.Equal(was, now) {
		list = append(list, "the organization, subscriptions, roles, grants or links")
	}
	return list
}

func sameMembers(a, b *directory.UnitMembers, unit uint32) bool {
	for _, of := range []func(*directory.UnitMembers, uint32) []uint32{unitUsers, unitGroups} {
		if !slices.Equal(of(a, unit), of(b, unit)) {
			return false
		}
	}
	return true
}

func unitUsers(m *directory.UnitMembers, unit uint32) []uint32 {
	if set := m.Users(unit); set != nil {
		return set.ToArray()
	}
	return nil
}

func unitGroups(m *directory.UnitMembers, unit uint32) []uint32 {
	if set := m.Groups(unit); set != nil {
		return set.ToArray()
	}
	return nil
}

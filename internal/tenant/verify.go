package tenant

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/store"
)

// NewImage returns the image before the first commit.
func NewImage() *Image { return empty() }

// Next returns the image after a commit. An error means that the commit does not belong to this
// image, or is damaged.
func (img *Image) Next(c store.Commit) (*Image, error) {
	r := img.replay()
	if err := r.apply(c); err != nil {
		return nil, err
	}
	return r.finish(), nil
}

// Saved returns the image of a snapshot.
func Saved(ctx context.Context, s Store, id uuid.UUID, m store.Manifest) (*Image, error) {
	t := &Tenant{id: id, store: s}
	img, _, err := t.loadSnapshot(ctx, m)
	return img, err
}

// ClaimedNames returns the names that the tenant has, and that must be claimed (store.Claims), in
// order; and whether another tenant may have claimed one first.
func (img *Image) ClaimedNames() (names []string, shared func(name string) bool) {
	own := img.names()
	return slices.Sorted(maps.Keys(img.claims())), func(name string) bool { return own[name] == "" }
}

// Differences returns which parts of two images of one commit are different, except columns, which
// follow from documents.
func (img *Image) Differences(other *Image) (list []string) {
	for _, p := range pieces {
		if p.columns || p.name == "administrativeUnitMembers" { // sets have several forms
			continue
		}
		if p.parts(img) != p.parts(other) {
			list = append(list, fmt.Sprintf("%s: %d parts and %d", p.name, p.parts(img), p.parts(other)))
			continue
		}
		for part := range p.parts(img) {
			if !bytes.Equal(p.write(img, part), p.write(other, part)) {
				list = append(list, fmt.Sprintf("%s, part %d", p.name, part))
			}
		}
	}
	for unit := range img.UnitMembers.Units() {
		if !sameMembers(img.UnitMembers, other.UnitMembers, unit) {
			list = append(list, fmt.Sprintf("the members of administrative unit number %d", unit))
		}
	}
	was, err := cbor.Marshal(headOf(img, nil))
	now, otherErr := cbor.Marshal(headOf(other, nil))
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

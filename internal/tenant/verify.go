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

// Replay replays the commits of a log, many at a time, so that this costs little more than to read
// them.
type Replay struct{ replay *replay }

// Replay returns a replay of the commits after the image.
func (img *Image) Replay() *Replay { return &Replay{img.replay()} }

// Apply replays the next commit. An error means that the commit does not belong here, or is
// damaged; the replay must not be used afterwards.
func (r *Replay) Apply(c store.Commit) error { return r.replay.apply(c) }

// Image returns the image after the last commit. The replay continues from there.
func (r *Replay) Image() *Image {
	img := r.replay.finish()
	r.replay = img.replay()
	return img
}

// Saved returns the image of a snapshot.
func Saved(ctx context.Context, s Store, id uuid.UUID, m store.Manifest) (*Image, error) {
	t := &Tenant{id: id, store: s}
	h, err := t.readHead(ctx, m)
	if err != nil {
		return nil, err
	}
	return t.loadSnapshot(ctx, h)
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

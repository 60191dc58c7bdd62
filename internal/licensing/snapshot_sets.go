package licensing

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/RoaringBitmap/roaring/v2"
)

// sets are the sets of users that an image has.
type sets struct {
	deleted, purged  *roaring.Bitmap
	holders, waiting []*roaring.Bitmap // by SKU
	members, errors  []*roaring.Bitmap // by group
}

// lists returns the sets in the order in which they are stored.
func (s *sets) lists() [][]*roaring.Bitmap {
	return [][]*roaring.Bitmap{{s.deleted, s.purged}, s.holders, s.waiting, s.members, s.errors}
}

func (img *Image) sets() *sets {
	s := &sets{deleted: img.deleted.bitmap, purged: img.purged.bitmap}
	for _, k := range img.skus.All() {
		s.holders, s.waiting = append(s.holders, k.holders.bitmap), append(s.waiting, k.waiting.bitmap)
	}
	for _, g := range img.groups.All() {
		s.members, s.errors = append(s.members, g.members.bitmap), append(s.errors, g.errors.bitmap)
	}
	return s
}

const setsVersion = 1

// AppendSets appends what the image's sets of users, such as the members of groups, have of the
// users of a part. What it appends is the same as long as these sets are.
func (img *Image) AppendSets(dst []byte, part int) []byte {
	users := roaring.New()
	users.AddRange(uint64(part)*PartUsers, uint64(part+1)*PartUsers)
	dst = append(dst, setsVersion)
	for number, list := range img.sets().lists() {
		for i, set := range list {
			if set == nil || !set.Intersects(users) {
				continue
			}
			data := packed(roaring.And(set, users))
			dst = binary.AppendUvarint(append(dst, byte(number)), uint64(i))
			dst = append(binary.AppendUvarint(dst, uint64(len(data))), data...)
		}
	}
	return dst
}

// restoreSets puts together the sets of a snapshot's parts. Heads of formats up to 7 have them
// themselves.
func (img *Image) restoreSets(h *Head, parts [][]byte) (*sets, error) {
	s, err := img.setsOf(h)
	if err != nil {
		return nil, err
	}
	lists := s.lists()
	for i, data := range parts {
		if err := img.restoreSet(lists, data); err != nil {
			return nil, fmt.Errorf("part %d of the sets: %w", i, err)
		}
	}
	return s, nil
}

func (img *Image) setsOf(h *Head) (s *sets, err error) {
	get := func(data []byte) *roaring.Bitmap {
		b, e := img.unpacked(data) // empty where it is not readable
		err = errors.Join(err, e)
		return b
	}
	s = &sets{deleted: get(h.Deleted), purged: get(h.Purged)}
	for _, k := range h.SKUs {
		s.holders, s.waiting = append(s.holders, get(k.Holders)), append(s.waiting, get(k.Waiting))
	}
	for _, g := range h.Groups {
		s.members, s.errors = append(s.members, get(g.Members)), append(s.errors, get(g.Errors))
	}
	return s, err
}

// restoreSet adds the users of a part to the sets.
func (img *Image) restoreSet(lists [][]*roaring.Bitmap, data []byte) error {
	if len(data) == 0 {
		return errTruncated
	}
	if data[0] != setsVersion {
		return newerFormat(data[0], setsVersion)
	}
	for data = data[1:]; len(data) > 0; {
		number := data[0]
		at, n := binary.Uvarint(data[1:])
		if n <= 0 {
			return errTruncated
		}
		data = data[1+n:]
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return errTruncated
		}
		if int(number) >= len(lists) || at > math.MaxInt32 || int(at) >= len(lists[number]) {
			return fmt.Errorf("it has a set %d of list %d, which the snapshot does not have", at, number)
		}
		set, err := img.unpacked(data[n : n+int(size)])
		if err != nil {
			return err
		}
		lists[number][at].Or(set)
		data = data[n+int(size):]
	}
	return nil
}

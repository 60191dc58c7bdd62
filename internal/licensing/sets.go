package licensing

import (
	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/licensing/vector"
)

// userSet is a set of users. Images share equal parts of it. A nil bitmap is an empty set.
//
// The containers of an image's bitmap, of 65,536 users each, are marked as shared (see settle).
// roaring.Or takes over such a container without writing to the bitmap it belongs to, and a change
// of the result copies only the container it touches. So the cost of a change does not depend on
// the size of the set, and any number of goroutines may read images and make drafts of them.
type userSet struct {
	owner  *vector.Owner
	bitmap *roaring.Bitmap
}

var nobody = roaring.New()

// ownSet returns the users of a set for changing.
func (d *Draft) ownSet(s *userSet) *roaring.Bitmap {
	if s.owner != d.owner {
		was := s.bitmap
		*s = d.newSet()
		if was != nil {
			s.bitmap.Or(was)
		}
	}
	return s.bitmap
}

func (d *Draft) newSet() userSet {
	s := userSet{d.owner, roaring.New()}
	d.sets = append(d.sets, s.bitmap)
	return s
}

// settle marks all containers of a bitmap as shared. Cloning with copy-on-write does that. The
// bitmap does not stay in copy-on-write mode: with it, each Clone would write the marks again,
// while others read them.
func settle(b *roaring.Bitmap) *roaring.Bitmap {
	b.SetCopyOnWrite(true)
	b.Clone()
	b.SetCopyOnWrite(false)
	return b
}

package licensing

import (
	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/vector"
)

// userSet is a set of users that images share as far as they agree. A nil bitmap is an empty set.
//
// The containers of an image's bitmap, of 65,536 users each, are marked as shared (see settle).
// roaring.Or takes such a container over as it is, without writing to the bitmap it belongs to, and
// a change of the result copies just the container it touches. So a change costs the same however
// large the set is, and images are read, and drafts of them made, by any number of goroutines.
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
// bitmap does not keep copy-on-write: with it, each Clone would write the marks again, while others
// read them.
func settle(b *roaring.Bitmap) *roaring.Bitmap {
	b.SetCopyOnWrite(true)
	b.Clone()
	b.SetCopyOnWrite(false)
	return b
}

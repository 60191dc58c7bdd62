package own

import (
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/graph/wire"
	"licensor/internal/licensing"
)

// tally counts users in error. A user counts once for each kind of error, and once for each SKU.
type tally struct {
	users  int
	kinds  [licensing.Violations]int
	skus   []int  // by number
	oldest uint32 // when the oldest error began, in seconds since 1970; 0: there is none
}

// inError returns the users with license errors, without deleted users.
func inError(img *licensing.Image) *roaring.Bitmap {
	return roaring.AndNot(img.InError(), img.DeletedUsers())
}

// pausing is the number of users after which a pass over many lets other work run.
const pausing = 256

// countErrors counts the users in error in one pass over them.
func countErrors(r *wire.Request, img *licensing.Image) (*tally, error) {
	r.Work.Doing("counting the users in error")
	t := &tally{skus: make([]int, len(img.EverySKU()))}
	for user := range roaring.Values(inError(img)) {
		if t.users++; t.users%pausing == 0 {
			if err := r.Work.Yield(); err != nil {
				return nil, err
			}
		}
		t.count(img.Entries(user))
	}
	return t, nil
}

// count adds a user with some entries.
func (t *tally) count(entries []licensing.Entry) {
	var kinds [licensing.Violations]bool
	for i := range entries {
		e := &entries[i]
		if e.Error == licensing.NoViolation {
			continue
		}
		if !kinds[e.Error] {
			kinds[e.Error] = true
			t.kinds[e.Error]++
		}
		if !failedBefore(entries[:i], e.SKU) {
			t.skus[e.SKU]++
		}
		if t.oldest == 0 || e.Updated < t.oldest {
			t.oldest = e.Updated
		}
	}
}

func failedBefore(entries []licensing.Entry, s licensing.SKU) bool {
	for i := range entries {
		if entries[i].SKU == s && entries[i].Error != licensing.NoViolation {
			return true
		}
	}
	return false
}

// began returns when an error began whose time is in seconds since 1970; the zero time for 0.
func began(seconds uint32) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

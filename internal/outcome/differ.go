package outcome

import (
	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/licensing"
)

// Differing returns the users to whom something else happens in another outcome of the same
// commands, with their numbers there. New users are compared in the order in which they were made,
// since they have other numbers when others made users before.
func (o *Outcome) Differing(other *Outcome) *roaring.Bitmap {
	first, then := o.bySignature(), other.bySignature()
	differing := roaring.New()
	for signature, users := range first {
		if now := then[signature]; now == nil {
			differing.Or(users)
		} else if !users.Equals(now) {
			differing.Or(roaring.Xor(users, now))
		}
	}
	for signature, users := range then {
		if first[signature] == nil {
			differing.Or(users)
		}
	}
	return other.numbered(differing)
}

// newUsers is the number from which new users count in comparisons.
const newUsers = 1 << 31

// bySignature returns users by what happens to them, in a form that does not depend on the numbers
// of groups and variants.
func (o *Outcome) bySignature() map[string]*roaring.Bitmap {
	all := make(map[string]*roaring.Bitmap, len(o.cells))
	for _, c := range o.cells {
		key := c.signature(o.After)
		if all[key] == nil {
			all[key] = roaring.New()
		}
		all[key].Or(o.moved(c.Users))
	}
	return all
}

// moved gives new users the numbers that they have in comparisons.
func (o *Outcome) moved(users *roaring.Bitmap) *roaring.Bitmap {
	before := uint32(o.Before.Users())
	if users.IsEmpty() || users.Maximum() < before {
		return users
	}
	moved := users.Clone()
	moved.RemoveRange(uint64(before), newUsers)
	for user := range roaring.Values(users) {
		if user >= before {
			moved.Add(newUsers + user - before)
		}
	}
	return moved
}

// numbered is the opposite of moved.
func (o *Outcome) numbered(users *roaring.Bitmap) *roaring.Bitmap {
	numbered := roaring.New()
	for user := range roaring.Values(users) {
		if user >= newUsers {
			user = user - newUsers + uint32(o.Before.Users())
		}
		numbered.Add(user)
	}
	return numbered
}

func (c *Cell) signature(img *licensing.Image) string {
	key := append([]byte{byte(c.Kind)}, c.SKUID[:]...)
	for i := range c.after {
		e := &c.after[i]
		if group, ok := e.Source.Group(); ok {
			id := img.GroupID(group)
			key = append(key, id[:]...)
		}
		key = append(key, byte(e.Error), 0)
		if e.InForce != licensing.None {
			key[len(key)-1] = 1
			for _, plan := range img.VariantOf(e.InForce).DisabledPlans {
				key = append(key, plan[:]...)
			}
		}
		key = append(key, 0xff)
	}
	return string(key)
}

package licensing

import (
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
)

// Inconsistency is something in an image that does not follow from the rest of it.
type Inconsistency struct {
	Group uint32 // if it is about one
	SKU   string // the id, if it is about one
	What  string
	Users *roaring.Bitmap // whom it is about
}

// ShouldGive is What of an inconsistency between a group's members and the users that have entries
// from it.
const ShouldGive = "users that it should give the license"

// Inconsistencies derives everything again that follows from the entries of users: who holds which
// SKU, waits for it, or has errors. And it evaluates which entries users must have from groups. It
// calls report with each difference.
func (img *Image) Inconsistencies(report func(Inconsistency)) {
	c := consistency{img: img, sets: map[setOf]*roaring.Bitmap{}}
	for user := range uint32(img.users) {
		c.user(user)
	}
	compare := func(i Inconsistency, stored userSet, derived *roaring.Bitmap) {
		if i.Users = roaring.Xor(bitmapOf(stored), derived); !i.Users.IsEmpty() {
			report(i)
		}
	}
	compare(Inconsistency{What: "users with license errors"}, img.inError, c.of(setOf{kind: inError}))
	for s, k := range img.skus.All() {
		id, number := k.id.String(), uint32(s)
		compare(Inconsistency{SKU: id, What: "holders"}, k.holders, c.of(setOf{holders, number, 0}))
		compare(Inconsistency{SKU: id, What: "users that wait for a seat"}, k.waiting, c.of(setOf{waiting, number, 0}))
		if n := int(c.of(setOf{holders, number, 0}).GetCardinality()); n != k.consumed || n != k.held {
			what := fmt.Sprintf("%d units are counted as consumed, and there are %d holders", k.consumed, n)
			report(Inconsistency{SKU: id, What: what, Users: roaring.New()})
		}
	}
	for g, k := range img.groups.All() {
		group := uint32(g)
		compare(Inconsistency{Group: group, What: "members with license errors"}, k.errors,
			c.of(setOf{groupErrors, group, 0}))
		for _, l := range k.licenses {
			i := Inconsistency{Group: group, SKU: img.sku(l.sku).id.String(), What: ShouldGive}
			compare(i, k.members, c.of(setOf{wished, group, uint32(l.sku)}))
		}
	}
	i := Inconsistency{What: "users with a license that their group does not give"}
	compare(i, userSet{}, c.of(setOf{kind: stray}))
}

func bitmapOf(s userSet) *roaring.Bitmap {
	if s.bitmap == nil {
		return nobody
	}
	return s.bitmap
}

// setOf is a set of users that follows from their entries.
type setOf struct {
	kind   int
	number uint32 // of a SKU or a group
	sku    uint32
}

// The kinds of sets.
const (
	inError = iota
	holders
	waiting
	groupErrors
	wished
	stray
)

type consistency struct {
	img  *Image
	sets map[setOf]*roaring.Bitmap
}

func (c *consistency) of(s setOf) *roaring.Bitmap {
	if c.sets[s] == nil {
		c.sets[s] = roaring.New()
	}
	return c.sets[s]
}

// user adds a user to the sets.
func (c *consistency) user(user uint32) {
	for _, e := range c.img.Entries(user) {
		if e.Error != NoViolation {
			c.of(setOf{kind: inError}).Add(user)
		}
		if e.InForce != None {
			c.of(setOf{holders, uint32(e.SKU), 0}).Add(user)
		}
		if e.Error == CountViolation {
			c.of(setOf{waiting, uint32(e.SKU), 0}).Add(user)
		}
		if g, ok := e.Source.Group(); ok {
			c.fromGroup(user, g, &e)
		}
	}
}

func (c *consistency) fromGroup(user, g uint32, e *Entry) {
	if e.Error != NoViolation {
		c.of(setOf{groupErrors, g, 0}).Add(user)
	}
	if e.Wished == None {
		return
	}
	for _, l := range c.img.group(g).licenses {
		if l.sku == e.SKU && l.variant == e.Wished {
			c.of(setOf{wished, g, uint32(l.sku)}).Add(user)
			return
		}
	}
	c.of(setOf{kind: stray}).Add(user)
}

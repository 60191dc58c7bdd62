// Package outcome compares two images of a tenant's licensing: who gains, loses and fails to get
// which product, and which errors are cleared. Both images must be of the same log, one with more
// commits, so that numbers of users, groups and SKUs mean the same in both.
//
// An Outcome groups users by what happens to them, so a group of a million users takes little
// memory in addition to the images.
package outcome

import (
	"encoding/binary"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// Kind is what happens to a user and a product (docs/spec/changes.md C5).
type Kind uint8

// The kinds. A user whose only license of a product gets into an error and is lost both loses it
// and fails.
const (
	Gain   Kind = iota // the user did not hold the product, and holds it
	Lose               // the user held the product, and does not hold it
	Fail               // a source of the product gets into an error, and none was before
	Clear              // a source of the product was in an error, and none is
	Change             // the user holds the product with other service plans
	kinds
)

// Kinds are all kinds.
var Kinds = []Kind{Gain, Lose, Fail, Clear, Change}

var kindNames = [kinds]string{"gain", "lose", "fail", "clear", "change"}

func (k Kind) String() string { return kindNames[k] }

// KindOf returns the kind with a name.
func KindOf(name string) (Kind, bool) {
	at := slices.Index(kindNames[:], name)
	return Kind(max(at, 0)), at >= 0
}

// Outcome is the difference between two images. It is immutable.
type Outcome struct {
	Before, After *licensing.Image
	cells         []*Cell
}

// What is what happens to users.
type What struct {
	SKUID  uuid.UUID
	Kind   Kind
	Groups []uint32 // whose licenses of the product change for them
}

// Cell has users to whom the same happens with a product.
type Cell struct {
	What
	Users *roaring.Bitmap

	before, after []licensing.Entry // of the product, of one of them
}

// Cells returns the cells, of which several may have the same product and kind. They must not be
// changed.
func (o *Outcome) Cells() []*Cell { return o.cells }

// Users returns the users of the cells that satisfy a condition.
func (o *Outcome) Users(is func(What) bool) *roaring.Bitmap {
	var some []*roaring.Bitmap
	for _, c := range o.cells {
		if is(c.What) {
			some = append(some, c.Users)
		}
	}
	return roaring.FastOr(some...)
}

// OfKind returns a condition on the kind.
func OfKind(k Kind) func(What) bool { return func(w What) bool { return w.Kind == k } }

// Bytes returns about how much memory the outcome takes in addition to the images.
func (o *Outcome) Bytes() int64 {
	n := int64(0)
	for _, c := range o.cells {
		n += int64(c.Users.GetSizeInBytes()) + 400
	}
	return n
}

// Compare returns what is different in a later image. Pace is called for each user, and may end
// the comparison.
func Compare(before, after *licensing.Image, pace func() error) (*Outcome, error) {
	c := comparison{Outcome: &Outcome{Before: before, After: after}, byKey: map[string]*Cell{}}
	for user := range before.ChangedUsers(after) {
		if err := pace(); err != nil {
			return nil, err
		}
		c.compare(user, before.CurrentEntries(user), after.CurrentEntries(user))
	}
	c.shut()
	return c.Outcome, c.products(pace)
}

// comparison is a comparison in progress. Most users of a large change are like the user before
// them, so it keeps a stretch of equal ones.
type comparison struct {
	*Outcome
	byKey map[string]*Cell
	key   []byte

	was, is      []licensing.Entry // of the users of the stretch
	first, until uint32
	cells        []*Cell // to which they belong
}

// compare adds a user.
func (c *comparison) compare(user uint32, was, is []licensing.Entry) {
	if same(was, is) {
		return
	}
	if c.until == user && c.until > c.first && same(c.was, was) && same(c.is, is) {
		c.until++
		return
	}
	c.shut()
	c.first, c.until, c.was, c.is = user, user+1, was, is
	c.cells = c.cells[:0]
	for i, list := range [][]licensing.Entry{was, is} {
		for at := range list {
			sku := list[at].SKU
			if !has(list[:at], sku) && (i == 0 || !has(was, sku)) {
				c.product(sku)
			}
		}
	}
}

// shut adds the users of the stretch to their cells.
func (c *comparison) shut() {
	for _, cell := range c.cells {
		cell.Users.AddRange(uint64(c.first), uint64(c.until))
	}
	c.first, c.until, c.cells = 0, 0, c.cells[:0]
}

// product finds the cells of the stretch for a product.
func (c *comparison) product(sku licensing.SKU) {
	was, is := of(c.was, sku), of(c.is, sku)
	for _, kind := range c.kinds(was, is) {
		c.cells = append(c.cells, c.cell(sku, kind, was, is))
	}
}

// kinds returns what happens between two lists of entries of a product.
func (o *Outcome) kinds(was, is []licensing.Entry) (list []Kind) {
	held, holds := inForce(was), inForce(is)
	failed, fails := inError(was), inError(is)
	switch {
	case !held && holds:
		list = append(list, Gain)
	case held && !holds:
		list = append(list, Lose)
	case held && !slices.EqualFunc(was, is, sameVariant) && !slices.Equal(plansOf(o.Before, was), plansOf(o.After, is)):
		list = append(list, Change)
	}
	switch {
	case !failed && fails:
		list = append(list, Fail)
	case failed && !fails:
		list = append(list, Clear)
	}
	return list
}

// cell returns the cell of users with these entries.
func (c *comparison) cell(sku licensing.SKU, kind Kind, was, is []licensing.Entry) *Cell {
	key := append(c.key[:0], byte(kind))
	key = binary.LittleEndian.AppendUint32(key, uint32(sku))
	for _, list := range [][]licensing.Entry{was, is} {
		key = binary.LittleEndian.AppendUint32(key, uint32(len(list)))
		for i := range list {
			key = binary.LittleEndian.AppendUint32(key, uint32(list[i].Source))
			key = binary.LittleEndian.AppendUint32(key, uint32(list[i].InForce))
			key = append(key, byte(list[i].Error))
		}
	}
	c.key = key
	cell, ok := c.byKey[string(key)]
	if !ok {
		cell = &Cell{
			What: What{c.After.SKUOf(sku), kind, changedGroups(was, is)}, Users: roaring.New(),
			before: slices.Clone(was), after: slices.Clone(is),
		}
		c.byKey[string(key)] = cell
		c.Outcome.cells = append(c.Outcome.cells, cell)
	}
	return cell
}

// products adds the users who hold a product that has other service plans in the later catalog, if
// that changes what they have of it.
func (c *comparison) products(pace func() error) error {
	if c.Before.Catalog() == c.After.Catalog() {
		return nil
	}
	for _, s := range c.After.SKUs() {
		was := c.Before.Holders(s.SKUID)
		if was == nil || s.Holders == nil || slices.Equal(plansIn(c.Before, s.SKUID), plansIn(c.After, s.SKUID)) {
			continue
		}
		others := roaring.And(was, s.Holders)
		others.AndNot(c.Users(func(w What) bool { return w.SKUID == s.SKUID && w.Kind == Change }))
		changed := roaring.New()
		for user := range roaring.Values(others) {
			if err := pace(); err != nil {
				return err
			}
			before, after := of(c.Before.CurrentEntries(user), s.Number), of(c.After.CurrentEntries(user), s.Number)
			if inForce(before) && inForce(after) && !slices.Equal(plansOf(c.Before, before), plansOf(c.After, after)) {
				changed.Add(user)
			}
		}
		if !changed.IsEmpty() {
			c.Outcome.cells = append(c.Outcome.cells, &Cell{What: What{s.SKUID, Change, nil}, Users: changed})
		}
	}
	return nil
}

// plansIn returns the service plans of a product; nil if the catalog does not have it.
func plansIn(img *licensing.Image, skuID uuid.UUID) []uuid.UUID {
	if p, ok := img.Product(skuID); ok {
		return p.ServicePlanIDs
	}
	return nil
}

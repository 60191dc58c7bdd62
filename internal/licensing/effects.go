package licensing

import (
	"reflect"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
)

// Effects are the result of a change, without its reasons: applying them needs no rule, so they
// stay valid when rules change. Sets of users are roaring bitmaps, serialized. Field numbers are
// stored; never renumber.
type Effects struct {
	Catalog  *Catalog      `cbor:"1,keyasint,omitempty"`
	Settings *Settings     `cbor:"2,keyasint,omitempty"`
	Country  *Country      `cbor:"3,keyasint,omitempty"`
	SKUs     []uuid.UUID   `cbor:"4,keyasint,omitempty"` // that get the next numbers
	Variants []NewVariant  `cbor:"5,keyasint,omitempty"` // that get the next numbers
	Units    []UnitsOf     `cbor:"6,keyasint,omitempty"`
	Users    []NewUsers    `cbor:"7,keyasint,omitempty"` // that get the next ordinals
	Facts    []FactOf      `cbor:"8,keyasint,omitempty"`
	Groups   []GroupEffect `cbor:"9,keyasint,omitempty"`
	Changes  []Change      `cbor:"10,keyasint,omitempty"`
}

// NewVariant is a new (SKU, disabled plans).
type NewVariant struct {
	SKU      SKU         `cbor:"1,keyasint"`
	Disabled []uuid.UUID `cbor:"2,keyasint,omitempty"`
}

// UnitsOf are the new units of a SKU.
type UnitsOf struct {
	SKU        SKU   `cbor:"1,keyasint"`
	Units      Units `cbor:"2,keyasint"`
	Subscribed bool  `cbor:"3,keyasint,omitempty"`
}

// NewUsers are users with equal facts that were added one after another.
type NewUsers struct {
	Count    uint32  `cbor:"1,keyasint"`
	Location Country `cbor:"2,keyasint,omitempty"`
	Flags    uint8   `cbor:"3,keyasint,omitempty"`
}

// FactOf is the new fact of a user.
type FactOf struct {
	User     uint32  `cbor:"1,keyasint"`
	Location Country `cbor:"2,keyasint,omitempty"`
	Flags    uint8   `cbor:"3,keyasint,omitempty"`
}

// GroupEffect is a change of a group, which is new if it has the next ordinal.
type GroupEffect struct {
	Group    uint32         `cbor:"1,keyasint"`
	New      *uuid.UUID     `cbor:"2,keyasint,omitempty"`
	Purged   bool           `cbor:"3,keyasint,omitempty"`
	Licenses *[]GroupGrants `cbor:"4,keyasint,omitempty"`
	Joined   []byte         `cbor:"5,keyasint,omitempty"` // users
	Left     []byte         `cbor:"6,keyasint,omitempty"` // users
}

// GroupGrants is a license of a group.
type GroupGrants struct {
	SKU     SKU     `cbor:"1,keyasint"`
	Variant Variant `cbor:"2,keyasint"`
}

// Change is the new state of the entries of one source and SKU, the same for all of Users.
type Change struct {
	Outcome
	Users []byte `cbor:"7,keyasint"`
}

// Outcome is the new state of an entry, except its times, which are the commit's if something
// visible changed (L11).
type Outcome struct {
	Source  Source    `cbor:"1,keyasint,omitempty"`
	SKU     SKU       `cbor:"2,keyasint,omitempty"`
	Wished  Variant   `cbor:"3,keyasint,omitempty"`
	InForce Variant   `cbor:"4,keyasint,omitempty"` // neither wished nor in force: the entry is removed
	Error   Violation `cbor:"5,keyasint,omitempty"`
	Since   uint64    `cbor:"6,keyasint,omitempty"` // 0: unchanged
}

// Empty reports whether the change had no effect.
func (f *Effects) Empty() bool { return reflect.ValueOf(*f).IsZero() }

// collect compares the draft with its base and records the differences.
func (d *Draft) collect() {
	f := &d.effects
	if d.next.rules.catalog != d.base.rules.catalog {
		f.Catalog = d.next.rules.catalog
	}
	if d.next.settings != d.base.settings {
		f.Settings = &d.next.settings
	}
	if d.next.country != d.base.country {
		f.Country = &d.next.country
	}
	f.SKUs = append(f.SKUs, d.next.rules.skus[len(d.base.rules.skus):]...)
	for _, v := range d.next.rules.variants[len(d.base.rules.variants):] {
		f.Variants = append(f.Variants, NewVariant{v.sku, v.disabled})
	}
	slices.Sort(d.skus)
	for _, s := range d.skus {
		k := d.next.sku(s)
		if int(s) < d.base.skus.Len() {
			if was := d.base.sku(s); k.units == was.units && k.subscribed == was.subscribed {
				continue
			}
		}
		f.Units = append(f.Units, UnitsOf{s, k.units, k.subscribed})
	}
	d.collectGroups()
	d.collectUsers()
}

func (d *Draft) collectGroups() {
	slices.Sort(d.groups)
	for _, g := range d.groups {
		now, was := d.next.group(g), &group{members: userSet{bitmap: nobody}}
		change := GroupEffect{Group: g}
		if int(g) < d.base.groups.Len() {
			was = d.base.group(g)
		} else {
			change.New = &now.id
		}
		change.Purged = now.purged && !was.purged
		if !slices.Equal(now.licenses, was.licenses) {
			change.Licenses = grants(now.licenses)
		}
		if moved := d.moved[g]; moved != nil {
			change.Joined = packed(difference(moved, now.members.bitmap, was.members.bitmap))
			change.Left = packed(difference(moved, was.members.bitmap, now.members.bitmap))
		}
		if !reflect.DeepEqual(change, GroupEffect{Group: g}) {
			d.effects.Groups = append(d.effects.Groups, change)
		}
	}
}

// difference returns the users who are in a but not in b.
func difference(users, a, b *roaring.Bitmap) *roaring.Bitmap {
	some := roaring.And(users, a)
	some.AndNot(b)
	return some
}

func grants(list []license) *[]GroupGrants {
	all := make([]GroupGrants, 0, len(list))
	for _, l := range list {
		all = append(all, GroupGrants{l.sku, l.variant})
	}
	return &all
}

// packed returns a set of users as bytes; nil if it is empty.
func packed(b *roaring.Bitmap) []byte {
	if b.IsEmpty() {
		return nil
	}
	b.RunOptimize()
	data, err := b.ToBytes()
	if err != nil { // writing to a buffer cannot fail
		panic(err)
	}
	return data
}

// recorder collects users by the new state of an entry.
type recorder struct {
	at    map[Outcome]int
	list  []Outcome
	users []*roaring.Bitmap
	last  int
}

func (r *recorder) note(o Outcome, user uint32) {
	if len(r.list) == 0 || r.list[r.last] != o {
		at, ok := r.at[o]
		if !ok {
			at = len(r.list)
			r.at[o] = at
			r.list = append(r.list, o)
			r.users = append(r.users, roaring.New())
		}
		r.last = at
	}
	r.users[r.last].Add(user)
}

func (d *Draft) collectUsers() {
	r := recorder{at: map[Outcome]int{}}
	for _, number := range d.dirty {
		now, was := d.next.blocks.At(number), &block{}
		if number < d.base.blocks.Len() {
			was = d.base.blocks.At(number)
		}
		for i := range now.facts {
			user := uint32(number*blockSize + i)
			var base []Entry
			if i < len(was.facts) {
				base = was.entries.at(i)
				if now.facts[i] != was.facts[i] {
					d.effects.Facts = append(d.effects.Facts,
						FactOf{user, now.facts[i].location, uint8(now.facts[i].flags)})
				}
			} else {
				d.effects.addUser(now.facts[i])
			}
			if r.compare(user, base, now.entries.at(i)) {
				d.were.note(user, base)
				d.failed.note(user, base)
			}
		}
	}
	for i := range r.list {
		d.effects.Changes = append(d.effects.Changes, Change{r.list[i], packed(r.users[i])})
	}
}

func (f *Effects) addUser(is fact) {
	if n := len(f.Users); n > 0 {
		if last := &f.Users[n-1]; last.Location == is.location && last.Flags == uint8(is.flags) {
			last.Count++
			return
		}
	}
	f.Users = append(f.Users, NewUsers{1, is.location, uint8(is.flags)})
}

// compare records the entries that are different, new or removed, and reports whether there are
// any.
func (r *recorder) compare(user uint32, was, now []Entry) (changed bool) {
	for len(was) > 0 || len(now) > 0 {
		order := 0
		switch {
		case len(was) == 0:
			order = 1
		case len(now) == 0:
			order = -1
		default:
			order = compareEntries(&was[0], &now[0])
		}
		switch {
		case order < 0:
			r.note(Outcome{Source: was[0].Source, SKU: was[0].SKU}, user)
			was, changed = was[1:], true
		case order > 0:
			r.note(outcome(&now[0], now[0].Since), user)
			now, changed = now[1:], true
		default:
			if was[0] != now[0] {
				since := now[0].Since
				if since == was[0].Since {
					since = 0
				}
				r.note(outcome(&now[0], since), user)
				changed = true
			}
			was, now = was[1:], now[1:]
		}
	}
	return changed
}

func outcome(e *Entry, since uint64) Outcome {
	return Outcome{e.Source, e.SKU, e.Wished, e.InForce, e.Error, since}
}

package licensing

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
)

// Apply puts effects on the image they were made from and answers the next one: the same that the draft became. It knows no rule. An
// error means that the effects are not of this image, or damaged.
func (img *Image) Apply(f *Effects, seq uint64, at time.Time) (*Image, error) {
	d := img.Draft(seq, at)
	if err := d.applyProducts(f); err != nil {
		return nil, err
	}
	for _, n := range f.Users {
		for range n.Count {
			d.row(d.AddUser(n.Location)).fact.flags = flags(n.Flags)
		}
	}
	for _, g := range f.Groups {
		if err := d.applyGroup(&g); err != nil {
			return nil, err
		}
	}
	for _, fact := range f.Facts {
		if err := d.applyFact(fact); err != nil {
			return nil, err
		}
	}
	if err := d.applyChanges(f.Changes); err != nil {
		return nil, err
	}
	next, _ := d.finish()
	return next, nil
}

func (d *Draft) applyProducts(f *Effects) error {
	if f.Settings != nil {
		d.next.settings = *f.Settings
	}
	if f.Country != nil {
		d.next.country = *f.Country
	}
	if f.Catalog != nil {
		d.next.rules = newRuleset(f.Catalog, d.next.rules.skus, d.next.rules.variants)
	}
	for _, id := range f.SKUs {
		d.next.rules, _ = d.next.rules.withSKU(id)
		d.addSKU(id)
	}
	for _, v := range f.Variants {
		if int(v.SKU) >= len(d.next.skus) {
			return fmt.Errorf("a variant of SKU number %d, of which there are %d", v.SKU, len(d.next.skus))
		}
		d.next.rules, _ = d.next.rules.withVariant(v.SKU, v.Disabled)
	}
	for _, u := range f.Units {
		if int(u.SKU) >= len(d.next.skus) {
			return fmt.Errorf("units of SKU number %d, of which there are %d", u.SKU, len(d.next.skus))
		}
		k := &d.next.skus[u.SKU]
		k.units, k.subscribed = u.Units, u.Subscribed
	}
	d.refresh()
	return nil
}

func (d *Draft) applyGroup(g *GroupEffect) error {
	if g.New != nil {
		d.AddGroup(*g.New)
	}
	if int(g.Group) >= len(d.next.groups) {
		return fmt.Errorf("a change of group number %d, of which there are %d", g.Group, len(d.next.groups))
	}
	k := d.groupOf(g.Group)
	k.gone = k.gone || g.Gone
	if g.Licenses != nil {
		k.licenses = nil
		for _, l := range *g.Licenses {
			k.licenses = append(k.licenses, license{l.SKU, l.Variant})
		}
	}
	joined, err := unpacked(g.Joined)
	if err != nil {
		return err
	}
	left, err := unpacked(g.Left)
	if err != nil {
		return err
	}
	k.members.Or(joined)
	k.members.AndNot(left)
	return nil
}

func (d *Draft) applyFact(f FactOf) error {
	if int(f.User) >= d.next.users {
		return fmt.Errorf("a fact of user number %d, of whom there are %d", f.User, d.next.users)
	}
	d.setDeleted(f.User, flags(f.Flags)&deleted != 0)
	if flags(f.Flags)&purged != 0 {
		if !d.own.purged {
			d.next.purged, d.own.purged = d.next.purged.Clone(), true
		}
		d.next.purged.Add(f.User)
	}
	d.row(f.User).fact = fact{f.Location, flags(f.Flags)}
	return nil
}

// applyChanges goes through the users in order, each with what became of all entries.
func (d *Draft) applyChanges(changes []Change) error {
	var todo []uint64 // user, number of the change
	for i := range changes {
		users, err := unpacked(changes[i].Users)
		if err != nil {
			return err
		}
		if err := d.plausible(&changes[i].Outcome, users); err != nil {
			return err
		}
		for it := users.Iterator(); it.HasNext(); {
			todo = append(todo, uint64(it.Next())<<32|uint64(i))
		}
	}
	if len(changes) > 1 {
		slices.Sort(todo)
	}
	for len(todo) > 0 {
		user := uint32(todo[0] >> 32)
		d.eval.load(d.factOf(user), d.entriesOf(user))
		for len(todo) > 0 && uint32(todo[0]>>32) == user {
			d.eval.become(&changes[uint32(todo[0])].Outcome)
			todo = todo[1:]
		}
		d.keep(user)
	}
	return nil
}

func (d *Draft) plausible(o *Outcome, users *roaring.Bitmap) error {
	if !users.IsEmpty() && int(users.Maximum()) >= d.next.users {
		return fmt.Errorf("a change of user number %d, of whom there are %d", users.Maximum(), d.next.users)
	}
	if n := Variant(len(d.next.rules.variants)); o.Wished >= n || o.InForce >= n || int(o.SKU) >= len(d.next.skus) {
		return fmt.Errorf("a change to variants %d and %d of SKU number %d, of which there are %d and %d", o.Wished, o.InForce, o.SKU, n, len(d.next.skus))
	}
	if g, ok := o.Source.Group(); ok && int(g) >= len(d.next.groups) {
		return fmt.Errorf("a change from group number %d, of which there are %d", g, len(d.next.groups))
	}
	return nil
}

// become makes the entry of the outcome's source and SKU what the outcome says.
func (e *evaluation) become(o *Outcome) {
	e.edit()
	want := Entry{Source: o.Source, SKU: o.SKU, Wished: o.Wished, InForce: o.InForce, Error: o.Error, Since: o.Since}
	at, found := slices.BinarySearchFunc(e.entries, &want, func(a Entry, b *Entry) int { return compareEntries(&a, b) })
	if !found {
		e.entries = slices.Insert(e.entries, at, want)
		e.copy = e.entries
		return
	}
	want.Since = cmp.Or(o.Since, e.entries[at].Since)
	e.entries[at] = want
}

func unpacked(data []byte) (*roaring.Bitmap, error) {
	b := roaring.New()
	if len(data) == 0 {
		return b, nil
	}
	if err := b.UnmarshalBinary(data); err != nil {
		return nil, fmt.Errorf("a set of users: %w", err)
	}
	return b, nil
}

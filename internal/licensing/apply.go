package licensing

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Replay applies the effects of consecutive commits to an image. It applies no rules. It is not
// safe for concurrent use.
type Replay struct{ draft *Draft }

// Replay begins a replay of the commits after the image.
func (img *Image) Replay() *Replay {
	r := &Replay{img.Draft(0, time.Time{})}
	r.draft.replays = true
	return r
}

// Apply applies the effects of the next commit, with its number and time. An error means that the
// effects do not belong to the image, or are damaged; then the replay must not be used any longer.
func (r *Replay) Apply(f *Effects, seq uint64, at time.Time) error {
	d := r.draft
	d.seq, d.at = seq, uint32(at.Unix())
	if err := d.applyProducts(f); err != nil {
		return err
	}
	for _, n := range f.Users {
		for range n.Count {
			d.setFact(d.AddUser(n.Location), fact{n.Location, flags(n.Flags)})
		}
	}
	for _, g := range f.Groups {
		if err := d.applyGroup(&g); err != nil {
			return err
		}
	}
	for _, fact := range f.Facts {
		if err := d.applyFact(fact); err != nil {
			return err
		}
	}
	return d.applyChanges(f.Changes)
}

// Finish returns the image after the commits, which equals the result of their drafts. The replay
// must not be used afterwards.
func (r *Replay) Finish() *Image {
	r.draft.settle()
	return r.draft.next
}

// Apply applies the effects of one commit to the image that they were made from.
func (img *Image) Apply(f *Effects, seq uint64, at time.Time) (*Image, error) {
	r := img.Replay()
	if err := r.Apply(f, seq, at); err != nil {
		return nil, err
	}
	return r.Finish(), nil
}

func (d *Draft) applyProducts(f *Effects) error {
	if f.Settings != nil {
		d.next.settings = *f.Settings
	}
	if f.Country != nil {
		d.setCountry(*f.Country)
	}
	if f.Catalog != nil {
		of, err := validBook(f.Catalog)
		if err != nil {
			return err
		}
		d.setRules(newRuleset(of, d.next.rules.skus, d.next.rules.variants))
	}
	for _, id := range f.SKUs {
		if slices.Contains(d.next.rules.skus, id) {
			return fmt.Errorf("SKU %s is new a second time", id)
		}
		d.next.rules, _ = d.next.rules.withSKU(id)
		d.addSKU(id)
	}
	for _, v := range f.Variants {
		if int(v.SKU) >= d.next.skus.Len() {
			return fmt.Errorf("a variant of SKU number %d of %d", v.SKU, d.next.skus.Len())
		}
		d.next.rules, _ = d.next.rules.withVariant(v.SKU, v.Disabled)
	}
	for _, u := range f.Units {
		if int(u.SKU) >= d.next.skus.Len() {
			return fmt.Errorf("units of SKU number %d of %d", u.SKU, d.next.skus.Len())
		}
		k := d.ownSKU(u.SKU)
		k.units, k.subscribed = u.Units, u.Subscribed
	}
	d.refresh()
	return nil
}

func (d *Draft) applyGroup(g *GroupEffect) error {
	if g.New != nil {
		d.AddGroup(*g.New)
	}
	if int(g.Group) >= d.next.groups.Len() {
		return fmt.Errorf("a change of group number %d of %d", g.Group, d.next.groups.Len())
	}
	joined, err := d.next.unpacked(g.Joined)
	if err != nil {
		return err
	}
	left, err := d.next.unpacked(g.Left)
	if err != nil {
		return err
	}
	if g.Purged {
		d.ownGroup(g.Group).purged = true
	}
	if g.Licenses != nil {
		list, err := d.next.licenses(*g.Licenses)
		if err != nil {
			return err
		}
		d.setLicenses(g.Group, list)
	}
	d.setMembers(g.Group, joined, true)
	d.setMembers(g.Group, left, false)
	return nil
}

func (d *Draft) applyFact(f FactOf) error {
	if int(f.User) >= d.next.users {
		return fmt.Errorf("a fact of user number %d, but there are only %d users", f.User, d.next.users)
	}
	d.setFact(f.User, fact{f.Location, flags(f.Flags)})
	return nil
}

// applyChanges goes through the users in order, each with the changes of all entries.
func (d *Draft) applyChanges(changes []Change) error {
	var todo []uint64 // user, number of the change
	for i := range changes {
		o := &changes[i].Outcome
		users, err := d.next.unpacked(changes[i].Users)
		if err != nil {
			return err
		}
		if err := d.next.plausible(o.Source, o.SKU, o.Wished, o.InForce, o.Error); err != nil {
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

// become sets the entry of the outcome's source and SKU to the outcome.
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

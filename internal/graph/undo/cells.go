package undo

import (
	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// cell has users for whom a command changed the license of a source in the same way.
type cell struct {
	now   licensing.Outcome // after the command
	was   licensing.Outcome // before it; neither wished nor in force: there was none
	users *roaring.Bitmap
}

// place is the place of an entry of a user.
type place struct {
	source licensing.Source
	sku    licensing.SKU
}

func placeOf(o *licensing.Outcome) place { return place{o.Source, o.SKU} }

// cellsOf returns the changes of users' licenses with what was before. A license that was in force
// and not in an error was wished as it was.
func cellsOf(f *licensing.Effects, record *tenant.Record) (cells []cell, err error) {
	if f == nil || len(f.Changes) == 0 {
		return nil, nil
	}
	failed, err := unpacked(record.Failed)
	if err != nil {
		return nil, err
	}
	held, err := unpacked(record.Held)
	if err != nil {
		return nil, err
	}
	for _, change := range f.Changes {
		rest := roaring.New()
		if err := tenant.Unite(rest, change.Users); err != nil {
			return nil, err
		}
		add := func(was licensing.Outcome, users *roaring.Bitmap) {
			some := roaring.And(rest, users)
			if some.IsEmpty() {
				return
			}
			rest.AndNot(some)
			was.Source, was.SKU = change.Source, change.SKU
			cells = append(cells, cell{change.Outcome, was, some})
		}
		for _, f := range failed {
			if o, ok := f.at(change.Outcome); ok {
				add(o, f.users)
			}
		}
		for _, h := range held {
			if o, ok := h.at(change.Outcome); ok {
				add(licensing.Outcome{Wished: o.InForce, InForce: o.InForce}, h.users)
			}
		}
		add(licensing.Outcome{}, rest.Clone())
	}
	return cells, nil
}

// group is users who had the same.
type heldBy struct {
	held  []licensing.Outcome
	users *roaring.Bitmap
}

func unpacked(list []licensing.HeldBefore) ([]heldBy, error) {
	all := make([]heldBy, len(list))
	for i, h := range list {
		all[i] = heldBy{h.Held, roaring.New()}
		if err := tenant.Unite(all[i].users, h.Users); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// at returns what the users had of the source and SKU of an outcome.
func (h *heldBy) at(o licensing.Outcome) (licensing.Outcome, bool) {
	for _, one := range h.held {
		if placeOf(&one) == placeOf(&o) {
			return one, true
		}
	}
	return licensing.Outcome{}, false
}

// addCells adds what was before a command, for users whose license of a source no earlier command
// has changed.
func (b *before) addCells(cells []cell) error {
	seen := map[place]*roaring.Bitmap{}
	for i := range b.cells {
		c := &b.cells[i]
		at := placeOf(&c.was)
		if seen[at] == nil {
			seen[at] = roaring.New()
		}
		seen[at].Or(c.users)
	}
	for _, c := range cells {
		if others := seen[placeOf(&c.was)]; others != nil {
			c.users = roaring.AndNot(c.users, others)
		}
		if !c.users.IsEmpty() {
			b.cells = append(b.cells, c)
		}
	}
	return nil
}

// changed returns the users whose license of a source the commit changed, by place.
func (b *before) changed() map[place]*roaring.Bitmap {
	all := map[place]*roaring.Bitmap{}
	for i := range b.cells {
		c := &b.cells[i]
		at := placeOf(&c.was)
		if all[at] == nil {
			all[at] = roaring.New()
		}
		all[at].Or(c.users)
	}
	return all
}

// entryAt returns the entry of a user at a place, as an outcome.
func entryAt(img *licensing.Image, user uint32, at place) licensing.Outcome {
	for _, e := range img.CurrentEntries(user) {
		if e.Source == at.source && e.SKU == at.sku {
			return licensing.Outcome{Source: e.Source, SKU: e.SKU, Wished: e.Wished, InForce: e.InForce, Error: e.Error}
		}
	}
	return licensing.Outcome{Source: at.source, SKU: at.sku}
}

// looksLike reports whether Graph shows the same of two outcomes.
func looksLike(a, b licensing.Outcome, withErrors bool) bool {
	if (a.InForce == licensing.None) != (b.InForce == licensing.None) {
		return false
	}
	if !withErrors {
		return a.InForce == b.InForce
	}
	return a.Error == b.Error && shown(a) == shown(b)
}

// shown returns the variant whose disabled plans are shown (docs/spec/licensing.md L11).
func shown(o licensing.Outcome) licensing.Variant {
	if o.InForce != licensing.None {
		return o.InForce
	}
	return o.Wished
}

package licensing

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
)

// HeldBefore is what users held before a change: the variants in force by source and SKU, the same
// for all of Users. With the effects of the change it determines what each of them held afterwards.
type HeldBefore struct {
	Held  []Outcome `cbor:"1,keyasint,omitempty"` // of which Source, SKU and InForce are set
	Users []byte    `cbor:"2,keyasint"`           // as in Change
}

// Before returns what the users of Effects.Changes held. Users who held nothing are omitted. It
// must be called after Finish.
func (d *Draft) Before() []HeldBefore { return d.were.finish() }

// ErrorsBefore returns which errors there were before a change, for the users of Effects.Changes:
// their entries in an error, with all fields of an Outcome except Since. It must be called after
// Finish.
func (d *Draft) ErrorsBefore() []HeldBefore { return d.failed.finish() }

// errorRecorder collects users by the entries that were in an error before the change.
type errorRecorder struct {
	at    map[string]int
	list  []HeldBefore
	users []*roaring.Bitmap

	key, last []byte
	lastAt    int // of the users with the key last
}

// note adds a user with an entry that has changed.
func (r *errorRecorder) note(user uint32, was []Entry) {
	if r.key = r.key[:0]; errorsOf(was) == 0 {
		return
	}
	for i := range was {
		if e := &was[i]; e.Error != NoViolation {
			for _, n := range []uint32{uint32(e.Source), uint32(e.SKU), uint32(e.Wished), uint32(e.InForce)} {
				r.key = binary.BigEndian.AppendUint32(r.key, n)
			}
			r.key = append(r.key, byte(e.Error))
		}
	}
	if !bytes.Equal(r.key, r.last) {
		r.choose(was)
	}
	r.users[r.lastAt].Add(user)
}

// choose finds the users with the same errors.
func (r *errorRecorder) choose(was []Entry) {
	at, ok := r.at[string(r.key)]
	if !ok {
		if at = len(r.list); r.at == nil {
			r.at = map[string]int{}
		}
		r.at[string(r.key)] = at
		var failed []Outcome
		for i := range was {
			if e := &was[i]; e.Error != NoViolation {
				failed = append(failed, outcome(e, 0))
			}
		}
		r.list = append(r.list, HeldBefore{Held: failed})
		r.users = append(r.users, roaring.New())
	}
	r.last, r.lastAt = append(r.last[:0], r.key...), at
}

func (r *errorRecorder) finish() []HeldBefore {
	for i := range r.list {
		r.list[i].Users = packed(r.users[i])
	}
	return r.list
}

// beforeRecorder collects users by what they held before the change. Most users of a large change
// held the same as the one before them, so it keeps a stretch of equal ones.
type beforeRecorder struct {
	at    map[string]int
	list  []HeldBefore
	users []*roaring.Bitmap

	last       []Entry // of the users of the stretch
	first, end uint32
	key        []byte
}

// note adds a user with an entry that has changed.
func (r *beforeRecorder) note(user uint32, was []Entry) {
	if len(was) == 0 {
		return
	}
	if r.end == user && r.end > r.first && sameInForce(r.last, was) {
		r.end++
		return
	}
	r.shut()
	r.last, r.first, r.end = was, user, user+1
}

// shut adds the stretch to the users of its kind.
func (r *beforeRecorder) shut() {
	if r.first == r.end {
		return
	}
	r.key = r.key[:0]
	for i := range r.last {
		if e := &r.last[i]; e.InForce != None {
			r.key = binary.BigEndian.AppendUint32(r.key, uint32(e.Source))
			r.key = binary.BigEndian.AppendUint32(r.key, uint32(e.InForce))
		}
	}
	if len(r.key) > 0 {
		at, ok := r.at[string(r.key)]
		if !ok {
			if at = len(r.list); r.at == nil {
				r.at = map[string]int{}
			}
			r.at[string(r.key)] = at
			r.list = append(r.list, HeldBefore{Held: inForceOf(r.last)})
			r.users = append(r.users, roaring.New())
		}
		r.users[at].AddRange(uint64(r.first), uint64(r.end))
	}
	r.first, r.end = 0, 0
}

func (r *beforeRecorder) finish() []HeldBefore {
	r.shut()
	for i := range r.list {
		r.list[i].Users = packed(r.users[i])
	}
	return r.list
}

func inForceOf(entries []Entry) (held []Outcome) {
	for i := range entries {
		if e := &entries[i]; e.InForce != None {
			held = append(held, Outcome{Source: e.Source, SKU: e.SKU, InForce: e.InForce})
		}
	}
	return held
}

// sameInForce reports whether the same variants from the same sources are in force in two lists.
func sameInForce(a, b []Entry) bool {
	if len(a) == len(b) {
		same := true
		for i := range a {
			same = same && a[i].InForce == b[i].InForce && a[i].Source == b[i].Source
		}
		if same {
			return true
		}
	}
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(a) > 0 && a[0].InForce == None:
			a = a[1:]
		case len(b) > 0 && b[0].InForce == None:
			b = b[1:]
		case len(a) == 0 || len(b) == 0 || a[0].InForce != b[0].InForce || a[0].Source != b[0].Source:
			return false
		default:
			a, b = a[1:], b[1:]
		}
	}
	return true
}

// HeldChange is a change of what users held, or of their errors, the same for all of Users.
type HeldChange struct {
	Before, After []Outcome // as HeldBefore.Held
	Users         *roaring.Bitmap
}

// HeldChanges returns the changes of what users held, from the effects of a change and what Before
// returned. Each user is in at most one of them.
func HeldChanges(changes []Change, before []HeldBefore) ([]HeldChange, error) {
	return historyOf(changes, before, func(o Outcome) (Outcome, bool) {
		return Outcome{Source: o.Source, SKU: o.SKU, InForce: o.InForce}, o.InForce != None
	})
}

// ErrorChanges returns the changes of which licenses of users were in an error, from the effects of
// a change and what ErrorsBefore returned. Each user is in at most one of them.
func ErrorChanges(changes []Change, before []HeldBefore) ([]HeldChange, error) {
	return historyOf(changes, before, func(o Outcome) (Outcome, bool) {
		o.Since = 0
		return o, o.Error != NoViolation
	})
}

// historyOf applies changes to lists of outcomes. Kept returns what such a list has of an outcome,
// if it has anything.
func historyOf(
	changes []Change, before []HeldBefore, kept func(Outcome) (Outcome, bool),
) ([]HeldChange, error) {
	all, err := beginnings(changes, before)
	if err != nil {
		return nil, err
	}
	for _, change := range changes {
		users := roaring.New()
		if err := users.UnmarshalBinary(change.Users); err != nil {
			return nil, err
		}
		for i := range all {
			some := roaring.And(all[i].Users, users)
			if some.IsEmpty() {
				continue
			}
			after := change.after(all[i].After, kept)
			if slices.Equal(after, all[i].After) {
				continue
			}
			if all[i].Users.AndNot(some); all[i].Users.IsEmpty() {
				all[i].After, all[i].Users = after, some
			} else {
				all = append(all, HeldChange{all[i].Before, after, some})
			}
		}
	}
	return slices.DeleteFunc(all, func(c HeldChange) bool {
		return c.Users.IsEmpty() || slices.Equal(c.Before, c.After)
	}), nil
}

// beginnings returns the users with changed entries by what they held.
func beginnings(changes []Change, before []HeldBefore) ([]HeldChange, error) {
	nothing := roaring.New()
	for _, change := range changes {
		users := roaring.New()
		if err := users.UnmarshalBinary(change.Users); err != nil {
			return nil, err
		}
		nothing.Or(users)
	}
	var all []HeldChange
	for _, b := range before {
		users := roaring.New()
		if err := users.UnmarshalBinary(b.Users); err != nil {
			return nil, err
		}
		nothing.AndNot(users)
		all = append(all, HeldChange{b.Held, b.Held, users})
	}
	return append(all, HeldChange{nil, nil, nothing}), nil
}

// after returns what a list has after an outcome, given what it had before. It does not change
// held. The order is that of entries.
func (o Outcome) after(held []Outcome, kept func(Outcome) (Outcome, bool)) []Outcome {
	same := func(h Outcome) bool { return h.Source == o.Source && h.SKU == o.SKU }
	next := slices.DeleteFunc(slices.Clone(held), same)
	now, ok := kept(o)
	if !ok {
		return next
	}
	at := slices.IndexFunc(next, func(h Outcome) bool {
		return h.Source > o.Source || h.Source == o.Source && h.SKU > o.SKU
	})
	if at < 0 {
		at = len(next)
	}
	return slices.Insert(next, at, now)
}

// Grants returns the licenses of a group as effects have them.
func (img *Image) Grants(group uint32) *[]GroupGrants { return grants(img.group(group).licenses) }

// VariantOf returns the SKU of a variant, and the plans of it that are disabled.
func (img *Image) VariantOf(v Variant) Assign {
	return Assign{SKUID: img.rules.skus[img.rules.variants[v].sku], DisabledPlans: img.disabled(v)}
}

// SKUOf returns the skuId of a SKU.
func (img *Image) SKUOf(s SKU) uuid.UUID { return img.rules.skus[s] }

// Package history says what the commits of a log did to licenses (docs/spec/changes.md C12 to C14):
// who gained, lost and failed to get which product, by which change and author. It reads effects
// and records (tenant.Effects, tenant.Record), so it needs no images, and no rules. Commits of
// formats before 10 have no records; of these it knows the author and the operation only.
package history

import (
	"fmt"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing"
	"licensor/internal/outcome"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// Entry is what a commit did to licenses.
type Entry struct {
	Seq        uint64
	At         time.Time
	Author     string        // as in store.Commit
	Named      *tenant.Named // the author; nil if it is not in the directory
	Operation  string
	Operations []string // of the commands that made the commit together; nil: one command
	Known      bool     // false: the commit has no record, so nothing is known of users
	// ErrorsKnown is whether the commit says which errors there were before. Otherwise it is of a
	// format before 14, there is no outcome.Clear, and outcome.Fail also has errors that became other
	// ones (C14).
	ErrorsKnown bool
	Happenings  []Happening
	Groups      []uint32 // whose licenses or members the commit changed
	// Reprocessed is the result of the reprocessings that the commit consists of (C17); nil: there was
	// none, or the commit is of a format before 14.
	Reprocessed *tenant.Reprocessed
}

// Happening is what happened to users and a product, by one command.
type Happening struct {
	outcome.What
	Users *roaring.Bitmap
	Error licensing.Violation // of outcome.Fail; of outcome.Clear, the one that was cleared
}

// Read returns what a commit did. The image is a later one of the same log.
func Read(c store.Commit, img *licensing.Image) (*Entry, error) {
	steps, err := tenant.DecodeCommit(c)
	if err != nil {
		return nil, err
	}
	e := &Entry{
		Seq: c.Seq, At: c.At, Author: c.Actor, Operation: c.Operation,
		Known: true, ErrorsKnown: c.Format >= tenant.FormatWithErrors,
	}
	for _, step := range steps {
		if len(steps) > 1 || step.Operation != c.Operation {
			e.Operations = append(e.Operations, step.Operation)
		}
		if err := e.read(step, img); err != nil {
			return nil, fmt.Errorf("what commit %d did: %w", c.Seq, err)
		}
	}
	slices.Sort(e.Groups)
	e.Groups = slices.Compact(e.Groups)
	return e, nil
}

// read adds what one command did.
func (e *Entry) read(step tenant.Decoded, img *licensing.Image) error {
	record, err := step.DecodeRecord()
	if err != nil {
		return err
	}
	if e.Named = record.Actor; e.Named == nil && e.Author == "app "+tenant.OperatorID.String() {
		e.Named = &tenant.Named{ID: tenant.OperatorID, Name: tenant.OperatorName}
	}
	if record.Reprocessed != nil {
		if e.Reprocessed == nil {
			e.Reprocessed = new(tenant.Reprocessed)
		}
		e.Reprocessed.Add(record.Reprocessed)
	}
	if len(step.Record) == 0 {
		e.Known, e.ErrorsKnown = false, false
		return nil
	}
	if step.Licensing == nil {
		return nil
	}
	for _, g := range step.Licensing.Groups {
		e.Groups = append(e.Groups, g.Group)
	}
	held, err := licensing.HeldChanges(step.Licensing.Changes, record.Held)
	if err != nil {
		return err
	}
	for _, change := range held {
		e.held(change, img)
	}
	if !e.ErrorsKnown {
		return e.failedOrOther(step.Licensing.Changes, img)
	}
	failed, err := licensing.ErrorChanges(step.Licensing.Changes, record.Failed)
	if err != nil {
		return err
	}
	for _, change := range failed {
		e.failed(change, img)
	}
	return nil
}

// held adds a change of what users held.
func (e *Entry) held(c licensing.HeldChange, img *licensing.Image) {
	var seen []licensing.SKU
	for _, o := range slices.Concat(c.Before, c.After) {
		if slices.Contains(seen, o.SKU) {
			continue
		}
		seen = append(seen, o.SKU)
		was, is := ofSKU(c.Before, o.SKU), ofSKU(c.After, o.SKU)
		what := outcome.What{SKUID: img.SKUOf(o.SKU), Groups: groupsOf(was, is)}
		switch {
		case len(was) == 0:
			what.Kind = outcome.Gain
		case len(is) == 0:
			what.Kind = outcome.Lose
		case !slices.Equal(disabledIn(was, img), disabledIn(is, img)):
			what.Kind = outcome.Change
		default:
			continue
		}
		e.Happenings = append(e.Happenings, Happening{What: what, Users: c.Users})
	}
}

// failed adds a change of the errors of users: a product fails if a source of it is in an error and
// none was before, and is cleared in the opposite case (C5).
func (e *Entry) failed(c licensing.HeldChange, img *licensing.Image) {
	add := func(kind outcome.Kind, in, others []licensing.Outcome) {
		for i, o := range in {
			same := func(p licensing.Outcome) bool { return p.SKU == o.SKU && p.Error == o.Error }
			if len(ofSKU(others, o.SKU)) > 0 || slices.ContainsFunc(in[:i], same) {
				continue
			}
			what := outcome.What{SKUID: img.SKUOf(o.SKU), Kind: kind}
			for _, p := range in[i:] {
				if group, ok := p.Source.Group(); ok && same(p) {
					what.Groups = append(what.Groups, group)
				}
			}
			e.Happenings = append(e.Happenings, Happening{what, c.Users, o.Error})
		}
	}
	add(outcome.Fail, c.After, c.Before)
	add(outcome.Clear, c.Before, c.After)
}

// failedOrOther adds the licenses that could not be given, or that came to be in another error.
func (e *Entry) failedOrOther(changes []licensing.Change, img *licensing.Image) error {
	for _, c := range changes {
		if c.Error == licensing.NoViolation {
			continue
		}
		users := roaring.New()
		if err := tenant.Unite(users, c.Users); err != nil {
			return err
		}
		what := outcome.What{SKUID: img.SKUOf(c.SKU), Kind: outcome.Fail}
		if group, ok := c.Source.Group(); ok {
			what.Groups = []uint32{group}
		}
		e.Happenings = append(e.Happenings, Happening{what, users, c.Error})
	}
	return nil
}

func ofSKU(held []licensing.Outcome, sku licensing.SKU) []licensing.Outcome {
	return slices.DeleteFunc(slices.Clone(held), func(o licensing.Outcome) bool { return o.SKU != sku })
}

// groupsOf returns the groups whose licenses are different in two lists for a product, ascending.
func groupsOf(was, is []licensing.Outcome) (groups []uint32) {
	for _, lists := range [][2][]licensing.Outcome{{was, is}, {is, was}} {
		for _, o := range lists[0] {
			if group, ok := o.Source.Group(); ok && !slices.Contains(lists[1], o) && !slices.Contains(groups, group) {
				groups = append(groups, group)
			}
		}
	}
	slices.Sort(groups)
	return groups
}

// disabledIn returns the service plans that all sources disable.
func disabledIn(held []licensing.Outcome, img *licensing.Image) []uuid.UUID {
	var all []uuid.UUID
	for i, o := range held {
		disabled := img.VariantOf(o.InForce).DisabledPlans
		if i == 0 {
			all = slices.Clone(disabled)
			continue
		}
		all = slices.DeleteFunc(all, func(id uuid.UUID) bool { return !slices.Contains(disabled, id) })
	}
	slices.SortFunc(all, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return all
}

// Count returns how many users something happened to.
func (e *Entry) Count(kind outcome.Kind) int {
	all := roaring.New()
	for i := range e.Happenings {
		if e.Happenings[i].Kind == kind {
			all.Or(e.Happenings[i].Users)
		}
	}
	return int(all.GetCardinality())
}

// Users returns the users to whom something happened.
func (e *Entry) Users() *roaring.Bitmap {
	all := roaring.New()
	for i := range e.Happenings {
		all.Or(e.Happenings[i].Users)
	}
	return all
}

// Of returns what happened to a user.
func (e *Entry) Of(user uint32) (list []Happening) {
	for _, h := range e.Happenings {
		if h.Users.Contains(user) {
			list = append(list, h)
		}
	}
	return list
}

// Through returns what happened by licenses of a group.
func (e *Entry) Through(group uint32) (list []Happening) {
	for _, h := range e.Happenings {
		if slices.Contains(h.Groups, group) {
			list = append(list, h)
		}
	}
	return list
}

// Concerns reports whether the commit changed the members or licenses of a group, or what users
// have by them.
func (e *Entry) Concerns(group uint32) bool {
	return slices.Contains(e.Groups, group) || len(e.Through(group)) > 0
}

package tenant

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/membership"
)

// result is what became of a group.
type result struct {
	moved   bool
	whole   bool            // the rule was evaluated for all users
	circle  bool            // the rounds ended before all users were where the rule has them
	held    *roaring.Bitmap // users who would be on the other side; nil: none
	failed  string
	culprit uint32
}

func (f *following) result(group uint32) *result {
	if f.results[group] == nil {
		f.results[group] = &result{}
	}
	return f.results[group]
}

func (f *following) hasFailed(group uint32) bool {
	r := f.results[group]
	return r != nil && r.failed != ""
}

// culpritError is an error in evaluating a rule for a user.
type culpritError struct {
	user uint32
	err  error
}

func (e *culpritError) Error() string { return e.err.Error() }

// failing notes an error of a rule, which does not fail the command (D28).
func (f *following) failing(group uint32, err error) error {
	if err == nil {
		return nil
	}
	if f.ctx.Err() != nil {
		return f.ctx.Err()
	}
	r := f.result(group)
	if e, ok := errors.AsType[*culpritError](err); ok {
		r.fails(f.dir.UserID(e.user), e.user, e.err)
		return nil
	}
	if e, ok := errors.AsType[*membership.PatternError](err); ok {
		r.fails(f.dir.UserID(e.Row), e.Row, e)
		return nil
	}
	if errors.Is(err, errTooLong) {
		r.failed = fmt.Sprintf("The rule could not be evaluated for all users within %s.", maxWhole)
		return nil
	}
	return err
}

func (r *result) fails(id uuid.UUID, user uint32, err error) {
	r.failed = fmt.Sprintf("The rule cannot be evaluated for user %s: %s.", id, err)
	r.culprit = user + 1
}

// onlyUsers removes members that are not users (D14).
func (f *following) onlyUsers(group uint32) {
	for _, member := range slices.Clone(f.dir.GroupMembersOf(group)) {
		f.record(Nesting{Group: group, Member: member, Removed: true})
	}
	id := f.dir.GroupID(group)
	for _, to := range slices.Collect(f.next.Links.From(directory.RelationHasMember, id)) {
		f.link(directory.Link{Relation: directory.RelationHasMember, From: id, To: to}, false)
	}
}

// apply changes memberships as by hand (D27, docs/spec/licensing.md L39): users join first, so that
// who changes groups keeps a seat that both give (L37). What a group could not give because of
// another that the user has left is tried again.
func (f *following) apply(moves []move) {
	joined, left := roaring.New(), roaring.New()
	var groups []uint32
	for _, m := range moves {
		if !m.join.IsEmpty() {
			f.join(m.group, m.join)
			joined.Or(m.join)
			groups = append(groups, m.group)
		}
	}
	for _, m := range moves {
		if !m.leave.IsEmpty() {
			f.setMembers(m.group, m.leave, false)
			f.lic.RemoveMembers(m.group, m.leave)
			left.Or(m.leave)
		}
	}
	if both := roaring.And(joined, left); !both.IsEmpty() {
		f.lic.ReprocessErrors(both, groups)
	}
}

// report records what became of the groups (D7).
func (f *following) report() {
	for _, group := range slices.Sorted(maps.Keys(f.results)) {
		r, d := f.results[group], f.next.Rules.of(group)
		now := d.now(group)
		if r.moved {
			now.Updated = f.at.UnixMilli()
		}
		switch {
		case r.failed != "":
			now.Failed, now.Culprit = r.failed, r.culprit
		case r.circle, r.held != nil && !r.held.IsEmpty():
			now.Failed, now.Culprit = circleText, 0
		case r.whole:
			now.Failed, now.Culprit = "", 0
		}
		if now != d.now(group) {
			f.record(now)
		}
	}
}

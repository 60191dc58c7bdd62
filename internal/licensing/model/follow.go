package model

import (
	"fmt"

	"github.com/google/uuid"
)

// Stage determines the order in which rules of dynamic groups are evaluated
// (docs/spec/dynamic-membership.md D23).
type Stage int

// The stages, in order.
const (
	StageUsers  Stage = iota // rules over properties and managers
	StageGroups              // rules over memberships
	StagePlans               // rules over assigned plans
)

// Rule is the rule of a dynamic group. Holds is its result for a live user in the tenant as it is
// in the middle of a commit.
type Rule struct {
	Group uuid.UUID
	Stage Stage
	Holds func(m *Model, user uuid.UUID) bool
}

// Follow performs an operation, after which the members of dynamic groups follow their rules in the
// same commit (docs/spec/dynamic-membership.md D20 to D27). Op is nil if only the rules, or the
// properties that they mention, have changed. The rules are in order of the creation of groups.
type Follow struct {
	Op    Op
	Rules []Rule
}

func (op Follow) String() string {
	return fmt.Sprintf("%v, followed by %d groups", op.Op, len(op.Rules))
}

// side is the place of a user in or outside a group.
type side struct{ group, user uuid.UUID }

// The numbers of D24: how often rules are evaluated again within a commit, and how often a commit
// begins again with users settled.
const (
	maxRounds    = 4
	maxDecisions = 5
)

// apply begins again, with the users settled who would change sides twice, until there are none
// (D24).
func (op Follow) apply(w *work) error {
	settled := map[side]bool{}
	for n := 1; ; n++ {
		try := &work{Model: w.before.clone(), before: w.before, now: w.now, touched: Set{}, freed: Set{}}
		if op.Op != nil {
			if err := op.Op.apply(try); err != nil {
				return err
			}
		}
		f := &follower{work: try, rules: op.Rules, changed: map[side]bool{}, settled: settled, still: n == maxDecisions}
		if f.follow(); !f.circle {
			*w.Model, w.touched, w.freed = *try.Model, try.touched, try.freed
			return nil
		}
	}
}

// follower is the part of a commit in which users join and leave by rules.
type follower struct {
	*work
	rules   []Rule
	changed map[side]bool // sides that have changed in this commit
	settled map[side]bool // sides that stay as before the commit
	still   bool          // no user changes sides by a rule over plans
	circle  bool          // a user would change sides for the second time
}

func (f *follower) follow() {
	f.stage(StageUsers)
	for range maxRounds {
		moved := f.stage(StageGroups)
		if f.has(StagePlans) && !f.circle {
			if f.Settings.AutoReprocess {
				f.autoReprocess()
			}
			moved = f.stage(StagePlans) || moved
		}
		if !moved || f.circle {
			return
		}
	}
}

func (f *follower) has(stage Stage) bool {
	for _, r := range f.rules {
		if r.Stage == stage {
			return true
		}
	}
	return false
}

// stage evaluates all rules of a stage for all users, and then moves users: all join before any
// leaves, so that no seat is lost in between (L37). It reports whether any user has moved.
func (f *follower) stage(stage Stage) bool {
	joins, leaves := map[uuid.UUID]Set{}, map[uuid.UUID]Set{}
	for _, r := range f.rules {
		if r.Stage == stage {
			joins[r.Group], leaves[r.Group] = f.moves(r)
		}
	}
	if f.circle {
		return false
	}
	joined, left, from := Set{}, Set{}, Set{}
	for _, r := range f.rules {
		for user := range joins[r.Group] {
			joined[user], from[r.Group] = true, true
		}
		f.move(r.Group, joins[r.Group], true)
	}
	for _, r := range f.rules {
		for user := range leaves[r.Group] {
			left[user] = true
		}
		f.move(r.Group, leaves[r.Group], false)
	}
	f.tryAgain(joined, left, from)
	return len(joined)+len(left) > 0
}

// moves returns who joins and who leaves the group of a rule.
func (f *follower) moves(r Rule) (join, leave Set) {
	join, leave = Set{}, Set{}
	g, err := f.group(r.Group)
	if err != nil {
		return nil, nil
	}
	for _, u := range f.Users {
		if u.Purged {
			continue
		}
		is, at := !u.Deleted && r.Holds(f.Model, u.ID), side{g.ID, u.ID}
		if is == g.Members[u.ID] || r.Stage != StageUsers && f.keeps(at, r.Stage, u) {
			continue
		}
		if is {
			join[u.ID] = true
		} else {
			leave[u.ID] = true
		}
	}
	return join, leave
}

// keeps reports whether a user who would change sides stays, and notes the change otherwise.
func (f *follower) keeps(at side, stage Stage, u *User) bool {
	if f.still {
		return stage == StagePlans && !u.Deleted
	}
	if f.settled[at] {
		return true
	}
	if f.changed[at] {
		f.settled[at], f.circle = true, true
	}
	f.changed[at] = true
	return false
}

// move has users join or leave a group as by hand (D27).
func (f *follower) move(group uuid.UUID, users Set, members bool) {
	g, err := f.group(group)
	if err != nil || len(users) == 0 {
		return
	}
	for user := range users {
		if f.touched[user] = true; members {
			g.Members[user] = true
		} else {
			delete(g.Members, user)
		}
	}
	f.work.follow(g, users)
}

// tryAgain reprocesses the users who have joined some groups and left others, and have an error
// from one of the former (L37).
func (f *follower) tryAgain(joined, left, from Set) {
	again := Set{}
	for _, u := range f.Users {
		for source, e := range u.Entries {
			if joined[u.ID] && left[u.ID] && from[source.Group] && e.Error != None {
				again[u.ID] = true
			}
		}
	}
	if len(again) > 0 {
		f.reprocess(again)
	}
}

package tenant

import (
	"maps"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/directory/column"
	"licensor/internal/membership"
)

// following makes the members of dynamic groups follow a command, before its licensing is finished:
// users join and leave as by hand (docs/spec/dynamic-membership.md D20 to D29).
type following struct {
	*change
	table   *column.Table              // the values of users as of the command
	touched map[uint32]*touched        // by user
	movers  map[uint32]*roaring.Bitmap // who joined or left groups that memberOf rules mention, by group
	rules   map[uint32]setRule         // that the command has set or removed, by group
	full    map[uint32]bool            // groups whose rule is evaluated for all users
	jobs    map[uint32]*roaring.Bitmap // users for whom a rule is evaluated, by group
	fresh   *roaring.Bitmap            // users for whom all rules are evaluated
	shown   *roaring.Bitmap            // users whose assignedPlans have changed
	changed map[uint32]*roaring.Bitmap // who has joined or left groups of the rounds (D24), by group
	results map[uint32]*result         // by group
	settled settled
	last    draftUser
	slow    time.Duration                // spent in patterns that take long
	lists   map[string][]membership.Plan // assigned plans, by AppendPlansKey
	key     []byte

	existing, memberOf int // how many dynamic groups the command has added, see ruleIndex
}

// setRule is a rule that the command has set; nil if the group has none any longer.
type setRule struct {
	rule *membership.Rule
	on   bool
}

// class determines the order in which rules are evaluated (D23).
type class int

const (
	classPlain class = iota
	classMemberOf
	classPlans
)

func classOf(rule *membership.Rule) class {
	switch {
	case rule.UsesPlans():
		return classPlans
	case len(rule.Sources()) > 0:
		return classMemberOf
	}
	return classPlain
}

// maxRounds is how often memberOf rules and those with assignedPlans are evaluated again after
// changes that they have made themselves (D24).
const maxRounds = 4

func newFollowing(c *change) following {
	return following{
		change: c, touched: map[uint32]*touched{}, movers: map[uint32]*roaring.Bitmap{}, rules: map[uint32]setRule{},
		full: map[uint32]bool{}, jobs: map[uint32]*roaring.Bitmap{}, fresh: roaring.New(), shown: roaring.New(),
		changed: map[uint32]*roaring.Bitmap{}, results: map[uint32]*result{},
	}
}

// set notes a rule that the command sets or removes.
func (f *following) set(group uint32, rule *membership.Rule, on bool) {
	f.rules[group] = setRule{rule, on}
	if delete(f.full, group); on {
		f.full[group] = true
	}
}

// followed returns the rule that the members of a group follow; nil if there is none.
func (f *following) followed(group uint32) *membership.Rule {
	rule := f.ruleOf(group)
	on := false
	if s, ok := f.rules[group]; ok {
		on = s.on
	} else if d := f.base.Rules.of(group); d != nil {
		on = d.On
	}
	if !on || rule == nil || f.next.Rules.frozen && len(rule.Sources()) > 0 {
		return nil
	}
	return rule
}

// follow evaluates the rules that the command concerns, and changes memberships accordingly.
func (c *change) follow() error {
	f := &c.following
	if c.exact || len(c.base.Rules.index.all) == 0 && len(f.full) == 0 {
		return nil
	}
	f.table = f.dir.UserColumns()
	f.gather()
	if _, err := f.phase(classPlain); err != nil {
		return err
	}
	plans := f.hasPlans()
	for round := range maxRounds {
		f.gatherMovers()
		again, err := f.phase(classMemberOf)
		if err != nil {
			return err
		}
		if plans {
			c.lic.Follow()
			f.gatherPlans()
			moved, err := f.phase(classPlans)
			if err != nil {
				return err
			}
			again = again || moved
		}
		if !again {
			break
		}
		if round == maxRounds-1 {
			f.giveUp()
		}
	}
	f.report()
	return nil
}

// move is who joins and who leaves a group; both are nil if no user does.
type move struct {
	group       uint32
	join, leave *roaring.Bitmap
}

func (m move) empty() bool { return m.join == nil || m.join.IsEmpty() && m.leave.IsEmpty() }

// phase evaluates the rules of a class for the users gathered so far, and reports whether any
// membership changed.
func (f *following) phase(of class) (moved bool, err error) {
	var moves []move
	circle := false
	for _, group := range f.inClass(of) {
		rule, users := f.followed(group), f.jobs[group]
		whole := f.full[group]
		delete(f.full, group)
		delete(f.jobs, group)
		var m move
		if whole {
			m, err = f.allUsers(group, rule)
		} else {
			m, err = f.some(group, rule, users)
		}
		if err = f.failing(group, err); err != nil {
			return false, err
		}
		if whole {
			f.result(group).whole = true
		}
		if f.hasFailed(group) {
			circle = f.settle(group, f.changed[group]) || circle
			continue
		}
		if of != classPlain {
			circle = f.keepSides(&m, users, whole) || circle
		}
		if whole {
			f.onlyUsers(group)
		}
		if !m.empty() {
			f.result(group).moved = true
			moves = append(moves, m)
		}
	}
	if circle {
		return false, errCircle
	}
	f.apply(moves)
	return len(moves) > 0, nil
}

// inClass returns the groups with rules of a class that must be evaluated, in ascending order.
func (f *following) inClass(of class) (groups []uint32) {
	for _, from := range [][]uint32{slices.Collect(maps.Keys(f.jobs)), slices.Collect(maps.Keys(f.full))} {
		for _, group := range from {
			if rule := f.followed(group); rule != nil && classOf(rule) == of {
				groups = append(groups, group)
			}
		}
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

// some evaluates a rule for some users.
func (f *following) some(group uint32, rule *membership.Rule, users *roaring.Bitmap) (move, error) {
	members := f.lic.Members(group)
	if wide(rule, users) {
		is, err := f.among(rule, users)
		if err != nil {
			return move{}, err
		}
		return moving(group, is, roaring.And(users, members)), nil
	}
	m := move{group: group}
	for user := range roaring.Values(users) {
		is, err := f.holds(rule, user)
		if err != nil {
			return move{}, err
		}
		if has := members.Contains(user); is == has {
			continue
		}
		if m.join == nil {
			m.join, m.leave = roaring.New(), roaring.New()
		}
		if is {
			m.join.Add(user)
		} else {
			m.leave.Add(user)
		}
	}
	return m, nil
}

// allUsers evaluates a rule for all users.
func (f *following) allUsers(group uint32, rule *membership.Rule) (move, error) {
	is, err := f.fulfilling(rule)
	if err != nil {
		return move{}, err
	}
	return moving(group, is, f.lic.Members(group)), nil
}

// moving returns who joins and who leaves a group: of users that include the members, some fulfill
// the rule.
func moving(group uint32, is, members *roaring.Bitmap) move {
	return move{group, roaring.AndNot(is, members), roaring.AndNot(members, is)}
}

package tenant

import (
	"errors"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/store"
)

// circleText is the documented text of docs/spec/dynamic-membership.md D24.
const circleText = "The rule depends on licenses that the group itself gives or takes."

// errCircle is returned by a decision in which users would change sides in a group for a second
// time.
var errCircle = errors.New("users change sides again and again")

// maxDecisions is how often a command is decided because of circles.
const maxDecisions = 5

// settled says who keeps the side from before the command in groups whose rules depend on licenses
// (D24). Users who leave a group and join it again would lose their licenses, so a command with
// such users is decided again from the beginning, and they stay where they are.
type settled struct {
	users map[uint32]*roaring.Bitmap // by group
	all   bool                       // all users, in all groups whose rules mention assigned plans
}

// execute decides a command on a change that has just begun. It returns the image after it and its
// commit; no commit if nothing changed.
func (c *change) execute(by By, cmd Command) (*Image, *store.Commit, error) {
	for n := 1; ; n++ {
		if err := cmd.run(c); err != nil {
			return nil, nil, err
		}
		next, commit, err := c.finish(by, cmd.name())
		if !errors.Is(err, errCircle) {
			return next, commit, err
		}
		c.again(settled{users: c.following.settled.users, all: n == maxDecisions-1})
	}
}

// again discards what a change has done so far.
func (c *change) again(with settled) {
	fresh := c.base.changeIn(c.ctx, c.next.Seq, c.at, c.newID)
	fresh.load, fresh.claim, fresh.ahead = c.load, c.claim, c.ahead
	*c = *fresh
	c.following.change, c.following.settled = c, with
}

// keepSides takes those users out of a move who keep their side. It reports whether others have
// changed it before, and settles these. The rule was evaluated for all users or for some.
func (f *following) keepSides(m *move, some *roaring.Bitmap, all bool) (circle bool) {
	if m.join == nil {
		m.join, m.leave = roaring.New(), roaring.New()
	}
	moving := roaring.Or(m.join, m.leave)
	held := f.held(m.group, moving)
	m.join.AndNot(held)
	m.leave.AndNot(held)
	moving.AndNot(held)
	r := f.result(m.group)
	if r.held != nil && !all {
		held.Or(roaring.AndNot(r.held, some))
	}
	r.held = held

	changed := in(f.changed, m.group)
	back := roaring.And(moving, changed)
	changed.Or(moving)
	return f.settle(m.group, back)
}

// settle makes users keep their side in a group. It reports whether the command must be decided
// again for that.
func (f *following) settle(group uint32, users *roaring.Bitmap) bool {
	if f.settled.all || users == nil || users.IsEmpty() {
		return false
	}
	if f.settled.users == nil {
		f.settled.users = map[uint32]*roaring.Bitmap{}
	}
	if before := f.settled.users[group]; before != nil {
		users = roaring.Or(before, users)
	}
	f.settled.users[group] = users
	return true
}

// held returns those of some users who keep their side in a group.
func (f *following) held(group uint32, users *roaring.Bitmap) *roaring.Bitmap {
	held := roaring.New()
	if !f.settled.all {
		if settled := f.settled.users[group]; settled != nil {
			held = roaring.And(users, settled)
		}
		return held
	}
	if rule := f.followed(group); rule.UsesPlans() {
		for user := range roaring.Values(users) {
			if f.isLive(user) {
				held.Add(user)
			}
		}
	}
	return held
}

// giveUp marks the groups whose members may still have to change when the rounds end.
func (f *following) giveUp() {
	for group := range f.changed {
		f.result(group).circle = true
	}
}

package tenant

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory/column"
	"licensor/internal/fold"
)

// moved notes that users joined or left a group, or that it was deleted or restored.
func (c *change) moved(group uint32, users *roaring.Bitmap) {
	f := &c.following
	if users == nil || len(f.followers(c.dir.GroupID(group))) == 0 {
		return
	}
	in(f.movers, group).Or(users)
}

// followers returns the groups with a memberOf rule that mentions a group.
func (f *following) followers(source uuid.UUID) []uint32 {
	list := f.base.Rules.index.sources[source]
	for group, s := range f.rules {
		if s.on && s.rule != nil && slices.Contains(s.rule.Sources(), source) {
			list = append(slices.Clip(list), group)
		}
	}
	return list
}

// hasPlans reports whether there may be rules with assignedPlans.
func (f *following) hasPlans() bool {
	if len(f.base.Rules.index.plans) > 0 {
		return true
	}
	for group := range f.full {
		if rule := f.followed(group); rule != nil && rule.UsesPlans() {
			return true
		}
	}
	return false
}

// add adds users to those for whom a group's rule is evaluated. The set is shared, and must not be
// changed afterwards.
func (f *following) add(group uint32, users *roaring.Bitmap) {
	if before := f.jobs[group]; before != nil && before != users {
		users = roaring.Or(before, users)
	}
	f.jobs[group] = users
}

// gather finds the rules that the changes of users concern (D21, D22).
func (f *following) gather() {
	index := f.base.Rules.index
	mentioned, managers := map[*concerned]*roaring.Bitmap{}, map[uint32]*roaring.Bitmap{}
	for user, t := range f.touched {
		switch {
		case f.dir.UserPurged(user): // it is in no group any longer
		case f.dir.UserDeleted(user):
			for _, group := range f.dir.MemberOf(user) {
				if f.followed(group) != nil {
					f.add(group, one(user))
				}
			}
		case t.fresh:
			f.fresh.Add(user)
		default:
			for _, place := range t.columns {
				for _, c := range f.concernedBy(user, place) {
					in(mentioned, c).Add(user)
				}
			}
			for _, manager := range t.managers {
				in(managers, manager).Add(user)
			}
		}
	}
	for c, users := range mentioned {
		for _, group := range c.groups {
			f.add(group, users)
		}
	}
	for manager, users := range managers {
		for _, group := range index.managers[f.managerID(manager)] {
			f.add(group, users)
		}
	}
	if !f.fresh.IsEmpty() {
		for _, group := range index.all {
			f.add(group, f.fresh)
		}
	}
	f.gatherFailed()
}

// concernedBy returns the groups whose rules a user's new value in a column concerns.
func (f *following) concernedBy(user uint32, place int) (all []*concerned) {
	m := f.base.Rules.index.columns[place]
	if m.always != nil {
		all = append(all, m.always)
	}
	if len(m.values) == 0 {
		return all
	}
	for _, of := range []*column.Table{f.base.Directory.UserColumns(), f.table} {
		if c := m.values[fold.Text(of.Text(user, place))]; c != nil {
			all = append(all, c)
		}
	}
	return all
}

// in returns the set of a key, which it adds if it is missing.
func in[K comparable](sets map[K]*roaring.Bitmap, key K) *roaring.Bitmap {
	if sets[key] == nil {
		sets[key] = roaring.New()
	}
	return sets[key]
}

// managerID returns the id of a manager, also of one that the command has purged.
func (f *following) managerID(user uint32) uuid.UUID {
	if user < f.base.Directory.Users() {
		return f.base.Directory.UserID(user)
	}
	return f.dir.UserID(user)
}

// gatherFailed finds the rules that could not be evaluated for a user whom the command changes:
// then they are evaluated again for all users (D28).
func (f *following) gatherFailed() {
	for _, group := range f.base.Rules.index.timed {
		d := f.base.Rules.of(group)
		if d.Culprit == 0 {
			continue
		}
		user := d.Culprit - 1
		t := f.touched[user]
		if t != nil && !f.isLive(user) || f.jobs[group] != nil && f.jobs[group].Contains(user) {
			f.full[group] = true
		}
	}
}

// gatherMovers finds the memberOf rules that changes of members concern (D26), and forgets these.
func (f *following) gatherMovers() {
	for group, users := range f.movers {
		for _, follower := range f.followers(f.groupID(group)) {
			f.add(follower, users)
		}
	}
	clear(f.movers)
}

func (f *following) groupID(group uint32) uuid.UUID {
	if group < f.base.Directory.Groups() {
		return f.base.Directory.GroupID(group)
	}
	return f.dir.GroupID(group)
}

// gatherPlans finds the users whose assignedPlans have changed, including those who have the former
// ones again since an earlier round.
func (f *following) gatherPlans() {
	groups := f.base.Rules.index.plans
	for group, s := range f.rules {
		if s.on && s.rule != nil && s.rule.UsesPlans() {
			groups = append(slices.Clip(groups), group)
		}
	}
	if len(groups) == 0 {
		return
	}
	users, few := f.lic.PlansChanged(f.base.Licensing, f.at, f.at)
	if few {
		f.shown = roaring.Or(f.shown, users)
	}
	for _, group := range groups {
		if !few {
			f.full[group] = true
		} else if !f.shown.IsEmpty() {
			f.add(group, f.shown)
		}
	}
}

// setMembers is draft.setMembers, and notes who joined or left.
func (c *change) setMembers(group uint32, users *roaring.Bitmap, members bool) {
	c.moved(group, users)
	c.draft.setMembers(group, users, members)
}

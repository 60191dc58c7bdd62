package tenant

import (
	"github.com/google/uuid"

	"licensor/internal/directory/column"
	"licensor/internal/membership"
)

// touched is what a command has changed of a user, as far as rules can mention it.
type touched struct {
	fresh    bool     // it was created or restored
	columns  []int    // that have other values
	managers []uint32 // it has one of them now, or had it before
}

func (f *following) user(user uint32) *touched {
	t := f.touched[user]
	if t == nil {
		t = &touched{}
		f.touched[user] = t
	}
	return t
}

// touch notes what an effect of the command changes. Rules that the command itself sets are
// evaluated for all users, so without others nothing is noted, for example by the first imports.
func (c *change) touch(e effect) {
	f := &c.following
	if len(c.base.Rules.index.all) == 0 {
		return
	}
	switch e := e.(type) {
	case NewUser:
		f.user(c.dir.Users() - 1).fresh = true
	case UserValues:
		t := f.user(e.Ordinal)
		for _, change := range e.changes {
			t.columns = append(t.columns, change.Column)
		}
	case UserMark:
		if e.What == MarkWritten {
			return
		}
		t := f.user(e.Ordinal)
		t.fresh = t.fresh || e.What == MarkRestored
		for _, report := range c.dir.Reports(e.Ordinal) {
			t := f.user(report)
			t.managers = append(t.managers, e.Ordinal)
		}
	case ManagerNow:
		t := f.user(e.User)
		if e.Before > 0 {
			t.managers = append(t.managers, e.Before-1)
		}
		if !e.Removed {
			t.managers = append(t.managers, e.Manager)
		}
	case GroupMark:
		if e.What == MarkDeleted || e.What == MarkRestored {
			c.moved(e.Ordinal, c.lic.Members(e.Ordinal))
		}
	}
}

// draftUser is a user as of the command, for rules.
type draftUser struct {
	c    *change
	user uint32
	row  column.Row
}

// draftUser returns a user, until the next call.
func (f *following) draftUser(user uint32) *draftUser {
	if f.last.c == nil || f.last.user != user {
		f.last = draftUser{f.change, user, f.table.Row(user)}
	}
	return &f.last
}

// Value returns the value of a property.
func (u *draftUser) Value(p *membership.Property) column.Value {
	if p.Column < 0 {
		return column.Value{Text: u.c.dir.UserID(u.user).String()}
	}
	return u.row.Value(p.Column)
}

// Plans returns the assigned plans.
func (u *draftUser) Plans() []membership.Plan { return u.c.following.plans(u.user) }

// plans returns the assigned plans of a user, in a list that users share.
func (f *following) plans(user uint32) []membership.Plan {
	f.key = f.lic.AppendPlansKey(f.key[:0], user, f.at)
	list, ok := f.lists[string(f.key)]
	if !ok {
		for p := range f.lic.Plans(user, f.at) {
			list = append(list, membership.Plan{
				ServicePlanID: p.Plan.ID.String(), Service: p.Plan.Service, CapabilityStatus: p.Capability,
			})
		}
		if f.lists == nil || len(f.lists) == maxLists {
			f.lists = map[string][]membership.Plan{}
		}
		f.lists[string(f.key)] = list
	}
	return list
}

// maxLists is the maximum number of different lists of assigned plans that are kept.
const maxLists = 4096

// ReportsTo reports whether a user, who is not deleted, is the manager.
func (u *draftUser) ReportsTo(manager uuid.UUID) bool {
	leader, ok := u.c.dir.LiveUserByID(manager)
	is, has := u.c.dir.Manager(u.user)
	return ok && has && is == leader
}

// IsMember reports whether the user is a direct member of a group that is not deleted.
func (u *draftUser) IsMember(group uuid.UUID) bool {
	ordinal, ok := u.c.dir.LiveGroupByID(group)
	return ok && u.c.lic.Members(ordinal).Contains(u.user)
}

// isLive reports whether the user is neither deleted nor purged.
func (c *change) isLive(user uint32) bool {
	return !c.dir.UserPurged(user) && !c.dir.UserDeleted(user)
}

package directory

import "fmt"

// Manager returns the user's manager, a soft-deleted one too.
func (v *view) Manager(user uint32) (manager uint32, ok bool) {
	after := v.user(user).manager
	return after - 1, after > 0
}

// Reports returns the users whose manager the user is, soft-deleted ones included, ascending.
func (v *view) Reports(user uint32) (reports []uint32) {
	v.reports.candidates(user, func(report uint32) bool {
		reports = append(reports, report)
		return true
	})
	return reports
}

// SetManager gives a user a manager, in the place of any before; false when that was the manager. A
// user who is its own is refused by the caller.
func (d *Draft) SetManager(user, manager uint32) bool {
	d.checkUser(manager)
	if user == manager {
		panic(fmt.Sprintf("directory: user %d as its own manager", user))
	}
	if was, ok := d.Manager(user); ok && was == manager {
		return false
	}
	d.RemoveManager(user)
	b, i := d.own(user)
	b.users[i].manager = manager + 1
	d.reports.insert(entry(manager, user))
	return true
}

// RemoveManager takes a user's manager away; false when there was none.
func (d *Draft) RemoveManager(user uint32) bool {
	manager, ok := d.Manager(user)
	if !ok {
		return false
	}
	b, i := d.own(user)
	b.users[i].manager = 0
	d.reports.delete(entry(manager, user))
	return true
}

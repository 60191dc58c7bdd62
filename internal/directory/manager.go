package directory

import "fmt"

// Manager returns the user's manager, including a soft-deleted one.
func (v *view) Manager(user uint32) (manager uint32, ok bool) {
	after := v.user(user).manager
	return after - 1, after > 0
}

// Reports returns the users whose manager the user is, including soft-deleted ones, ascending.
func (v *view) Reports(user uint32) (reports []uint32) {
	v.reports.candidates(user, func(report uint32) bool {
		reports = append(reports, report)
		return true
	})
	return reports
}

// SetManager sets a user's manager; false if it already was the manager. The caller must refuse to
// make a user its own manager.
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

// RemoveManager removes a user's manager; false if there was none.
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

package tenant

import (
	"fmt"

	"github.com/google/uuid"
)

// ManagerNow is the new manager of a user.
type ManagerNow struct {
	User    uint32 `cbor:"1,keyasint,omitempty"`
	Manager uint32 `cbor:"2,keyasint,omitempty"`
	Removed bool   `cbor:"3,keyasint,omitempty"` // the manager was removed
	Before  uint32 `cbor:"4,keyasint,omitempty"` // one more than the previous manager; 0: none, or an old log does not tell
}

// SetManager sets a user's manager.
type SetManager struct {
	User    uint32
	Manager uuid.UUID
}

func (SetManager) name() string { return "setManager" }

func (cmd SetManager) run(c *change) error {
	if err := c.live(cmd.User); err != nil {
		return err
	}
	manager, ok := c.dir.UserByID(cmd.Manager)
	if !ok || c.dir.UserDeleted(manager) {
		return noSuch(cmd.Manager)
	}
	if manager == cmd.User {
		return invalid(cmd.Manager, "User %s cannot be the manager of itself.", cmd.Manager)
	}
	now := ManagerNow{User: cmd.User, Manager: manager}
	if before, ok := c.dir.Manager(cmd.User); ok {
		now.Before = before + 1
	}
	c.record(now)
	return nil
}

// RemoveManager removes a user's manager.
type RemoveManager struct{ User uint32 }

func (RemoveManager) name() string { return "removeManager" }

func (cmd RemoveManager) run(c *change) error {
	if err := c.live(cmd.User); err != nil {
		return err
	}
	manager, ok := c.dir.Manager(cmd.User)
	if !ok {
		return noSuch(c.dir.UserID(cmd.User))
	}
	c.removeManager(cmd.User, manager)
	return nil
}

func (c *change) removeManager(user, manager uint32) {
	c.record(ManagerNow{User: user, Removed: true, Before: manager + 1})
}

func (m ManagerNow) apply(d *draft) (bool, error) {
	if d.dir.UserPurged(m.User) || !m.Removed && (d.dir.UserPurged(m.Manager) || m.Manager == m.User) {
		return false,
			fmt.Errorf("the manager of user number %d is user number %d, and one of them is not there",
				m.User, m.Manager)
	}
	if m.Removed {
		return d.dir.RemoveManager(m.User), nil
	}
	return d.dir.SetManager(m.User, m.Manager), nil
}

func (m ManagerNow) note(f *Effects) { f.Managers = append(f.Managers, m) }

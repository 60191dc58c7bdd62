package tenant

import (
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/directory"
)

// ManagerNow is who a user's manager is from now on.
type ManagerNow struct {
	User    uint32 `cbor:"1,keyasint,omitempty"`
	Manager uint32 `cbor:"2,keyasint,omitempty"`
	Gone    bool   `cbor:"3,keyasint,omitempty"` // there is none any more
	Before  uint32 `cbor:"4,keyasint,omitempty"` // one more than the manager before; 0: none, or an old log does not say
}

// SetManager gives a user a manager, in the place of any before.
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
	if !ok || c.dir.UserHidden(manager) {
		return noSuch(cmd.Manager)
	}
	if manager == cmd.User {
		return invalid(cmd.Manager, "User %s cannot be the manager of itself.", cmd.Manager)
	}
	now := ManagerNow{User: cmd.User, Manager: manager}
	if before, ok := c.dir.Manager(cmd.User); ok {
		now.Before = before + 1
	}
	if c.dir.SetManager(cmd.User, manager) {
		c.effects.Managers = append(c.effects.Managers, now)
	}
	return nil
}

// RemoveManager takes a user's manager away.
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
	c.dir.RemoveManager(user)
	c.effects.Managers = append(c.effects.Managers, ManagerNow{User: user, Gone: true, Before: manager + 1})
}

// apply replays it.
func (m ManagerNow) apply(d *directory.Draft) error {
	if d.UserGone(m.User) || !m.Gone && (d.UserGone(m.Manager) || m.Manager == m.User) {
		return fmt.Errorf("the manager of user number %d is user number %d, and one of them is not there", m.User, m.Manager)
	}
	if m.Gone {
		d.RemoveManager(m.User)
	} else {
		d.SetManager(m.User, m.Manager)
	}
	return nil
}

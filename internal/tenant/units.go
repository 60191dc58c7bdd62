package tenant

import (
	"bytes"
	"fmt"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
)

// CreateUnit adds an administrative unit with its first members.
type CreateUnit struct {
	Patch   directory.UnitPatch
	Members []uuid.UUID // users and groups
}

func (CreateUnit) name() string { return "createAdministrativeUnit" }

func (cmd CreateUnit) run(c *change) error {
	u, err := directory.NewUnit(cmd.Patch, c.freshID())
	if err != nil {
		return err
	}
	if err := c.freeID(u.ID); err != nil {
		return err
	}
	unit := c.units.len()
	if err := c.units.put(c, unit, u.ID, u.Document(), u.Values()); err != nil {
		return err
	}
	c.done.ID, c.done.Ordinal = u.ID, unit
	for _, id := range cmd.Members {
		if err := c.joinUnit(unit, id); err != nil {
			return err
		}
	}
	return nil
}

// UpdateUnit changes properties of an administrative unit.
type UpdateUnit struct {
	Unit  uint32
	Patch directory.UnitPatch
}

func (UpdateUnit) name() string { return "updateAdministrativeUnit" }

func (cmd UpdateUnit) run(c *change) error {
	was, err := c.liveUnit(cmd.Unit)
	if err != nil {
		return err
	}
	u, err := cmd.Patch.Apply(was)
	if err != nil {
		return err
	}
	return c.writeUnit(cmd.Unit, was, u)
}

// liveUnit returns an administrative unit, or an error if it is deleted.
func (c *change) liveUnit(unit uint32) (*directory.AdministrativeUnit, error) {
	u := c.units.base.At(unit)
	if u == nil {
		return nil, notFound(fmt.Sprintf("number %d", unit))
	}
	if !u.DeletedDateTime.IsZero() {
		return nil, noSuch(u.ID)
	}
	return u, nil
}

func (c *change) writeUnit(unit uint32, was, now *directory.AdministrativeUnit) error {
	document := now.Document()
	if bytes.Equal(document, was.Document()) {
		return nil
	}
	return c.units.put(c, unit, now.ID, document, now.Changed(was))
}

// DeleteUnit moves an administrative unit to the deleted items for 30 days. Its members stay.
type DeleteUnit struct{ Unit uint32 }

func (DeleteUnit) name() string { return "deleteAdministrativeUnit" }

func (cmd DeleteUnit) run(c *change) error {
	was, err := c.liveUnit(cmd.Unit)
	if err != nil {
		return err
	}
	deleted := *was
	deleted.DeletedDateTime = c.at.Truncate(time.Second)
	return c.writeUnit(cmd.Unit, was, &deleted)
}

// RestoreUnit restores a deleted administrative unit with its members.
type RestoreUnit struct{ Unit uint32 }

func (RestoreUnit) name() string { return "restoreAdministrativeUnit" }

func (cmd RestoreUnit) run(c *change) error {
	was := c.units.base.At(cmd.Unit)
	if was == nil {
		return notFound(fmt.Sprintf("number %d", cmd.Unit))
	}
	if was.DeletedDateTime.IsZero() || c.expired(was.DeletedDateTime) {
		return noSuch(was.ID)
	}
	restored := *was
	restored.DeletedDateTime = time.Time{}
	return c.writeUnit(cmd.Unit, was, &restored)
}

// AddUnitMember adds a user or group to an administrative unit.
type AddUnitMember struct {
	Unit   uint32
	Member uuid.UUID
}

func (AddUnitMember) name() string { return "addUnitMember" }

func (cmd AddUnitMember) run(c *change) error {
	if _, err := c.liveUnit(cmd.Unit); err != nil {
		return err
	}
	return c.joinUnit(cmd.Unit, cmd.Member)
}

// RemoveUnitMember removes a user or group from an administrative unit.
type RemoveUnitMember struct {
	Unit   uint32
	Member uuid.UUID
}

func (RemoveUnitMember) name() string { return "removeUnitMember" }

func (cmd RemoveUnitMember) run(c *change) error {
	if _, err := c.liveUnit(cmd.Unit); err != nil {
		return err
	}
	m, ok := c.unitMember(cmd.Unit, cmd.Member)
	if m.Removed = true; !ok || !c.changeUnit(m) {
		return noSuch(cmd.Member)
	}
	return nil
}

func (c *change) joinUnit(unit uint32, id uuid.UUID) error {
	m, ok := c.unitMember(unit, id)
	if !ok {
		return noSuch(id)
	}
	if !c.changeUnit(m) {
		return alreadyThere(id, "members")
	}
	return nil
}

// unitMember finds the user or group that is, or can be, a member of a unit; false if there is
// none, or it is deleted.
func (c *change) unitMember(unit uint32, id uuid.UUID) (m directory.UnitMember, ok bool) {
	if user, ok := c.dir.LiveUserByID(id); ok {
		return directory.UnitMember{Unit: unit, Member: user}, true
	}
	group, ok := c.dir.GroupByID(id)
	return directory.UnitMember{Unit: unit, Member: group, IsGroup: true}, ok && !c.dir.GroupDeleted(group)
}

// changeUnit adds or removes a member; it returns false if that changes nothing.
func (c *change) changeUnit(m directory.UnitMember) bool {
	return c.record(UnitMemberNow(m))
}

// leaveUnits removes a purged user or group from all units.
func (c *change) leaveUnits(member uint32, isGroup bool) {
	for _, unit := range c.next.UnitMembers.Of(member, isGroup) {
		c.record(UnitMemberNow{Unit: unit, Member: member, IsGroup: isGroup, Removed: true})
	}
}

// UnitMemberNow is a member that was added to an administrative unit, or removed.
type UnitMemberNow directory.UnitMember

func (now UnitMemberNow) apply(d *draft) (bool, error) {
	m, known := directory.UnitMember(now), d.dir.Users()
	if m.IsGroup {
		known = d.dir.Groups()
	}
	if units := d.units.len(); m.Unit >= units || m.Member >= known {
		return false, fmt.Errorf("a member of administrative unit number %d, and there are %d: number %d of %d",
			m.Unit, units, m.Member, known)
	}
	if d.next.UnitMembers.Has(m) != m.Removed {
		return false, nil
	}
	d.next.UnitMembers = d.next.UnitMembers.Change([]directory.UnitMember{m})
	return true, nil
}

func (now UnitMemberNow) note(f *Effects) { f.UnitMembers = append(f.UnitMembers, now) }

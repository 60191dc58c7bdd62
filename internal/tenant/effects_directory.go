package tenant

import (
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
)

// UserKeys are the new keys by which a user is found.
type UserKeys struct {
	User      uint32          `cbor:"1,keyasint,omitempty"`
	ID        uuid.UUID       `cbor:"2,keyasint"`
	Name      directory.Key   `cbor:"3,keyasint"`
	Addresses []directory.Key `cbor:"4,keyasint,omitempty"`
}

func (u UserKeys) apply(d *draft) (bool, error) {
	if err := d.knownUser(u.User); err != nil {
		return false, fmt.Errorf("keys of a user: %w", err)
	}
	d.dir.SetUserKeys(u.User, u.Name, u.Addresses)
	return true, nil
}

func (u UserKeys) note(f *Effects) { f.Keys = append(f.Keys, u) }

// NewUser has the keys of a new user, which gets the next ordinal.
type NewUser UserKeys

func (u NewUser) apply(d *draft) (bool, error) {
	d.dir.AddUser(u.ID, u.Name, u.Addresses)
	return true, nil
}

func (u NewUser) note(f *Effects) { f.NewUsers = append(f.NewUsers, u) }

// Values are the new values of an object in columns.
type Values struct {
	Ordinal uint32 `cbor:"1,keyasint,omitempty"`
	Data    []byte `cbor:"2,keyasint"` // as Schema.AppendChanges writes them

	changes []column.Change // the content of Data, if a command made it
}

func valuesNow(ordinal uint32, schema *column.Schema, changes []column.Change) Values {
	return Values{ordinal, schema.AppendChanges(nil, changes), changes}
}

func (v Values) read(schema *column.Schema) ([]column.Change, error) {
	if v.changes != nil {
		return v.changes, nil
	}
	changes, err := schema.ReadChanges(v.Data)
	if err != nil {
		return nil, fmt.Errorf("values of object number %d: %w", v.Ordinal, err)
	}
	return changes, nil
}

// UserValues are Values of a user.
type UserValues Values

func (v UserValues) apply(d *draft) (bool, error) {
	if err := d.knownUser(v.Ordinal); err != nil {
		return false, fmt.Errorf("values of a user: %w", err)
	}
	changes, err := Values(v).read(directory.UserSchema())
	if err == nil {
		d.dir.SetUserValues(v.Ordinal, changes)
	}
	return true, err
}

func (v UserValues) note(f *Effects) {
	v.changes = nil
	f.UserValues = append(f.UserValues, v)
}

// GroupValues are Values of a group.
type GroupValues Values

func (v GroupValues) apply(d *draft) (bool, error) {
	if err := d.knownGroup(v.Ordinal); err != nil {
		return false, fmt.Errorf("values of a group: %w", err)
	}
	changes, err := Values(v).read(directory.GroupSchema())
	if err == nil {
		d.dir.SetGroupValues(v.Ordinal, changes)
	}
	return true, err
}

func (v GroupValues) note(f *Effects) {
	v.changes = nil
	f.GroupValues = append(f.GroupValues, v)
}

// Mark is an event of an object's document.
type Mark struct {
	Ordinal    uint32     `cbor:"1,keyasint,omitempty"`
	What       MarkKind   `cbor:"2,keyasint"`
	ID         *uuid.UUID `cbor:"3,keyasint,omitempty"` // of a Purged object, which has no other record
	Properties []string   `cbor:"4,keyasint,omitempty"` // of MarkWritten; none if unknown
}

// MarkKind is the kind of an event.
type MarkKind uint8

// The kinds of marks. Numbers are stored; never renumber.
const (
	MarkWritten MarkKind = iota + 1
	MarkDeleted
	MarkRestored
	MarkPurged
)

// do calls the function for the kind of the mark.
func (m Mark) do(written, deleted, restored, purged func(uint32)) error {
	kinds := [...]func(uint32){MarkWritten: written, MarkDeleted: deleted, MarkRestored: restored, MarkPurged: purged}
	if int(m.What) >= len(kinds) || kinds[m.What] == nil {
		return fmt.Errorf("a mark of the kind %d, which is not known", m.What)
	}
	kinds[m.What](m.Ordinal)
	return nil
}

// UserMark is a Mark of a user.
type UserMark Mark

func (m UserMark) apply(d *draft) (bool, error) {
	if err := d.knownUser(m.Ordinal); err != nil {
		return false, fmt.Errorf("a mark: %w", err)
	}
	return true, Mark(m).do(d.dir.TouchUser, d.dir.DeleteUser, d.dir.RestoreUser, d.dir.PurgeUser)
}

func (m UserMark) note(f *Effects) { f.Users = append(f.Users, m) }

// GroupMark is a Mark of a group.
type GroupMark Mark

func (m GroupMark) apply(d *draft) (bool, error) {
	if err := d.knownGroup(m.Ordinal); err != nil {
		return false, fmt.Errorf("a mark: %w", err)
	}
	return true, Mark(m).do(d.dir.TouchGroup, d.dir.DeleteGroup, d.dir.RestoreGroup, d.purgeGroup)
}

func (m GroupMark) note(f *Effects) { f.Groups = append(f.Groups, m) }

// purgeGroup also removes the group from other groups.
func (d *draft) purgeGroup(group uint32) {
	d.next.Nested -= len(d.dir.GroupMembersOf(group)) + len(d.dir.GroupMemberOf(group))
	d.dir.PurgeGroup(group)
}

// Link is a nested group or owner that was added to a group, or removed.
type Link struct {
	Group   uint32 `cbor:"1,keyasint,omitempty"`
	Member  uint32 `cbor:"2,keyasint,omitempty"`
	Removed bool   `cbor:"3,keyasint,omitempty"`
}

// Nesting is a Link to a group.
type Nesting Link

func (l Nesting) apply(d *draft) (changed bool, err error) {
	if d.dir.GroupPurged(l.Group) || d.dir.GroupPurged(l.Member) || l.Group == l.Member {
		return false, fmt.Errorf("a link between groups number %d and %d, and there are %d",
			l.Group, l.Member, d.dir.Groups())
	}
	if l.Removed {
		if changed = d.dir.LeaveGroup(l.Group, l.Member); changed {
			d.next.Nested--
		}
	} else if changed = d.dir.JoinGroup(l.Group, l.Member); changed {
		d.next.Nested++
	}
	return changed, nil
}

func (l Nesting) note(f *Effects) { f.Nested = append(f.Nested, l) }

// Ownership is a Link to a user.
type Ownership Link

func (l Ownership) apply(d *draft) (bool, error) {
	if d.dir.GroupPurged(l.Group) || d.dir.UserPurged(l.Member) {
		return false,
			fmt.Errorf("user number %d owns group number %d, and one of them does not exist", l.Member, l.Group)
	}
	if l.Removed {
		return d.dir.RemoveOwner(l.Group, l.Member), nil
	}
	return d.dir.AddOwner(l.Group, l.Member), nil
}

func (l Ownership) note(f *Effects) { f.Owners = append(f.Owners, l) }

func (d *draft) knownUser(user uint32) error {
	if d.dir.UserPurged(user) {
		return fmt.Errorf("user number %d is purged or not among the %d there are", user, d.dir.Users())
	}
	return nil
}

func (d *draft) knownGroup(group uint32) error {
	if d.dir.GroupPurged(group) {
		return fmt.Errorf("group number %d is purged or not among the %d there are", group, d.dir.Groups())
	}
	return nil
}

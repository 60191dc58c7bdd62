package engine

import (
	"slices"

	"licensor/internal/tenant"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
)

// Changes tell which objects have changed in a part of the log, and in which properties. The new
// values are in an image. An object that was created and purged is only named. Changes must not be
// modified.
type Changes struct {
	Users, Groups, Applications, Principals, Units ObjectChanges
	// Owners are the users who may have been added to or removed from a group's owners,
	// OwnersPrincipals the service principals. Managers are the users who became, or are no longer,
	// a user's manager.
	Owners, OwnersPrincipals, Managers LinkChanges

	members, unitMembers map[uint32]*MemberChanges
}

// LinkChanges are users or service principals, by the ordinal of the object that they are, or were,
// linked to. They must not be modified.
type LinkChanges map[uint32]*roaring.Bitmap

func (l LinkChanges) add(to, user uint32) {
	if l[to] == nil {
		l[to] = roaring.New()
	}
	l[to].Add(user)
}

// Touched returns the objects whose links have changed.
func (l LinkChanges) Touched() *roaring.Bitmap {
	all := roaring.New()
	for to := range l {
		all.Add(to)
	}
	return all
}

// MemberChanges are the users, groups and service principals whose membership in a group or an
// administrative unit may have changed: they joined or left, or were deleted or restored.
type MemberChanges struct {
	Users, Groups, Principals *roaring.Bitmap
}

// ObjectChanges are the changes of users, or of groups, by ordinal.
type ObjectChanges struct {
	created    *roaring.Bitmap // created or restored
	deleted    *roaring.Bitmap // deleted, and possibly purged
	written    *roaring.Bitmap // the log does not tell in which properties
	properties map[string]*roaring.Bitmap
	purged     map[uint32]uuid.UUID
	ordinals   map[uuid.UUID]uint32 // of purged objects
	owners     map[uint32][]uuid.UUID
}

func newChanges() *Changes {
	return &Changes{
		Users: newObjectChanges(), Groups: newObjectChanges(), Applications: newObjectChanges(),
		Principals: newObjectChanges(), Units: newObjectChanges(),
		Owners: LinkChanges{}, OwnersPrincipals: LinkChanges{},
		Managers: LinkChanges{}, members: map[uint32]*MemberChanges{},
		unitMembers: map[uint32]*MemberChanges{},
	}
}

func newObjectChanges() ObjectChanges {
	return ObjectChanges{
		created: roaring.New(), deleted: roaring.New(),
		written: roaring.New(), properties: map[string]*roaring.Bitmap{},
		purged: map[uint32]uuid.UUID{}, ordinals: map[uuid.UUID]uint32{}, owners: map[uint32][]uuid.UUID{},
	}
}

// Touched returns the objects that were created, restored or deleted, or changed in one of the
// properties.
func (o *ObjectChanges) Touched(properties []string) *roaring.Bitmap {
	all := roaring.Or(o.created, o.deleted)
	all.Or(o.written)
	for _, name := range properties {
		if some := o.properties[name]; some != nil {
			all.Or(some)
		}
	}
	return all
}

// Created reports whether an object was created or restored, so that all of it is new.
func (o *ObjectChanges) Created(ordinal uint32) bool { return o.created.Contains(ordinal) }

// Deleted reports whether an object was deleted, and possibly purged.
func (o *ObjectChanges) Deleted(ordinal uint32) bool { return o.deleted.Contains(ordinal) }

// Owners returns the objects that may have been added to or removed from the owners of an
// application or service principal, without duplicates.
func (o *ObjectChanges) Owners(ordinal uint32) []uuid.UUID { return o.owners[ordinal] }

// Owned returns the applications or service principals whose owners have changed.
func (o *ObjectChanges) Owned() *roaring.Bitmap {
	all := roaring.New()
	for ordinal := range o.owners {
		all.Add(ordinal)
	}
	return all
}

func (o *ObjectChanges) owner(ordinal uint32, owner uuid.UUID) {
	if !slices.Contains(o.owners[ordinal], owner) {
		o.owners[ordinal] = append(o.owners[ordinal], owner)
	}
}

// Purged returns the id of a purged object, which images no longer have.
func (o *ObjectChanges) Purged(ordinal uint32) (uuid.UUID, bool) {
	id, ok := o.purged[ordinal]
	return id, ok
}

// PurgedByID returns the ordinal of a purged object.
func (o *ObjectChanges) PurgedByID(id uuid.UUID) (uint32, bool) {
	ordinal, ok := o.ordinals[id]
	return ordinal, ok
}

// Members returns the changes of a group's members; nil if there are none.
func (c *Changes) Members(group uint32) *MemberChanges { return c.members[group] }

// Membership returns the groups whose members have changed.
func (c *Changes) Membership() *roaring.Bitmap { return keysOf(c.members) }

// UnitMembers returns the changes of the members of an administrative unit; nil if there are none.
func (c *Changes) UnitMembers(unit uint32) *MemberChanges { return c.unitMembers[unit] }

// UnitMembership returns the administrative units whose members have changed.
func (c *Changes) UnitMembership() *roaring.Bitmap { return keysOf(c.unitMembers) }

func keysOf(members map[uint32]*MemberChanges) *roaring.Bitmap {
	all := roaring.New()
	for of := range members {
		all.Add(of)
	}
	return all
}

func (c *Changes) membersOf(group uint32) *MemberChanges { return changesOf(c.members, group) }

func (c *Changes) unitMembersOf(unit uint32) *MemberChanges { return changesOf(c.unitMembers, unit) }

// changesOf returns the changes of one list of members, to add to.
func changesOf(members map[uint32]*MemberChanges, of uint32) *MemberChanges {
	m := members[of]
	if m == nil {
		m = &MemberChanges{roaring.New(), roaring.New(), roaring.New()}
		members[of] = m
	}
	return m
}

// property returns the set of objects with changes of a property, to add to.
func (o *ObjectChanges) property(name string) *roaring.Bitmap {
	set := o.properties[name]
	if set == nil {
		set = roaring.New()
		o.properties[name] = set
	}
	return set
}

// mark adds a mark of the log. It returns false if the log does not contain enough information.
func (o *ObjectChanges) mark(m tenant.Mark) bool {
	switch m.What {
	case 0: // of an application, service principal or administrative unit: it is new
		o.created.Add(m.Ordinal)
	case tenant.MarkWritten:
		if len(m.Properties) == 0 {
			o.written.Add(m.Ordinal)
		}
		for _, name := range m.Properties {
			o.property(name).Add(m.Ordinal)
		}
	case tenant.MarkRestored:
		o.created.Add(m.Ordinal)
	case tenant.MarkDeleted:
		o.deleted.Add(m.Ordinal)
	case tenant.MarkPurged:
		if m.ID == nil {
			return false
		}
		o.deleted.Add(m.Ordinal)
		o.purged[m.Ordinal], o.ordinals[*m.ID] = *m.ID, m.Ordinal
	}
	return true
}

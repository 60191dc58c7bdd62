package directory

import (
	"github.com/google/uuid"

	"licensor/internal/directory/column"
)

// Type is a type of the directory objects that have ordinals. The numbers are stored in rows of
// objects and in tokens of changes; never renumber.
type Type uint8

// The types.
const (
	TypeUser               Type = 1
	TypeGroup              Type = 2
	TypeApplication        Type = 4
	TypeServicePrincipal   Type = 5
	TypeAdministrativeUnit Type = 6
)

// Collection gives access to the objects of any type by their ordinals.
type Collection interface {
	// Len returns how many ordinals are in use, including those of purged objects.
	Len() uint32
	// EverByID finds an object, including a deleted one.
	EverByID(id uuid.UUID) (ordinal uint32, ok bool)
	// ID returns uuid.Nil for a purged object.
	ID(ordinal uint32) uuid.UUID
	// IsDeleted reports whether an object is deleted and not purged.
	IsDeleted(ordinal uint32) bool
	// IsPurged reports whether an object was purged or never existed.
	IsPurged(ordinal uint32) bool
	Columns() *column.Table
}

// LiveByID finds an object that is not deleted.
func LiveByID(c Collection, id uuid.UUID) (ordinal uint32, ok bool) {
	ordinal, ok = c.EverByID(id)
	return ordinal, ok && !c.IsDeleted(ordinal)
}

// UserCollection returns the users of an index as a Collection.
func (x *Index) UserCollection() Collection { return users{x} }

// GroupCollection returns the groups of an index as a Collection.
func (x *Index) GroupCollection() Collection { return groups{x} }

type users struct{ index *Index }

func (u users) Len() uint32                          { return u.index.Users() }
func (u users) EverByID(id uuid.UUID) (uint32, bool) { return u.index.UserByID(id) }
func (u users) ID(user uint32) uuid.UUID             { return u.index.UserID(user) }
func (u users) IsDeleted(user uint32) bool           { return u.index.UserDeleted(user) }
func (u users) IsPurged(user uint32) bool            { return u.index.UserPurged(user) }
func (u users) Columns() *column.Table               { return u.index.UserColumns() }

type groups struct{ index *Index }

func (g groups) Len() uint32                          { return g.index.Groups() }
func (g groups) EverByID(id uuid.UUID) (uint32, bool) { return g.index.GroupByID(id) }
func (g groups) ID(group uint32) uuid.UUID            { return g.index.GroupID(group) }
func (g groups) IsDeleted(group uint32) bool          { return g.index.GroupDeleted(group) }
func (g groups) IsPurged(group uint32) bool           { return g.index.GroupPurged(group) }
func (g groups) Columns() *column.Table               { return g.index.GroupColumns() }

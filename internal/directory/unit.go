package directory

import (
	"iter"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory/column"
)

// AdministrativeUnit is Graph's administrativeUnit, without its members. As with User, empty texts
// are null in Graph.
type AdministrativeUnit struct {
	ID              uuid.UUID
	DeletedDateTime time.Time // UTC, whole seconds; zero unless it is in the deleted items
	DisplayName     string
	Description     string
	MembershipType  string
	Visibility      string

	IsMemberManagementRestricted *bool // never true, see consistent

	membershipRule, membershipRuleProcessingState string // always empty, see consistent
}

var unitTable = newTable(
	"AdministrativeUnit", nil,
	moment("deletedDateTime", func(u *AdministrativeUnit) *time.Time { return &u.DeletedDateTime }).readOnly().byDefault().column(1),
	text("description", func(u *AdministrativeUnit) *string { return &u.Description }).max(1024).byDefault().
		column(2).mostly().filtered(advanced, advanced, never, advanced).searched(SearchByWords),
	text("displayName", func(u *AdministrativeUnit) *string { return &u.DisplayName }).max(256).needed().byDefault().
		column(3).mostly().filtered(basic, basic, never, advanced).searched(SearchByWords).ordered(advanced),
	identity("id", func(u *AdministrativeUnit) *uuid.UUID { return &u.ID }).
		byDefault().filtered(basic, never, never, never),
	option("isMemberManagementRestricted", func(u *AdministrativeUnit) **bool { return &u.IsMemberManagementRestricted }).byDefault().
		column(4).filtered(basic, never, never, never),
	text("membershipRule", func(u *AdministrativeUnit) *string { return &u.membershipRule }).
		max(3072).byDefault().filtered(basic, basic, never, never),
	text("membershipRuleProcessingState", func(u *AdministrativeUnit) *string { return &u.membershipRuleProcessingState }).
		oneOf("On", "Paused").byDefault().filtered(basic, never, never, never),
	text("membershipType", func(u *AdministrativeUnit) *string { return &u.MembershipType }).oneOf("Assigned", "Dynamic").byDefault(),
	text("visibility", func(u *AdministrativeUnit) *string { return &u.Visibility }).oneOf("Public", "HiddenMembership").byDefault(),
)

// ParseUnit parses the result of Document.
func ParseUnit(document []byte) (*AdministrativeUnit, error) { return unitTable.parse(document) }

// Document returns the stored form of the unit: a JSON object with Graph's names, without
// properties that have no value.
func (u *AdministrativeUnit) Document() []byte { return unitTable.document(u) }

// UnitProperty returns the property with a name, in any letter case.
func UnitProperty(name string) (*Property[AdministrativeUnit], bool) { return unitTable.property(name) }

// UnitProperties returns all properties in alphabetical order. The slice is shared.
func UnitProperties() []*Property[AdministrativeUnit] { return unitTable.all }

// UnitSchema has the columns of administrative units.
func UnitSchema() *column.Schema { return unitTable.schema }

// AboutUnit returns how a property of administrative units can be queried. The name may have any
// letter case.
func AboutUnit(path string) (*Asked, bool) { return unitTable.about(path) }

// AllAboutUnits yields how each property of administrative units can be queried, in alphabetical
// order.
func AllAboutUnits() iter.Seq[*Asked] { return unitTable.allAbout }

// Values returns the unit's values in the columns of UnitSchema, except null.
func (u *AdministrativeUnit) Values() []column.Change { return unitTable.values(u) }

// Changed returns the new values of the columns in which the unit differs from an older version.
func (u *AdministrativeUnit) Changed(was *AdministrativeUnit) []column.Change {
	return unitTable.changed(nil, was, u)
}

// ParseUnitPatch parses the body of a request that creates or updates an administrative unit.
// Errors are *InvalidError.
func ParseUnitPatch(members []Member) (UnitPatch, error) {
	patch, err := unitTable.patch(members, fromClient)
	patch.fits = func(_, after *AdministrativeUnit) error { return after.consistent() }
	return patch, err
}

// NewUnit creates an administrative unit from a client's request.
func NewUnit(patch UnitPatch, id uuid.UUID) (*AdministrativeUnit, error) {
	if err := patch.require("AdministrativeUnit", "displayName"); err != nil {
		return nil, err
	}
	return patch.Apply(&AdministrativeUnit{ID: id})
}

// consistent returns an *InvalidError for settings without effect here: a unit with a membership
// rule would stay empty, and one whose members only its own administrators may manage would be
// managed by all.
func (u *AdministrativeUnit) consistent() error {
	switch {
	case u.MembershipType == "Dynamic", u.membershipRule != "", u.membershipRuleProcessingState != "":
		return unservedUnit(
			"membershipType", "Administrative units with dynamic membership are not supported by this server yet. "+
				"Leave out 'membershipRule' and 'membershipRuleProcessingState', and add the members to the unit.",
		)
	case isTrue(u.IsMemberManagementRestricted):
		return unservedUnit(
			"isMemberManagementRestricted", "Restricted management administrative units are not supported by this server yet. "+
				"Leave out 'isMemberManagementRestricted'.",
		)
	}
	return nil
}

func unservedUnit(property, want string) error {
	return &InvalidError{Kind: InvalidNotServed, Resource: "AdministrativeUnit", Property: property, Want: want}
}

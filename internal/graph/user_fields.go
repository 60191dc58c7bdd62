package graph

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/graph/licenses"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// user is a user with all data of its properties. The document is nil if columns are sufficient.
type user struct {
	*directory.User
	ordinal uint32
	image   *tenant.Image
	now     time.Time
	row     column.Row

	activity *store.Activity // nil: never, or not selected
}

const userType = "microsoft.graph.user"

// userFields are the properties of a user: those of the document, and those of licensing.
// User.ReadBasic.All shows a few.
var userFields = wire.NewFieldSet(userType, append(
	wire.PropertyFields(
		exceptIDs(directory.UserProperties()), func(u *user) *directory.User { return u.User },
		func(u *user) *column.Row { return &u.row },
	),
	wire.Field[user]{Name: "assignedLicenses", Write: appendAssignedLicenses},
	wire.Field[user]{Name: "assignedPlans", Write: appendAssignedPlans},
	wire.Default("id", jsontext.AppendID, func(u *user) uuid.UUID { return u.image.Directory.UserID(u.ordinal) }),
	wire.Field[user]{Name: "licenseAssignmentStates", Write: appendStates},
	wire.Field[user]{Name: "provisionedPlans", Write: appendProvisionedPlans},
	wire.Field[user]{Name: propertyActivity, Write: appendActivity},
	wire.Field[user]{Name: "securityIdentifier", Write: func(b []byte, u *user) []byte {
		return directory.AppendSID(b, u.image.Directory.UserID(u.ordinal))
	}},
), "displayName", "givenName", "id", "mail", "surname", "userPrincipalName").In("users").BetaShows(func(name string) bool {
	return name != "licenseAssignmentStates" && name != propertyActivity
})

// exceptIDs omits the id, which the image has, properties derived from it, and those that the
// directory does not have.
func exceptIDs[T any](all []*directory.Property[T]) []*directory.Property[T] {
	return slices.DeleteFunc(slices.Clone(all), func(p *directory.Property[T]) bool {
		return p.Name == "id" || p.Name == "securityIdentifier" || p.Name == propertyActivity
	})
}

// appendAssignedLicenses writes what the user holds, each SKU once (docs/spec/licensing.md L10).
func appendAssignedLicenses(b []byte, u *user) []byte {
	b = append(b, '[')
	first := true
	for held := range u.image.Licensing.Held(u.ordinal) {
		b = wire.AppendComma(b, &first)
		b = licenses.AppendLicense(b, licensing.Assign{SKUID: held.SKUID, DisabledPlans: held.DisabledPlans})
	}
	return append(b, ']')
}

// appendStates writes an entry for each SKU and source (L11).
func appendStates(b []byte, u *user) []byte {
	b = append(b, '[')
	first := true
	for s := range u.image.Licensing.States(u.ordinal) {
		b = wire.AppendComma(b, &first)
		b = jsontext.AppendID(append(b, `{"skuId":`...), s.SKUID)
		b = jsontext.AppendList(append(b, `,"disabledPlans":`...), s.DisabledPlans, jsontext.AppendID)
		b = append(b, `,"assignedByGroup":`...)
		if s.Direct {
			b = append(b, "null"...)
		} else {
			b = jsontext.AppendID(b, u.image.Directory.GroupID(s.Group))
		}
		b = jsontext.AppendText(append(b, `,"state":`...), s.State)
		b = jsontext.AppendText(append(b, `,"error":`...), s.Error.String())
		b = jsontext.AppendTime(append(b, `,"lastUpdatedDateTime":`...), s.Updated)
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendAssignedPlans writes each service plan that the user has, or has recently lost, once (L12).
func appendAssignedPlans(b []byte, u *user) []byte {
	b = append(b, '[')
	first := true
	for p := range u.image.Licensing.Plans(u.ordinal, u.now) {
		b = wire.AppendComma(b, &first)
		b = jsontext.AppendTime(append(b, `{"assignedDateTime":`...), p.At)
		b = jsontext.AppendText(append(b, `,"capabilityStatus":`...), p.Capability)
		b = jsontext.AppendText(append(b, `,"service":`...), p.Plan.Service)
		b = jsontext.AppendID(append(b, `,"servicePlanId":`...), p.Plan.ID)
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendProvisionedPlans writes the services of the plans the user has (L13).
func appendProvisionedPlans(b []byte, u *user) []byte {
	b = append(b, '[')
	first := true
	for p := range u.image.Licensing.Plans(u.ordinal, u.now) {
		if p.Capability == licensing.Deleted {
			continue
		}
		b = wire.AppendComma(b, &first)
		b = jsontext.AppendText(append(b, `{"capabilityStatus":`...), p.Capability)
		b = jsontext.AppendText(append(b, `,"provisioningStatus":`...), p.Plan.Provisioning(false))
		b = jsontext.AppendText(append(b, `,"service":`...), p.Plan.Service)
		b = append(b, '}')
	}
	return append(b, ']')
}

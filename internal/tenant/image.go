package tenant

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/guid"
	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/trail"
)

// Image is a tenant at one commit. It is immutable.
type Image struct {
	Seq           uint64
	Chain         store.Chain // of the log at this commit
	At            time.Time
	Licensing     *licensing.Image
	Directory     *directory.Index
	Organization  *directory.Organization
	Subscriptions []Subscription // oldest first
	Applications  *directory.Objects[directory.Application]
	Principals    *directory.Objects[directory.ServicePrincipal] // Microsoft Graph's first
	Units         *directory.Objects[directory.AdministrativeUnit]
	UnitMembers   *directory.UnitMembers
	Grants        *directory.Grants
	Links         *directory.Links
	// The ids of the templates of the directory roles that an object has, by its id.
	Roles       map[uuid.UUID][]uuid.UUID
	SignIn      directory.SignIn
	Imports     []Imported // of the last week, the latest at the end
	Memberships int        // how many users are members of groups, including deleted groups
	Nested      int        // how many groups are members of groups
	Rules       Rules      // of dynamic groups

	Trail trail.Index // which commits concern which users and groups

	auditDays  int     // see AuditDays; 0: the default
	signInDays int     // see SignInDays; 0: the default
	prices     []Price // by SKU and date

	former []directory.Client // applications of format 1, until migrate
}

// Subscription is a purchase of a SKU: Graph's companySubscription (docs/spec/licensing.md L1).
type Subscription struct {
	ID                     uuid.UUID  `json:"id" cbor:"1,keyasint"`
	CommerceSubscriptionID uuid.UUID  `json:"commerceSubscriptionId" cbor:"2,keyasint"`
	SKUID                  uuid.UUID  `json:"skuId" cbor:"3,keyasint"`
	TotalLicenses          int        `json:"totalLicenses" cbor:"4,keyasint"`
	Status                 string     `json:"status" cbor:"5,keyasint"`
	IsTrial                bool       `json:"isTrial" cbor:"6,keyasint,omitempty"`
	CreatedDateTime        time.Time  `json:"createdDateTime" cbor:"7,keyasint"`
	NextLifecycleDateTime  *time.Time `json:"nextLifecycleDateTime" cbor:"8,keyasint,omitempty"`
}

// Subscription returns a subscription by its id or its commerceSubscriptionId.
func (img *Image) Subscription(id uuid.UUID) (Subscription, bool) {
	at := slices.IndexFunc(img.Subscriptions, func(s Subscription) bool {
		return s.ID == id || s.CommerceSubscriptionID == id
	})
	if at < 0 {
		return Subscription{}, false
	}
	return img.Subscriptions[at], true
}

// LiveUser returns the ordinal of a user who is not deleted, by id or userPrincipalName. Otherwise
// it returns a *CommandError of kind ProblemNotFound.
func (img *Image) LiveUser(key string) (uint32, error) {
	if id, err := parseID(key); err == nil {
		if user, ok := img.Directory.LiveUserByID(id); ok {
			return user, nil
		}
		return 0, notFound(key)
	}
	if user, ok := img.Directory.UserByName(key); ok {
		return user, nil
	}
	return 0, notFound(key)
}

// LiveGroup returns the ordinal of a group that is not deleted. Otherwise it returns a
// *CommandError of kind ProblemNotFound.
func (img *Image) LiveGroup(key string) (uint32, error) {
	id, err := parseID(key)
	if err != nil {
		return 0, notFound(key)
	}
	if group, ok := img.Directory.LiveGroupByID(id); ok {
		return group, nil
	}
	return 0, notFound(key)
}

// LiveUnit returns the ordinal of an administrative unit that is not deleted. Otherwise it returns
// a *CommandError of kind ProblemNotFound.
func (img *Image) LiveUnit(key string) (uint32, error) {
	id, err := parseID(key)
	if err != nil {
		return 0, notFound(key)
	}
	if unit, ok := img.Units.ByID(id); ok {
		return unit, nil
	}
	return 0, notFound(key)
}

// UnitsOf returns the administrative units that a user or group is a member of, including deleted
// ones, ascending.
func (img *Image) UnitsOf(id uuid.UUID) []uint32 {
	if user, ok := img.Directory.UserByID(id); ok {
		return img.UnitMembers.Of(user, false)
	}
	if group, ok := img.Directory.GroupByID(id); ok {
		return img.UnitMembers.Of(group, true)
	}
	return nil
}

// parseID reads a GUID.
func parseID(text string) (uuid.UUID, error) {
	id, ok := guid.Parse(text)
	if !ok {
		return uuid.Nil, invalid(text, "%q is not a GUID.", text)
	}
	return id, nil
}

// NewImage returns the image before the first commit.
func NewImage() *Image {
	return &Image{
		Licensing: licensing.New(&licensing.Catalog{}), Directory: directory.NewIndex(),
		Applications: directory.NewApplications(), Principals: directory.NewPrincipals(), Units: directory.NewUnits(),
		UnitMembers: new(directory.UnitMembers), Grants: new(directory.Grants), Links: new(directory.Links),
		Rules: Rules{index: noRules},
	}
}

// ObjectKey identifies an object by its kind and ordinal.
type ObjectKey struct {
	Kind    store.Kind
	Ordinal uint32
}

// Has reports whether the image has a user or group.
func (img *Image) Has(key ObjectKey) bool {
	if key.Kind == store.KindUser {
		return !img.Directory.UserPurged(key.Ordinal)
	}
	return !img.Directory.GroupPurged(key.Ordinal)
}

// Revision returns the revision of a user or group.
func (img *Image) Revision(key ObjectKey) uint32 {
	if key.Kind == store.KindUser {
		return img.Directory.UserRevision(key.Ordinal)
	}
	return img.Directory.GroupRevision(key.Ordinal)
}

// Columns returns the columns of the objects of a type.
func (img *Image) Columns(of directory.Type) *column.Table {
	switch of {
	case directory.TypeUser:
		return img.Directory.UserColumns()
	case directory.TypeApplication:
		return img.Applications.Columns()
	case directory.TypeServicePrincipal:
		return img.Principals.Columns()
	case directory.TypeAdministrativeUnit:
		return img.Units.Columns()
	}
	return img.Directory.GroupColumns()
}

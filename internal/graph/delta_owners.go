package graph

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/graph/wire"
)

// ownersLink shows the owners of applications and service principals.
var ownersLink = deltaLink{
	name:    "owners",
	touched: func(d *round) *roaring.Bitmap { return d.objects.Owned() },
	append:  (*round).appendOwners,
}

// appendOwners writes the owners of an application or service principal, and former ones as
// removed.
func (d *round) appendOwners(b []byte, e deltaElement) []byte {
	owners := slices.Clone(d.objects.Owners(e.ordinal))
	if d.isNew(e) {
		owners = slices.AppendSeq(owners, d.Image.Links.From(directory.RelationOwnedBy, e.id))
	}
	slices.SortFunc(owners, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	for _, owner := range slices.Compact(owners) {
		_, live := d.Image.Kind(owner)
		is := live && d.Image.Links.Has(directory.Link{Relation: directory.RelationOwnedBy, From: e.id, To: owner})
		b = d.appendLinked(b, d.ownerType(owner), owner, is)
	}
	return b
}

// ownerType returns the type of an owner, which may be deleted.
func (d *round) ownerType(owner uuid.UUID) string {
	_, is := d.Image.Principals.EverByID(owner)
	_, was := d.changes.Principals.PurgedByID(owner)
	if is || was {
		return principalFields.TypeName
	}
	return userType
}

// groupOwnersLink shows the owners of groups, which are users and service principals.
var groupOwnersLink = deltaLink{
	name: "owners",
	may:  func(r *wire.Request) error { return r.MayExpand(groupFields.TypeName, "owners") },
	touched: func(d *round) *roaring.Bitmap {
		return roaring.Or(d.changes.Owners.Touched(), d.changes.OwnersPrincipals.Touched())
	},
	append: (*round).appendGroupOwners,
}

func (d *round) appendGroupOwners(b []byte, e deltaElement) []byte {
	users, principals := roaring.New(), roaring.New()
	add(users, d.changes.Owners[e.ordinal])
	add(principals, d.changes.OwnersPrincipals[e.ordinal])
	owners := d.Image.Directory.Owners(e.ordinal)
	if d.isNew(e) {
		users.AddMany(owners)
		add(principals, linked(d.Request, d.Image.Links.From(directory.RelationOwnedBy, e.id)).principals)
	}
	b = d.appendAll(b, userKind, users, func(user uint32, _ uuid.UUID) bool { return slices.Contains(owners, user) })
	return d.appendAll(b, principalKind, principals, func(_ uint32, id uuid.UUID) bool {
		return d.Image.Links.Has(directory.Link{Relation: directory.RelationOwnedBy, From: e.id, To: id})
	})
}

// madeOfDocuments maps properties of applications and service principals to the members of
// documents that they are derived from.
var madeOfDocuments = map[string][]string{
	"accountEnabled":            {"disabled"},
	"appDescription":            {engine.OfApplication + "description"},
	"appDisplayName":            {engine.OfApplication + "displayName"},
	"appRoles":                  {engine.OfApplication + "appRoles"},
	"info":                      {engine.OfApplication + "info"},
	"isFallbackPublicClient":    {"publicClient"},
	"keyCredentials":            {"certificates"},
	"oauth2PermissionScopes":    {engine.OfApplication + "api"},
	"passwordCredentials":       {"secrets"},
	"publicClient":              {"redirects"},
	"publishedPermissionScopes": {engine.OfApplication + "api"},
	"replyUrls":                 {engine.OfApplication + "redirects"},
	"servicePrincipalNames":     {engine.OfApplication + "identifierUris"},
	"signInAudience":            {engine.OfApplication + "signInAudience"},
	"spa":                       {"redirects"},
	"web":                       {"redirects"},
}

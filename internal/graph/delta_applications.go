package graph

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/wire"
	"licensor/internal/tenant"
)

// deltaOf answers GET /applications/delta and GET /servicePrincipals/delta: all of them at first,
// later those that came, went or changed in what is shown; with owners@delta when $select has the
// owners.
func deltaOf[D, T any](l wire.Listing[D, T]) func(*wire.Request) error {
	return func(r *wire.Request) error { return sendDelta(r, l) }
}

func sendDelta[D, T any](r *wire.Request, l wire.Listing[D, T]) error {
	d, err := deltaRound(r, l.Stored, l.Set, l.Fields.Spell)
	if err != nil {
		return err
	}
	names := except(d.token.selected, "owners")
	owners := len(names) < len(d.token.selected)
	fields, err := deltaFields(d, l.Fields, names)
	if err != nil {
		return err
	}
	if err := d.read(); err != nil {
		return err
	}
	page, more := d.elements(d.among(func() *roaring.Bitmap {
		touched := d.objects.Touched(loggedNames(l, fields))
		if owners {
			touched.Or(d.objects.Owned())
		}
		return touched
	}))
	rows := l.At(r, there(page), true)
	b := d.head()
	for _, e := range page {
		if b = wire.AppendNext(b); e.removed != "" {
			b = d.appendRemoved(b, l.Fields.TypeName, e)
			continue
		}
		row, _, err := rows() // all that are there are in the image
		if err != nil {
			return err
		}
		b = wire.AppendFields(append(b, '{'), fields, &row)
		if owners {
			b = d.appendOwnersOf(b, e)
		}
		if b, err = r.More(append(b, '}')); err != nil {
			return err
		}
	}
	if !more {
		return d.finish(b, nil)
	}
	return d.finish(b, d.continued(int64(page[len(page)-1].ordinal)))
}

// madeOfDocuments are the members of documents of applications and service principals that
// properties with other names are made of.
var madeOfDocuments = map[string][]string{
	"accountEnabled":            {"disabled"},
	"appDescription":            {tenant.OfApplication + "description"},
	"appDisplayName":            {tenant.OfApplication + "displayName"},
	"appRoles":                  {tenant.OfApplication + "appRoles"},
	"info":                      {tenant.OfApplication + "info"},
	"isFallbackPublicClient":    {"publicClient"},
	"keyCredentials":            {"certificates"},
	"oauth2PermissionScopes":    {tenant.OfApplication + "api"},
	"passwordCredentials":       {"secrets"},
	"publicClient":              {"redirects"},
	"publishedPermissionScopes": {tenant.OfApplication + "api"},
	"replyUrls":                 {tenant.OfApplication + "redirects"},
	"servicePrincipalNames":     {tenant.OfApplication + "identifierUris"},
	"signInAudience":            {tenant.OfApplication + "signInAudience"},
	"spa":                       {"redirects"},
	"web":                       {"redirects"},
}

// loggedNames are the names by which the log has the changes of fields.
func loggedNames[D any, T any](l wire.Listing[D, T], fields []*wire.Field[T]) []string {
	names := namesOf(fields)
	for _, f := range fields {
		names = append(names, madeOfDocuments[f.Name]...)
	}
	return names
}

// appendOwnersOf writes who owns an application or service principal, and who does not any more.
func (d *round) appendOwnersOf(b []byte, e deltaElement) []byte {
	owners := slices.Clone(d.objects.Owners(e.ordinal))
	if d.whole || d.objects.Created(e.ordinal) {
		owners = slices.AppendSeq(owners, d.Image.Links.From(directory.OwnedBy, e.id))
	}
	slices.SortFunc(owners, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return d.appendLinks(b, "owners@delta", func(b []byte) []byte {
		for _, owner := range slices.Compact(owners) {
			_, live := d.Image.Kind(owner)
			is := live && d.Image.Links.Has(directory.Link{Relation: directory.OwnedBy, From: e.id, To: owner})
			b = d.appendLinked(b, d.ownerType(owner), owner, is)
		}
		return b
	})
}

// ownerType is the type of an owner, which may be deleted.
func (d *round) ownerType(owner uuid.UUID) string {
	_, is := d.Image.Principals.EverByID(owner)
	_, was := d.changes.Principals.PurgedByID(owner)
	if is || was {
		return principalFields.TypeName
	}
	return userType
}

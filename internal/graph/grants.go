package graph

import (
	"bytes"
	"encoding/base64"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
)

// permissionGrant lets an application act on behalf of a user, or of all users, at Microsoft Graph,
// which is the only resource.
type permissionGrant struct {
	directory.Grant
	resource uuid.UUID
}

// grantFields are the properties of oAuth2PermissionGrant.
var grantFields = wire.NewFieldSet("microsoft.graph.oAuth2PermissionGrant", []wire.Field[permissionGrant]{
	wire.Default("clientId", jsontext.AppendID, func(g *permissionGrant) uuid.UUID { return g.Client }),
	wire.Default("consentType", jsontext.AppendText, (*permissionGrant).consentType),
	wire.Default("id", jsontext.AppendText, (*permissionGrant).id),
	{Name: "principalId", Write: appendGrantUser, When: directory.ReturnedByDefault},
	wire.Default("resourceId", jsontext.AppendID, func(g *permissionGrant) uuid.UUID { return g.resource }),
	wire.Default("scope", jsontext.AppendText, func(g *permissionGrant) string { return strings.Join(g.Scopes, " ") }),
}).In("oauth2PermissionGrants")

// The consent types of a grant.
const (
	forAll = "AllPrincipals"
	forOne = "Principal"
)

func (g permissionGrant) consentType() string {
	if g.User == uuid.Nil {
		return forAll
	}
	return forOne
}

// id is derived from the contents of the grant.
func (g permissionGrant) id() string {
	b := append(slices.Clone(g.Client[:]), g.resource[:]...)
	if g.User != uuid.Nil {
		b = append(b, g.User[:]...)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func appendGrantUser(b []byte, g *permissionGrant) []byte {
	if g.User == uuid.Nil {
		return append(b, "null"...)
	}
	return jsontext.AppendID(b, g.User)
}

// shownGrants returns the visible grants: those of deleted service principals are hidden until
// these are restored.
func shownGrants(r *wire.Request, grants iter.Seq[directory.Grant]) iter.Seq[permissionGrant] {
	resource := identity.GraphPrincipalID(r.Image.Organization.ID)
	return func(yield func(permissionGrant) bool) {
		for g := range grants {
			if _, ok := r.Image.Principals.ByID(g.Client); ok && !yield(permissionGrant{g, resource}) {
				return
			}
		}
	}
}

// grantTexts are the properties that grants can be filtered by.
var grantTexts = wire.Texts[permissionGrant]{
	"clientId":    func(g *permissionGrant) string { return g.Client.String() },
	"consentType": func(g *permissionGrant) string { return g.consentType() },
	"principalId": func(g *permissionGrant) string { return g.User.String() },
	"resourceId":  func(g *permissionGrant) string { return g.resource.String() },
}

// listGrants answers GET /oauth2PermissionGrants.
func listGrants(r *wire.Request) error {
	return sendGrants(r, shownGrants(r, r.Image.Grants.All()))
}

// listGrantsOfPrincipal answers GET /servicePrincipals/{servicePrincipal}/oauth2PermissionGrants.
func listGrantsOfPrincipal(r *wire.Request) error {
	a, err := r.Principal()
	if err != nil {
		return err
	}
	return sendGrants(r, shownGrants(r, r.Image.Grants.OfClient(a.Principal.ID)))
}

// listGrantsOfUser answers GET /users/{user}/oauth2PermissionGrants: the grants for this user only.
func listGrantsOfUser(r *wire.Request) error {
	user, err := r.User()
	if err != nil {
		return err
	}
	return sendGrants(r, shownGrants(r, r.Image.Grants.OfUser(r.Image.Directory.UserID(user))))
}

// grantsOfUser and grantsOfPrincipal are the relations of the same lists.
func grantsOfUser(r *wire.Request, u *user) iter.Seq[permissionGrant] {
	return shownGrants(r, u.image.Grants.OfUser(u.image.Directory.UserID(u.ordinal)))
}

func grantsOfPrincipal(r *wire.Request, a *application) iter.Seq[permissionGrant] {
	return shownGrants(r, a.image.Grants.OfClient(a.Principal.ID))
}

// sendGrants answers with a page of grants, in the order of their keys.
func sendGrants(r *wire.Request, grants iter.Seq[permissionGrant]) error {
	if err := r.Allow("$select", "$filter", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	fields, err := grantFields.Selected(r)
	if err != nil {
		return err
	}
	rows := wire.Rows[permissionGrant]{
		Key:    permissionGrant.key,
		Behind: func(last wire.Key) iter.Seq[permissionGrant] { return behindGrant(grants, last) },
	}
	if rows, err = rows.Passing(r, grantTexts); err != nil {
		return err
	}
	return wire.SendByKey(r, "oauth2PermissionGrants", rows, wire.ObjectWriter(fields))
}

// behindGrant returns the grants after one of them.
func behindGrant(grants iter.Seq[permissionGrant], last wire.Key) iter.Seq[permissionGrant] {
	return func(yield func(permissionGrant) bool) {
		for g := range grants {
			if key := g.key(); bytes.Compare(key[:], last[:]) > 0 && !yield(g) {
				return
			}
		}
	}
}

// key returns the data of the id, which has a fixed length.
func (g permissionGrant) key() wire.Key { return wire.KeyOf(g.Client, g.User) }

// grant returns the grant that the path names.
func grant(r *wire.Request) (permissionGrant, error) {
	for g := range shownGrants(r, r.Image.Grants.All()) {
		if g.id() == r.Keys[0] {
			return g, nil
		}
	}
	return permissionGrant{}, problem.NotFound(r.Keys[0])
}

// getGrant answers GET /oauth2PermissionGrants/{grant}.
func getGrant(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	g, err := grant(r)
	if err != nil {
		return err
	}
	return sendGrant(r, http.StatusOK, g)
}

func sendGrant(r *wire.Request, status int, g permissionGrant) error {
	fields, err := grantFields.Selected(r)
	if err != nil {
		return err
	}
	return wire.SendEntity(r, grantFields, status, "oauth2PermissionGrants", fields, &g)
}

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
	"licensor/internal/identity"
	"licensor/internal/jsontext"
)

// permissionGrant lets an application act in the name of a user, or of all, at Microsoft Graph: the
// one resource that there is.
type permissionGrant struct {
	directory.Grant
	resource uuid.UUID
}

// grantFields are the properties of oAuth2PermissionGrant.
var grantFields = newFieldSet("microsoft.graph.oAuth2PermissionGrant", []field[permissionGrant]{
	{name: "clientId", write: func(b []byte, g *permissionGrant) []byte { return jsontext.AppendID(b, g.Client) }, when: directory.ByDefault},
	{name: "consentType", write: func(b []byte, g *permissionGrant) []byte { return jsontext.AppendText(b, g.consentType()) }, when: directory.ByDefault},
	{name: "id", write: func(b []byte, g *permissionGrant) []byte { return jsontext.AppendText(b, g.id()) }, when: directory.ByDefault},
	{name: "principalId", write: appendGrantUser, when: directory.ByDefault},
	{name: "resourceId", write: func(b []byte, g *permissionGrant) []byte { return jsontext.AppendID(b, g.resource) }, when: directory.ByDefault},
	{name: "scope", write: func(b []byte, g *permissionGrant) []byte { return jsontext.AppendText(b, strings.Join(g.Scopes, " ")) }, when: directory.ByDefault},
}).in("oauth2PermissionGrants")

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

// id is derived from what the grant is about.
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

// shownGrants are grants as they are shown: those of deleted service principals are not, until
// these are restored.
func shownGrants(r *request, grants iter.Seq[directory.Grant]) iter.Seq[permissionGrant] {
	resource := identity.GraphPrincipalID(r.image.Organization.ID)
	return func(yield func(permissionGrant) bool) {
		for g := range grants {
			if _, ok := r.image.Principals.ByID(g.Client); ok && !yield(permissionGrant{g, resource}) {
				return
			}
		}
	}
}

// grantTexts are the properties that grants can be found by.
var grantTexts = textsOf[permissionGrant]{
	"clientId":    func(g *permissionGrant) string { return g.Client.String() },
	"consentType": func(g *permissionGrant) string { return g.consentType() },
	"principalId": func(g *permissionGrant) string { return g.User.String() },
	"resourceId":  func(g *permissionGrant) string { return g.resource.String() },
}

// listGrants answers GET /oauth2PermissionGrants.
func listGrants(r *request) error {
	return sendGrants(r, shownGrants(r, r.image.Grants.All()))
}

// listGrantsOfPrincipal answers GET /servicePrincipals/{servicePrincipal}/oauth2PermissionGrants.
func listGrantsOfPrincipal(r *request) error {
	a, err := r.principal()
	if err != nil {
		return err
	}
	return sendGrants(r, shownGrants(r, r.image.Grants.OfClient(a.Principal.ID)))
}

// listGrantsOfUser answers GET /users/{user}/oauth2PermissionGrants: what was granted for this user
// alone.
func listGrantsOfUser(r *request) error {
	user, err := r.user()
	if err != nil {
		return err
	}
	return sendGrants(r, shownGrants(r, r.image.Grants.OfUser(r.image.Directory.UserID(user))))
}

// grantsOfUser and grantsOfPrincipal are what the lists of the same show.
func grantsOfUser(r *request, u *user) iter.Seq[permissionGrant] {
	return shownGrants(r, u.image.Grants.OfUser(u.image.Directory.UserID(u.ordinal)))
}

func grantsOfPrincipal(r *request, a *application) iter.Seq[permissionGrant] {
	return shownGrants(r, a.image.Grants.OfClient(a.Principal.ID))
}

// sendGrants answers with a page of grants, which come in the order of their keys.
func sendGrants(r *request, grants iter.Seq[permissionGrant]) error {
	if err := r.allow("$select", "$filter", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	fields, err := grantFields.selected(r)
	if err != nil {
		return err
	}
	rows := keyed[permissionGrant]{key: permissionGrant.key, behind: func(last rowKey) iter.Seq[permissionGrant] { return behindGrant(grants, last) }}
	if rows, err = rows.passing(r, grantTexts); err != nil {
		return err
	}
	return sendByKey(r, "oauth2PermissionGrants", rows, objects(fields))
}

// behindGrant are those of some grants that come behind one.
func behindGrant(grants iter.Seq[permissionGrant], last rowKey) iter.Seq[permissionGrant] {
	return func(yield func(permissionGrant) bool) {
		for g := range grants {
			if key := g.key(); bytes.Compare(key[:], last[:]) > 0 && !yield(g) {
				return
			}
		}
	}
}

// key is what the id is made of, always as long.
func (g permissionGrant) key() rowKey { return keyOf(g.Client, g.User) }

// grant is the one that the path names.
func grant(r *request) (permissionGrant, error) {
	for g := range shownGrants(r, r.image.Grants.All()) {
		if g.id() == r.keys[0] {
			return g, nil
		}
	}
	return permissionGrant{}, problem.NotFound(r.keys[0])
}

// getGrant answers GET /oauth2PermissionGrants/{grant}.
func getGrant(r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	g, err := grant(r)
	if err != nil {
		return err
	}
	return sendGrant(r, http.StatusOK, g)
}

func sendGrant(r *request, status int, g permissionGrant) error {
	fields, err := grantFields.selected(r)
	if err != nil {
		return err
	}
	return sendEntity(r, grantFields, status, "oauth2PermissionGrants", fields, &g)
}

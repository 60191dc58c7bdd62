package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

const grantResource = "OAuth2PermissionGrant"

// createGrant answers POST /oauth2PermissionGrants.
func createGrant(r *wire.Request) error {
	g, err := readGrant(r)
	if err != nil {
		return err
	}
	for again := true; again; {
		if _, there := r.Image.Grants.Get(g.Client, g.User); there {
			return problem.Conflict("Permission entry already exists. Change its scope with PATCH "+
				"/oauth2PermissionGrants/%s.", g.id())
		}
		missing := func(img *tenant.Image) bool {
			_, there := img.Grants.Get(g.Client, g.User)
			return !there
		}
		again, err = r.DoWhile(missing, tenant.SetGrant{Grant: g.Grant})
		if err != nil {
			return r.BadReferences(err, []wire.Reference{{Property: "clientId", ID: g.Client}, {Property: "principalId", ID: g.User}})
		}
	}
	r.W.Header().Set("Location", r.Root+"/oauth2PermissionGrants/"+g.id())
	return sendGrant(r, http.StatusCreated, g)
}

func readGrant(r *wire.Request) (g permissionGrant, err error) {
	members, err := r.Members()
	if err != nil {
		return g, err
	}
	var consent, scope string
	var user json.RawMessage
	// Null is the value of a grant for all users.
	members = slices.DeleteFunc(withoutTimes(members), func(m directory.Member) bool {
		return strings.EqualFold(m.Name, "principalId") && string(m.Value) == "null"
	})
	if err := wire.Read(grantResource, members, map[string]any{
		"clientId": &g.Client, "consentType": &consent, "principalId": &user, "resourceId": &g.resource, "scope": &scope,
	}, "clientId", "consentType", "resourceId", "scope"); err != nil {
		return g, err
	}
	if g.Scopes, err = readScopes(scope); err != nil {
		return g, err
	}
	consent, _ = fold.Among([]string{forAll, forOne}, consent)
	switch {
	case len(g.Scopes) == 0:
		return g, wire.Place{Resource: grantResource, Path: "scope"}.Invalid(nil, "at least one delegated permission")
	case g.resource != identity.GraphPrincipalID(r.Image.Organization.ID):
		return g, wire.Place{Resource: grantResource, Path: "resourceId"}.Invalid(json.RawMessage(g.resource.String()),
			"the id of the service principal of Microsoft Graph in this tenant")
	case consent != forAll && consent != forOne:
		at := wire.Place{Resource: grantResource, Path: "consentType"}
		return g, at.Invalid(json.RawMessage(consent), problem.Quoted([]string{forAll, forOne}))
	case consent == forAll && user != nil:
		return g, wire.Place{Resource: grantResource, Path: "principalId"}.Invalid(user, "null, since the grant is for all users")
	case consent == forOne && user == nil:
		return g, &directory.InvalidError{Kind: directory.InvalidMissing, Resource: grantResource, Property: "principalId"}
	case consent == forOne:
		g.User, err = wire.ReadID("principalId", user)
	}
	return g, err
}

// withoutTimes removes the id, and the times, which the beta version requires and which have no
// effect.
func withoutTimes(members []directory.Member) []directory.Member {
	return slices.DeleteFunc(wire.WithoutID(members), func(m directory.Member) bool { return m.Is("startTime") || m.Is("expiryTime") })
}

// readScopes parses delegated permissions that are separated by spaces; each must exist.
func readScopes(text string) ([]string, error) {
	var scopes []string
	for value := range strings.FieldsSeq(text) {
		if _, ok := identity.DelegatedPermission(value); !ok {
			return nil, wire.Place{Resource: grantResource, Path: "scope"}.Invalid(json.RawMessage(value),
				"delegated permissions of Microsoft Graph, as its service principal lists them in "+
					"oauth2PermissionScopes")
		}
		if !slices.Contains(scopes, value) {
			scopes = append(scopes, value)
		}
	}
	return scopes, nil
}

// updateGrant answers PATCH /oauth2PermissionGrants/{grant} {"scope":…}. An empty scope removes the
// grant.
func updateGrant(r *wire.Request) error {
	if _, err := grant(r); err != nil { // before its body is received
		return err
	}
	members, err := r.Members()
	if err != nil {
		return err
	}
	// The grant must exist when the change is made: a change does not restore a removed grant.
	for again := true; again; {
		g, err := grant(r)
		if err != nil {
			return err
		}
		var scope string
		if err := wire.Read(grantResource, withoutTimes(members), map[string]any{"scope": &scope}, "scope"); err != nil {
			return err
		}
		if g.Scopes, err = readScopes(scope); err != nil {
			return err
		}
		holds := func(img *tenant.Image) bool { _, there := img.Grants.Get(g.Client, g.User); return there }
		if again, err = r.DoWhile(holds, tenant.SetGrant{Grant: g.Grant}); err != nil {
			return err
		}
	}
	return r.SendNothing()
}

// deleteGrant answers DELETE /oauth2PermissionGrants/{grant}.
func deleteGrant(r *wire.Request) error {
	g, err := grant(r)
	if err != nil {
		return err
	}
	g.Scopes = nil
	return r.Change(tenant.SetGrant{Grant: g.Grant})
}

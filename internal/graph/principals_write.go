package graph

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// createPrincipal answers POST /servicePrincipals {"appId":…}: an application of the tenant gets
// its service principal, and can sign in.
func createPrincipal(r *wire.Request) error {
	members, err := r.Members()
	if err != nil {
		return err
	}
	members, owners, err := r.TakeBinding(members, "owners")
	if err != nil {
		return err
	}
	appID, members, err := takeAppID(members)
	if err != nil {
		return err
	}
	id := r.NewID()
	a, err := rewrite(r,
		func(r *wire.Request) (directory.Client, error) { return registered(r, appID) },
		func(a *directory.Client) error {
			a.Principal.ID, a.Principal.AppID, a.Principal.DisplayName = id, a.AppID, a.DisplayName
			return editorFor(r, principalResource).edit(a, members, principalEdits, principalFields)
		},
		owners...,
	)
	if err != nil {
		return r.BadReferences(err, wire.ReferencesTo("owners", owners))
	}
	fields, err := principalFields.Selected(r)
	if err != nil {
		return err
	}
	r.W.Header().Set("Location", r.Root+"/servicePrincipals/"+a.Principal.ID.String())
	return wire.SendEntity(r, principalFields, http.StatusCreated, "servicePrincipals", fields, &application{Client: a, image: r.Image})
}

// registered returns the application with an appId, which must not have a service principal yet.
func registered(r *wire.Request, appID uuid.UUID) (directory.Client, error) {
	a, ok := r.Image.Client(appID)
	switch {
	case appID == directory.GraphAppID, ok && a.Principal.ID != uuid.Nil:
		return a, problem.Conflict("The service principal cannot be created, updated, or restored because the "+
			"service principal name %s is already in use.", appID)
	case !ok:
		if known, ok := identity.FirstPartyByID(appID); ok {
			a.AppID, a.DisplayName = known.AppID, known.DisplayName
			return a, nil
		}
		return a,
			problem.Refuse("The appId '%s' of the service principal does not reference a valid application object.",
				appID)
	}
	owned := identity.RelationOther
	if r.Image.Owns(r.Caller.ObjectID, a.ID) {
		owned = identity.RelationOwned
	}
	_, err := r.Check(identity.WriteApplications, owned)
	return a, err
}

func takeAppID(members []directory.Member) (appID uuid.UUID, rest []directory.Member, err error) {
	at := slices.IndexFunc(members, func(m directory.Member) bool { return m.Is("appId") })
	if at < 0 {
		return uuid.Nil, nil, &directory.InvalidError{
			Kind: directory.InvalidMissing, Resource: principalResource, Property: "appId",
		}
	}
	text := strings.Trim(string(members[at].Value), `"`)
	appID, ok := guid.Parse(text)
	if !ok {
		return uuid.Nil, nil, wire.Place{
			Resource: principalResource, Path: "appId",
		}.Invalid(members[at].Value, "the appId of an application of this tenant")
	}
	return appID, slices.Delete(slices.Clone(members), at, at+1), nil
}

// updatePrincipal answers PATCH /servicePrincipals/{servicePrincipal}. No one can sign in to a
// disabled one, and its tokens are invalid.
func updatePrincipal(r *wire.Request) error {
	if _, err := r.Principal(); err != nil { // before its body is received
		return err
	}
	members, err := r.Members()
	if err != nil {
		return err
	}
	_, err = rewrite(r, (*wire.Request).Principal, func(a *directory.Client) error {
		before := documents(*a)
		err := editorFor(r, principalResource).edit(a, members, principalEdits, principalFields)
		if err == nil && a.AppID == directory.GraphAppID && !bytes.Equal(before, documents(*a)) {
			return unchangeable()
		}
		return err
	})
	if err != nil {
		return err
	}
	return r.SendNothing()
}

// deletePrincipal answers DELETE /servicePrincipals/{servicePrincipal}. The application is kept
// (P52).
func deletePrincipal(r *wire.Request) error {
	a, err := ownPrincipal(r)
	if err != nil {
		return err
	}
	return r.Change(tenant.DeletePrincipal{ID: a.Principal.ID})
}

package graph

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// createPrincipal answers POST /servicePrincipals {"appId":…}: an application of the tenant gets
// its service principal, and can log in.
func createPrincipal(r *request) error {
	members, err := r.members()
	if err != nil {
		return err
	}
	members, owners, err := r.takeBinding(members, "owners")
	if err != nil {
		return err
	}
	appID, members, err := takeAppID(members)
	if err != nil {
		return err
	}
	id := r.newID()
	a, err := rewrite(r,
		func(r *request) (directory.Client, error) { return registered(r, appID) },
		func(a *directory.Client) error {
			a.Principal.ID, a.Principal.AppID, a.Principal.DisplayName = id, a.AppID, a.DisplayName
			return editorFor(r, principalResource).edit(a, members, principalEdits, principalFields)
		},
		owners...,
	)
	if err != nil {
		return r.badReferences(err, referencesTo("owners", owners))
	}
	fields, err := principalFields.selected(r)
	if err != nil {
		return err
	}
	r.w.Header().Set("Location", r.root+"/servicePrincipals/"+a.Principal.ID.String())
	return sendEntity(r, principalFields, http.StatusCreated, "servicePrincipals", fields, &application{Client: a, image: r.image})
}

// registered is the application with an appId, which has no service principal yet.
func registered(r *request, appID uuid.UUID) (directory.Client, error) {
	a, ok := r.image.Client(appID)
	switch {
	case appID == directory.GraphAppID, ok && a.Principal.ID != uuid.Nil:
		return a, problem.Conflict("The service principal cannot be created, updated, or restored because the service principal name %s is already in use.", appID)
	case !ok:
		if known, ok := identity.FirstPartyByID(appID); ok {
			a.AppID, a.DisplayName = known.AppID, known.DisplayName
			return a, nil
		}
		return a, problem.Refuse("The appId '%s' of the service principal does not reference a valid application object.", appID)
	}
	owned := identity.RelationOther
	if r.image.Owns(r.caller.ObjectID, a.ID) {
		owned = identity.RelationOwned
	}
	_, err := identity.WriteApplications.Check(r.caller, owned)
	return a, err
}

func takeAppID(members []directory.Member) (appID uuid.UUID, rest []directory.Member, err error) {
	at := slices.IndexFunc(members, func(m directory.Member) bool { return m.Is("appId") })
	if at < 0 {
		return uuid.Nil, nil, &directory.Invalid{Kind: directory.Missing, Resource: principalResource, Property: "appId"}
	}
	text := strings.Trim(string(members[at].Value), `"`)
	appID, ok := guid.Parse(text)
	if !ok {
		return uuid.Nil, nil, placeIn{principalResource, "appId"}.invalid(members[at].Value, "the appId of an application of this tenant")
	}
	return appID, slices.Delete(slices.Clone(members), at, at+1), nil
}

// updatePrincipal answers PATCH /servicePrincipals/{servicePrincipal}. A disabled one logs nobody
// in, and its tokens are of no use.
func updatePrincipal(r *request) error {
	members, err := r.members()
	if err != nil {
		return err
	}
	_, err = rewrite(r, (*request).principal, func(a *directory.Client) error {
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
	return r.sendNothing()
}

// deletePrincipal answers DELETE /servicePrincipals/{servicePrincipal}. The application stays
// (P52).
func deletePrincipal(r *request) error {
	a, err := ownPrincipal(r)
	if err != nil {
		return err
	}
	return r.change(tenant.DeletePrincipal{ID: a.Principal.ID})
}

package graph

import (
	"net/http"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/licenses"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/tenant"
)

// precondition refuses a change of an object whose ETag is no longer the caller's (P7). When the
// change is made, the revision of the object is compared again, so that of two callers with the
// same ETag only the first succeeds.
func precondition(r *wire.Request) error {
	known := r.Header.Get("If-Match")
	if known == "" || known == "*" || r.Method == http.MethodGet {
		return nil
	}
	etag, revision, err := current(r)
	switch {
	case err != nil:
		return nil // the operation reports that the object does not exist
	case !wire.Lists(known, etag):
		return wire.ChangedMeanwhile(known)
	}
	if revision != nil {
		r.Holds = func(img *tenant.Image) bool { return revision(img) == revision(r.Image) }
	}
	return nil
}

// current returns the ETag of the object that the path names, and its revision if it has one. The
// ETag is empty for objects without one.
func current(r *wire.Request) (etag string, revision func(*tenant.Image) uint32, err error) {
	switch path := strings.TrimPrefix(r.Op.Path, route.Own); {
	case r.Op.OfUser():
		return currentUser(r)
	case r.Op.OfGroup():
		return currentGroup(r)
	case strings.HasPrefix(path, "/organization/{"):
		return organizationFields.Etag(&organization{r.Image.Organization, r.Image}), nil, nil
	case strings.HasPrefix(path, "/applications/{"), strings.HasPrefix(path, "/applications(appId"):
		return currentApplication(r, applicationFields, (*wire.Request).Application)
	case strings.HasPrefix(path, "/servicePrincipals/{"), strings.HasPrefix(path, "/servicePrincipals(appId"):
		return currentApplication(r, principalFields, (*wire.Request).Principal)
	case strings.HasPrefix(path, edm.UnitsRoot+"/{"):
		return currentUnit(r)
	case strings.HasPrefix(path, "/oauth2PermissionGrants/{"):
		g, err := grant(r)
		if err != nil {
			return "", nil, err
		}
		return grantFields.Etag(&g), nil, nil
	case strings.HasPrefix(path, "/subscriptions/{"):
		s, err := licenses.NamedSubscription(r)
		if err != nil {
			return "", nil, err
		}
		return licenses.SubscriptionFields.Etag(&licenses.Subscription{Subscription: s, Image: r.Image}), nil, nil
	}
	return "", nil, nil
}

func currentApplication(
	r *wire.Request, s *wire.FieldSet[application], find func(*wire.Request) (directory.Client, error),
) (string, func(*tenant.Image) uint32, error) {
	a, err := find(r)
	if err != nil {
		return "", nil, err
	}
	return s.Etag(&application{Client: a, image: r.Image}), revisionOf(a.ID), nil
}

func currentUser(r *wire.Request) (string, func(*tenant.Image) uint32, error) {
	ordinal, err := r.User()
	if err != nil {
		return "", nil, err
	}
	var document *directory.User
	if document, err = r.Tenant.User(r.Context(), r.Image, ordinal); err != nil {
		return "", nil, err
	}
	etag := userFields.Etag(new(userAt(r, document, ordinal, r.Image)))
	return etag, func(img *tenant.Image) uint32 { return img.Directory.UserRevision(ordinal) }, nil
}

func currentGroup(r *wire.Request) (string, func(*tenant.Image) uint32, error) {
	ordinal, err := r.Group()
	if err != nil {
		return "", nil, err
	}
	document, err := r.Tenant.Group(r.Context(), r.Image, ordinal)
	if err != nil {
		return "", nil, err
	}
	revision := func(img *tenant.Image) uint32 { return img.Directory.GroupRevision(ordinal) }
	return groupFields.Etag(new(groupAt(r, document, ordinal, r.Image))), revision, nil
}

package graph

import (
	"net/http"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/route"
	"licensor/internal/tenant"
)

// precondition refuses a change of an object whose ETag is no longer the one that the caller knows
// (P7). It is looked at again when the change is made, by the revision of the object, so that of
// two callers who know the same only the first succeeds.
func precondition(r *request) error {
	known := r.Header.Get("If-Match")
	if known == "" || known == "*" || r.Method == http.MethodGet {
		return nil
	}
	etag, revision, err := current(r)
	switch {
	case err != nil:
		return nil // that the object is not there is for the operation to say
	case !lists(known, etag):
		return changedMeanwhile(known)
	}
	if revision != nil {
		r.holds = func(img *tenant.Image) bool { return revision(img) == revision(r.image) }
	}
	return nil
}

// current is the ETag of the object that the path names, and its revision where it has one. What
// has no ETag has the empty one.
func current(r *request) (etag string, revision func(*tenant.Image) uint32, err error) {
	switch path := strings.TrimPrefix(r.op.path, route.Own); {
	case r.op.ofUser():
		return currentUser(r)
	case r.op.ofGroup():
		return currentGroup(r)
	case strings.HasPrefix(path, "/organization/{"):
		return organizationFields.etag(&organization{r.image.Organization, r.image}), nil, nil
	case strings.HasPrefix(path, "/applications/{"), strings.HasPrefix(path, "/applications(appId"):
		return currentApplication(r, applicationFields, (*request).application)
	case strings.HasPrefix(path, "/servicePrincipals/{"), strings.HasPrefix(path, "/servicePrincipals(appId"):
		return currentApplication(r, principalFields, (*request).principal)
	case strings.HasPrefix(path, edm.UnitsRoot+"/{"):
		return currentUnit(r)
	case strings.HasPrefix(path, "/oauth2PermissionGrants/{"):
		g, err := grant(r)
		if err != nil {
			return "", nil, err
		}
		return grantFields.etag(&g), nil, nil
	case strings.HasPrefix(path, "/subscriptions/{"):
		s, err := namedSubscription(r)
		if err != nil {
			return "", nil, err
		}
		return subscriptionFields.etag(&subscription{s, r.image}), nil, nil
	}
	return "", nil, nil
}

func currentApplication(r *request, s *fieldSet[application], find func(*request) (directory.Client, error)) (string, func(*tenant.Image) uint32, error) {
	a, err := find(r)
	if err != nil {
		return "", nil, err
	}
	return s.etag(&application{Client: a, image: r.image}), revisionOf(a.ID), nil
}

func currentUser(r *request) (string, func(*tenant.Image) uint32, error) {
	ordinal, err := r.user()
	if err != nil {
		return "", nil, err
	}
	var document *directory.User
	if document, err = r.tenant.User(r.Context(), r.image, ordinal); err != nil {
		return "", nil, err
	}
	etag := userFields.etag(new(userAt(r, document, ordinal, r.image)))
	return etag, func(img *tenant.Image) uint32 { return img.Directory.UserRevision(ordinal) }, nil
}

func currentGroup(r *request) (string, func(*tenant.Image) uint32, error) {
	ordinal, err := r.group()
	if err != nil {
		return "", nil, err
	}
	document, err := r.tenant.Group(r.Context(), r.image, ordinal)
	if err != nil {
		return "", nil, err
	}
	return groupFields.etag(new(groupAt(r, document, ordinal, r.image))), func(img *tenant.Image) uint32 { return img.Directory.GroupRevision(ordinal) }, nil
}

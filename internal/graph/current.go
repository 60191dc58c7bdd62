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
func (r *request) precondition() error {
	known := r.Header.Get("If-Match")
	if known == "" || known == "*" || r.Method == http.MethodGet {
		return nil
	}
	etag, revision, err := r.current()
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
func (r *request) current() (etag string, revision func(*tenant.Image) uint32, err error) {
	switch path := strings.TrimPrefix(r.op.path, route.Own); {
	case r.op.ofUser():
		return r.currentUser()
	case r.op.ofGroup():
		return r.currentGroup()
	case strings.HasPrefix(path, "/organization/{"):
		return organizationFields.etag(&organization{r.image.Organization, r.image}), nil, nil
	case strings.HasPrefix(path, "/applications/{"), strings.HasPrefix(path, "/applications(appId"):
		return r.currentApplication(applicationFields, (*request).application)
	case strings.HasPrefix(path, "/servicePrincipals/{"), strings.HasPrefix(path, "/servicePrincipals(appId"):
		return r.currentApplication(principalFields, (*request).principal)
	case strings.HasPrefix(path, edm.UnitsRoot+"/{"):
		return r.currentUnit()
	case strings.HasPrefix(path, "/oauth2PermissionGrants/{"):
		g, err := r.grant()
		if err != nil {
			return "", nil, err
		}
		return grantFields.etag(&g), nil, nil
	case strings.HasPrefix(path, "/subscriptions/{"):
		s, err := r.subscription()
		if err != nil {
			return "", nil, err
		}
		return subscriptionFields.etag(&subscription{s, r.image}), nil, nil
	}
	return "", nil, nil
}

func (r *request) currentApplication(s *fieldSet[application], find func(*request) (directory.Client, error)) (string, func(*tenant.Image) uint32, error) {
	a, err := find(r)
	if err != nil {
		return "", nil, err
	}
	return s.etag(&application{Client: a, image: r.image}), revisionOf(a.ID), nil
}

func (r *request) currentUser() (string, func(*tenant.Image) uint32, error) {
	ordinal, err := r.user()
	if err != nil {
		return "", nil, err
	}
	var document *directory.User
	if document, err = r.tenant.User(r.ctx, r.image, ordinal); err != nil {
		return "", nil, err
	}
	etag := userFields.etag(new(r.userAt(document, ordinal, r.image)))
	return etag, func(img *tenant.Image) uint32 { return img.Directory.UserRevision(ordinal) }, nil
}

func (r *request) currentGroup() (string, func(*tenant.Image) uint32, error) {
	ordinal, err := r.group()
	if err != nil {
		return "", nil, err
	}
	document, err := r.tenant.Group(r.ctx, r.image, ordinal)
	if err != nil {
		return "", nil, err
	}
	return groupFields.etag(new(r.groupAt(document, ordinal, r.image))), func(img *tenant.Image) uint32 { return img.Directory.GroupRevision(ordinal) }, nil
}

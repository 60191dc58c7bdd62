package tenant

import (
	"github.com/google/uuid"

	"licensor/internal/directory"
)

// Client returns an application, with its service principal, by its appId. For an application of
// another tenant it returns only what PrincipalAt does. Microsoft Graph, which is a resource and
// not a client, is not found.
func (img *Image) Client(appID uuid.UUID) (directory.Client, bool) {
	if ordinal, ok := img.Applications.ByAppID(appID); ok {
		return img.ClientAt(ordinal), true
	}
	ordinal, ok := img.Principals.ByAppID(appID)
	if !ok || appID == directory.GraphAppID {
		return directory.Client{}, false
	}
	return img.PrincipalAt(ordinal), true
}

// ClientByID returns an application, with its service principal, by its object id.
func (img *Image) ClientByID(id uuid.UUID) (directory.Client, bool) {
	ordinal, ok := img.Applications.ByID(id)
	return img.ClientAt(ordinal), ok
}

// ClientAt returns an application, with its service principal, by its ordinal; one without IDs if
// there is none.
func (img *Image) ClientAt(application uint32) (c directory.Client) {
	a := img.Applications.At(application)
	if a == nil {
		return c
	}
	c.Application = *a
	if ordinal, ok := img.Principals.ByAppID(a.AppID); ok {
		c.Principal = *img.Principals.At(ordinal)
	}
	return c
}

// Clients returns all applications, with their service principals, in order.
func (img *Image) Clients() (list []directory.Client) {
	for ordinal := range img.Applications.All() {
		list = append(list, img.ClientAt(ordinal))
	}
	return list
}

// Principal returns an application with its service principal, by the object id of the service
// principal. That of Microsoft Graph is not found, because it is not a client.
func (img *Image) Principal(id uuid.UUID) (directory.Client, bool) {
	ordinal, ok := img.Principals.ByID(id)
	if !ok {
		return directory.Client{}, false
	}
	return img.Client(img.Principals.At(ordinal).AppID)
}

// PrincipalAt returns a service principal with its application, either of which may be deleted, by
// the ordinal of the service principal; one without IDs if there is none. For an application of
// another tenant, such as Microsoft Graph, only the appId and displayName are known.
func (img *Image) PrincipalAt(principal uint32) (c directory.Client) {
	p := img.Principals.At(principal)
	if p == nil {
		return c
	}
	c.AppID, c.DisplayName = p.AppID, p.DisplayName
	for ordinal := range img.Applications.EveryByAppID(p.AppID) {
		c.Application = *img.Applications.At(ordinal)
	}
	c.Principal = *p
	return c
}

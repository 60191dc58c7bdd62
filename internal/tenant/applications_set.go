package tenant

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
)

// SetClient adds or replaces an application that clients log in with, together with its service
// principal. If the service principal has no ID, the application no longer has one. If the
// application has no ID, it belongs to another tenant, and only the service principal is stored.
type SetClient struct {
	Client  directory.Client
	Owners  []uuid.UUID // of the added objects: users and service principals
	Creator uuid.UUID   // creator and owner of the added objects; ignored if not in the directory
}

func (SetClient) name() string { return "setApplication" }

func (cmd SetClient) run(c *change) error {
	next, img := cmd.Client, &c.next
	if next.ID == uuid.Nil {
		return c.setForeign(&next)
	}
	var was *directory.Client
	ordinal, there := img.Applications.ByID(next.ID)
	if there {
		was = new(img.ClientAt(ordinal))
	} else {
		ordinal = img.Applications.Len()
	}
	for other := range img.Applications.EveryByAppID(next.AppID) {
		if other != ordinal {
			return taken("appId", next.AppID.String())
		}
	}
	if next.AppID == directory.GraphAppID {
		return taken("appId", next.AppID.String())
	}
	if err := c.freeIDs(was, &next); err != nil {
		return err
	}
	if err := c.freeURIs(ordinal, was, &next); err != nil {
		return err
	}
	if next.Principal.ID == uuid.Nil {
		next.Principal = directory.ServicePrincipal{}
	} else {
		next.Principal.AppID = next.AppID
		if next.Principal.DisplayName == "" || was != nil && was.DisplayName != next.DisplayName {
			next.Principal.DisplayName = next.DisplayName
		}
		next.Principal.Properties = followed(was, &next)
		ordinal, ok := img.Principals.ByAppID(next.AppID)
		if ok && (was == nil || img.Principals.At(ordinal).ID != was.Principal.ID) {
			return taken("appId", next.AppID.String())
		}
		c.dateGrants(was, &next.Principal)
	}
	if err := c.setClient(ordinal, was, &next); err != nil {
		return err
	}
	if was == nil {
		if err := c.own(next.ID, cmd.Owners, cmd.Creator); err != nil {
			return err
		}
	}
	if next.Principal.ID != uuid.Nil && (was == nil || was.Principal.ID != next.Principal.ID) {
		return c.own(next.Principal.ID, cmd.Owners, cmd.Creator)
	}
	return nil
}

// followed returns the properties of a service principal that result from a change of its
// application. It has copies of some of the application's properties: set on creation, unless it
// has values of its own, and whenever the application changes.
func followed(was, next *directory.Client) map[string]json.RawMessage {
	properties := next.Principal.Properties
	for _, f := range [...]struct{ name, inWeb string }{{"homepage", "homePageUrl"}, {"logoutUrl", "logoutUrl"}} {
		value, before := next.InWeb(f.inWeb), ""
		if was != nil && was.Principal.ID == next.Principal.ID {
			before = was.InWeb(f.inWeb)
		} else if properties[f.name] != nil {
			continue
		}
		if value == before {
			continue
		}
		properties = maps.Clone(properties)
		if properties == nil {
			properties = map[string]json.RawMessage{}
		}
		if delete(properties, f.name); value != "" {
			properties[f.name], _ = json.Marshal(value)
		}
	}
	return properties
}

// freeURIs refuses identifierUris of other applications, unless the client already has them.
func (c *change) freeURIs(ordinal uint32, was, next *directory.Client) error {
	var before []string
	if was != nil {
		before = was.IdentifierURIs()
	}
	for _, uri := range next.IdentifierURIs() {
		if slices.Contains(before, uri) {
			continue
		}
		for other := range c.next.Applications.Named(uri) {
			if other != ordinal {
				return taken("identifierUris", uri)
			}
		}
	}
	return nil
}

// setForeign is SetClient for an application of another tenant.
func (c *change) setForeign(next *directory.Client) error {
	for range c.next.Applications.EveryByAppID(next.AppID) {
		return taken("appId", next.AppID.String())
	}
	if next.AppID == directory.GraphAppID {
		return taken("appId", next.AppID.String())
	}
	if next.Principal.ID == uuid.Nil {
		return noSuch(next.AppID)
	}
	if next.Principal.AppID = next.AppID; next.Principal.DisplayName == "" {
		next.Principal.DisplayName = next.DisplayName
	}
	if ordinal, there := c.next.Principals.ByAppID(next.AppID); there {
		was := c.next.PrincipalAt(ordinal)
		if next.Principal.ID != was.Principal.ID {
			return taken("appId", next.AppID.String())
		}
		c.dateGrants(&was, &next.Principal)
		return c.setPrincipal(ordinal, &was, next, c.next.Organization)
	}
	if err := c.freeIDs(nil, next); err != nil {
		return err
	}
	c.dateGrants(nil, &next.Principal)
	return c.setPrincipal(c.principals.len(), nil, next, c.next.Organization)
}

// dateGrants records when a service principal was granted permissions that it did not have before;
// was is nil for a new one.
func (c *change) dateGrants(was *directory.Client, p *directory.ServicePrincipal) {
	var before directory.ServicePrincipal
	if was != nil && was.Principal.ID == p.ID {
		before = was.Principal
	}
	p.Granted = nil
	for _, name := range p.Permissions {
		at, dated := before.Granted[name]
		if !slices.Contains(before.Permissions, name) {
			at, dated = c.at.UTC().Truncate(time.Second), true
		}
		if dated {
			if p.Granted == nil {
				p.Granted = map[string]time.Time{}
			}
			p.Granted[name] = at
		}
	}
}

// setClient replaces an application and its service principal; was is nil for a new application.
func (c *change) setClient(ordinal uint32, was, next *directory.Client) error {
	tenant, document := c.next.Organization, next.Application.Document()
	var values []column.Change
	switch {
	case was == nil:
		values = next.ApplicationValues(tenant)
	case bytes.Equal(document, was.Application.Document()):
		document = nil
	default:
		values = next.ApplicationChanged(was, tenant)
	}
	if err := c.applications.put(c, ordinal, next.ID, document, values); err != nil {
		return err
	}
	if err := c.showDeleted(was, next); err != nil {
		return err
	}
	if was != nil && was.Principal.ID != next.Principal.ID {
		c.purgePrincipal(was)
		was = nil
	}
	switch {
	case next.Principal.ID == uuid.Nil:
		return nil
	case was == nil:
		return c.setPrincipal(c.principals.len(), nil, next, tenant)
	}
	principal, _ := c.next.Principals.ByID(next.Principal.ID)
	return c.setPrincipal(principal, was, next, tenant)
}

// setPrincipal is setClient for the service principal alone. Some of its values are its
// application's.
func (c *change) setPrincipal(ordinal uint32, was, next *directory.Client, tenant *directory.Organization) error {
	document := next.Principal.Document()
	if was == nil {
		return c.principals.put(c, ordinal, next.Principal.ID, document, next.PrincipalValues(tenant))
	}
	if bytes.Equal(document, was.Principal.Document()) {
		document = nil
	}
	return c.principals.put(c, ordinal, next.Principal.ID, document, next.PrincipalChanged(was, tenant))
}

// showDeleted updates what the deleted service principals of an application show of it.
func (c *change) showDeleted(was, next *directory.Client) error {
	if was == nil {
		return nil
	}
	for ordinal := range c.next.Principals.EveryByAppID(was.AppID) {
		p := c.next.Principals.At(ordinal)
		if p.DeletedDateTime.IsZero() {
			continue
		}
		before := directory.Client{Application: was.Application, Principal: *p}
		after := directory.Client{Application: next.Application, Principal: *p}
		err := c.principals.put(c, ordinal, p.ID, nil, after.PrincipalChanged(&before, c.next.Organization))
		if err != nil {
			return err
		}
	}
	return nil
}

// purgePrincipal permanently deletes the service principal of a client, if it has one, and its
// permissions.
func (c *change) purgePrincipal(of *directory.Client) {
	if of.Principal.ID == uuid.Nil {
		return
	}
	ordinal, _ := c.next.Principals.EverByID(of.Principal.ID)
	c.principals.purge(c, ordinal, of.Principal.ID)
	c.dropGrants(c.next.Grants.OfClient(of.Principal.ID))
	c.unlink(of.Principal.ID)
	c.forgetRoles(of.Principal.ID)
}

// publish changes the domain that applications show, if the organization's default domain has
// changed.
func (c *change) publish(was, now *directory.Organization) error {
	if was == nil || was.DefaultDomain() == now.DefaultDomain() {
		return nil
	}
	values := directory.PublisherDomain(now)
	for ordinal := range c.next.Applications.Len() {
		if a := c.next.Applications.At(ordinal); a != nil {
			if err := c.applications.put(c, ordinal, a.ID, nil, values); err != nil {
				return err
			}
		}
	}
	return nil
}

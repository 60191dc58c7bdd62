package tenant

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/store"
)

// Client returns an application, with its service principal, by its appId. Of an application of
// another tenant there is only what PrincipalAt returns; Microsoft Graph, which is a resource and
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

// ClientAt returns an application, with its service principal, by its ordinal; one without IDs when
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

// Principal returns an application with its service principal, by the object id of that. The
// service principal of Microsoft Graph is not found, because it is not a client.
func (img *Image) Principal(id uuid.UUID) (directory.Client, bool) {
	ordinal, ok := img.Principals.ByID(id)
	if !ok {
		return directory.Client{}, false
	}
	return img.Client(img.Principals.At(ordinal).AppID)
}

// PrincipalAt returns a service principal with its application, either of which may be deleted, by
// the ordinal of the first; one without IDs when there is none. Of an application of another
// tenant, such as Microsoft Graph, there are only the appId and displayName.
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

// SetClient adds an application that clients log in with, or replaces it, together with its service
// principal. Without the ID of a service principal it has none from then on. Without the ID of an
// application it is one of another tenant, of which only the service principal is kept.
type SetClient struct {
	Client  directory.Client
	Owners  []uuid.UUID // of what the command adds: users and service principals
	Creator uuid.UUID   // of what the command adds, who is an owner of it, too; nobody when not in the directory
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
		if ordinal, ok := img.Principals.ByAppID(next.AppID); ok && (was == nil || img.Principals.At(ordinal).ID != was.Principal.ID) {
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

// followed returns the properties of a service principal, with those of its application that it has
// as well: on creation unless it comes with its own, and whenever they change.
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

// freeURIs refuses identifierUris that another application has, unless the client has them already.
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

// dateGrants notes when a service principal was granted permissions that it did not have before;
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

// migrate gives the applications of the first version, which kept them in a list of its own,
// ordinals and rows. It is the first commit of a version that has them.
type migrate struct{}

func (migrate) name() string { return "migrateApplications" }

func (migrate) run(c *change) error {
	if err := c.addGraph(c.next.Organization); err != nil {
		return err
	}
	for i := range c.next.former {
		if err := c.setClient(c.applications.len(), nil, &c.next.former[i]); err != nil {
			return err
		}
	}
	c.next.former = nil
	return nil
}

// addGraph adds the service principal of Microsoft Graph, which is the first one of every tenant.
func (c *change) addGraph(tenant *directory.Organization) error {
	return c.setPrincipal(0, nil, &directory.Client{Principal: directory.GraphPrincipal(tenant.ID)}, tenant)
}

// setClient puts an application and its service principal in the place of those there were; was is
// nil for a new application.
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

// showDeleted gives the deleted service principals of an application what they show of it.
func (c *change) showDeleted(was, next *directory.Client) error {
	if was == nil {
		return nil
	}
	for ordinal := range c.next.Principals.EveryByAppID(was.AppID) {
		p := c.next.Principals.At(ordinal)
		if p.DeletedDateTime.IsZero() {
			continue
		}
		before, after := directory.Client{Application: was.Application, Principal: *p}, directory.Client{Application: next.Application, Principal: *p}
		if err := c.principals.put(c, ordinal, p.ID, nil, after.PrincipalChanged(&before, c.next.Organization)); err != nil {
			return err
		}
	}
	return nil
}

// purgePrincipal removes the service principal of a client, if it has one, and what it was granted.
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

// publish changes the domain that applications show, when the organization's default domain is
// another than before.
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

// objectsChange is what a command changes of applications, service principals, or administrative
// units.
type objectsChange[T any] struct {
	kind      store.Kind
	base      *directory.Objects[T]
	draft     *directory.ObjectsDraft[T] // nil until there is a change
	documents []DocumentNow
	values    []Values
}

// begun returns the draft. Most commands need none.
func (o *objectsChange[T]) begun() *directory.ObjectsDraft[T] {
	if o.draft == nil {
		o.draft = o.base.Draft()
	}
	return o.draft
}

// len is the next free ordinal.
func (o *objectsChange[T]) len() uint32 { return o.begun().Len() }

// put gives an object another document, unless that is nil, and other values in columns. The next
// free ordinal adds the object.
func (o *objectsChange[T]) put(c *change, ordinal uint32, id uuid.UUID, document []byte, values []column.Change) error {
	if document != nil {
		object, err := o.base.Parse(document)
		if err != nil {
			return err
		}
		document = o.base.Document(object) // an empty list is no list, as after a restart
		now := DocumentNow{Ordinal: ordinal, Document: document, What: o.what(ordinal, object)}
		if now.What == Written {
			now.Properties = directory.DifferingWithin(o.base.Document(o.begun().At(ordinal)), document)
		}
		o.documents = append(o.documents, now)
		o.begun().Set(ordinal, object)
		c.write(store.Object{Kind: o.kind, Ordinal: ordinal, ID: id, Deleted: o.base.DeletedSince(object), Document: document})
	}
	if len(values) > 0 {
		o.begun().SetValues(ordinal, values)
		o.values = append(o.values, Values{ordinal, o.base.Columns().Schema().AppendChanges(nil, values)})
	}
	return nil
}

// what is what happens to an object that gets another document.
func (o *objectsChange[T]) what(ordinal uint32, object *T) MarkKind {
	was := o.begun().At(ordinal)
	if was == nil {
		return 0
	}
	switch before, after := o.base.DeletedSince(was).IsZero(), o.base.DeletedSince(object).IsZero(); {
	case before == after:
		return Written
	case after:
		return Shown
	}
	return Hidden
}

func (o *objectsChange[T]) purge(c *change, ordinal uint32, id uuid.UUID) {
	o.begun().Purge(ordinal)
	o.documents = append(o.documents, DocumentNow{Ordinal: ordinal, ID: &id})
	c.write(store.Object{Kind: o.kind, Ordinal: ordinal, ID: id, Purged: true})
}

// finish returns the objects after the command.
func (o *objectsChange[T]) finish() *directory.Objects[T] {
	if o.draft == nil {
		return o.base
	}
	return o.draft.Finish()
}

// DocumentNow is the document of an application, service principal or administrative unit from now
// on.
type DocumentNow struct {
	Ordinal  uint32     `cbor:"1,keyasint,omitempty"`
	Document []byte     `cbor:"2,keyasint,omitempty"` // none: it is purged
	What     MarkKind   `cbor:"3,keyasint,omitempty"` // none: it is new, or a log of format 2 does not say
	ID       *uuid.UUID `cbor:"4,keyasint,omitempty"` // of what is purged
	// Properties are the members of the document that were Written, and of its properties; none when
	// that is not known. Since format 5.
	Properties []string `cbor:"5,keyasint,omitempty"`
}

// mark is what the log says of an object.
func (d DocumentNow) mark() Mark {
	if d.Document == nil {
		return Mark{Ordinal: d.Ordinal, What: Purged, ID: d.ID}
	}
	return Mark{Ordinal: d.Ordinal, What: d.What, Properties: d.Properties}
}

// FormerApplication is an application of format 1 as it is from now on.
type FormerApplication struct {
	Document []byte `cbor:"1,keyasint"`
	Gone     bool   `cbor:"2,keyasint,omitempty"`
}

// applyApplications replays the changes of applications and service principals.
func (img *Image) applyApplications(f *Effects) (err error) {
	if img.Applications, err = replayed(img.Applications, f.Applications, f.ApplicationValues); err != nil {
		return fmt.Errorf("applications: %w", err)
	}
	if img.Principals, err = replayed(img.Principals, f.Principals, f.PrincipalValues); err != nil {
		return fmt.Errorf("service principals: %w", err)
	}
	if len(f.Principals) > 0 {
		img.former = nil // now they are among the others
	}
	return nil
}

func replayed[T any](base *directory.Objects[T], documents []DocumentNow, values []Values) (*directory.Objects[T], error) {
	if len(documents)+len(values) == 0 {
		return base, nil
	}
	draft := base.Draft()
	for _, now := range documents {
		isNew := now.Ordinal == draft.Len()
		if !isNew && draft.At(now.Ordinal) == nil || isNew && now.Document == nil {
			return nil, fmt.Errorf("a change of number %d, which is purged or not among the %d there are", now.Ordinal, draft.Len())
		}
		if now.Document == nil {
			draft.Purge(now.Ordinal)
			continue
		}
		object, err := base.Parse(now.Document)
		if err != nil {
			return nil, err
		}
		draft.Set(now.Ordinal, object)
	}
	for _, v := range values {
		if draft.At(v.Ordinal) == nil {
			return nil, fmt.Errorf("values of number %d, which is purged or not among the %d there are", v.Ordinal, draft.Len())
		}
	}
	if err := setValues(values, base.Columns().Schema(), draft.SetValues); err != nil {
		return nil, err
	}
	return draft.Finish(), nil
}

// applyFormer replays the changes of applications of format 1.
func (img *Image) applyFormer(list []FormerApplication) error {
	for _, now := range list {
		client, err := directory.ParseFormerApplication(now.Document)
		if err != nil {
			return err
		}
		img.former = replaced(img.former, *client, now.Gone, func(c directory.Client) uuid.UUID { return c.ID })
	}
	return nil
}

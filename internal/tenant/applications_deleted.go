package tenant

import (
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
)

// DeleteApplication moves an application, by its appId, and its service principal to the deleted
// items for 30 days (docs/spec/protocol.md P52). Its tokens are no longer valid.
type DeleteApplication struct{ AppID uuid.UUID }

func (DeleteApplication) name() string { return "deleteApplication" }

func (cmd DeleteApplication) run(c *change) error {
	ordinal, ok := c.next.Applications.ByAppID(cmd.AppID)
	if !ok {
		return noSuch(cmd.AppID)
	}
	was := c.next.ClientAt(ordinal)
	if err := c.deletePrincipal(&was); err != nil {
		return err
	}
	deleted := was
	deleted.DeletedDateTime = c.at.Truncate(time.Second)
	return c.putApplication(ordinal, &was, &deleted)
}

// DeletePrincipal moves a service principal to the deleted items for 30 days. Its application
// stays.
type DeletePrincipal struct{ ID uuid.UUID }

func (DeletePrincipal) name() string { return "deleteServicePrincipal" }

func (cmd DeletePrincipal) run(c *change) error {
	client, ok := c.next.Principal(cmd.ID)
	if !ok {
		return noSuch(cmd.ID)
	}
	return c.deletePrincipal(&client)
}

// deletePrincipal deletes the service principal of a client, if it has one. The permissions that it
// was granted stay with it.
func (c *change) deletePrincipal(of *directory.Client) error {
	ordinal, ok := c.next.Principals.ByID(of.Principal.ID)
	if !ok {
		return nil
	}
	deleted := *of
	deleted.Principal.DeletedDateTime = c.at.Truncate(time.Second)
	return c.setPrincipal(ordinal, of, &deleted, c.next.Organization)
}

// putApplication writes an application that is deleted or restored. The properties that its service
// principals show of it do not change.
func (c *change) putApplication(ordinal uint32, was, next *directory.Client) error {
	return c.applications.put(c, ordinal, next.ID, next.Application.Document(),
		next.ApplicationChanged(was, c.next.Organization))
}

// RestoreApplication restores a deleted application. Its service principal is restored separately.
type RestoreApplication struct{ ID uuid.UUID }

func (RestoreApplication) name() string { return "restoreApplication" }

func (cmd RestoreApplication) run(c *change) error {
	ordinal, ok := c.next.Applications.EverByID(cmd.ID)
	was := c.next.ClientAt(ordinal)
	if !ok || was.DeletedDateTime.IsZero() || c.expired(was.DeletedDateTime) {
		return noSuch(cmd.ID)
	}
	for _, uri := range was.IdentifierURIs() {
		for range c.next.Applications.Named(uri) {
			return taken("identifierUris", uri)
		}
	}
	restored := was
	restored.DeletedDateTime = time.Time{}
	return c.putApplication(ordinal, &was, &restored)
}

// RestorePrincipal restores a deleted service principal. Its application must not be deleted or
// have another one.
type RestorePrincipal struct{ ID uuid.UUID }

func (RestorePrincipal) name() string { return "restoreServicePrincipal" }

func (cmd RestorePrincipal) run(c *change) error {
	ordinal, ok := c.next.Principals.EverByID(cmd.ID)
	was := c.next.PrincipalAt(ordinal)
	if !ok || was.Principal.DeletedDateTime.IsZero() || c.expired(was.Principal.DeletedDateTime) {
		return noSuch(cmd.ID)
	}
	if !was.DeletedDateTime.IsZero() {
		return invalid(was.AppID, "The application with the appId '%s' is deleted, too. Restore it before its "+
			"service principal.", was.AppID)
	}
	if _, ok := c.next.Principals.ByAppID(was.Principal.AppID); ok {
		return taken("servicePrincipalNames", was.Principal.AppID.String())
	}
	restored := was
	restored.Principal.DeletedDateTime = time.Time{}
	return c.setPrincipal(ordinal, &was, &restored, c.next.Organization)
}

// PurgeApplication permanently deletes a deleted application and its deleted service principals,
// which could not be restored without it.
type PurgeApplication struct{ ID uuid.UUID }

func (PurgeApplication) name() string { return "purgeApplication" }

func (cmd PurgeApplication) run(c *change) error {
	ordinal, ok := c.next.Applications.EverByID(cmd.ID)
	if !ok || c.next.Applications.At(ordinal).DeletedDateTime.IsZero() {
		return noSuch(cmd.ID)
	}
	c.purgeApplication(ordinal)
	return nil
}

func (c *change) purgeApplication(ordinal uint32) {
	a := c.next.Applications.At(ordinal)
	for principal := range c.next.Principals.EveryByAppID(a.AppID) {
		if p := c.principals.begun().At(principal); p != nil {
			c.purgePrincipal(&directory.Client{Principal: *p})
		}
	}
	c.applications.purge(c, ordinal, a.ID)
	c.unlink(a.ID)
}

// PurgePrincipal permanently deletes a deleted service principal and its permissions.
type PurgePrincipal struct{ ID uuid.UUID }

func (PurgePrincipal) name() string { return "purgeServicePrincipal" }

func (cmd PurgePrincipal) run(c *change) error {
	ordinal, ok := c.next.Principals.EverByID(cmd.ID)
	if !ok || c.next.Principals.At(ordinal).DeletedDateTime.IsZero() {
		return noSuch(cmd.ID)
	}
	c.purgePrincipal(&directory.Client{Principal: *c.next.Principals.At(ordinal)})
	return nil
}

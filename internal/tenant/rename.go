package tenant

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
)

// RenameTenant gives a tenant that was stored under another id all that follows from its own: the
// id of its organization and of Microsoft Graph's service principal, and the owner of its service
// principals. What people have written, such as an audience with the former id in it, stays.
type RenameTenant struct{ ID uuid.UUID }

func (RenameTenant) name() string { return "renameTenant" }

func (cmd RenameTenant) run(c *change) error {
	was := c.next.Organization
	if was.ID == cmd.ID {
		return nil
	}
	org := *was
	org.ID = cmd.ID
	if err := c.organize(&org); err != nil {
		return err
	}
	if err := c.renameGraph(was.ID, &org); err != nil {
		return fmt.Errorf("the service principal of Microsoft Graph: %w", err)
	}
	return c.reown(was.ID.String(), &org)
}

// renameGraph gives the service principal of Microsoft Graph the id that it has in a tenant, and
// takes along what refers to it.
func (c *change) renameGraph(former uuid.UUID, org *directory.Organization) error {
	was, now := directory.GraphPrincipal(former).ID, directory.GraphPrincipal(org.ID).ID
	ordinal, ok := c.base.Principals.EverByID(was)
	if !ok {
		return nil
	}
	before := directory.Client{Principal: *c.base.Principals.At(ordinal)}
	after := before
	after.Principal.ID = now
	if err := c.setPrincipal(ordinal, &before, &after, org); err != nil {
		return err
	}
	for _, l := range slices.Collect(c.base.Links.Of(was)) {
		c.link(l, false)
		if l.From == was {
			l.From = now
		}
		if l.To == was {
			l.To = now
		}
		c.link(l, true)
	}
	for _, role := range c.base.Roles[was] {
		c.record(RoleNow{role, was, true})
		c.record(RoleNow{role, now, false})
	}
	for _, g := range slices.Collect(c.base.Grants.OfClient(was)) {
		c.record(GrantNow{g, true})
		g.Client = now
		c.record(GrantNow{g, false})
	}
	return nil
}

// reown changes the owner of the service principals whose applications are registered here.
func (c *change) reown(former string, org *directory.Organization) error {
	about, _ := directory.AboutPrincipal("appOwnerOrganizationId")
	values := []column.Change{{Column: about.Column, Value: column.Value{Text: org.ID.String()}}}
	for ordinal := range c.base.Principals.Len() {
		p := c.base.Principals.At(ordinal)
		if p == nil || c.base.Principals.Columns().Text(ordinal, about.Column) != former {
			continue
		}
		if err := c.principals.put(c, ordinal, p.ID, nil, values); err != nil {
			return err
		}
	}
	return nil
}

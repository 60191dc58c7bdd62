package tenant

import (
	"bytes"
	"iter"
	"slices"

	"github.com/google/uuid"

	"licensor/directory"
)

// SetGrant lets an application act for one user or for all, in the place of what it was granted for them before. No scopes take the grant
// away.
type SetGrant struct{ Grant directory.Grant }

// Name is the operation.
func (SetGrant) Name() string { return "setGrant" }

func (cmd SetGrant) run(c *change) error {
	g := cmd.Grant
	if _, ok := c.next.Principal(g.Client); !ok {
		return noSuch(g.Client)
	}
	if g.User != uuid.Nil {
		if user, ok := c.dir.UserByID(g.User); !ok || c.dir.UserHidden(user) {
			return noSuch(g.User)
		}
	}
	before, there := c.next.Grants.Get(g.Client, g.User)
	if len(g.Scopes) == 0 && !there {
		return noSuch(g.Client)
	}
	if slices.Equal(before.Scopes, g.Scopes) {
		return nil
	}
	c.effects.Grants = append(c.effects.Grants, GrantNow{Grant: g, Gone: len(g.Scopes) == 0})
	return nil
}

// SetRole gives a user a directory role, or takes it away.
type SetRole struct {
	Role      uuid.UUID // its template's id
	Principal uuid.UUID // the user's object id
	Gone      bool
}

// Name is the operation.
func (SetRole) Name() string { return "setRole" }

func (cmd SetRole) run(c *change) error {
	if user, ok := c.dir.UserByID(cmd.Principal); !ok || !cmd.Gone && c.dir.UserHidden(user) {
		return noSuch(cmd.Principal)
	}
	if has := slices.Contains(c.next.Roles[cmd.Principal], cmd.Role); has != cmd.Gone {
		if cmd.Gone {
			return noSuch(cmd.Principal)
		}
		return alreadyThere(cmd.Principal, "members")
	}
	c.effects.Roles = append(c.effects.Roles, RoleNow(cmd))
	return nil
}

// UpdateSignIn changes how the tenant lets people and programs in.
type UpdateSignIn struct{ SignIn directory.SignIn }

// Name is the operation.
func (UpdateSignIn) Name() string { return "updateSignIn" }

func (cmd UpdateSignIn) run(c *change) error {
	if err := cmd.SignIn.Check(); err != nil {
		return err
	}
	document := cmd.SignIn.Document()
	if !bytes.Equal(document, c.next.SignIn.Document()) {
		c.effects.SignIn = document
	}
	return nil
}

// GrantNow is a grant as it is from now on.
type GrantNow struct {
	Grant directory.Grant `cbor:"1,keyasint"`
	Gone  bool            `cbor:"2,keyasint,omitempty"`
}

// RoleNow is a role that a user has, or has not, from now on.
type RoleNow struct {
	Role      uuid.UUID `cbor:"1,keyasint"`
	Principal uuid.UUID `cbor:"2,keyasint"`
	Gone      bool      `cbor:"3,keyasint,omitempty"`
}

// forgetPrincipal takes away what a user who is gone for good was given.
func (c *change) forgetPrincipal(id uuid.UUID) {
	for _, role := range c.next.Roles[id] {
		c.effects.Roles = append(c.effects.Roles, RoleNow{role, id, true})
	}
	c.dropGrants(c.next.Grants.OfUser(id))
	c.unlink(id)
}

func (c *change) dropGrants(grants iter.Seq[directory.Grant]) {
	for g := range grants {
		c.effects.Grants = append(c.effects.Grants, GrantNow{g, true})
	}
}

// applyRoles replays it. The map is copied, since the image it was made from keeps the old one.
func (img *Image) applyRoles(list []RoleNow) {
	if len(list) == 0 {
		return
	}
	next := make(map[uuid.UUID][]uuid.UUID, len(img.Roles)+1)
	for principal, roles := range img.Roles {
		next[principal] = roles
	}
	for _, now := range list {
		roles := slices.DeleteFunc(slices.Clone(next[now.Principal]), func(r uuid.UUID) bool { return r == now.Role })
		if !now.Gone {
			roles = append(roles, now.Role)
		}
		if next[now.Principal] = roles; len(roles) == 0 {
			delete(next, now.Principal)
		}
	}
	img.Roles = next
}

func (img *Image) applyGrants(list []GrantNow) {
	if len(list) == 0 {
		return
	}
	next := img.Grants.Copy()
	for _, now := range list {
		if now.Gone {
			next.Remove(now.Grant.Client, now.Grant.User)
		} else {
			next.Set(now.Grant)
		}
	}
	img.Grants = next
}

// roleList is the roles in an order that is always the same.
func (img *Image) roleList() []RoleNow {
	var list []RoleNow
	for principal, roles := range img.Roles {
		for _, role := range roles {
			list = append(list, RoleNow{Role: role, Principal: principal})
		}
	}
	slices.SortStableFunc(list, func(a, b RoleNow) int { return bytes.Compare(a.Principal[:], b.Principal[:]) })
	return list
}

package tenant

import (
	"bytes"
	"iter"
	"maps"
	"math/bits"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
)

// SetGrant sets the scopes in which an application may act for one user, or for all. Without scopes
// it removes the grant.
type SetGrant struct {
	Grant   directory.Grant
	Consent bool // a person gives it when signing in
}

func (SetGrant) name() string { return "setGrant" }

func (cmd SetGrant) run(c *change) error {
	g := cmd.Grant
	before, there := c.next.Grants.Get(g.Client, g.User)
	if len(g.Scopes) == 0 && !there {
		return noSuch(g.Client)
	}
	if len(g.Scopes) > 0 { // an existing grant can be removed while its user is deleted
		if err := c.mayBeGranted(g); err != nil {
			return err
		}
	}
	if slices.Equal(before.Scopes, g.Scopes) {
		return nil
	}
	c.noteGrant(before.Scopes, g, cmd.Consent)
	c.record(GrantNow{Grant: g, Removed: len(g.Scopes) == 0})
	return nil
}

// mayBeGranted refuses a grant for an application or a user that does not exist.
func (c *change) mayBeGranted(g directory.Grant) error {
	if _, ok := c.next.Principal(g.Client); !ok {
		return noSuch(g.Client)
	}
	if g.User == uuid.Nil {
		return nil
	}
	if _, ok := c.dir.LiveUserByID(g.User); !ok {
		return noSuch(g.User)
	}
	return nil
}

// SetRole assigns a directory role to a user, a service principal or a role-assignable group, or
// removes it.
type SetRole struct {
	Role      uuid.UUID // its template's id
	Principal uuid.UUID // the object id
	Removed   bool
}

func (SetRole) name() string { return "setRole" }

func (cmd SetRole) run(c *change) error {
	if !cmd.Removed && !c.base.mayHaveRoles(cmd.Principal) {
		return noSuch(cmd.Principal)
	}
	switch changed := c.record(RoleNow(cmd)); {
	case changed:
		return nil
	case cmd.Removed:
		return noSuch(cmd.Principal)
	}
	return alreadyThere(cmd.Principal, "members")
}

// mayHaveRoles reports whether roles can be assigned to an object.
func (img *Image) mayHaveRoles(id uuid.UUID) bool {
	if user, ok := img.Directory.UserByID(id); ok {
		return !img.Directory.UserDeleted(user)
	}
	if group, ok := img.Directory.GroupByID(id); ok {
		return !img.Directory.GroupDeleted(group) && img.RoleAssignable(group)
	}
	_, ok := img.Principals.ByID(id)
	return ok
}

// RoleAssignable reports whether directory roles can be assigned to a group, which is determined at
// its creation.
func (img *Image) RoleAssignable(group uint32) bool {
	about, _ := directory.AboutGroup("isAssignableToRole")
	return img.Directory.GroupColumns().Truth(group, about.Column) == column.TruthTrue
}

// roleAssignableGroups returns the role-assignable groups, including deleted ones.
func (img *Image) roleAssignableGroups() iter.Seq[uint32] {
	about, _ := directory.AboutGroup("isAssignableToRole")
	groups := img.Directory.GroupColumns()
	matcher := groups.MatchTruth(about.Column, column.TruthTrue)
	return func(yield func(uint32) bool) {
		for block := range groups.Blocks() {
			found := matcher.Match(block, column.Mask{})
			for w, word := range found {
				for ; word != 0; word &= word - 1 {
					if !yield(uint32(block*column.BlockRows + w*64 + bits.TrailingZeros64(word))) {
						return
					}
				}
			}
		}
	}
}

// Guarded reports whether a user is a member or an owner of a role-assignable group. The group need
// not have a role yet: its members would get the next one, and an owner can become a member. Nor
// does it matter whether the group is deleted, since it can be restored with its roles.
func (img *Image) Guarded(user uint32) bool {
	if slices.ContainsFunc(img.Directory.MemberOf(user), img.RoleAssignable) {
		return true
	}
	for group := range img.roleAssignableGroups() {
		if !img.Directory.GroupPurged(group) && slices.Contains(img.Directory.Owners(group), user) {
			return true
		}
	}
	return false
}

// RolesOf returns the directory roles of a user: its own, and those of its groups.
func (img *Image) RolesOf(user uint32) []uuid.UUID {
	if len(img.Roles) == 0 {
		return nil
	}
	roles := img.Roles[img.Directory.UserID(user)]
	for _, group := range img.Directory.MemberOf(user) {
		roles = img.appendRolesOf(roles, group)
	}
	return roles
}

// RolesOfPrincipal returns the directory roles of a service principal, like RolesOf.
func (img *Image) RolesOfPrincipal(id uuid.UUID) []uuid.UUID {
	if len(img.Roles) == 0 {
		return nil
	}
	roles := img.Roles[id]
	for groupID := range img.Links.To(directory.RelationHasMember, id) {
		if group, ok := img.Directory.GroupByID(groupID); ok {
			roles = img.appendRolesOf(roles, group)
		}
	}
	return roles
}

// appendRolesOf returns roles with those of a group appended, unless it is deleted. It does not
// change roles.
func (img *Image) appendRolesOf(roles []uuid.UUID, group uint32) []uuid.UUID {
	if more := img.Roles[img.Directory.GroupID(group)]; len(more) > 0 && !img.Directory.GroupDeleted(group) {
		return append(slices.Clip(roles), more...)
	}
	return roles
}

// UpdateSignIn changes the settings for sign-in.
type UpdateSignIn struct{ SignIn directory.SignIn }

func (UpdateSignIn) name() string { return "updateSignIn" }

func (cmd UpdateSignIn) run(c *change) error {
	if err := cmd.SignIn.Check(); err != nil {
		return err
	}
	if err := c.claimIssuers(&cmd.SignIn); err != nil {
		return err
	}
	document := cmd.SignIn.Document()
	if !bytes.Equal(document, c.next.SignIn.Document()) {
		c.noteDocument(Was{Of: ChangeableSignIn}, c.next.SignIn.Document(), document)
		c.record(signInNow(document))
	}
	return nil
}

// GrantNow is the new state of a grant.
type GrantNow struct {
	Grant   directory.Grant `cbor:"1,keyasint"`
	Removed bool            `cbor:"2,keyasint,omitempty"`
}

// RoleNow is a role that was assigned to an object, or removed.
type RoleNow struct {
	Role      uuid.UUID `cbor:"1,keyasint"`
	Principal uuid.UUID `cbor:"2,keyasint"`
	Removed   bool      `cbor:"3,keyasint,omitempty"`
}

// forgetPrincipal removes the roles and grants of a permanently deleted user.
func (c *change) forgetPrincipal(id uuid.UUID) {
	c.forgetRoles(id)
	c.dropGrants(c.next.Grants.OfUser(id))
	c.unlink(id)
}

// forgetRoles removes the roles of a permanently deleted object.
func (c *change) forgetRoles(id uuid.UUID) {
	for _, role := range c.next.Roles[id] {
		c.record(RoleNow{role, id, true})
	}
}

func (c *change) dropGrants(grants iter.Seq[directory.Grant]) {
	for _, g := range slices.Collect(grants) {
		c.record(GrantNow{g, true})
	}
}

func (now RoleNow) apply(d *draft) (bool, error) {
	before := d.next.Roles[now.Principal]
	if slices.Contains(before, now.Role) != now.Removed {
		return false, nil
	}
	if !d.ownsRoles {
		d.next.Roles, d.ownsRoles = maps.Clone(d.next.Roles), true
	}
	switch roles := slices.DeleteFunc(slices.Clone(before), func(r uuid.UUID) bool { return r == now.Role }); {
	case !now.Removed:
		if d.next.Roles == nil {
			d.next.Roles = map[uuid.UUID][]uuid.UUID{}
		}
		d.next.Roles[now.Principal] = append(roles, now.Role)
	case len(roles) > 0:
		d.next.Roles[now.Principal] = roles
	default:
		delete(d.next.Roles, now.Principal)
	}
	return true, nil
}

func (now RoleNow) note(f *Effects) { f.Roles = append(f.Roles, now) }

func (now GrantNow) apply(d *draft) (bool, error) {
	client, user := now.Grant.Client, now.Grant.User
	if _, has := d.next.Grants.Get(client, user); now.Removed && !has {
		return false, nil
	}
	if d.next.Grants == d.base.Grants {
		d.next.Grants = d.base.Grants.Copy()
	}
	if now.Removed {
		d.next.Grants.Remove(client, user)
	} else {
		d.next.Grants.Set(now.Grant)
	}
	return true, nil
}

func (now GrantNow) note(f *Effects) { f.Grants = append(f.Grants, now) }

// signInNow is the new document of the settings for sign-in.
type signInNow []byte

func (now signInNow) apply(d *draft) (bool, error) {
	if now == nil {
		return false, nil
	}
	signIn, err := directory.ParseSignIn(now)
	if err == nil {
		d.next.SignIn = signIn
	}
	return true, err
}

func (now signInNow) note(f *Effects) { f.SignIn = now }

// roleList returns the roles in a fixed order.
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

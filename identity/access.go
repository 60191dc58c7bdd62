package identity

import "slices"

// Access is how much of an object a caller may see or do.
type Access uint8

// The degrees of Access. Basic means the few properties that Graph shows with a permission such as User.ReadBasic.All.
const (
	None Access = iota
	Basic
	Full
)

// Relation is what the object of an operation is to its caller.
type Relation uint8

// The relations: a signed-in user's own self, a group the caller owns, or anything else.
const (
	Other Relation = iota
	Self
	Owned
)

// Forbidden says that a caller may not do an operation: 403 Authorization_RequestDenied (P11). The operation is for the
// server's own log; Graph's text does not name it.
type Forbidden struct {
	Operation Operation
}

func (e *Forbidden) Error() string { return "Insufficient privileges to complete the operation." }

// Check answers how much of the operation the caller may do on an object, or *Forbidden. What is not in Needs nobody may.
func (op Operation) Check(c *Caller, object Relation) (Access, error) {
	need, ok := Needs[op]
	if ok && need.welcomes(c, object) && need.role(c, object) {
		if access := need.access(c, object); access != None {
			return access, nil
		}
	}
	return None, &Forbidden{op}
}

// welcomes refuses personal accounts where they are not supported (A22). One of the personal tenant is refused everywhere:
// there is no directory here that it could see.
func (n Need) welcomes(c *Caller, object Relation) bool {
	return !c.Personal || (n.Personal && object == Self && c.Tenant != PersonalTenant)
}

// role says whether a signed-in user has a role for the operation; reading takes none. An application needs only permissions.
func (n Need) role(c *Caller, object Relation) bool {
	switch {
	case !c.Delegated, len(n.Roles) == 0, n.Owners && object == Owned, n.Self && object == Self:
		return true
	}
	return slices.Contains(c.Roles, GlobalAdministrator.ID) || c.hasAny(n.Roles)
}

// access is the most the caller's permissions give.
func (n Need) access(c *Caller, object Relation) Access {
	switch {
	case c.Permissions.hasAny(n.Full), c.Delegated && object == Self && c.Permissions.hasAny(n.Own):
		return Full
	case c.Permissions.hasAny(n.Basic):
		return Basic
	}
	return None
}

package identity

import (
	"slices"
	"strings"
)

// Access is how much of an object a caller may see or do.
type Access uint8

// The degrees of Access. AccessBasic means the few properties that Graph shows with a permission
// such as User.ReadBasic.All; AccessPart, those for which Operation.Changes returns true.
const (
	AccessNone Access = iota
	AccessBasic
	AccessPart
	AccessFull
)

// Relation is the relation of the object of an operation to its caller.
type Relation uint8

// The relations: a signed-in user's own self, a group, application or service principal that the
// caller owns, or anything else.
const (
	RelationOther Relation = iota
	RelationSelf
	RelationOwned
)

// ForbiddenError reports that a caller may not perform an operation: 403
// Authorization_RequestDenied (P11). The operation is for the server's own log; Graph's text does
// not name it.
type ForbiddenError struct {
	Operation Operation
}

func (e *ForbiddenError) Error() string { return "Insufficient privileges to complete the operation." }

// Check returns how much of the operation the caller may do on an object, or a *ForbiddenError.
// Operations that are not in Needs are forbidden.
func (op Operation) Check(c *Caller, object Relation) (Access, error) {
	if need, ok := Needs[op]; ok {
		if access := need.access(c, object); access != AccessNone {
			return access, nil
		}
	}
	return AccessNone, &ForbiddenError{op}
}

// Changes reports whether the operation lets the caller change a property of an object, after Check
// has returned AccessPart.
func (op Operation) Changes(c *Caller, object Relation, property string) bool {
	need := Needs[op]
	if need.role(c, object) {
		for permission, properties := range need.Parts {
			if c.Permissions.Has(permission) && slices.Contains(properties, property) {
				return true
			}
		}
	}
	return need.servesSelf(c, object) && slices.Contains(need.SelfService, property) ||
		need.servesOwner(object) && slices.Contains(need.OwnerService, property)
}

// access returns the highest degree that the caller's permissions give, together with its roles.
func (n *Need) access(c *Caller, object Relation) Access {
	access := n.permitted(c, object)
	switch {
	case n.byRole(c):
		return AccessFull
	case n.role(c, object):
		if access == AccessNone && !c.Personal && n.hasPart(c) {
			return AccessPart
		}
		return access
	case access == AccessFull && (n.servesSelf(c, object) || n.servesOwner(object)):
		return AccessPart
	}
	return AccessNone
}

// permitted returns the highest degree that the caller's permissions give.
func (n *Need) permitted(c *Caller, object Relation) Access {
	switch {
	case c.Personal:
		return n.personal(c, object)
	case !c.Delegated && (c.Permissions.hasAny(n.application.full) ||
		object == RelationOwned && c.Permissions.hasAny(n.Owned)):
		return AccessFull
	case c.Delegated && (c.Permissions.hasAny(n.delegated.full) ||
		object == RelationSelf && c.Permissions.hasAny(n.Own)):
		return AccessFull
	case !c.Delegated && c.Permissions.hasAny(n.application.basic),
		c.Delegated && c.Permissions.hasAny(n.delegated.basic):
		return AccessBasic
	}
	return AccessNone
}

// personal is permitted for personal accounts (A22). Accounts of the personal tenant are always
// refused: it has no directory here.
func (n *Need) personal(c *Caller, object Relation) Access {
	enough := func(permission string) bool {
		return c.Permissions.Has(permission) && (object == RelationSelf || !slices.Contains(n.Own, permission))
	}
	if c.Tenant != PersonalTenant && slices.ContainsFunc(n.Personal, enough) {
		return AccessFull
	}
	return AccessNone
}

// byRole reports whether an application has a role for the operation, whatever its permissions are.
// With any role it may read what every member may: all roles of Entra include the permissions of
// Directory Readers.
func (n *Need) byRole(c *Caller) bool {
	return !c.Delegated && !c.Personal && len(c.Roles) > 0 && (len(n.Roles) == 0 || c.mayAs(n.Roles))
}

// mayAs reports whether the caller has one of the roles, or is a Global Administrator.
func (c *Caller) mayAs(roles []Role) bool {
	return slices.Contains(c.Roles, GlobalAdministrator.ID) || c.hasAny(roles)
}

// role reports whether a signed-in user has a role for the operation; reading needs none. An
// application with the permission needs none, either.
func (n *Need) role(c *Caller, object Relation) bool {
	switch {
	case !c.Delegated, len(n.Roles) == 0, n.Owners && object == RelationOwned, n.Self && object == RelationSelf:
		return true
	}
	return c.mayAs(n.Roles)
}

func (n *Need) hasPart(c *Caller) bool {
	for permission := range n.Parts {
		if c.Permissions.Has(permission) {
			return true
		}
	}
	return false
}

// servesSelf reports whether the object is the caller itself, which may change some of its
// properties without a role.
func (n *Need) servesSelf(c *Caller, object Relation) bool {
	return len(n.SelfService) > 0 && object == RelationSelf && n.permitted(c, object) == AccessFull
}

// servesOwner reports whether an owner of the object may change some properties of it without a
// role.
func (n *Need) servesOwner(object Relation) bool {
	return len(n.OwnerService) > 0 && object == RelationOwned
}

// scheme returns the permissions of a Need that count in one of the schemes.
type scheme struct{ full, basic []string }

// inSchemes completes the table with the permissions that count in each scheme.
func inSchemes(needs map[Operation]Need) map[Operation]Need {
	for op, n := range needs {
		n.delegated = scheme{
			grantable(DelegatedPermission, n.Full, n.Delegated), grantable(DelegatedPermission, n.Basic),
		}
		n.application = scheme{
			grantable(ApplicationPermission, n.Full, n.Application), grantable(ApplicationPermission, n.Basic),
		}
		needs[op] = n
	}
	return needs
}

// grantable returns the permissions that can be granted in a scheme.
func grantable(find func(string) (Permission, bool), lists ...[]string) []string {
	return slices.DeleteFunc(slices.Concat(lists...), func(name string) bool {
		for part := range strings.SplitSeq(name, "+") {
			if _, ok := find(part); !ok {
				return true
			}
		}
		return false
	})
}

// LeastOf returns the documented least permission that is sufficient in a scheme; "" if none is.
func (n *Need) LeastOf(delegated bool) string {
	find, counts := ApplicationPermission, n.application
	owned := n.Owned
	if delegated {
		find, counts, owned = DelegatedPermission, n.delegated, n.Own
	}
	for _, list := range [][]string{grantable(find, n.Least), counts.basic, counts.full, owned} {
		if len(list) > 0 {
			return list[0]
		}
	}
	return ""
}

// LeastFor returns the least permission that is sufficient in a scheme for all of an operation, or
// for a signed-in user on itself; "" if none is. Several that are needed together are joined by +.
func (n *Need) LeastFor(delegated, self bool) string {
	counts := n.application
	if delegated {
		counts = n.delegated
		if own := grantable(DelegatedPermission, n.Own); self && len(own) > 0 {
			return own[0]
		}
	}
	if len(counts.full) > 0 {
		return counts.full[0]
	}
	return n.LeastOf(delegated)
}

// FulfilledBy reports whether permissions are sufficient for all of an operation, or have another
// one, which may be joined by +.
func (n *Need) FulfilledBy(permissions []string, delegated bool, other string) bool {
	counts := n.application.full
	if delegated {
		counts = n.delegated.full
	}
	return slices.ContainsFunc(append([]string{other}, counts...), func(one string) bool {
		for part := range strings.SplitSeq(one, "+") {
			if !slices.Contains(permissions, part) {
				return false
			}
		}
		return true
	})
}

package wire

import (
	"licensor/internal/directory"
	"licensor/internal/identity"
)

// MayCreate refuses to create a role-assignable group to callers who may not assign roles.
func (r *Request) MayCreate(patch directory.GroupPatch) error {
	if !directory.AssignableIn(patch) {
		return nil
	}
	_, err := identity.WriteRoles.Check(r.Caller, identity.RelationOther)
	return err
}

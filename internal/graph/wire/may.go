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
	_, err := r.Check(identity.WriteRoles, identity.RelationOther)
	return err
}

// Check is Operation.Check for what a request requires: the permissions of its operation, and
// others in addition.
func (r *Request) Check(need identity.Operation, relation identity.Relation) (identity.Access, error) {
	if r.NoteNeed != nil {
		r.NoteNeed(r, need)
	}
	return need.Check(r.Caller, relation)
}

package graph

import (
	"net/http"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// directoryRole is a role of a tenant. All existing roles are always active.
type directoryRole struct {
	identity.Role
	id    uuid.UUID
	image *tenant.Image
}

// roleFields are the properties of directoryRole.
var roleFields = wire.NewFieldSet("microsoft.graph.directoryRole", append([]wire.Field[directoryRole]{
	wire.Default("description", jsontext.AppendText, func(d *directoryRole) string { return d.Description }),
	wire.Default("displayName", jsontext.AppendText, func(d *directoryRole) string { return d.Name }),
	wire.Default("id", jsontext.AppendID, func(d *directoryRole) uuid.UUID { return d.id }),
	wire.Default("roleTemplateId", jsontext.AppendID, func(d *directoryRole) uuid.UUID { return d.Role.ID }),
}, wire.NotKept[directoryRole]([]string{"deletedDateTime"}, nil)...)).In("directoryRoles")

// templateFields are the properties of directoryRoleTemplate.
var templateFields = wire.NewFieldSet("microsoft.graph.directoryRoleTemplate", append([]wire.Field[directoryRole]{
	wire.Default("description", jsontext.AppendText, func(d *directoryRole) string { return d.Description }),
	wire.Default("displayName", jsontext.AppendText, func(d *directoryRole) string { return d.Name }),
	wire.Default("id", jsontext.AppendID, func(d *directoryRole) uuid.UUID { return d.Role.ID }),
}, wire.NotKept[directoryRole]([]string{"deletedDateTime"}, nil)...)).In("directoryRoleTemplates")

// roleTexts are the properties that roles can be filtered by.
var roleTexts = wire.Texts[directoryRole]{
	"displayName":    func(d *directoryRole) string { return d.Name },
	"id":             func(d *directoryRole) string { return d.id.String() },
	"roleTemplateId": func(d *directoryRole) string { return d.Role.ID.String() },
}

// byTemplate reports whether the path names a role by its template:
// directoryRoles(roleTemplateId='…'), or directoryRoles/roleTemplateId=….
func byTemplate(op *wire.Operation) bool { return strings.Contains(op.Path, "(roleTemplateId='") }

func directoryRoles(img *tenant.Image) []directoryRole {
	list := make([]directoryRole, len(identity.BuiltInRoles))
	for i := range list {
		list[i] = roleAt(img, i)
	}
	return list
}

// roleAt returns the role at a place in identity.BuiltInRoles.
func roleAt(img *tenant.Image, place int) directoryRole {
	role := identity.BuiltInRoles[place]
	return directoryRole{role, identity.RoleObjectID(img.Organization.ID, role.ID), img}
}

// listRoles answers GET /directoryRoles.
func listRoles(r *wire.Request) error {
	return sendRoles(r, "directoryRoles", roleFields, roleTexts)
}

// listRoleTemplates answers GET /directoryRoleTemplates.
func listRoleTemplates(r *wire.Request) error {
	return sendRoles(r, "directoryRoleTemplates", templateFields, nil)
}

func sendRoles(r *wire.Request, set string, s *wire.FieldSet[directoryRole], texts wire.Texts[directoryRole]) error {
	options := []string{"$select", "$expand", "$count"}
	if texts != nil {
		options = append(options, "$filter")
	}
	if err := r.Allow(options...); err != nil {
		return err
	}
	fields, err := s.WithExpanded(r, expansionsOfRoles(s))
	if err != nil {
		return err
	}
	rows, err := wire.Filtered(r, directoryRoles(r.Image), texts)
	if err != nil {
		return err
	}
	return wire.SendList(r, wire.List[directoryRole]{
		Context: r.Selected(set), Rows: rows, Count: r.CountOf(len(rows)), Write: wire.ObjectWriter(fields),
	})
}

// expansionsOfRoles returns the expansions of the types that show roles.
func expansionsOfRoles(s *wire.FieldSet[directoryRole]) map[string]wire.Expansion[directoryRole] {
	if s == roleFields {
		return roleExpansions
	}
	return nil
}

// getRole answers GET /directoryRoles/{role}, by id or by roleTemplateId.
func getRole(r *wire.Request) error {
	return sendRole(r, "directoryRoles", roleFields, namedRole)
}

// getRoleTemplate answers GET /directoryRoleTemplates/{template}.
func getRoleTemplate(r *wire.Request) error {
	return sendRole(r, "directoryRoleTemplates", templateFields, roleTemplate)
}

func sendRole(
	r *wire.Request, set string, s *wire.FieldSet[directoryRole], find func(*wire.Request) (directoryRole, error),
) error {
	if err := r.Allow("$select", "$expand"); err != nil {
		return err
	}
	fields, err := s.WithExpanded(r, expansionsOfRoles(s))
	if err != nil {
		return err
	}
	role, err := find(r)
	if err != nil {
		return err
	}
	return wire.SendEntity(r, s, http.StatusOK, set, fields, &role)
}

// activateRole answers POST /directoryRoles {"roleTemplateId":…}. All roles are active, so it only
// shows the role.
func activateRole(r *wire.Request) error {
	members, err := r.Members()
	if err != nil {
		return err
	}
	var template uuid.UUID
	if err := wire.Read(roleResource, wire.WithoutID(members), map[string]any{"roleTemplateId": &template}, "roleTemplateId"); err != nil {
		return err
	}
	role, ok := roleOfTemplate(r, template)
	if !ok {
		return wire.Place{
			Resource: roleResource, Path: "roleTemplateId",
		}.Invalid([]byte(template.String()), "the id of one of the directoryRoleTemplates")
	}
	r.W.Header().Set("Location", r.Root+"/directoryRoles/"+role.id.String())
	fields, err := roleFields.Selected(r)
	if err != nil {
		return err
	}
	return wire.SendEntity(r, roleFields, http.StatusCreated, "directoryRoles", fields, &role)
}

const roleResource = "DirectoryRole"

// namedRole returns the role that the path names.
func namedRole(r *wire.Request) (directoryRole, error) {
	if byTemplate(r.Op) {
		return roleTemplate(r)
	}
	id, ok := guid.Parse(r.Keys[0])
	if at, found := identity.RoleByObjectID(r.Image.Organization.ID, id); ok && found {
		return roleAt(r.Image, at), nil
	}
	return directoryRole{}, problem.NotFound(r.Keys[0])
}

// roleTemplate returns the role whose template the path names.
func roleTemplate(r *wire.Request) (directoryRole, error) {
	id, ok := guid.Parse(r.Keys[0])
	if role, found := roleOfTemplate(r, id); ok && found {
		return role, nil
	}
	return directoryRole{}, problem.NotFound(r.Keys[0])
}

// roleOfTemplate returns the role of a template.
func roleOfTemplate(r *wire.Request, template uuid.UUID) (directoryRole, bool) {
	role, ok := identity.RoleByID(template)
	return directoryRole{role, identity.RoleObjectID(r.Image.Organization.ID, role.ID), r.Image}, ok
}

// membersOfRole is the relation to the users, groups and service principals that have a role.
var membersOfRole relation = func(r *wire.Request) (sets, error) {
	role, err := namedRole(r)
	if err != nil {
		return sets{}, err
	}
	return holding(r, role.Role), nil
}

// holding returns the objects that have a role, possibly including deleted ones.
func holding(r *wire.Request, role identity.Role) sets {
	of := sets{users: roaring.New(), groups: roaring.New(), principals: roaring.New()}
	for id, roles := range r.Image.Roles {
		if !slices.Contains(roles, role.ID) {
			continue
		}
		if user, ok := r.Image.Directory.UserByID(id); ok {
			of.users.Add(user)
		} else if group, ok := r.Image.Directory.GroupByID(id); ok {
			of.groups.Add(group)
		} else if principal, ok := r.Image.Principals.ByID(id); ok {
			of.principals.Add(principal)
		}
	}
	return of
}

// addToRole answers POST /directoryRoles/{role}/members/$ref.
func addToRole(r *wire.Request) error {
	role, err := namedRole(r)
	if err != nil {
		return err
	}
	id, err := r.Reference()
	if err != nil {
		return err
	}
	if err := mayHaveRoles(r, wire.Reference{Property: "members", ID: id}); err != nil {
		return err
	}
	return r.Change(tenant.SetRole{Role: role.Role.ID, Principal: id}, wire.Reference{Property: "members", ID: id})
}

// mayHaveRoles refuses to assign a role to an object other than a user, a service principal or a
// role-assignable group.
func mayHaveRoles(r *wire.Request, ref wire.Reference) error {
	id := ref.ID
	if _, ok := r.Image.Principals.ByID(id); ok {
		return nil
	}
	if group, ok := r.LiveGroup(id); ok {
		if !r.Image.RoleAssignable(group) {
			return problem.Refuse("The group '%s' cannot have directory roles: isAssignableToRole is true only for "+
				"groups that are created with it.", id)
		}
		return nil
	}
	if _, ok := r.LiveUser(id); !ok {
		return r.WrongReference(ref)
	}
	return nil
}

// removeFromRole answers DELETE /directoryRoles/{role}/members/{member}/$ref.
func removeFromRole(r *wire.Request) error {
	role, err := namedRole(r)
	if err != nil {
		return err
	}
	id, ok := guid.Parse(r.Keys[1])
	if !ok {
		return problem.NotFound(r.Keys[1])
	}
	return takeRole(r, role.Role, id)
}

// takeRole removes a role from a user, group or service principal.
func takeRole(r *wire.Request, role identity.Role, user uuid.UUID) error {
	command := tenant.SetRole{Role: role.ID, Principal: user, Removed: true}
	if role != identity.GlobalAdministrator {
		return r.Change(command)
	}
	if err := doKeepingAdministrator(r, lostRole(user), command); err != nil {
		return err
	}
	return r.SendNothing()
}

// mayManage refuses changes of a role-assignable group to callers that may not assign roles,
// because its members have its roles. Owners may change it, but not restore or permanently delete
// it.
func mayManage(r *wire.Request) error {
	if r.Method == http.MethodGet || r.Image == nil {
		return nil
	}
	group, ok := managedGroup(r)
	if !ok || !r.Image.RoleAssignable(group) {
		return nil
	}
	_, err := r.Check(identity.WriteRoles, identity.RelationOther)
	return err
}

// managedGroup returns the group whose role holders the operation changes: the group that the path
// names, unless the caller owns it, or a deleted one.
func managedGroup(r *wire.Request) (uint32, bool) {
	if r.Op.OfDeleted() {
		kind, group, ok := deletedItem(r)
		return group, ok && kind == groupKind
	}
	if !r.Op.OfGroup() || !managed[r.Op.Need] || r.Relation() == identity.RelationOwned {
		return 0, false
	}
	group, err := r.Group()
	return group, err == nil
}

// managed are the operations on a group with which a caller could get its roles, or remove them
// from others.
var managed = map[identity.Operation]bool{
	identity.WriteGroups: true, identity.DeleteGroups: true, identity.WriteMembers: true, identity.WriteOwners: true,
}

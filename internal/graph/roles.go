package graph

import (
	"net/http"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// directoryRole is a role of a tenant. All roles that there are, are always active.
type directoryRole struct {
	identity.Role
	id    uuid.UUID
	image *tenant.Image
}

// roleFields are the properties of directoryRole.
var roleFields = newFieldSet("microsoft.graph.directoryRole", append([]field[directoryRole]{
	{name: "description", write: func(b []byte, d *directoryRole) []byte { return jsontext.AppendText(b, d.Description) }, when: directory.ByDefault},
	{name: "displayName", write: func(b []byte, d *directoryRole) []byte { return jsontext.AppendText(b, d.Name) }, when: directory.ByDefault},
	{name: "id", write: func(b []byte, d *directoryRole) []byte { return jsontext.AppendID(b, d.id) }, when: directory.ByDefault},
	{name: "roleTemplateId", write: func(b []byte, d *directoryRole) []byte { return jsontext.AppendID(b, d.Role.ID) }, when: directory.ByDefault},
}, notKept[directoryRole]([]string{"deletedDateTime"}, nil)...)).in("directoryRoles")

// templateFields are the properties of directoryRoleTemplate.
var templateFields = newFieldSet("microsoft.graph.directoryRoleTemplate", append([]field[directoryRole]{
	{name: "description", write: func(b []byte, d *directoryRole) []byte { return jsontext.AppendText(b, d.Description) }, when: directory.ByDefault},
	{name: "displayName", write: func(b []byte, d *directoryRole) []byte { return jsontext.AppendText(b, d.Name) }, when: directory.ByDefault},
	{name: "id", write: func(b []byte, d *directoryRole) []byte { return jsontext.AppendID(b, d.Role.ID) }, when: directory.ByDefault},
}, notKept[directoryRole]([]string{"deletedDateTime"}, nil)...)).in("directoryRoleTemplates")

// roleTexts are the properties that roles can be found by.
var roleTexts = textsOf[directoryRole]{
	"displayName":    func(d *directoryRole) string { return d.Name },
	"id":             func(d *directoryRole) string { return d.id.String() },
	"roleTemplateId": func(d *directoryRole) string { return d.Role.ID.String() },
}

// byTemplate reports whether the path names a role by its template:
// directoryRoles(roleTemplateId='…'), or directoryRoles/roleTemplateId=….
func byTemplate(op *operation) bool { return strings.Contains(op.path, "(roleTemplateId='") }

func directoryRoles(img *tenant.Image) []directoryRole {
	list := make([]directoryRole, len(identity.BuiltInRoles))
	for i := range list {
		list[i] = roleAt(img, i)
	}
	return list
}

// roleAt is the role at a place in identity.BuiltInRoles.
func roleAt(img *tenant.Image, place int) directoryRole {
	role := identity.BuiltInRoles[place]
	return directoryRole{role, identity.RoleObjectID(img.Organization.ID, role.ID), img}
}

// listRoles answers GET /directoryRoles.
func listRoles(r *request) error {
	return sendRoles(r, "directoryRoles", roleFields, roleTexts)
}

// listRoleTemplates answers GET /directoryRoleTemplates.
func listRoleTemplates(r *request) error {
	return sendRoles(r, "directoryRoleTemplates", templateFields, nil)
}

func sendRoles(r *request, set string, s *fieldSet[directoryRole], texts textsOf[directoryRole]) error {
	options := []string{"$select", "$expand", "$count"}
	if texts != nil {
		options = append(options, "$filter")
	}
	if err := r.allow(options...); err != nil {
		return err
	}
	fields, err := s.withExpanded(r, expansionsOfRoles(s))
	if err != nil {
		return err
	}
	rows, err := filtered(r, directoryRoles(r.image), texts)
	if err != nil {
		return err
	}
	return sendList(r, list[directoryRole]{context: r.selected(set), rows: rows, count: r.countOf(len(rows)), write: objects(fields)})
}

// expansionsOfRoles are those of one of the types that show roles.
func expansionsOfRoles(s *fieldSet[directoryRole]) map[string]expansion[directoryRole] {
	if s == roleFields {
		return roleExpansions
	}
	return nil
}

// getRole answers GET /directoryRoles/{role}, by id or by roleTemplateId.
func getRole(r *request) error {
	return sendRole(r, "directoryRoles", roleFields, namedRole)
}

// getRoleTemplate answers GET /directoryRoleTemplates/{template}.
func getRoleTemplate(r *request) error {
	return sendRole(r, "directoryRoleTemplates", templateFields, roleTemplate)
}

func sendRole(r *request, set string, s *fieldSet[directoryRole], find func(*request) (directoryRole, error)) error {
	if err := r.allow("$select", "$expand"); err != nil {
		return err
	}
	fields, err := s.withExpanded(r, expansionsOfRoles(s))
	if err != nil {
		return err
	}
	role, err := find(r)
	if err != nil {
		return err
	}
	return sendEntity(r, s, http.StatusOK, set, fields, &role)
}

// activateRole answers POST /directoryRoles {"roleTemplateId":…}. All roles are active, so there is
// nothing to do but to show it.
func activateRole(r *request) error {
	members, err := r.members()
	if err != nil {
		return err
	}
	var template uuid.UUID
	if err := read(roleResource, withoutID(members), map[string]any{"roleTemplateId": &template}, "roleTemplateId"); err != nil {
		return err
	}
	role, ok := roleOfTemplate(r, template)
	if !ok {
		return placeIn{roleResource, "roleTemplateId"}.invalid([]byte(template.String()), "the id of one of the directoryRoleTemplates")
	}
	r.w.Header().Set("Location", r.root+"/directoryRoles/"+role.id.String())
	fields, err := roleFields.selected(r)
	if err != nil {
		return err
	}
	return sendEntity(r, roleFields, http.StatusCreated, "directoryRoles", fields, &role)
}

const roleResource = "DirectoryRole"

// namedRole is the role that the path names.
func namedRole(r *request) (directoryRole, error) {
	if byTemplate(r.op) {
		return roleTemplate(r)
	}
	id, ok := guid.Parse(r.keys[0])
	if at, found := identity.RoleByObjectID(r.image.Organization.ID, id); ok && found {
		return roleAt(r.image, at), nil
	}
	return directoryRole{}, problem.NotFound(r.keys[0])
}

// roleTemplate is the role whose template the path names.
func roleTemplate(r *request) (directoryRole, error) {
	id, ok := guid.Parse(r.keys[0])
	if role, found := roleOfTemplate(r, id); ok && found {
		return role, nil
	}
	return directoryRole{}, problem.NotFound(r.keys[0])
}

// roleOfTemplate is the role of a template.
func roleOfTemplate(r *request, template uuid.UUID) (directoryRole, bool) {
	role, ok := identity.RoleByID(template)
	return directoryRole{role, identity.RoleObjectID(r.image.Organization.ID, role.ID), r.image}, ok
}

// membersOfRole are the users, groups and service principals that have a role.
var membersOfRole relation = func(r *request) (sets, error) {
	role, err := namedRole(r)
	if err != nil {
		return sets{}, err
	}
	return holding(r, role.Role), nil
}

// holding are the objects that a role was given to; deleted ones may be among them.
func holding(r *request, role identity.Role) sets {
	of := sets{users: roaring.New(), groups: roaring.New(), principals: roaring.New()}
	for id, roles := range r.image.Roles {
		if !slices.Contains(roles, role.ID) {
			continue
		}
		if user, ok := r.image.Directory.UserByID(id); ok {
			of.users.Add(user)
		} else if group, ok := r.image.Directory.GroupByID(id); ok {
			of.groups.Add(group)
		} else if principal, ok := r.image.Principals.ByID(id); ok {
			of.principals.Add(principal)
		}
	}
	return of
}

// addToRole answers POST /directoryRoles/{role}/members/$ref.
func addToRole(r *request) error {
	role, err := namedRole(r)
	if err != nil {
		return err
	}
	id, err := r.reference()
	if err != nil {
		return err
	}
	if err := mayHaveRoles(r, reference{"members", id}); err != nil {
		return err
	}
	return r.change(tenant.SetRole{Role: role.Role.ID, Principal: id}, reference{"members", id})
}

// mayHaveRoles refuses to give a role to what is no user, no service principal and no group that
// roles can be given to.
func mayHaveRoles(r *request, ref reference) error {
	id := ref.id
	if _, ok := r.image.Principals.ByID(id); ok {
		return nil
	}
	if group, ok := r.liveGroup(id); ok {
		if !r.image.RoleAssignable(group) {
			return problem.Refuse("The group '%s' cannot have directory roles: isAssignableToRole is true only for groups that are created with it.", id)
		}
		return nil
	}
	if _, ok := r.liveUser(id); !ok {
		return r.wrongReference(ref)
	}
	return nil
}

// removeFromRole answers DELETE /directoryRoles/{role}/members/{member}/$ref.
func removeFromRole(r *request) error {
	role, err := namedRole(r)
	if err != nil {
		return err
	}
	id, ok := guid.Parse(r.keys[1])
	if !ok {
		return problem.NotFound(r.keys[1])
	}
	return takeRole(r, role.Role, id)
}

// takeRole takes a role away from a user, group or service principal.
func takeRole(r *request, role identity.Role, user uuid.UUID) error {
	command := tenant.SetRole{Role: role.ID, Principal: user, Removed: true}
	if role != identity.GlobalAdministrator {
		return r.change(command)
	}
	if err := doKeepingAdministrator(r, lostRole(user), command); err != nil {
		return err
	}
	return r.sendNothing()
}

// mayManage refuses changes of a group that roles can be given to, to callers that may not give
// roles: its members have its roles. Owners may change it, but not restore or permanently delete
// it.
func mayManage(r *request) error {
	if r.Method == http.MethodGet || r.image == nil {
		return nil
	}
	group, ok := managedGroup(r)
	if !ok || !r.image.RoleAssignable(group) {
		return nil
	}
	_, err := identity.WriteRoles.Check(r.caller, identity.RelationOther)
	return err
}

// managedGroup is the group of which the operation changes who has its roles: one that the path
// names, unless the caller owns it, or a deleted one.
func managedGroup(r *request) (uint32, bool) {
	if r.op.ofDeleted() {
		kind, group, ok := deletedItem(r)
		return group, ok && kind == store.KindGroup
	}
	if !r.op.ofGroup() || !managed[r.op.need] || r.relation() == identity.RelationOwned {
		return 0, false
	}
	group, err := r.group()
	return group, err == nil
}

// managed are the operations on a group by which a caller could get its roles, or take them from
// others.
var managed = map[identity.Operation]bool{
	identity.WriteGroups: true, identity.DeleteGroups: true, identity.WriteMembers: true, identity.WriteOwners: true,
}

// mayCreate refuses to create a group that roles can be given to, to callers who may not give
// roles.
func mayCreate(r *request, patch directory.GroupPatch) error {
	if !directory.AssignableIn(patch) {
		return nil
	}
	_, err := identity.WriteRoles.Check(r.caller, identity.RelationOther)
	return err
}

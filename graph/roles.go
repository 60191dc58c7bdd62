package graph

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/directory"
	"licensor/identity"
	"licensor/tenant"
)

// directoryRole is a role of a tenant. All roles that there are, are always active.
type directoryRole struct {
	identity.Role
	id uuid.UUID
}

// roleFields are the properties of directoryRole.
var roleFields = newFieldSet("microsoft.graph.directoryRole", append([]field[directoryRole]{
	{name: "description", write: func(b []byte, d *directoryRole) []byte { return appendText(b, d.Description) }, when: directory.ByDefault},
	{name: "displayName", write: func(b []byte, d *directoryRole) []byte { return appendText(b, d.Name) }, when: directory.ByDefault},
	{name: "id", write: func(b []byte, d *directoryRole) []byte { return appendID(b, d.id) }, when: directory.ByDefault},
	{name: "roleTemplateId", write: func(b []byte, d *directoryRole) []byte { return appendID(b, d.Role.ID) }, when: directory.ByDefault},
}, notKept[directoryRole]([]string{"deletedDateTime"}, nil)...)).in("directoryRoles")

// templateFields are the properties of directoryRoleTemplate.
var templateFields = newFieldSet("microsoft.graph.directoryRoleTemplate", append([]field[directoryRole]{
	{name: "description", write: func(b []byte, d *directoryRole) []byte { return appendText(b, d.Description) }, when: directory.ByDefault},
	{name: "displayName", write: func(b []byte, d *directoryRole) []byte { return appendText(b, d.Name) }, when: directory.ByDefault},
	{name: "id", write: func(b []byte, d *directoryRole) []byte { return appendID(b, d.Role.ID) }, when: directory.ByDefault},
}, notKept[directoryRole]([]string{"deletedDateTime"}, nil)...)).in("directoryRoleTemplates")

// roleTexts are the properties that roles can be found by.
var roleTexts = textsOf[directoryRole]{
	"displayName":    func(d *directoryRole) string { return d.Name },
	"id":             func(d *directoryRole) string { return d.id.String() },
	"roleTemplateId": func(d *directoryRole) string { return d.Role.ID.String() },
}

// byTemplate says whether the path names a role by its template: directoryRoles(roleTemplateId='…').
func (op *operation) byTemplate() bool { return strings.Contains(op.path, "(roleTemplateId='") }

func directoryRoles(img *tenant.Image) []directoryRole {
	list := make([]directoryRole, len(identity.Roles))
	for i, role := range identity.Roles {
		list[i] = directoryRole{role, identity.RoleObjectID(img.Organization.ID, role.ID)}
	}
	return list
}

// listRoles answers GET /directoryRoles.
func (api *API) listRoles(r *request) error {
	return sendRoles(r, "directoryRoles", roleFields, roleTexts)
}

// listRoleTemplates answers GET /directoryRoleTemplates.
func (api *API) listRoleTemplates(r *request) error {
	return sendRoles(r, "directoryRoleTemplates", templateFields, nil)
}

func sendRoles(r *request, set string, s *fieldSet[directoryRole], texts textsOf[directoryRole]) error {
	options := []string{"$select"}
	if texts != nil {
		options = append(options, "$filter")
	}
	if err := r.allow(options...); err != nil {
		return err
	}
	fields, err := s.selected(r)
	if err != nil {
		return err
	}
	rows, err := filtered(r, directoryRoles(r.image), texts)
	if err != nil {
		return err
	}
	return sendList(r, list[directoryRole]{context: r.selected(set), rows: rows, count: -1, write: objects(fields)})
}

// getRole answers GET /directoryRoles/{role}, by id or by roleTemplateId.
func (api *API) getRole(r *request) error {
	return sendRole(r, "directoryRoles", roleFields, (*request).directoryRole)
}

// getRoleTemplate answers GET /directoryRoleTemplates/{template}.
func (api *API) getRoleTemplate(r *request) error {
	return sendRole(r, "directoryRoleTemplates", templateFields, (*request).roleTemplate)
}

func sendRole(r *request, set string, s *fieldSet[directoryRole], find func(*request) (directoryRole, error)) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	fields, err := s.selected(r)
	if err != nil {
		return err
	}
	role, err := find(r)
	if err != nil {
		return err
	}
	return sendEntity(r, s, http.StatusOK, set, fields, &role)
}

// directoryRole is the role that the path names.
func (r *request) directoryRole() (directoryRole, error) {
	if r.op.byTemplate() {
		return r.roleTemplate()
	}
	return r.roleWhere(func(d directoryRole) uuid.UUID { return d.id })
}

// roleTemplate is the role whose template the path names.
func (r *request) roleTemplate() (directoryRole, error) {
	return r.roleWhere(func(d directoryRole) uuid.UUID { return d.Role.ID })
}

func (r *request) roleWhere(id func(directoryRole) uuid.UUID) (directoryRole, error) {
	wanted, ok := parseGUID(r.keys[0])
	for _, role := range directoryRoles(r.image) {
		if ok && id(role) == wanted {
			return role, nil
		}
	}
	return directoryRole{}, notFound(r.keys[0])
}

// membersOfRole are the users who have a role.
var membersOfRole relation = func(r *request) (sets, error) {
	role, err := r.directoryRole()
	if err != nil {
		return sets{}, err
	}
	return usersOf(r.holders(role.Role)), nil
}

// holders are the users who have a role, ascending; deleted ones may be among them.
func (r *request) holders(role identity.Role) []uint32 {
	var users []uint32
	for id, roles := range r.image.Roles {
		if user, ok := r.image.Directory.UserByID(id); ok && slices.Contains(roles, role.ID) {
			users = append(users, user)
		}
	}
	slices.Sort(users)
	return users
}

// addToRole answers POST /directoryRoles/{role}/members/$ref.
func (api *API) addToRole(r *request) error {
	role, err := r.directoryRole()
	if err != nil {
		return err
	}
	id, err := r.reference()
	if err != nil {
		return err
	}
	if err := r.mayHaveRoles(id); err != nil {
		return err
	}
	return r.change(tenant.SetRole{Role: role.Role.ID, Principal: id}, reference{"members", id})
}

// mayHaveRoles refuses to give a role to what is no user.
func (r *request) mayHaveRoles(id uuid.UUID) error {
	if _, ok := r.image.Principals.ByID(id); ok {
		return refuse("Directory roles are for users here: '%s' is a service principal. What an application may do is said by its appRoleAssignments.", id)
	}
	if _, ok := r.liveGroup(id); ok {
		return refuse("Directory roles are for users here: '%s' is a group. Give the role to its members.", id)
	}
	if _, ok := r.liveUser(id); !ok {
		p := notFound(id.String())
		p.Status, p.Code = http.StatusBadRequest, badRequest
		return p
	}
	return nil
}

// removeFromRole answers DELETE /directoryRoles/{role}/members/{member}/$ref.
func (api *API) removeFromRole(r *request) error {
	role, err := r.directoryRole()
	if err != nil {
		return err
	}
	id, ok := parseGUID(r.keys[1])
	if !ok {
		return notFound(r.keys[1])
	}
	return r.takeRole(role.Role, id)
}

// takeRole takes a role away from a user.
func (r *request) takeRole(role identity.Role, user uuid.UUID) error {
	command := tenant.SetRole{Role: role.ID, Principal: user, Gone: true}
	if role != identity.GlobalAdministrator {
		return r.change(command)
	}
	if err := r.doKeepingAdministrator(user, command); err != nil {
		return err
	}
	return r.sendNothing()
}

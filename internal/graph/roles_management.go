package graph

import (
	"encoding/base64"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// definitionFields are the properties of unifiedRoleDefinition. What actions a role allows is said
// by the table of needs, not by names of actions.
var definitionFields = newFieldSet("microsoft.graph.unifiedRoleDefinition", []field[directoryRole]{
	{name: "description", write: func(b []byte, d *directoryRole) []byte { return jsontext.AppendText(b, d.Description) }, when: directory.ByDefault},
	{name: "displayName", write: func(b []byte, d *directoryRole) []byte { return jsontext.AppendText(b, d.Name) }, when: directory.ByDefault},
	{name: "id", write: func(b []byte, d *directoryRole) []byte { return jsontext.AppendID(b, d.Role.ID) }, when: directory.ByDefault},
	{name: "isBuiltIn", write: appendTrue[directoryRole], when: directory.ByDefault},
	{name: "isEnabled", write: appendTrue[directoryRole], when: directory.ByDefault},
	{name: "resourceScopes", write: func(b []byte, _ *directoryRole) []byte { return append(b, `["/"]`...) }, when: directory.ByDefault},
	{name: "rolePermissions", write: func(b []byte, _ *directoryRole) []byte { return append(b, "[]"...) }, when: directory.ByDefault},
	{name: "templateId", write: func(b []byte, d *directoryRole) []byte { return jsontext.AppendID(b, d.Role.ID) }, when: directory.ByDefault},
	{name: "version", write: appendNull[directoryRole], when: directory.ByDefault},
}).in(edm.DefinitionSet)

// listDefinitions answers GET /roleManagement/directory/roleDefinitions.
func listDefinitions(r *request) error {
	return sendRoles(r, edm.DefinitionSet, definitionFields, textsOf[directoryRole]{
		"displayName": func(d *directoryRole) string { return d.Name },
		"id":          func(d *directoryRole) string { return d.Role.ID.String() },
		"isBuiltIn":   func(*directoryRole) string { return "true" },
		"isEnabled":   func(*directoryRole) string { return "true" },
		"templateId":  func(d *directoryRole) string { return d.Role.ID.String() },
	})
}

// getDefinition answers GET /roleManagement/directory/roleDefinitions/{definition}.
func getDefinition(r *request) error {
	return sendRole(r, edm.DefinitionSet, definitionFields, roleTemplate)
}

// heldRole is a role that a user, group or service principal was given: Graph's
// unifiedRoleAssignment.
type heldRole struct {
	role, principal, tenant uuid.UUID
}

// heldFields are the properties of unifiedRoleAssignment.
var heldFields = newFieldSet("microsoft.graph.unifiedRoleAssignment", []field[heldRole]{
	{name: "appScopeId", write: appendNull[heldRole], when: directory.ByDefault},
	{name: "condition", write: appendNull[heldRole], when: directory.ByDefault},
	{name: "directoryScopeId", write: func(b []byte, _ *heldRole) []byte { return append(b, `"/"`...) }, when: directory.ByDefault},
	{name: "id", write: func(b []byte, h *heldRole) []byte { return jsontext.AppendText(b, h.id()) }, when: directory.ByDefault},
	{name: "principalId", write: func(b []byte, h *heldRole) []byte { return jsontext.AppendID(b, h.principal) }, when: directory.ByDefault},
	{name: "principalOrganizationId", write: func(b []byte, h *heldRole) []byte { return jsontext.AppendID(b, h.tenant) }, when: directory.ByDefault},
	{name: "roleDefinitionId", write: func(b []byte, h *heldRole) []byte { return jsontext.AppendID(b, h.role) }, when: directory.ByDefault},
}).in(edm.AssignmentSet)

// id is derived from who has what.
func (h heldRole) id() string {
	key := h.key()
	return base64.RawURLEncoding.EncodeToString(key[:])
}

func (h heldRole) key() rowKey { return keyOf(h.principal, h.role) }

// heldRoles are all roles that objects which are not deleted were given.
func heldRoles(r *request) []heldRole {
	var list []heldRole
	for principal, roles := range r.image.Roles {
		if !isPrincipal(r, principal) {
			continue
		}
		for _, role := range roles {
			list = append(list, heldRole{role, principal, r.image.Organization.ID})
		}
	}
	return list
}

// isPrincipal says whether there is a user, group or service principal with an id that is not
// deleted.
func isPrincipal(r *request, id uuid.UUID) bool {
	if _, ok := r.liveUser(id); ok {
		return true
	}
	if _, ok := r.liveGroup(id); ok {
		return true
	}
	_, ok := r.image.Principals.ByID(id)
	return ok
}

// heldExpansions are what $expand can show of a role assignment.
var heldExpansions = map[string]expansion[heldRole]{}

func init() { // they lead to the fields they are shown among
	heldExpansions["principal"] = func(r *request, e odata.Expansion) (func([]byte, *heldRole) ([]byte, error), error) {
		inner := r.within(e)
		w, err := newObjectWriter(inner)
		if err != nil {
			return nil, err
		}
		return func(b []byte, h *heldRole) ([]byte, error) {
			inner.image = r.image
			o, ok, err := objectByID(inner, h.principal, w)
			if err != nil || !ok {
				return append(b, "null"...), err
			}
			return w.write(b, o), nil
		}, nil
	}
	heldExpansions["roleDefinition"] = func(r *request, e odata.Expansion) (func([]byte, *heldRole) ([]byte, error), error) {
		fields, err := definitionFields.selected(r.within(e))
		return func(b []byte, h *heldRole) ([]byte, error) {
			role, _ := roleOfTemplate(r, h.role)
			return append(appendFields(append(b, '{'), fields, &role), '}'), nil
		}, err
	}
}

// objectByID reads a user, group, application, service principal or directory role, as far as a
// writer needs it.
func objectByID(r *request, id uuid.UUID, w *objectWriter) (object, bool, error) {
	users, groups := findIDs(r, []uuid.UUID{id}, func(string) bool { return true })
	if len(users)+len(groups) == 0 {
		o, _, ok := otherObject(r, id)
		return o, ok, nil
	}
	return readObjects(r, users, groups, w)()
}

// listAssignments answers GET /roleManagement/directory/roleAssignments.
func listAssignments(r *request) error {
	if err := r.allow("$select", "$filter", "$expand", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	fields, err := shownOfAssignments(r)
	if err != nil {
		return err
	}
	rows, err := inOrder(heldRoles(r), heldRole.key).passing(r, textsOf[heldRole]{
		"directoryScopeId": func(*heldRole) string { return "/" },
		"principalId":      func(h *heldRole) string { return h.principal.String() },
		"roleDefinitionId": func(h *heldRole) string { return h.role.String() },
	})
	if err != nil {
		return err
	}
	return sendByKey(r, edm.AssignmentSet, rows, objects(fields))
}

// shownOfAssignments are the fields of $select and $expand.
func shownOfAssignments(r *request) ([]*field[heldRole], error) {
	return heldFields.withExpanded(r, heldExpansions)
}

// namedAssignment is the assignment that the path names.
func namedAssignment(r *request) (heldRole, error) {
	for _, h := range heldRoles(r) {
		if h.id() == r.keys[0] {
			return h, nil
		}
	}
	return heldRole{}, problem.NotFound(r.keys[0])
}

// getAssignment answers GET /roleManagement/directory/roleAssignments/{assignment}.
func getAssignment(r *request) error {
	if err := r.allow("$select", "$expand"); err != nil {
		return err
	}
	h, err := namedAssignment(r)
	if err != nil {
		return err
	}
	return sendHeldRole(r, http.StatusOK, h)
}

func sendHeldRole(r *request, status int, h heldRole) error {
	fields, err := shownOfAssignments(r)
	if err != nil {
		return err
	}
	return sendEntity(r, heldFields, status, edm.AssignmentSet, fields, &h)
}

const heldResource = "UnifiedRoleAssignment"

// createAssignment answers POST /roleManagement/directory/roleAssignments: a user, group or service
// principal gets a role, in the whole directory.
func createAssignment(r *request) error {
	h, err := readHeldRole(r)
	if err != nil {
		return err
	}
	free := func(img *tenant.Image) bool { return !slices.Contains(img.Roles[h.principal], h.role) }
	for again := true; again; { // one of several at once finds it free, and the others are told the same as later ones
		if !free(r.image) {
			const message = "A conflicting object with one or more of the specified property values is present in the directory."
			return &problem.Problem{Status: http.StatusBadRequest, Code: problem.CodeBadRequest, Message: message, Detail: &problem.Detail{Code: "ConflictingObjects", Target: "", Message: message}}
		}
		if again, err = r.doWhile(free, tenant.SetRole{Role: h.role, Principal: h.principal}); err != nil {
			return r.badReferences(err, []reference{{"principalId", h.principal}})
		}
	}
	r.w.Header().Set("Location", r.root+"/"+edm.AssignmentSet+"/"+h.id())
	return sendHeldRole(r, http.StatusCreated, h)
}

func readHeldRole(r *request) (h heldRole, err error) {
	members, err := r.members()
	if err != nil {
		return h, err
	}
	h.tenant = r.image.Organization.ID
	var scope string
	if err := read(heldResource, withoutID(members), map[string]any{
		"principalId": &h.principal, "roleDefinitionId": &h.role, "directoryScopeId": &scope,
	}, "principalId", "roleDefinitionId", "directoryScopeId"); err != nil {
		return h, err
	}
	switch _, ok := identity.RoleByID(h.role); {
	case !ok:
		return h, placeIn{heldResource, "roleDefinitionId"}.invalid([]byte(h.role.String()), "the id of one of the roleDefinitions")
	case scope != "/":
		return h, &directory.Invalid{
			Kind: directory.NotServed, Resource: heldResource, Property: "directoryScopeId",
			Want: "Roles are for the whole directory here: directoryScopeId is '/'.",
		}
	}
	return h, mayHaveRoles(r, reference{"principalId", h.principal})
}

// deleteAssignment answers DELETE /roleManagement/directory/roleAssignments/{assignment}.
func deleteAssignment(r *request) error {
	h, err := namedAssignment(r)
	if err != nil {
		return err
	}
	role, ok := identity.RoleByID(h.role)
	if !ok {
		role.ID = h.role
	}
	return takeRole(r, role, h.principal)
}

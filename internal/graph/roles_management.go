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
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// definitionFields are the properties of unifiedRoleDefinition. The actions of a role are defined
// by the table of needs, not by names of actions.
var definitionFields = wire.NewFieldSet("microsoft.graph.unifiedRoleDefinition", []wire.Field[directoryRole]{
	wire.Default("description", jsontext.AppendText, func(d *directoryRole) string { return d.Description }),
	wire.Default("displayName", jsontext.AppendText, func(d *directoryRole) string { return d.Name }),
	wire.Default("id", jsontext.AppendID, func(d *directoryRole) uuid.UUID { return d.Role.ID }),
	{Name: "isBuiltIn", Write: wire.AppendTrue[directoryRole], When: directory.ReturnedByDefault},
	{Name: "isEnabled", Write: wire.AppendTrue[directoryRole], When: directory.ReturnedByDefault},
	{Name: "resourceScopes", When: directory.ReturnedByDefault, Write: func(b []byte, _ *directoryRole) []byte {
		return append(b, `["/"]`...)
	}},
	{Name: "rolePermissions", When: directory.ReturnedByDefault, Write: func(b []byte, _ *directoryRole) []byte {
		return append(b, "[]"...)
	}},
	wire.Default("templateId", jsontext.AppendID, func(d *directoryRole) uuid.UUID { return d.Role.ID }),
	{Name: "version", Write: wire.AppendNull[directoryRole], When: directory.ReturnedByDefault},
}).In(edm.DefinitionSet)

// listDefinitions answers GET /roleManagement/directory/roleDefinitions.
func listDefinitions(r *wire.Request) error {
	return sendRoles(r, edm.DefinitionSet, definitionFields, wire.Texts[directoryRole]{
		"displayName": func(d *directoryRole) string { return d.Name },
		"id":          func(d *directoryRole) string { return d.Role.ID.String() },
		"isBuiltIn":   func(*directoryRole) string { return "true" },
		"isEnabled":   func(*directoryRole) string { return "true" },
		"templateId":  func(d *directoryRole) string { return d.Role.ID.String() },
	})
}

// getDefinition answers GET /roleManagement/directory/roleDefinitions/{definition}.
func getDefinition(r *wire.Request) error {
	return sendRole(r, edm.DefinitionSet, definitionFields, roleTemplate)
}

// heldRole is a role that a user, group or service principal was given: Graph's
// unifiedRoleAssignment.
type heldRole struct {
	role, principal, tenant uuid.UUID
}

// heldFields are the properties of unifiedRoleAssignment.
var heldFields = wire.NewFieldSet("microsoft.graph.unifiedRoleAssignment", []wire.Field[heldRole]{
	{Name: "appScopeId", Write: wire.AppendNull[heldRole], When: directory.ReturnedByDefault},
	{Name: "condition", Write: wire.AppendNull[heldRole], When: directory.ReturnedByDefault},
	{Name: "directoryScopeId", When: directory.ReturnedByDefault, Write: func(b []byte, _ *heldRole) []byte {
		return append(b, `"/"`...)
	}},
	wire.Default("id", jsontext.AppendText, (*heldRole).id),
	wire.Default("principalId", jsontext.AppendID, func(h *heldRole) uuid.UUID { return h.principal }),
	wire.Default("principalOrganizationId", jsontext.AppendID, func(h *heldRole) uuid.UUID { return h.tenant }),
	wire.Default("roleDefinitionId", jsontext.AppendID, func(h *heldRole) uuid.UUID { return h.role }),
}).In(edm.AssignmentSet)

// id is derived from the holder and the role.
func (h heldRole) id() string {
	key := h.key()
	return base64.RawURLEncoding.EncodeToString(key[:])
}

func (h heldRole) key() wire.Key { return wire.KeyOf(h.principal, h.role) }

// heldRoles returns all roles of live objects.
func heldRoles(r *wire.Request) []heldRole {
	var list []heldRole
	for principal, roles := range r.Image.Roles {
		if !isPrincipal(r, principal) {
			continue
		}
		for _, role := range roles {
			list = append(list, heldRole{role, principal, r.Image.Organization.ID})
		}
	}
	return list
}

// isPrincipal reports whether a live user, group or service principal has an id.
func isPrincipal(r *wire.Request, id uuid.UUID) bool {
	if _, ok := r.LiveUser(id); ok {
		return true
	}
	if _, ok := r.LiveGroup(id); ok {
		return true
	}
	_, ok := r.Image.Principals.ByID(id)
	return ok
}

// heldExpansions are the expansions of a role assignment.
var heldExpansions = map[string]wire.Expansion[heldRole]{}

func init() { // they refer to the fields that they are shown among
	heldExpansions["principal"] = func(r *wire.Request, e odata.Expansion) (func([]byte, *heldRole) ([]byte, error), error) {
		inner := r.Within(e)
		w, err := newObjectWriter(inner)
		if err != nil {
			return nil, err
		}
		return func(b []byte, h *heldRole) ([]byte, error) {
			inner.Image = r.Image
			o, ok, err := objectByID(inner, h.principal, w)
			if err != nil || !ok {
				return append(b, "null"...), err
			}
			return w.write(b, o), nil
		}, nil
	}
	heldExpansions["roleDefinition"] = func(r *wire.Request, e odata.Expansion) (func([]byte, *heldRole) ([]byte, error), error) {
		fields, err := definitionFields.Selected(r.Within(e))
		return func(b []byte, h *heldRole) ([]byte, error) {
			role, _ := roleOfTemplate(r, h.role)
			return append(wire.AppendFields(append(b, '{'), fields, &role), '}'), nil
		}, err
	}
}

// objectByID reads a user, group, application, service principal or directory role, with the data
// that a writer needs.
func objectByID(r *wire.Request, id uuid.UUID, w *objectWriter) (object, bool, error) {
	users, groups := findIDs(r, []uuid.UUID{id}, func(string) bool { return true })
	if len(users)+len(groups) == 0 {
		o, _, ok := otherObject(r, id)
		return o, ok, nil
	}
	return readObjects(r, users, groups, w)()
}

// listAssignments answers GET /roleManagement/directory/roleAssignments.
func listAssignments(r *wire.Request) error {
	if err := r.Allow("$select", "$filter", "$expand", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	fields, err := shownOfAssignments(r)
	if err != nil {
		return err
	}
	rows, err := wire.InOrder(heldRoles(r), heldRole.key).Passing(r, wire.Texts[heldRole]{
		"directoryScopeId": func(*heldRole) string { return "/" },
		"principalId":      func(h *heldRole) string { return h.principal.String() },
		"roleDefinitionId": func(h *heldRole) string { return h.role.String() },
	})
	if err != nil {
		return err
	}
	return wire.SendByKey(r, edm.AssignmentSet, rows, wire.ObjectWriter(fields))
}

// shownOfAssignments returns the fields of $select and $expand.
func shownOfAssignments(r *wire.Request) ([]*wire.Field[heldRole], error) {
	return heldFields.WithExpanded(r, heldExpansions)
}

// namedAssignment returns the assignment that the path names.
func namedAssignment(r *wire.Request) (heldRole, error) {
	for _, h := range heldRoles(r) {
		if h.id() == r.Keys[0] {
			return h, nil
		}
	}
	return heldRole{}, problem.NotFound(r.Keys[0])
}

// getAssignment answers GET /roleManagement/directory/roleAssignments/{assignment}.
func getAssignment(r *wire.Request) error {
	if err := r.Allow("$select", "$expand"); err != nil {
		return err
	}
	h, err := namedAssignment(r)
	if err != nil {
		return err
	}
	return sendHeldRole(r, http.StatusOK, h)
}

func sendHeldRole(r *wire.Request, status int, h heldRole) error {
	fields, err := shownOfAssignments(r)
	if err != nil {
		return err
	}
	return wire.SendEntity(r, heldFields, status, edm.AssignmentSet, fields, &h)
}

const heldResource = "UnifiedRoleAssignment"

// createAssignment answers POST /roleManagement/directory/roleAssignments: a user, group or service
// principal gets a role, in the whole directory.
func createAssignment(r *wire.Request) error {
	h, err := readHeldRole(r)
	if err != nil {
		return err
	}
	free := func(img *tenant.Image) bool { return !slices.Contains(img.Roles[h.principal], h.role) }
	// Of several concurrent requests one succeeds, and the others get the same error as later ones.
	for again := true; again; {
		if !free(r.Image) {
			const message = "A conflicting object with one or more of the specified property values is present in " +
				"the directory."
			return &problem.ResponseError{
				Status: http.StatusBadRequest, Code: problem.CodeBadRequest, Message: message,
				Detail: &problem.Detail{Code: "ConflictingObjects", Target: "", Message: message},
			}
		}
		if again, err = r.DoWhile(free, tenant.SetRole{Role: h.role, Principal: h.principal}); err != nil {
			return r.BadReferences(err, []wire.Reference{{Property: "principalId", ID: h.principal}})
		}
	}
	r.W.Header().Set("Location", r.Root+"/"+edm.AssignmentSet+"/"+h.id())
	return sendHeldRole(r, http.StatusCreated, h)
}

func readHeldRole(r *wire.Request) (h heldRole, err error) {
	members, err := r.Members()
	if err != nil {
		return h, err
	}
	h.tenant = r.Image.Organization.ID
	var scope string
	if err := wire.Read(heldResource, wire.WithoutID(members), map[string]any{
		"principalId": &h.principal, "roleDefinitionId": &h.role, "directoryScopeId": &scope,
	}, "principalId", "roleDefinitionId", "directoryScopeId"); err != nil {
		return h, err
	}
	switch _, ok := identity.RoleByID(h.role); {
	case !ok:
		return h, wire.Place{
			Resource: heldResource, Path: "roleDefinitionId",
		}.Invalid([]byte(h.role.String()), "the id of one of the roleDefinitions")
	case scope != "/":
		return h, &directory.InvalidError{
			Kind: directory.InvalidNotServed, Resource: heldResource, Property: "directoryScopeId",
			Want: "Roles are for the whole directory here: directoryScopeId is '/'.",
		}
	}
	return h, mayHaveRoles(r, wire.Reference{Property: "principalId", ID: h.principal})
}

// deleteAssignment answers DELETE /roleManagement/directory/roleAssignments/{assignment}.
func deleteAssignment(r *wire.Request) error {
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

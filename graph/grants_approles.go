package graph

import (
	"encoding/base64"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"licensor/directory"
	"licensor/identity"
)

// roleAssignment is a permission that a service principal has for itself, at Microsoft Graph: the one resource that there is.
type roleAssignment struct {
	principal  directory.Client
	permission identity.Permission
	resource   uuid.UUID
}

// roleAssignmentFields are the properties of appRoleAssignment. When it was made is not kept.
var roleAssignmentFields = newFieldSet("microsoft.graph.appRoleAssignment", append([]field[roleAssignment]{
	{name: "appRoleId", write: func(b []byte, g *roleAssignment) []byte { return appendID(b, g.permission.ID) }, when: directory.ByDefault},
	{name: "id", write: func(b []byte, g *roleAssignment) []byte { return appendText(b, g.id()) }, when: directory.ByDefault},
	{name: "principalDisplayName", write: func(b []byte, g *roleAssignment) []byte { return appendText(b, g.principal.DisplayName) }, when: directory.ByDefault},
	{name: "principalId", write: func(b []byte, g *roleAssignment) []byte { return appendID(b, g.principal.Principal.ID) }, when: directory.ByDefault},
	{name: "principalType", write: func(b []byte, _ *roleAssignment) []byte { return append(b, `"ServicePrincipal"`...) }, when: directory.ByDefault},
	{name: "resourceDisplayName", write: func(b []byte, _ *roleAssignment) []byte { return append(b, `"Microsoft Graph"`...) }, when: directory.ByDefault},
	{name: "resourceId", write: func(b []byte, g *roleAssignment) []byte { return appendID(b, g.resource) }, when: directory.ByDefault},
}, notKept[roleAssignment]([]string{"createdDateTime", "deletedDateTime"}, nil)...)).at(func(g *roleAssignment) string {
	return "servicePrincipals('" + g.principal.Principal.ID.String() + "')/appRoleAssignments"
})

// id is derived from what the assignment is about.
func (g roleAssignment) id() string { return base64.RawURLEncoding.EncodeToString(g.key()) }

func (g roleAssignment) key() []byte {
	return slices.Concat(g.principal.Principal.ID[:], g.permission.ID[:])
}

// side is from where assignments are looked at: from the service principal that has the permissions, or from the resource.
type side struct {
	name string
	all  func(r *request, a directory.Client) []roleAssignment // those of a service principal
	has  func(a directory.Client, g roleAssignment) bool       // whether an assignment is one of these
}

// The two sides.
var (
	assignmentsOf = side{
		"appRoleAssignments", (*request).roleAssignmentsOf,
		func(a directory.Client, g roleAssignment) bool { return g.principal.Principal.ID == a.Principal.ID },
	}
	assignedTo = side{
		"appRoleAssignedTo", (*request).roleAssignmentsTo,
		func(a directory.Client, g roleAssignment) bool { return g.resource == a.Principal.ID },
	}
)

// roleAssignmentsOf are those that a service principal has.
func (r *request) roleAssignmentsOf(a directory.Client) (list []roleAssignment) {
	for _, value := range a.Principal.Permissions {
		if p, ok := identity.ApplicationPermission(value); ok {
			list = append(list, roleAssignment{a, p, identity.GraphPrincipalID(r.image.Organization.ID)})
		}
	}
	return list
}

// roleAssignmentsTo are those of all service principals to a resource.
func (r *request) roleAssignmentsTo(a directory.Client) (list []roleAssignment) {
	if a.AppID != directory.GraphAppID {
		return nil
	}
	for ordinal := range r.image.Principals.All() {
		list = append(list, r.roleAssignmentsOf(r.image.PrincipalAt(ordinal))...)
	}
	return list
}

func (s side) set(a directory.Client) string {
	return "servicePrincipals('" + a.Principal.ID.String() + "')/" + s.name
}

// list answers GET /servicePrincipals/{servicePrincipal}/appRoleAssignments, and appRoleAssignedTo.
func (s side) list(_ *API, r *request) error {
	if err := r.allow("$select", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	fields, err := roleAssignmentFields.selected(r)
	if err != nil {
		return err
	}
	a, err := r.principal()
	if err != nil {
		return err
	}
	return sendByID(r, s.set(a), s.all(r, a), roleAssignment.key, objects(fields))
}

// find is the assignment that the path names.
func (s side) find(r *request) (directory.Client, roleAssignment, error) {
	a, err := r.principal()
	if err != nil {
		return a, roleAssignment{}, err
	}
	if key, err := base64.RawURLEncoding.DecodeString(r.keys[1]); err == nil && len(key) == keyLength {
		principal, _ := r.image.Principal(uuid.UUID(key[:keyLength/2]))
		for _, g := range r.roleAssignmentsOf(principal) {
			if s.has(a, g) && g.id() == r.keys[1] {
				return a, g, nil
			}
		}
	}
	return a, roleAssignment{}, notFound(r.keys[1])
}

// get answers GET …/appRoleAssignments/{assignment}.
func (s side) get(_ *API, r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	a, g, err := s.find(r)
	if err != nil {
		return err
	}
	return s.send(r, http.StatusOK, a, g)
}

func (s side) send(r *request, status int, a directory.Client, g roleAssignment) error {
	fields, err := roleAssignmentFields.selected(r)
	if err != nil {
		return err
	}
	return sendEntity(r, roleAssignmentFields, status, s.set(a), fields, &g)
}

const assignmentResource = "AppRoleAssignment"

// create answers POST …/appRoleAssignments {"principalId":…,"resourceId":…,"appRoleId":…}: an application is granted a permission. It is
// in its next token, and in none that it has.
func (s side) create(_ *API, r *request) error {
	a, err := r.principal()
	if err != nil {
		return err
	}
	g, err := r.readAssignment()
	if err != nil {
		return err
	}
	if !s.has(a, g) {
		return refuse("The service principal of the path, %s, is not the one of the body: it must be the principalId of appRoleAssignments, and the resourceId of appRoleAssignedTo.", a.Principal.ID)
	}
	_, err = r.rewrite(
		func(r *request) (directory.Client, error) { return r.byPrincipalID(g.principal.Principal.ID) },
		func(a *directory.Client) error {
			if slices.Contains(a.Principal.Permissions, g.permission.Value) {
				return refuse("Permission being assigned already exists on the object")
			}
			a.Principal.Permissions = append(a.Principal.Permissions, g.permission.Value)
			return nil
		},
	)
	if err != nil {
		return err
	}
	r.w.Header().Set("Location", r.root+"/"+s.set(a)+"/"+g.id())
	return s.send(r, http.StatusCreated, a, g)
}

// readAssignment reads what is to be granted to whom.
func (r *request) readAssignment() (g roleAssignment, err error) {
	members, err := r.members()
	if err != nil {
		return g, err
	}
	var principal, role uuid.UUID
	var kind string
	if err := read(assignmentResource, withoutID(members), map[string]any{
		"principalId": &principal, "resourceId": &g.resource, "appRoleId": &role, "principalType": &kind,
	}, "principalId", "resourceId", "appRoleId"); err != nil {
		return g, err
	}
	if g.resource != identity.GraphPrincipalID(r.image.Organization.ID) {
		return g, placeIn{assignmentResource, "resourceId"}.invalid([]byte(g.resource.String()), "the id of the service principal of Microsoft Graph in this tenant")
	}
	permission, ok := identity.ApplicationPermissionByID(role)
	if g.permission = permission; !ok {
		return g, refuse("Permission being assigned was not found on application '%s'. Its service principal lists its permissions in appRoles.", identity.GraphAppID)
	}
	if g.principal, err = r.byPrincipalID(principal); err != nil {
		if _, isUser := r.liveUser(principal); isUser {
			return g, refuse("The app roles of Microsoft Graph are for applications: '%s' is a user. What an application may do in a user's name is an oAuth2PermissionGrant.", principal)
		}
		return g, &Problem{Status: http.StatusBadRequest, Code: badRequest, Message: err.Error()}
	}
	return g, nil
}

// byPrincipalID is the application whose service principal has an id.
func (r *request) byPrincipalID(id uuid.UUID) (directory.Client, error) {
	a, ok := r.image.Principal(id)
	if !ok {
		return a, notFound(id.String())
	}
	return a, nil
}

// remove answers DELETE …/appRoleAssignments/{assignment}.
func (s side) remove(_ *API, r *request) error {
	_, g, err := s.find(r)
	if err != nil {
		return err
	}
	_, err = r.rewrite(
		func(r *request) (directory.Client, error) { return r.byPrincipalID(g.principal.Principal.ID) },
		func(a *directory.Client) error {
			a.Principal.Permissions = slices.DeleteFunc(a.Principal.Permissions, func(value string) bool { return value == g.permission.Value })
			return nil
		},
	)
	if err != nil {
		return err
	}
	return r.sendNothing()
}

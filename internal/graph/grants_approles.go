package graph

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// roleAssignment is an app role of a resource that a principal has: a permission at Microsoft Graph
// that a service principal has for itself, or a role that another application defines, for a user,
// group or service principal.
type roleAssignment struct {
	directory.Link
	image *tenant.Image
}

// roleAssignmentFields are the properties of appRoleAssignment. The time of creation is unknown for
// assignments by an earlier version.
var roleAssignmentFields = wire.NewFieldSet("microsoft.graph.appRoleAssignment", append([]wire.Field[roleAssignment]{
	wire.Default("appRoleId", jsontext.AppendID, func(g *roleAssignment) uuid.UUID { return g.Role }),
	wire.Default("createdDateTime", jsontext.AppendTime, (*roleAssignment).since),
	wire.Default("id", jsontext.AppendText, (*roleAssignment).id),
	wire.Default("principalDisplayName", jsontext.AppendText, func(g *roleAssignment) string { return g.nameOf(g.From) }),
	wire.Default("principalId", jsontext.AppendID, func(g *roleAssignment) uuid.UUID { return g.From }),
	wire.Default("principalType", jsontext.AppendText, (*roleAssignment).principalType),
	wire.Default("resourceDisplayName", jsontext.AppendText, func(g *roleAssignment) string { return g.nameOf(g.To) }),
	wire.Default("resourceId", jsontext.AppendID, func(g *roleAssignment) uuid.UUID { return g.To }),
}, wire.NotKept[roleAssignment]([]string{"deletedDateTime"}, nil)...)).At(func(g *roleAssignment) string {
	return g.principalSet() + "('" + g.From.String() + "')/appRoleAssignments"
})

// isGraph reports whether the resource is Microsoft Graph.
func (g *roleAssignment) isGraph() bool {
	return g.To == identity.GraphPrincipalID(g.image.Organization.ID)
}

// id is derived from the contents of the assignment.
func (g roleAssignment) id() string {
	role := g.Role
	if !g.isGraph() {
		role = uuid.NewSHA1(g.To, g.Role[:])
	}
	key := wire.KeyOf(g.From, role)
	return base64.RawURLEncoding.EncodeToString(key[:])
}

// since returns when it was made; the zero time if that is unknown.
func (g *roleAssignment) since() time.Time {
	if !g.isGraph() {
		return g.image.Links.Since(g.Link)
	}
	permission, _ := identity.ApplicationPermissionByID(g.Role)
	if principal, ok := g.image.Principals.ByID(g.From); ok {
		return g.image.Principals.At(principal).Granted[permission.Value]
	}
	return time.Time{}
}

// nameOf returns the displayName of a user, group or service principal.
func (g *roleAssignment) nameOf(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	if user, ok := g.image.Directory.UserByID(id); ok {
		about, _ := directory.AboutUser("displayName")
		return g.image.Directory.UserColumns().Text(user, about.Column)
	}
	if group, ok := g.image.Directory.GroupByID(id); ok {
		about, _ := directory.AboutGroup("displayName")
		return g.image.Directory.GroupColumns().Text(group, about.Column)
	}
	if principal, ok := g.image.Principals.ByID(id); ok {
		return g.image.Principals.At(principal).DisplayName
	}
	return ""
}

func (g *roleAssignment) principalType() string {
	if g.From == uuid.Nil {
		return ""
	}
	if _, ok := g.image.Directory.UserByID(g.From); ok {
		return "User"
	}
	if _, ok := g.image.Directory.GroupByID(g.From); ok {
		return "Group"
	}
	return "ServicePrincipal"
}

// principalSet returns the set that the principal is in.
func (g *roleAssignment) principalSet() string {
	return map[string]string{"User": "users", "Group": "groups", "ServicePrincipal": "servicePrincipals"}[g.principalType()]
}

// side is the object that assignments are listed for: the object that has the roles, or the
// resource.
type side struct {
	set, name string
	object    func(*wire.Request) (uuid.UUID, error)
	behind    func(r *wire.Request, id uuid.UUID, last wire.Key) iter.Seq[roleAssignment] // in the order of key
	key       func(roleAssignment) wire.Key
	end       func(directory.Link) uuid.UUID // the object of an assignment
}

// The sides.
var (
	assignmentsOf = side{
		"servicePrincipals", "appRoleAssignments", (*wire.Request).PrincipalID, roleAssignmentsOf,
		roleAssignment.keyFrom, principalOf,
	}
	assignmentsOfUser  = side{"users", "appRoleAssignments", (*wire.Request).UserID, roleAssignmentsOf, roleAssignment.keyFrom, principalOf}
	assignmentsOfGroup = side{"groups", "appRoleAssignments", (*wire.Request).GroupID, roleAssignmentsOf, roleAssignment.keyFrom, principalOf}
	assignedTo         = side{"servicePrincipals", "appRoleAssignedTo", (*wire.Request).PrincipalID, roleAssignmentsTo, roleAssignment.keyTo, resourceOf}
)

func principalOf(l directory.Link) uuid.UUID { return l.From }
func resourceOf(l directory.Link) uuid.UUID  { return l.To }

// roleAssignmentsOf yields the assignments of an object after a key: by resource and role, those at
// Microsoft Graph last.
func roleAssignmentsOf(r *wire.Request, id uuid.UUID, last wire.Key) iter.Seq[roleAssignment] {
	return func(yield func(roleAssignment) bool) {
		resource, role := last.IDs()
		if resource != identity.GraphPrincipalID(r.Image.Organization.ID) {
			links := r.Image.Links.LinksFromBehind(directory.Link{
				Relation: directory.RelationHasRole, From: id, To: resource, Role: role,
			})
			if !yieldLive(r, links, yield) {
				return
			}
			role = uuid.Nil
		}
		if principal, ok := r.Image.Principals.ByID(id); ok {
			yieldPermissions(r, r.Image.Principals.At(principal), role, yield)
		}
	}
}

func (g roleAssignment) keyFrom() wire.Key { return wire.KeyOf(g.To, g.Role) }

// roleAssignmentsTo yields the assignments of all objects to a resource after a key: by the
// object's id and role, or by the ordinal of the service principal and role if the resource is
// Microsoft Graph.
func roleAssignmentsTo(r *wire.Request, id uuid.UUID, last wire.Key) iter.Seq[roleAssignment] {
	return func(yield func(roleAssignment) bool) {
		principal, role := last.IDs()
		if id != identity.GraphPrincipalID(r.Image.Organization.ID) {
			links := r.Image.Links.LinksToBehind(directory.Link{
				Relation: directory.RelationHasRole, From: principal, To: id, Role: role,
			})
			yieldLive(r, links, yield)
			return
		}
		for ordinal := ordinalIn(principal); ordinal < r.Image.Principals.Len(); ordinal++ {
			p := r.Image.Principals.At(ordinal)
			if p != nil && p.DeletedDateTime.IsZero() && !yieldPermissions(r, p, role, yield) {
				return
			}
			role = uuid.Nil
		}
	}
}

func (g roleAssignment) keyTo() wire.Key {
	if !g.isGraph() {
		return wire.KeyOf(g.From, g.Role)
	}
	ordinal, _ := g.image.Principals.EverByID(g.From)
	return wire.KeyOf(asID(ordinal), g.Role)
}

// asID converts an ordinal to an id for a key.
func asID(ordinal uint32) (id uuid.UUID) {
	binary.BigEndian.PutUint32(id[len(id)-4:], ordinal)
	return id
}

func ordinalIn(id uuid.UUID) uint32 { return binary.BigEndian.Uint32(id[len(id)-4:]) }

// yieldLive yields the assignments whose ends are both live, until yield returns false.
func yieldLive(r *wire.Request, links iter.Seq[directory.Link], yield func(roleAssignment) bool) bool {
	for l := range links {
		_, from := r.Image.Kind(l.From)
		if _, to := r.Image.Kind(l.To); from && to && !yield(roleAssignment{l, r.Image}) {
			return false
		}
	}
	return true
}

// yieldPermissions yields the assignments at Microsoft Graph after a role, until yield returns
// false.
func yieldPermissions(
	r *wire.Request, p *directory.ServicePrincipal, last uuid.UUID, yield func(roleAssignment) bool,
) bool {
	var roles []uuid.UUID
	for _, value := range p.Permissions {
		if permission, ok := identity.ApplicationPermission(value); ok && bytes.Compare(permission.ID[:], last[:]) > 0 {
			roles = append(roles, permission.ID)
		}
	}
	slices.SortFunc(roles, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	link := directory.Link{
		Relation: directory.RelationHasRole, From: p.ID, To: identity.GraphPrincipalID(r.Image.Organization.ID),
	}
	for _, link.Role = range roles {
		if !yield(roleAssignment{link, r.Image}) {
			return false
		}
	}
	return true
}

func (s side) context(id uuid.UUID) string { return s.set + "('" + id.String() + "')/" + s.name }

// roleAssignmentTexts are the properties that assignments can be filtered by.
var roleAssignmentTexts = wire.Texts[roleAssignment]{
	"appRoleId":            func(g *roleAssignment) string { return g.Role.String() },
	"principalDisplayName": func(g *roleAssignment) string { return g.nameOf(g.From) },
	"principalId":          func(g *roleAssignment) string { return g.From.String() },
	"principalType":        func(g *roleAssignment) string { return g.principalType() },
	"resourceDisplayName":  func(g *roleAssignment) string { return g.nameOf(g.To) },
	"resourceId":           func(g *roleAssignment) string { return g.To.String() },
}

// orderOfRoles is the order of the lists of assignments. Earlier versions used the order of their
// ids.
const orderOfRoles = 1

// list answers GET /servicePrincipals/{servicePrincipal}/appRoleAssignments, and similar requests.
func (s side) list(r *wire.Request) error {
	if err := r.Allow("$select", "$filter", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	fields, err := roleAssignmentFields.Selected(r)
	if err != nil {
		return err
	}
	id, err := s.object(r)
	if err != nil {
		return err
	}
	rows := wire.Rows[roleAssignment]{
		Key: s.key, Order: orderOfRoles,
		Behind: func(last wire.Key) iter.Seq[roleAssignment] { return s.behind(r, id, last) },
	}
	if rows, err = rows.Passing(r, roleAssignmentTexts); err != nil {
		return err
	}
	return wire.SendByKey(r, s.context(id), rows, wire.ObjectWriter(fields))
}

// expandAssignments shows objects with their assignments, from a side.
func expandAssignments[T any](of func(*T) subject, s side) wire.Expansion[T] {
	return wire.ExpandRows(roleAssignmentFields, func(r *wire.Request, object *T) iter.Seq[roleAssignment] {
		inner, subject := *r, of(object)
		inner.Image = subject.image
		return s.behind(&inner, subject.id, wire.Key{})
	})
}

// find returns the assignment that the path names, and the object that it is listed for.
func (s side) find(r *wire.Request) (uuid.UUID, roleAssignment, error) {
	id, err := s.object(r)
	if err != nil {
		return id, roleAssignment{}, err
	}
	named := r.Keys[len(r.Keys)-1]
	if key, err := base64.RawURLEncoding.DecodeString(named); err == nil && len(key) == wire.KeyLength {
		for g := range roleAssignmentsOf(r, uuid.UUID(key[:wire.KeyLength/2]), wire.Key{}) {
			if s.end(g.Link) == id && g.id() == named {
				return id, g, nil
			}
		}
	}
	return id, roleAssignment{}, problem.NotFound(named)
}

// get answers GET …/appRoleAssignments/{assignment}.
func (s side) get(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	id, g, err := s.find(r)
	if err != nil {
		return err
	}
	return s.send(r, http.StatusOK, id, g)
}

func (s side) send(r *wire.Request, status int, id uuid.UUID, g roleAssignment) error {
	fields, err := roleAssignmentFields.Selected(r)
	if err != nil {
		return err
	}
	return wire.SendEntity(r, roleAssignmentFields, status, s.context(id), fields, &g)
}

const assignmentResource = "AppRoleAssignment"

// create answers POST …/appRoleAssignments {"principalId":…,"resourceId":…,"appRoleId":…}. A
// permission of Microsoft Graph is in tokens that are issued afterwards.
func (s side) create(r *wire.Request) error {
	id, err := s.object(r)
	if err != nil {
		return err
	}
	g, err := readAssignment(r)
	if err != nil {
		return err
	}
	if s.end(g.Link) != id {
		return problem.Refuse("The object of the path, %s, is not the one of the body: it must be the principalId "+
			"of appRoleAssignments, and the resourceId of appRoleAssignedTo.", id)
	}
	if g.image, err = assign(r, g); err != nil {
		return err
	}
	r.W.Header().Set("Location", r.Root+"/"+s.context(id)+"/"+g.id())
	return s.send(r, http.StatusCreated, id, g)
}

// assign makes an assignment, and returns the image with it.
func assign(r *wire.Request, g roleAssignment) (*tenant.Image, error) {
	if g.isGraph() {
		err := grantPermission(r, g)
		return r.Image, err
	}
	done, err := r.Do(tenant.AddLink{Link: g.Link})
	if err != nil {
		return nil, r.BadReferences(err, []wire.Reference{{Property: "principalId", ID: g.From}, {Property: "resourceId", ID: g.To}})
	}
	return done.Image, nil
}

// readAssignment reads an assignment from a body.
func readAssignment(r *wire.Request) (g roleAssignment, err error) {
	members, err := r.Members()
	if err != nil {
		return g, err
	}
	var kind string
	g.Relation, g.image = directory.RelationHasRole, r.Image
	err = wire.Read(assignmentResource, wire.WithoutID(members), map[string]any{
		"principalId": &g.From, "resourceId": &g.To, "appRoleId": &g.Role, "principalType": &kind,
	}, "principalId", "resourceId", "appRoleId")
	return g, err
}

// grantPermission gives a service principal a permission at Microsoft Graph.
func grantPermission(r *wire.Request, g roleAssignment) error {
	permission, ok := identity.ApplicationPermissionByID(g.Role)
	if !ok {
		return problem.Refuse(tenant.NoAppRoleText, identity.GraphAppID)
	}
	if kind, ok := r.TypeOf(g.From); ok && kind != "ServicePrincipal" {
		return problem.Refuse("The app roles of Microsoft Graph are for applications: '%s' is of type '%s'. What "+
			"an application may do in a user's name is an oAuth2PermissionGrant.", g.From, kind)
	}
	_, err := rewrite(r,
		func(r *wire.Request) (directory.Client, error) { return byPrincipalID(r, g.From) },
		func(a *directory.Client) error {
			if slices.Contains(a.Principal.Permissions, permission.Value) {
				return problem.Refuse(tenant.GrantedText)
			}
			a.Principal.Permissions = append(a.Principal.Permissions, permission.Value)
			return nil
		},
	)
	if p, is := err.(*problem.ResponseError); is && p.Status == http.StatusNotFound {
		return &problem.ResponseError{Status: http.StatusBadRequest, Code: problem.CodeBadRequest, Message: p.Message}
	}
	return err
}

// byPrincipalID returns the application whose service principal has an id.
func byPrincipalID(r *wire.Request, id uuid.UUID) (directory.Client, error) {
	a, ok := r.Image.Principal(id)
	if !ok {
		return a, problem.NotFound(id.String())
	}
	return a, nil
}

// remove answers DELETE …/appRoleAssignments/{assignment}.
func (s side) remove(r *wire.Request) error {
	_, g, err := s.find(r)
	if err != nil {
		return err
	}
	if !g.isGraph() {
		return r.Change(tenant.RemoveLink{Link: g.Link})
	}
	permission, _ := identity.ApplicationPermissionByID(g.Role)
	_, err = rewrite(r,
		func(r *wire.Request) (directory.Client, error) { return byPrincipalID(r, g.From) },
		func(a *directory.Client) error {
			a.Principal.Permissions = slices.DeleteFunc(a.Principal.Permissions, func(value string) bool {
				return value == permission.Value
			})
			return nil
		},
	)
	if err != nil {
		return err
	}
	return r.SendNothing()
}

package wire

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/route"
	"licensor/internal/guid"
	"licensor/internal/tenant"
)

// Reference is a reference in a body to a directory object, and its property.
type Reference struct {
	Property string
	ID       uuid.UUID
}

// ReferencesTo returns the references of one property to some objects.
func ReferencesTo(property string, ids []uuid.UUID) []Reference {
	list := make([]Reference, len(ids))
	for i, id := range ids {
		list[i] = Reference{property, id}
	}
	return list
}

// Reference parses the body {"@odata.id": "{root}/directoryObjects/{id}"}.
func (r *Request) Reference() (uuid.UUID, error) {
	members, err := r.Members()
	if err != nil {
		return uuid.Nil, err
	}
	members = slices.DeleteFunc(members, func(m directory.Member) bool {
		return strings.HasPrefix(fold.Text(m.Name), "@odata.") && !m.Is("@odata.id")
	})
	if len(members) != 1 || !members[0].Is("@odata.id") {
		return uuid.Nil, problem.Refuse(`The body must be {"@odata.id":"%s/directoryObjects/{id}"}.`, r.Root)
	}
	var address string
	if err := json.Unmarshal(members[0].Value, &address); err != nil {
		return uuid.Nil, invalidReference(string(members[0].Value))
	}
	return r.objectID(address)
}

// maxBindings is the maximum number of references in one request (P14).
const maxBindings = 20

// TakeBinding removes a list of references from a body: that of "members@odata.bind" for the
// property members.
func (r *Request) TakeBinding(
	body []directory.Member, property string,
) (rest []directory.Member, ids []uuid.UUID, err error) {
	name := property + "@odata.bind"
	at := slices.IndexFunc(body, func(m directory.Member) bool { return m.Is(name) })
	if at < 0 {
		return body, nil, nil
	}
	var addresses []string
	if value := body[at].Value; property == "manager" { // there is only one
		addresses = make([]string, 1)
		err = json.Unmarshal(value, &addresses[0])
	} else {
		err = json.Unmarshal(value, &addresses)
	}
	if err != nil {
		return nil, nil, problem.Refuse("Invalid value specified for property '%s': it is a list of addresses of "+
			"directory objects.", name)
	}
	if len(addresses) > maxBindings {
		return nil, nil, problem.Refuse("'%s' has %d references; at most %d are possible in one request.",
			name, len(addresses), maxBindings)
	}
	for _, address := range addresses {
		id, err := r.objectID(address)
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, id)
	}
	return slices.Delete(slices.Clone(body), at, at+1), ids, nil
}

// objectSets are the names before the key in the URL of an object.
var objectSets = []string{
	"directoryobjects", "users", "groups", "serviceprincipals", "applications", "directoryroles", "administrativeunits", "devices", "contacts",
}

// objectID returns the id of the directory object at a URL, which may be relative. Its scheme and
// host are ignored, because scripts contain those of the real service.
func (r *Request) objectID(address string) (uuid.UUID, error) {
	u, err := url.Parse(address)
	if err != nil {
		return uuid.Nil, invalidReference(address)
	}
	path := strings.Split(strings.Trim(u.Path, "/"), "/")
	set, key, inParentheses := route.Parentheses(path[len(path)-1])
	if !inParentheses {
		if len(path) < 2 {
			return uuid.Nil, invalidReference(address)
		}
		set, key = path[len(path)-2], path[len(path)-1]
	}
	set = strings.ToLower(set)
	if !slices.Contains(objectSets, set) {
		return uuid.Nil, invalidReference(address)
	}
	id, ok := r.keyedID(set, key, inParentheses)
	if !ok {
		return uuid.Nil,
			problem.Refuse("Invalid object reference '%s': there is no object with this name or id.",
				problem.Clip(address))
	}
	return id, nil
}

// keyedID returns the id for a key of a set: the key itself, the userPrincipalName of a user, or
// the appId of an application or service principal.
func (r *Request) keyedID(set, key string, inParentheses bool) (uuid.UUID, bool) {
	alias, value, aliased := strings.Cut(key, "=")
	if inParentheses && aliased && strings.EqualFold(alias, "appId") {
		appID, ok := guid.Parse(strings.Trim(value, "'"))
		if !ok {
			return uuid.Nil, false
		}
		if ordinal, ok := r.Image.Principals.ByAppID(appID); ok && set == "serviceprincipals" {
			return r.Image.Principals.At(ordinal).ID, true
		}
		ordinal, ok := r.Image.Applications.ByAppID(appID)
		return r.Image.ClientAt(ordinal).ID, ok && set == "applications"
	}
	if inParentheses {
		key = strings.Trim(key, "'")
	}
	if id, ok := guid.Parse(key); ok {
		return id, true
	}
	user, ok := r.Image.Directory.UserByName(key)
	return r.Image.Directory.UserID(user), ok && set == "users"
}

func invalidReference(address string) error {
	return problem.Refuse("Invalid object reference '%s': it is the address of a directory object, such as "+
		"https://graph.microsoft.com/v1.0/directoryObjects/{id}.", address)
}

// BadReference returns the error for an object in the body that does not exist: the body is wrong,
// not the path (P14).
func BadReference(err error) error {
	if p, ok := errors.AsType[*tenant.CommandError](err); ok && p.Kind == tenant.ProblemNotFound {
		return &problem.ResponseError{Status: http.StatusBadRequest, Code: problem.CodeBadRequest, Message: p.Message}
	}
	return err
}

// BadReferences is BadReference, also for existing objects of a type that the property cannot refer
// to.
func (r *Request) BadReferences(err error, references []Reference) error {
	p, ok := errors.AsType[*tenant.CommandError](err)
	if !ok || p.Kind != tenant.ProblemNotFound {
		return err
	}
	for _, ref := range references {
		if ref.ID.String() == p.Value {
			return r.WrongReference(ref)
		}
	}
	return BadReference(err)
}

// WrongReference refuses an object that a property cannot refer to, or that does not exist.
func (r *Request) WrongReference(ref Reference) error {
	if name, there := r.TypeOf(ref.ID); there {
		return problem.Refuse("The reference target '%s_%s' of type '%s' is invalid for the '%s' "+
			"reference.", name, ref.ID, name, ref.Property)
	}
	p := problem.NotFound(ref.ID.String())
	p.Status, p.Code = http.StatusBadRequest, problem.CodeBadRequest
	return p
}

// NoRule refuses to try the rule of a static group (docs/spec/dynamic-membership.md D83, D84).
func NoRule(group string) error {
	return problem.Refuse("Group '%s' has no membership rule, since its groupTypes lack 'DynamicMembership'. "+
		"Send a membershipRule.", group)
}

package graph

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/directory"
	"licensor/tenant"
)

// membersInError are the users with a license error by way of the group (spec/licensing.md L14).
var membersInError relation = func(r *request) (sets, error) {
	ordinal, err := r.group()
	if err != nil {
		return sets{}, err
	}
	return sets{users: r.image.Licensing.GroupErrors(ordinal)}, nil
}

// usersIn lists the users of a set, which may be nil.
func usersIn(set *roaring.Bitmap) []uint32 {
	if set == nil {
		return nil
	}
	return set.ToArray()
}

// addMember answers POST /groups/{group}/members/$ref (P51).
func (api *API) addMember(r *request) error {
	ordinal, id, err := r.groupAndReference()
	if err != nil {
		return err
	}
	return r.change(tenant.AddMembers{Group: ordinal, Members: []uuid.UUID{id}}, id)
}

// removeMember answers DELETE /groups/{group}/members/{member}/$ref.
func (api *API) removeMember(r *request) error {
	ordinal, id, err := r.groupAndID()
	if err != nil {
		return err
	}
	return r.change(tenant.RemoveMember{Group: ordinal, Member: id})
}

// addOwner answers POST /groups/{group}/owners/$ref.
func (api *API) addOwner(r *request) error {
	ordinal, id, err := r.groupAndReference()
	if err != nil {
		return err
	}
	return r.change(tenant.AddOwners{Group: ordinal, Owners: []uuid.UUID{id}}, id)
}

// removeOwner answers DELETE /groups/{group}/owners/{owner}/$ref.
func (api *API) removeOwner(r *request) error {
	ordinal, id, err := r.groupAndID()
	if err != nil {
		return err
	}
	return r.change(tenant.RemoveOwner{Group: ordinal, Owner: id})
}

// groupAndReference reads the key of the group, and the object that the body refers to.
func (r *request) groupAndReference() (group uint32, id uuid.UUID, err error) {
	if group, err = r.group(); err != nil {
		return 0, uuid.Nil, err
	}
	id, err = r.reference()
	return group, id, err
}

// groupAndID reads the two keys of a path below a group.
func (r *request) groupAndID() (group uint32, id uuid.UUID, err error) {
	if group, err = r.group(); err != nil {
		return 0, uuid.Nil, err
	}
	id, ok := parseGUID(r.keys[1])
	if !ok {
		return 0, uuid.Nil, notFound(r.keys[1])
	}
	return group, id, nil
}

// parseGUID reads a GUID in its one usual form; uuid.Parse would take others.
func parseGUID(text string) (uuid.UUID, bool) {
	id, err := uuid.Parse(text)
	return id, err == nil && len(text) == 36
}

// reference reads the body {"@odata.id": "{root}/directoryObjects/{id}"}.
func (r *request) reference() (uuid.UUID, error) {
	members, err := r.members()
	if err != nil {
		return uuid.Nil, err
	}
	if len(members) != 1 || members[0].Name != "@odata.id" {
		return uuid.Nil, refuse(`The body is to be {"@odata.id":"%s/directoryObjects/{id}"}.`, r.root)
	}
	var address string
	if err := json.Unmarshal(members[0].Value, &address); err != nil {
		return uuid.Nil, invalidReference(string(members[0].Value))
	}
	return objectID(address)
}

// maxBindings is how many references one request may have (P14).
const maxBindings = 20

// takeBinding takes a list of references out of a body.
func takeBinding(body []directory.Member, name string) (rest []directory.Member, ids []uuid.UUID, err error) {
	at := slices.IndexFunc(body, func(m directory.Member) bool { return m.Name == name })
	if at < 0 {
		return body, nil, nil
	}
	var addresses []string
	if err := json.Unmarshal(body[at].Value, &addresses); err != nil {
		return nil, nil, refuse("Invalid value specified for property '%s': it is a list of addresses of directory objects.", name)
	}
	if len(addresses) > maxBindings {
		return nil, nil, refuse("'%s' has %d references; at most %d are possible in one request.", name, len(addresses), maxBindings)
	}
	for _, address := range addresses {
		id, err := objectID(address)
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, id)
	}
	return slices.Delete(slices.Clone(body), at, at+1), ids, nil
}

// objectSets are the names before an id in an address of an object.
var objectSets = []string{"directoryobjects", "users", "groups"}

// objectID reads the id in the address of a directory object. Its scheme and host do not matter: scripts have the real service's in
// them.
func objectID(address string) (uuid.UUID, error) {
	u, err := url.Parse(address)
	if err != nil {
		return uuid.Nil, invalidReference(address)
	}
	path := strings.Split(strings.Trim(u.Path, "/"), "/")
	last := path[len(path)-1]
	if name, inner, ok := parentheses(last); ok {
		path, last = append(path[:len(path)-1], name, ""), strings.Trim(inner, "'")
	}
	id, ok := parseGUID(last)
	if !ok || len(path) < 2 || !slices.Contains(objectSets, strings.ToLower(path[len(path)-2])) {
		return uuid.Nil, invalidReference(address)
	}
	return id, nil
}

func invalidReference(address string) error {
	return refuse("Invalid object reference '%s': it is the address of a directory object, such as https://graph.microsoft.com/v1.0/directoryObjects/{id}.", address)
}

// badReference is for an object in the body that is not there: what the body says is wrong, not the path (P14).
func badReference(err error) error {
	if p, ok := errors.AsType[*tenant.Problem](err); ok && p.Kind == tenant.NotFound {
		return &Problem{Status: http.StatusBadRequest, Code: badRequest, Message: p.Message}
	}
	return err
}

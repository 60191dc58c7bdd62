package graph

import (
	"fmt"
	"net/http"
	"slices"

	"licensor/graph/odata"
	"licensor/identity"
)

// expansion makes the writer of what an object refers to, shown within it by $expand (P35). It refuses what of the expansion
// cannot be, before anything is read.
type expansion[T any] func(r *request, e odata.Expansion) (func(b []byte, object *T) ([]byte, error), error)

// userExpansions and groupExpansions are what $expand can show.
var (
	userExpansions  = map[string]expansion[user]{}
	groupExpansions = map[string]expansion[group]{}
)

func init() { // they lead to the fields they are shown among
	userExpansions["memberOf"] = inFull(relatedTo(func(u *user) (users, groups []uint32) {
		return nil, u.image.Directory.MemberOf(u.ordinal)
	}))
	userExpansions["manager"] = inFull(expandManager)
	userExpansions["directReports"] = inFull(relatedTo(func(u *user) (users, groups []uint32) {
		return u.image.Directory.Reports(u.ordinal), nil
	}))
	groupExpansions["members"] = relatedTo(func(g *group) (users, groups []uint32) {
		return usersIn(g.image.Licensing.GroupMembers(g.ordinal)), g.image.Directory.GroupMembersOf(g.ordinal)
	})
	groupExpansions["owners"] = relatedTo(func(g *group) (users, groups []uint32) {
		return g.image.Directory.Owners(g.ordinal), nil
	})
	groupExpansions["memberOf"] = relatedTo(func(g *group) (users, groups []uint32) {
		return nil, g.image.Directory.GroupMemberOf(g.ordinal)
	})
}

// maxExpanded is how many objects an expansion shows (P35).
const maxExpanded = 20

// expanded adds what $expand asks for to the fields of an answer.
func expanded[T any](r *request, set *fieldSet[T], all map[string]expansion[T], fields []*field[T]) ([]*field[T], error) {
	fields = slices.Clip(fields)
	for _, e := range r.options.Expand {
		make, ok := all[e.Name]
		switch {
		case ok && e.Levels:
			return nil, unsupported("The $expand of '%s' at position %d asks for more than one level, and one is possible.", e.Name, e.Column)
		case !ok:
			return nil, cannotExpand(set, e)
		}
		write, err := make(r, e)
		if err != nil {
			return nil, err
		}
		fields = append(fields, &field[T]{name: e.Name, write: func(b []byte, object *T) []byte {
			written, err := write(b, object)
			if err != nil && r.fault == nil {
				r.fault = err
			}
			return written
		}})
	}
	return fields, nil
}

func cannotExpand[T any](set *fieldSet[T], e odata.Expansion) error {
	message := fmt.Sprintf("Could not find a property named '%s' on type '%s'.", e.Name, set.typeName)
	if set.byName[e.Name] != nil {
		message = fmt.Sprintf("Property '%s' on type '%s' is not a navigation property or complex property. Only navigation properties can be expanded.", e.Name, set.typeName)
	}
	return &Problem{Status: http.StatusBadRequest, Code: brokenRequest, Message: "Parsing OData Select and Expand failed: " + message}
}

// relatedTo is the expansion of a reference to many users and groups, of which the first few are shown.
func relatedTo[T any](of func(object *T) (users, groups []uint32)) expansion[T] {
	return func(r *request, e odata.Expansion) (func([]byte, *T) ([]byte, error), error) {
		inner := r.within(e)
		w, err := inner.objectWriter()
		if err != nil {
			return nil, err
		}
		return func(b []byte, object *T) ([]byte, error) {
			inner.image = r.image
			users, groups := of(object)
			list, err := inner.firstObjects(users, groups, w)
			return appendList(b, list, w.write), err
		}, nil
	}
}

// inFull is an expansion that the permission for basic properties is not enough for, as for the list of the same.
func inFull[T any](all expansion[T]) expansion[T] {
	return func(r *request, e odata.Expansion) (func([]byte, *T) ([]byte, error), error) {
		if r.access != identity.Full {
			return nil, &identity.Forbidden{Operation: r.op.need}
		}
		return all(r, e)
	}
}

// within is the request as if it asked for the objects of an expansion alone.
func (r *request) within(e odata.Expansion) *request {
	inner, options := *r, *r.options
	options.Select, options.Expand = e.Select, nil
	inner.options = &options
	return &inner
}

// firstObjects reads the first few of the live ones.
func (r *request) firstObjects(users, groups []uint32, w *objectWriter) ([]object, error) {
	users = firstLive(users, r.image.Directory.UserHidden, maxExpanded)
	groups = firstLive(groups, r.image.Directory.GroupHidden, maxExpanded-len(users))
	return r.readObjects(users, groups, w)
}

func firstLive(ordinals []uint32, hidden func(uint32) bool, n int) []uint32 {
	var live []uint32
	for _, ordinal := range ordinals {
		if len(live) == n {
			break
		}
		if !hidden(ordinal) {
			live = append(live, ordinal)
		}
	}
	return live
}

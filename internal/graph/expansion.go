package graph

import (
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/identity"
)

// expansion makes the writer of what an object refers to, shown within it by $expand (P35). It
// refuses what of the expansion cannot be, before anything is read.
type expansion[T any] func(r *request, e odata.Expansion) (func(b []byte, object *T) ([]byte, error), error)

func unservedExpansion(e odata.Expansion, typeName string) *problem.Problem {
	return &problem.Problem{
		Status: http.StatusNotImplemented, Code: "NotImplemented",
		Message: fmt.Sprintf("$expand=%s of %s is part of Microsoft Graph but is not served here.", e.Name, typeName),
	}
}

// maxExpanded is how many objects an expansion shows (P35).
const maxExpanded = 20

// expanded adds what $expand asks for to the fields of an answer.
func expanded[T any](r *request, set *fieldSet[T], all map[string]expansion[T], fields []*field[T]) ([]*field[T], error) {
	fields = slices.Clip(fields)
	for i, e := range r.options.Expand {
		make, ok := all[e.Name]
		again := func(other odata.Expansion) bool { return other.Name == e.Name }
		switch {
		case slices.ContainsFunc(r.options.Expand[:i], again):
			return nil, problem.Broken("'%s' is in $expand more than once, for the second time at position %d. Name it once.", e.Name, e.Column)
		case !ok:
			return nil, cannotExpand(set, e)
		case e.Nested, e.Levels > 1 && e.Name != "manager":
			return nil, problem.Unsupported("The $expand of '%s' at position %d asks for more than one level, and one is possible.", e.Name, e.Column)
		case e.Levels > 1 && !r.advanced():
			p := problem.Unsupported("Unsupported Query.")
			p.Detail = &problem.Detail{Code: p.Code, Target: "$levels", Message: "More than one level of 'manager' is for advanced queries only. Send the header 'ConsistencyLevel: eventual' and $count=true with it."}
			return nil, p
		}
		if err := r.mayExpand(set.typeName, e.Name); err != nil {
			return nil, err
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
	if _, ok := set.links.Find(e.Name); ok {
		return unservedExpansion(e, set.typeName)
	}
	message := fmt.Sprintf("Could not find a property named '%s' on type '%s'.", e.Name, set.typeName)
	switch {
	case strings.Contains(e.Name, "/"):
		message = "Found a path traversing multiple navigation properties. Please rephrase the query such that each expand path contains only type segments and navigation properties."
	case set.has(e.Name):
		message = fmt.Sprintf("Property '%s' on type '%s' is not a navigation property or complex property. Only navigation properties can be expanded.", e.Name, set.typeName)
	}
	return &problem.Problem{Status: http.StatusBadRequest, Code: problem.CodeBroken, Message: "Parsing OData Select and Expand failed: " + message}
}

// mayExpand refuses to show in a type of objects what the caller may not list (P60).
func (r *request) mayExpand(typeName, name string) error {
	list, ok := expandedLists[typeName][name]
	if !ok {
		return nil
	}
	relation := identity.RelationOther
	if list.below(r.op) { // elsewhere the objects are others than the one that the path names
		relation = r.relation()
	}
	access, err := list.need.Check(r.caller, relation)
	if err == nil && access != identity.AccessFull {
		return &identity.Forbidden{Operation: list.need}
	}
	return err
}

// expandedLists are the operations that list what $expand shows, by the type of the objects that it
// is shown in and by name.
var expandedLists = map[string]map[string]*expandedList{}

// expandedList is an operation that lists what $expand shows.
type expandedList struct {
	path string // of the object
	need identity.Operation
}

// below reports whether an operation is about the one object that the path of the list names.
func (l *expandedList) below(op *operation) bool {
	return op.path == l.path || op.byAppID() && strings.HasPrefix(op.path, l.path[:strings.Index(l.path, "/{")]+"(")
}

// addExpandedLists finds the lists of what objects of a type show by $expand. Devices have none.
func addExpandedLists[T any](table []operation, set *fieldSet[T], path string, all map[string]expansion[T]) {
	lists := map[string]*expandedList{}
	for i := range table {
		op := &table[i]
		name, ok := strings.CutPrefix(op.path, path+"/")
		if ok && op.method == http.MethodGet && all[name] != nil {
			lists[name] = &expandedList{path, op.need}
		}
	}
	expandedLists[set.typeName] = lists
}

// within is the request as if it asked for the objects of an expansion alone.
func (r *request) within(e odata.Expansion) *request {
	inner, options := *r, *r.options
	options.Select, options.Expand = e.Select, nil
	inner.options = &options
	return &inner
}

// spellExpansions gives what $expand names the spelling of the metadata (P1).
func spellExpansions(o *odata.Options) {
	for i := range o.Expand {
		if name, ok := edm.NavigationNames.Find(o.Expand[i].Name); ok {
			o.Expand[i].Name = name
		}
	}
}

// expandRows shows objects with the first of their rows in some list.
func expandRows[T, R any](set *fieldSet[R], of func(r *request, object *T) iter.Seq[R]) expansion[T] {
	return func(r *request, e odata.Expansion) (func([]byte, *T) ([]byte, error), error) {
		fields, err := set.selection(r, e.Select)
		if err != nil {
			return nil, err
		}
		return func(b []byte, object *T) ([]byte, error) {
			b, err := appendRows(r, append(b, '['), sourceOf(firstOf(of(r, object), maxExpanded)), objects(fields))
			return append(b, ']'), err
		}, nil
	}
}

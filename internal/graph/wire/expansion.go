package wire

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

// Expansion returns the writer of a relation that $expand shows within an object (P35). It refuses
// invalid expansions before anything is read.
type Expansion[T any] func(r *Request, e odata.Expansion) (func(b []byte, object *T) ([]byte, error), error)

// UnservedExpansion returns the response for an expansion of Graph that this server does not
// support (P29).
func UnservedExpansion(e odata.Expansion, typeName string) *problem.ResponseError {
	return &problem.ResponseError{
		Status: http.StatusNotImplemented, Code: "NotImplemented",
		Message: fmt.Sprintf("$expand=%s of %s is part of Microsoft Graph but is not served here.", e.Name, typeName),
	}
}

// MaxExpanded is the maximum number of objects in an expansion (P35).
const MaxExpanded = 20

// Expanded adds the expansions of $expand to the fields of a response.
func Expanded[T any](
	r *Request, set *FieldSet[T], all map[string]Expansion[T], fields []*Field[T],
) ([]*Field[T], error) {
	fields = slices.Clip(fields)
	for i, e := range r.Options.Expand {
		expand, ok := all[e.Name]
		again := func(other odata.Expansion) bool { return other.Name == e.Name }
		switch {
		case slices.ContainsFunc(r.Options.Expand[:i], again):
			return nil, problem.Broken("'%s' is in $expand more than once, for the second time at position %d. "+
				"Name it once.", e.Name, e.Column)
		case !ok:
			return nil, cannotExpand(set, e)
		case e.Nested, e.Levels > 1 && e.Name != "manager":
			return nil, problem.Unsupported("The $expand of '%s' at position %d asks for more than one level, and "+
				"one is possible.", e.Name, e.Column)
		case e.Levels > 1 && !r.Advanced():
			p := problem.Unsupported("Unsupported Query.")
			p.Detail = &problem.Detail{Code: p.Code, Target: "$levels", Message: "More than one level of 'manager' " +
				"is for advanced queries only. Send the header 'ConsistencyLevel: eventual' and $count=true with it."}
			return nil, p
		}
		if err := r.MayExpand(set.TypeName, e.Name); err != nil {
			return nil, err
		}
		write, err := expand(r, e)
		if err != nil {
			return nil, err
		}
		fields = append(fields, &Field[T]{Name: e.Name, Write: func(b []byte, object *T) []byte {
			written, err := write(b, object)
			if err != nil && r.fault == nil {
				r.fault = err
			}
			return written
		}})
	}
	return fields, nil
}

func cannotExpand[T any](set *FieldSet[T], e odata.Expansion) error {
	if _, ok := set.Links.Find(e.Name); ok {
		return UnservedExpansion(e, set.TypeName)
	}
	message := fmt.Sprintf(noPropertyText, e.Name, set.TypeName)
	switch {
	case strings.Contains(e.Name, "/"):
		message = "Found a path traversing multiple navigation properties. Please rephrase the query such that " +
			"each expand path contains only type segments and navigation properties."
	case set.Has(e.Name):
		message = fmt.Sprintf("Property '%s' on type '%s' is not a navigation property or complex property. Only "+
			"navigation properties can be expanded.", e.Name, set.TypeName)
	}
	return &problem.ResponseError{
		Status:  http.StatusBadRequest,
		Code:    problem.CodeBroken,
		Message: "Parsing OData Select and Expand failed: " + message,
	}
}

// MayExpand refuses to expand relations that the caller may not list (P60).
func (r *Request) MayExpand(typeName, name string) error {
	list, ok := ExpandedLists[typeName][name]
	if !ok {
		return nil
	}
	relation := identity.RelationOther
	if list.below(r.Op) { // otherwise the objects differ from the one that the path names
		relation = r.Relation()
	}
	access, err := list.need.Check(r.Caller, relation)
	if err == nil && access != identity.AccessFull {
		return &identity.ForbiddenError{Operation: list.need}
	}
	return err
}

// ExpandedLists are the operations that list the objects of expansions, by the type of the
// containing objects and by name.
var ExpandedLists = map[string]map[string]*expandedList{}

// expandedList is an operation that lists the objects of an expansion.
type expandedList struct {
	path string // of the object
	need identity.Operation
}

// below reports whether an operation is about the one object that the path of the list names.
func (l *expandedList) below(op *Operation) bool {
	return op.Path == l.path || op.byAppID() && strings.HasPrefix(op.Path, l.path[:strings.Index(l.path, "/{")]+"(")
}

// AddExpandedLists finds the lists of the expansions of a type. Devices have none.
func AddExpandedLists[T any](table []Operation, set *FieldSet[T], path string, all map[string]Expansion[T]) {
	lists := map[string]*expandedList{}
	for i := range table {
		op := &table[i]
		name, ok := strings.CutPrefix(op.Path, path+"/")
		if ok && op.Method == http.MethodGet && all[name] != nil {
			lists[name] = &expandedList{path, op.Need}
		}
	}
	ExpandedLists[set.TypeName] = lists
}

// Within returns the request as if it asked only for the objects of an expansion.
func (r *Request) Within(e odata.Expansion) *Request {
	inner, options := *r, *r.Options
	options.Select, options.Expand = e.Select, nil
	inner.Options = &options
	return &inner
}

// SpellExpansions changes the names in $expand to the spelling of the metadata (P1).
func SpellExpansions(o *odata.Options) {
	for i := range o.Expand {
		if name, ok := edm.NavigationNames.Find(o.Expand[i].Name); ok {
			o.Expand[i].Name = name
		}
	}
}

// ExpandRows shows objects with the first rows of one of their lists.
func ExpandRows[T, R any](set *FieldSet[R], of func(r *Request, object *T) iter.Seq[R]) Expansion[T] {
	return func(r *Request, e odata.Expansion) (func([]byte, *T) ([]byte, error), error) {
		fields, err := set.Selection(r, e.Select)
		if err != nil {
			return nil, err
		}
		return func(b []byte, object *T) ([]byte, error) {
			b, err := AppendRows(r, append(b, '['), SourceOf(firstOf(of(r, object), MaxExpanded)), ObjectWriter(fields))
			return append(b, ']'), err
		}, nil
	}
}

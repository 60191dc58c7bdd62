package wire

import (
	"cmp"
	"strings"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/route"
	"licensor/internal/identity"
)

// Operation is something the API does, or knows not to do yet.
type Operation struct {
	Method string
	// Path below the root. {names} are keys, a name with () is a bound operation of OData (P2),
	// microsoft.graph.{type} any type of directory objects.
	Path string
	Need identity.Operation
	Do   func(*Request) error // nil: not served yet, 501
	// NeedOfGroup takes the place of need where the object turns out to be a group, needOfApplication
	// where it is an application or service principal, needOfUnit where it is an administrative unit.
	NeedOfGroup, NeedOfApplication, NeedOfUnit identity.Operation
	// Anyone may who has a token; there is no need then.
	Anyone bool
	// Open is for all, with a token or without.
	Open bool
	// Cost is in resource units (P43); the table of costs says it.
	Cost int
}

// OfUser and ofGroup say what the first key of the path names.
func (op *Operation) OfUser() bool {
	return strings.HasPrefix(strings.TrimPrefix(op.Path, route.Own), "/users/{")
}

// Resource is what messages call that which the body of a request is of: the type of the objects,
// or the action.
func (op *Operation) Resource() string {
	path := strings.TrimPrefix(op.Path, route.Own)
	if action, ok := strings.CutSuffix(path[strings.LastIndexByte(path, '/')+1:], "()"); ok {
		return action
	}
	set, rest, _ := strings.Cut(path[1:], "/")
	if strings.HasPrefix(path, edm.UnitsRoot) {
		set, _, _ = strings.Cut(rest, "/")
	}
	name := cmp.Or(edm.SetType(set), set)
	return strings.ToUpper(name[:1]) + name[1:]
}

// OfGroup reports whether the first key of the path names a group.
func (op *Operation) OfGroup() bool { return strings.HasPrefix(op.Path, "/groups/{") }

// OfDeleted reports whether the first key of the path names a deleted object.
func (op *Operation) OfDeleted() bool { return strings.HasPrefix(op.Path, "/directory/deletedItems/{") }

func (op *Operation) ofObject() bool { return strings.HasPrefix(op.Path, "/directoryObjects/{") }

// IsDevelopment says whether the operation is there only where Config.Development is.
func (op *Operation) IsDevelopment() bool { return strings.HasPrefix(op.Path, DevelopmentRoot) }

// DevelopmentRoot is where the operations are that programs are tested with.
const DevelopmentRoot = route.Own + "/development/"

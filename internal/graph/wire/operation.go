package wire

import (
	"cmp"
	"strings"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/route"
	"licensor/internal/identity"
)

// Operation is an operation of the API, supported or not yet.
type Operation struct {
	Method string
	// Path below the root. {names} are keys, a name with () is a bound operation of OData (P2), and
	// microsoft.graph.{type} any type of directory objects.
	Path string
	Need identity.Operation
	Do   func(*Request) error // nil: not supported yet, 501
	// NeedOfGroup replaces Need if the object is a group, NeedOfApplication if it is an application
	// or service principal, and NeedOfUnit if it is an administrative unit.
	NeedOfGroup, NeedOfApplication, NeedOfUnit identity.Operation
	// Anyone means that a token is sufficient; there is no Need then.
	Anyone bool
	// Open means that no token is required.
	Open bool
	// Beta means that v1.0 does not have it.
	Beta bool
	// Changes means that it may be in a change set.
	Changes bool
	// Cost is in resource units (P43), from the table of costs.
	Cost int
}

// OfUser and OfGroup are the kind of the object of the first key of the path.
func (op *Operation) OfUser() bool {
	return strings.HasPrefix(strings.TrimPrefix(op.Path, route.Own), "/users/{")
}

// Resource returns the name in messages for the content of a body: the type of the objects, or the
// action.
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

// IsDevelopment reports whether the operation exists only with Config.Development.
func (op *Operation) IsDevelopment() bool { return strings.HasPrefix(op.Path, DevelopmentRoot) }

// DevelopmentRoot is the path of the operations for testing programs.
const DevelopmentRoot = route.Own + "/development/"

package graph

import (
	"cmp"
	"strings"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/route"
	"licensor/internal/identity"
)

// operation is something the API does, or knows not to do yet.
type operation struct {
	method string
	// path below the root. {names} are keys, a name with () is a bound operation of OData (P2),
	// microsoft.graph.{type} any type of directory objects.
	path string
	need identity.Operation
	do   func(*request) error // nil: not served yet, 501
	// needOfGroup takes the place of need where the object turns out to be a group, needOfApplication
	// where it is an application or service principal, needOfUnit where it is an administrative unit.
	needOfGroup, needOfApplication, needOfUnit identity.Operation
	// anyone may who has a token; there is no need then.
	anyone bool
	// open is for all, with a token or without.
	open bool
	// cost is in resource units (P43); the table of costs says it.
	cost int
}

// ofUser and ofGroup say what the first key of the path names.
func (op *operation) ofUser() bool {
	return strings.HasPrefix(strings.TrimPrefix(op.path, route.Own), "/users/{")
}

// resource is what messages call that which the body of a request is of: the type of the objects,
// or the action.
func (op *operation) resource() string {
	path := strings.TrimPrefix(op.path, route.Own)
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

func (op *operation) ofGroup() bool { return strings.HasPrefix(op.path, "/groups/{") }

// ofDeleted reports whether the first key of the path names a deleted object.
func (op *operation) ofDeleted() bool { return strings.HasPrefix(op.path, "/directory/deletedItems/{") }

func (op *operation) ofObject() bool { return strings.HasPrefix(op.path, "/directoryObjects/{") }

// isDevelopment says whether the operation is there only where Config.Development is.
func (op *operation) isDevelopment() bool { return strings.HasPrefix(op.path, developmentRoot) }

// developmentRoot is where the operations are that programs are tested with.
const developmentRoot = route.Own + "/development/"

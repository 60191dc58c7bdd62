package graph

import (
	"licensor/internal/graph/wire"
)

// object is a directory object in a list that may have several types (P21).
type object interface {
	// typeName is the name of the type, with its namespace.
	typeName() string
}

func (*user) typeName() string            { return userType }
func (*group) typeName() string           { return groupType }
func (*application) typeName() string     { return applicationFields.TypeName }
func (servicePrincipal) typeName() string { return principalFields.TypeName }
func (*unit) typeName() string            { return unitFields.TypeName }
func (*directoryRole) typeName() string   { return roleFields.TypeName }

// servicePrincipal is the service principal of an application.
type servicePrincipal struct{ *application }

// objectWriter writes objects, and reports for which types it needs the documents.
type objectWriter struct {
	write      func(b []byte, o object) []byte
	documented map[string]bool // by the name of the type
}

// newObjectWriter returns a writer of objects with their type and the properties that the caller
// may see: only the id if it may not read the type. A property of $select must belong to some type
// of directory objects, and is shown in objects that have it.
func newObjectWriter(r *wire.Request) (*objectWriter, error) {
	if err := mayExpandObjects(r); err != nil {
		return nil, err
	}
	if err := mayExpandSome(r); err != nil {
		return nil, err
	}
	writers, documented := map[string]func([]byte, object) []byte{}, map[string]bool{}
	for _, t := range objectTypes {
		var err error
		if writers[t.name()], documented[t.name()], err = t.among(r); err != nil {
			return nil, err
		}
	}
	return &objectWriter{documented: documented, write: func(b []byte, o object) []byte {
		return writers[o.typeName()](r.AppendType(b, o.typeName()), o)
	}}, nil
}

// readObjects yields users and groups by ordinal. Objects that have been purged since are omitted.
func readObjects(r *wire.Request, users, groups []uint32, w *objectWriter) wire.Source[object] {
	return wire.OneAfterAnother(userKind.read(r, users, nil, w), groupKind.read(r, groups, nil, w))
}

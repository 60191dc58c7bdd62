package graph

import (
	"licensor/internal/graph/wire"
)

// object is a directory object in a list that may hold several types (P21).
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

// servicePrincipal is an application as its service principal.
type servicePrincipal struct{ *application }

// objectWriter writes objects, and says of which types the documents are needed for that.
type objectWriter struct {
	write      func(b []byte, o object) []byte
	documented map[string]bool // by the name of the type
}

// newObjectWriter writes an object with its type and what the caller may see of it: of a type that
// it may not read, the id. A property of $select must be one of some directory object, and shows on
// those that have it.
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

// readObjects yields users and groups by ordinal. Those that have gone since are left out.
func readObjects(r *wire.Request, users, groups []uint32, w *objectWriter) wire.Source[object] {
	return wire.OneAfterAnother(userKind.read(r, users, nil, w), groupKind.read(r, groups, nil, w))
}

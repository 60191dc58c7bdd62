package directory

import (
	"encoding/json"
	"strings"

	"licensor/internal/fold"
)

// Patch is a change of an object of type T that a client requests: properties with valid values.
type Patch[T any] struct {
	changes []change[T]
	object  *T                           // what the changes make of an object without properties
	fits    func(before, after *T) error // nil: no restriction
	from    origin
}

type change[T any] struct {
	property *Property[T]
	value    json.RawMessage
}

// Patches of the objects that clients can change.
type (
	// UserPatch is a change of a user.
	UserPatch = Patch[User]
	// GroupPatch is a change of a group.
	GroupPatch = Patch[Group]
	// UnitPatch is a change of an administrative unit.
	UnitPatch = Patch[AdministrativeUnit]
	// OrganizationPatch is a change of the organization.
	OrganizationPatch = Patch[Organization]
)

// Empty reports whether the patch changes nothing.
func (p Patch[T]) Empty() bool { return len(p.changes) == 0 }

// Has reports whether the patch sets (or clears) the property.
func (p Patch[T]) Has(name string) bool { return p.value(name) != nil }

// Names returns the properties it sets, in the order of the body.
func (p Patch[T]) Names() []string {
	names := make([]string, len(p.changes))
	for i, c := range p.changes {
		names[i] = c.property.Name
	}
	return names
}

// Apply returns a changed copy of object. It returns an *InvalidError if the values conflict with
// each other or with the previous ones. It does not change object or its parts.
func (p Patch[T]) Apply(object *T) (*T, error) {
	changed := new(T)
	*changed = *object
	err := p.apply(changed)
	if err == nil && p.fits != nil {
		err = p.fits(object, changed)
	}
	if err != nil {
		return nil, err
	}
	return changed, nil
}

func (p Patch[T]) apply(object *T) error {
	for _, c := range p.changes {
		if err := c.property.set(object, c.value, p.from); err != nil {
			return err
		}
	}
	return nil
}

func (p Patch[T]) value(name string) json.RawMessage {
	for _, c := range p.changes {
		if c.property.Name == name {
			return c.value
		}
	}
	return nil
}

// require returns an *InvalidError for the first property that is not set (docs/spec/protocol.md
// P50).
func (p Patch[T]) require(resource string, names ...string) error {
	for _, name := range names {
		if !p.Has(name) {
			return &InvalidError{Kind: InvalidMissing, Resource: resource, Property: name, Want: "a value"}
		}
	}
	return nil
}

// isAnnotation reports whether a member describes the body instead of setting a property:
// @odata.type, skills@odata.type. An @odata.bind that the caller did not remove is not an
// annotation.
func isAnnotation(name string) bool {
	if !strings.Contains(name, "@") {
		return false
	}
	_, term, ok := strings.Cut(fold.Text(name), "@odata.")
	return ok && (term != "bind" || strings.HasPrefix(name, "@"))
}

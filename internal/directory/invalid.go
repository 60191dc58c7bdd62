package directory

import "fmt"

// InvalidKind says what is wrong with a value that a client sent.
type InvalidKind uint8

// The kinds of mistakes in a body (docs/spec/protocol.md P13, P53).
const (
	Unknown  InvalidKind = iota + 1 // no such property
	ReadOnly                        // a property that only the server sets
	Missing                         // a property that creation needs
	BadValue                        // a value that the property does not take
	BadType                         // broken JSON, or a value of the wrong type
	// Valid in the real service, but this server cannot do it; Want says what to do instead.
	NotServed
)

// InvalidError is a body that cannot be taken. Error is the text clients get; Want is the remedy.
type InvalidError struct {
	Kind     InvalidKind
	Resource string // User, Group, Organization; empty when the body as a whole is wrong
	Property string // such as usageLocation or passwordProfile.password
	Value    string
	Want     string
}

const unreadable = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."

// Error is the message of the real service, word by word (docs/spec/protocol.md P13, P53).
func (e *InvalidError) Error() string {
	switch e.Kind {
	case Unknown:
		return fmt.Sprintf("Invalid property '%s'.", e.Property)
	case ReadOnly:
		return fmt.Sprintf("Property '%s' is read-only and cannot be set.", e.Property)
	case Missing:
		return fmt.Sprintf("A value is required for property '%s' of resource '%s'.", e.Property, e.Resource)
	case BadValue:
		return fmt.Sprintf("Invalid value specified for property '%s' of resource '%s'.", e.Property, e.Resource)
	case NotServed:
		return e.Want
	default:
		return unreadable
	}
}

package directory

import "fmt"

// InvalidKind is the kind of error in a value that a client sent.
type InvalidKind uint8

// The kinds of errors in a body (docs/spec/protocol.md P13, P53).
const (
	InvalidUnknown  InvalidKind = iota + 1 // no such property
	InvalidReadOnly                        // a property that only the server sets
	InvalidMissing                         // a property that is required for creation
	InvalidValue                           // a value that the property does not accept
	InvalidType                            // invalid JSON, or a value of the wrong type
	// Valid in the real service, but not supported by this server; Want is what to do instead.
	InvalidNotServed
)

// InvalidError is an invalid body. Error returns the text for clients; Want is the remedy.
type InvalidError struct {
	Kind     InvalidKind
	Resource string // User, Group, Organization; empty if the body as a whole is wrong
	Property string // such as usageLocation or passwordProfile.password
	Value    string
	Want     string
}

const unreadable = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of " +
	"valid JSON format."

// Error returns the message of the real service, word by word (docs/spec/protocol.md P13, P53).
func (e *InvalidError) Error() string {
	switch e.Kind {
	case InvalidUnknown:
		return fmt.Sprintf("Invalid property '%s'.", e.Property)
	case InvalidReadOnly:
		return fmt.Sprintf("Property '%s' is read-only and cannot be set.", e.Property)
	case InvalidMissing:
		return fmt.Sprintf("A value is required for property '%s' of resource '%s'.", e.Property, e.Resource)
	case InvalidValue:
		return fmt.Sprintf("Invalid value specified for property '%s' of resource '%s'.", e.Property, e.Resource)
	case InvalidNotServed:
		return e.Want
	default:
		return unreadable
	}
}

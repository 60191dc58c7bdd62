package tenant

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// CommandError is a command, or a question, that cannot be carried out; nothing has changed, unless
// it is Unknown.
type CommandError struct {
	Kind    ProblemKind
	Message string
	Value   string // what the problem is about: an id, a name
	// Property is the property whose value is Taken.
	Property string
}

// ProblemKind says what sort of problem it is.
type ProblemKind uint8

// The kinds.
const (
	NotFound    ProblemKind = iota + 1 // what is named is not there
	Taken                              // a value that must be unique is another's
	Invalid                            // the command makes no sense as it is
	Changed                            // the object of the command has changed
	Unavailable                        // it could not be made durable now; try again
	Unknown                            // it may have been made: the answer of the store did not come in time
)

func (p *CommandError) Error() string { return p.Message }

// What the real service says of the first two, with the value and with the property.
const (
	NotFoundText = "Resource '%s' does not exist or one of its queried reference-property objects are not present."
	TakenText    = "Another object with the same value for property %s already exists."
)

func notFound(value string) *CommandError {
	return &CommandError{
		Kind: NotFound, Value: value,
		Message: fmt.Sprintf(NotFoundText, value),
	}
}

func taken(property, value string) *CommandError {
	return &CommandError{Kind: Taken, Value: value, Property: property, Message: fmt.Sprintf(TakenText, property)}
}

func invalid(value any, format string, args ...any) *CommandError {
	return &CommandError{Kind: Invalid, Value: fmt.Sprint(value), Message: fmt.Sprintf(format, args...)}
}

func unavailable(message string) *CommandError {
	return &CommandError{Kind: Unavailable, Message: message}
}

func noSuch(id uuid.UUID) *CommandError { return notFound(id.String()) }

func isRefusal(err error) bool {
	var refusal *licensing.RefusalError
	return errors.As(err, &refusal)
}

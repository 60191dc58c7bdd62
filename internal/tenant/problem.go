package tenant

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// CommandError is a command, or a question, that cannot be carried out; nothing has changed, unless
// it is ProblemUnknown.
type CommandError struct {
	Kind    ProblemKind
	Message string
	Value   string // what the problem is about: an id, a name
	// Property is the property whose value is another's, for ProblemTaken.
	Property string
}

// ProblemKind says what sort of problem it is.
type ProblemKind uint8

// The kinds.
const (
	ProblemNotFound    ProblemKind = iota + 1 // what is named is not there
	ProblemTaken                              // a value that must be unique is another's
	ProblemInvalid                            // the command makes no sense as it is
	ProblemChanged                            // the object of the command has changed
	ProblemUnavailable                        // it could not be made durable now; try again
	ProblemUnknown                            // it may have been made: the answer of the store did not come in time
)

func (p *CommandError) Error() string { return p.Message }

// What the real service says of the first two, with the value and with the property.
const (
	NotFoundText = "Resource '%s' does not exist or one of its queried reference-property objects are not present."
	TakenText    = "Another object with the same value for property %s already exists."
)

func notFound(value string) *CommandError {
	return &CommandError{
		Kind: ProblemNotFound, Value: value,
		Message: fmt.Sprintf(NotFoundText, value),
	}
}

func taken(property, value string) *CommandError {
	message := fmt.Sprintf(TakenText, property)
	return &CommandError{Kind: ProblemTaken, Value: value, Property: property, Message: message}
}

func invalid(value any, format string, args ...any) *CommandError {
	return &CommandError{Kind: ProblemInvalid, Value: fmt.Sprint(value), Message: fmt.Sprintf(format, args...)}
}

func unavailable(message string) *CommandError {
	return &CommandError{Kind: ProblemUnavailable, Message: message}
}

func noSuch(id uuid.UUID) *CommandError { return notFound(id.String()) }

func isRefusal(err error) bool {
	var refusal *licensing.RefusalError
	return errors.As(err, &refusal)
}

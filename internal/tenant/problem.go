package tenant

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// CommandError is the error of a command or query that cannot be executed. Nothing has changed,
// unless its kind is ProblemUnknown.
type CommandError struct {
	Kind    ProblemKind
	Message string
	Value   string // the value in question: an id, a name
	// Property is the property with the value, for ProblemTaken.
	Property string
}

// ProblemKind is the kind of a CommandError.
type ProblemKind uint8

// The kinds.
const (
	ProblemNotFound    ProblemKind = iota + 1 // the named object does not exist
	ProblemTaken                              // another object has the value, which must be unique
	ProblemInvalid                            // the command is invalid
	ProblemChanged                            // the object has changed meanwhile
	ProblemUnavailable                        // the change could not be made durable; try again
	ProblemUnknown                            // the change may have been made: there was no response in time
	ProblemForbidden                          // no caller may do it
)

func (p *CommandError) Error() string { return p.Message }

// The messages of the real service for the first two kinds, with the value and the property, and
// others that have several causes.
const (
	NotFoundText = "Resource '%s' does not exist or one of its queried reference-property objects are not present."
	TakenText    = "Another object with the same value for property %s already exists."
	// GrantedText and NoAppRoleText are about app role assignments; the second with the appId.
	GrantedText   = "Permission being assigned already exists on the object"
	NoAppRoleText = "Permission being assigned was not found on application '%s'. Its service principal " +
		"lists its permissions in appRoles."
	// UnknownText is the message of ProblemUnknown.
	UnknownText = "It is not known whether the change was made: look before you send it again."
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

func noSuch(id uuid.UUID) *CommandError { return notFound(id.String()) }

func isRefusal(err error) bool {
	var refusal *licensing.RefusalError
	return errors.As(err, &refusal)
}

package own

import (
	"errors"
	"fmt"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/tenant"
)

// rowMessage says what is wrong with a line: which property, its value and what is expected. The
// messages of Graph do not, since clients compare them, and have that in details.
func rowMessage(err error) string {
	if e, ok := errors.AsType[*directory.InvalidError](err); ok && (e.Want != "" || e.Kind != directory.InvalidValue) &&
		!isMistyped(err) {
		return invalidMessage(e)
	}
	if e, ok := errors.AsType[*wire.ValueError](err); ok && e.Want != "" {
		return expected(e.Property, string(e.Value), e.Want)
	}
	if e, ok := errors.AsType[*tenant.CommandError](err); ok && e.Kind == tenant.ProblemTaken && e.Value != "" {
		return fmt.Sprintf("%s The value is '%s'.", e.Message, problem.Clip(e.Value))
	}
	if isMistyped(err) {
		return "It is not one JSON object."
	}
	return err.Error()
}

// isMistyped reports whether something is not an object.
func isMistyped(err error) bool {
	e, ok := errors.AsType[*directory.InvalidError](err)
	return ok && e.Kind == directory.InvalidType && e.Property == ""
}

func invalidMessage(e *directory.InvalidError) string {
	value := e.Value
	switch {
	case e.Want == "":
		return e.Error()
	case e.Kind == directory.InvalidUnknown, e.Kind == directory.InvalidReadOnly:
		return fmt.Sprintf("%s Expected is %s.", e, e.Want)
	case e.Kind == directory.InvalidValue && value != "" && value != "null":
		value = "'" + problem.Clip(value) + "'"
	case e.Kind != directory.InvalidValue && e.Kind != directory.InvalidType:
		return e.Error()
	}
	return expected(e.Property, value, e.Want)
}

// expected is the message about a value, which is empty if it must not be repeated.
func expected(property, value, want string) string {
	if value == "" {
		return fmt.Sprintf("%s is not valid: expected is %s.", property, want)
	}
	return fmt.Sprintf("%s is %s: expected is %s.", property, problem.Clip(value), want)
}

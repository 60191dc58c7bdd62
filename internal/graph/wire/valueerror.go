package wire

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// ValueError is an error of one property, in the words of Graph, and what that is about.
type ValueError struct {
	Property string
	Value    json.RawMessage
	Want     string // what is expected; empty if the error says it
	Err      error
}

// Error implements error.
func (e *ValueError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *ValueError) Unwrap() error { return e.Err }

// WantID describes the ids of objects.
const WantID = "a GUID that is not all zeros"

// wanted describes the values that can be decoded into a pointer.
func wanted(to any) string {
	switch to.(type) {
	case *uuid.UUID:
		return "a GUID"
	case *ID:
		return WantID
	case *[]uuid.UUID:
		return "a list of GUIDs"
	case *string, Enumeration:
		return "a text"
	case *bool:
		return "true or false"
	case *int:
		return "a whole number"
	case *time.Time, **time.Time:
		return "a time such as 2026-01-31T12:00:00Z"
	}
	return ""
}

package odata

import (
	"time"

	"github.com/google/uuid"
)

// TextOf returns the text of a literal that is a text, a GUID or a value of an enumeration; false
// for other nodes.
func TextOf(n Node) (string, bool) {
	l, ok := n.(*Literal)
	if !ok {
		return "", false
	}
	switch v := l.Value.(type) {
	case string:
		return v, true
	case uuid.UUID:
		return v.String(), true
	case Enum:
		return v.Value, true
	}
	return "", false
}

// TimeOf returns the time of a literal that is a time or a date, which may be in quotes; false for
// other nodes.
func TimeOf(n Node) (time.Time, bool) {
	l, ok := n.(*Literal)
	if !ok {
		return time.Time{}, false
	}
	switch v := l.Value.(type) {
	case time.Time:
		return v, true
	case Date:
		t, err := time.Parse(time.DateOnly, string(v))
		return t, err == nil
	case string:
		for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
			if t, err := time.Parse(layout, v); err == nil {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// HoldsFor returns for which results of comparing the left with the right side an operator holds;
// false for OpNe, and for operators that do not compare.
func (o Operator) HoldsFor() (holds func(order int) bool, ok bool) {
	switch o {
	case OpEq:
		return func(order int) bool { return order == 0 }, true
	case OpLt:
		return func(order int) bool { return order < 0 }, true
	case OpLe:
		return func(order int) bool { return order <= 0 }, true
	case OpGt:
		return func(order int) bool { return order > 0 }, true
	case OpGe:
		return func(order int) bool { return order >= 0 }, true
	}
	return nil, false
}

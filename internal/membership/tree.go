package membership

import (
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory/column"
)

// node is a node of a rule's tree: *logic, *negation, *compare, *quantified, *reports or *memberOf.
type node interface {
	at() span
	// holds evaluates the node. It fills d, which may be nil, except for its expression and result.
	holds(e *evaluation, d *Detail) bool
}

// span is the place of a node in the text, in bytes, without parentheses around it.
type span struct{ from, to int }

func (s span) at() span { return s }

// logic joins two or more conditions.
type logic struct {
	span
	or   bool
	args []node
}

// negation is true if its argument is not.
type negation struct {
	span
	arg node
}

// compare compares a property of the user, or one of the current element of a collection.
type compare struct {
	span
	name     string // as written, without the object
	property *Property
	field    int          // of an element: the place of its text; -1 for a property of the user
	negative bool         // the result is the opposite
	null     bool         // true without a value
	test     *column.Test // of a text, in its folded form (D41)
	pattern  *Pattern     // instead of test
	truth    column.Truth // of a Boolean
	op       column.Op    // of a time
	moment   *moment
}

// quantified is true if any, or all, elements of a collection fulfill a condition.
type quantified struct {
	span
	property *Property
	all      bool
	body     node
}

// reports is true of users whose manager is a given user (D54).
type reports struct {
	span
	manager uuid.UUID
}

// memberOf is true of direct members of one of the groups (D55).
type memberOf struct {
	span
	groups []uuid.UUID
}

// moment is a time of a comparison: a fixed one, or one relative to system.now.
type moment struct {
	now   bool // system.now and shift, instead of fixed
	shift shift
	fixed time.Time
}

// at returns the time, in the form of a column.Value.
func (m *moment) at(now time.Time) int64 {
	if m.now {
		return column.TimeOf(m.shift.from(now))
	}
	return column.TimeOf(m.fixed)
}

// walk calls a function for a node and all nodes below it.
func walk(n node, visit func(node)) {
	visit(n)
	switch n := n.(type) {
	case *logic:
		for _, arg := range n.args {
			walk(arg, visit)
		}
	case *negation:
		walk(n.arg, visit)
	case *quantified:
		walk(n.body, visit)
	}
}

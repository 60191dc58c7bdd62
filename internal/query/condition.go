package query

import (
	"cmp"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/directory/column"
)

// Condition is a condition on an object. It is immutable.
type Condition struct {
	kind    kind
	args    []*Condition
	column  int
	test    column.Test
	truth   column.Truth
	from    int64
	to      int64
	element *column.Element
	set     *roaring.Bitmap
	holds   func(row uint32) bool
}

type kind uint8

const (
	all kind = iota + 1
	and
	or
	not
	text
	truth
	moment
	element
	set
	function
)

// All is true for every object.
func All() *Condition { return &Condition{kind: all} }

// None is true for no object.
func None() *Condition { return Not(All()) }

// And is true if all conditions are; without conditions it is always true. Searches for words in
// the same column are combined, so that each text is searched once.
func And(args ...*Condition) *Condition {
	args = together(flat(and, args))
	args = slices.DeleteFunc(args, func(c *Condition) bool { return c.kind == all })
	switch len(args) {
	case 0:
		return All()
	case 1:
		return args[0]
	}
	return &Condition{kind: and, args: args}
}

// Or is true if one of the conditions is; without conditions it is always false. Comparisons of one
// column with many values are combined to one, which costs as much as a single comparison.
func Or(args ...*Condition) *Condition {
	args = united(flat(or, args))
	switch len(args) {
	case 0:
		return None()
	case 1:
		return args[0]
	}
	return &Condition{kind: or, args: args}
}

// flat replaces conditions of the same kind by their arguments.
func flat(k kind, args []*Condition) []*Condition {
	list := make([]*Condition, 0, len(args))
	for _, arg := range args {
		if arg.kind == k {
			list = append(list, arg.args...)
		} else {
			list = append(list, arg)
		}
	}
	return list
}

// together combines the searches for words in each column.
func together(args []*Condition) []*Condition {
	list := args[:0:0]
	for _, arg := range args {
		isSame := func(other *Condition) bool {
			return other.kind == text && other.column == arg.column && other.test.Op == column.OpHasWords
		}
		if at := slices.IndexFunc(list, isSame); at >= 0 && isSame(arg) {
			list[at] = Text(arg.column, column.Test{
				Op: column.OpHasWords, Text: list[at].test.Text + " " + arg.test.Text,
			})
			continue
		}
		list = append(list, arg)
	}
	return list
}

// united combines the equalities of each column.
func united(args []*Condition) []*Condition {
	values, list := map[int]map[string]struct{}{}, args[:0:0]
	for _, arg := range args {
		if arg.kind != text || arg.test.Op != column.OpEqual && arg.test.Op != column.OpIn {
			list = append(list, arg)
			continue
		}
		if values[arg.column] == nil {
			values[arg.column] = map[string]struct{}{}
			list = append(list, &Condition{
				kind: text, column: arg.column, test: column.Test{Op: column.OpIn, Set: values[arg.column]},
			})
		}
		if arg.test.Op == column.OpEqual {
			values[arg.column][arg.test.Text] = struct{}{}
			continue
		}
		for value := range arg.test.Set {
			values[arg.column][value] = struct{}{}
		}
	}
	for i, arg := range list {
		if arg.kind == text && arg.test.Op == column.OpIn && len(arg.test.Set) == 1 {
			for value := range arg.test.Set {
				list[i] = Text(arg.column, column.Test{Op: column.OpEqual, Text: value})
			}
		}
	}
	return list
}

// Not is true if the condition is not.
func Not(arg *Condition) *Condition {
	if arg.kind == not {
		return arg.args[0]
	}
	return &Condition{kind: not, args: []*Condition{arg}}
}

// Text is true if the text in a column satisfies a test. Null satisfies none.
func Text(place int, test column.Test) *Condition {
	return &Condition{kind: text, column: place, test: test}
}

// Truth is true if a column of booleans has the given value; column.TruthNull matches objects
// without one.
func Truth(place int, is column.Truth) *Condition {
	return &Condition{kind: truth, column: place, truth: is}
}

// Time is true if the time in a column is from one second to another, inclusive, in the form of a
// column.Value.
func Time(place int, from, to int64) *Condition {
	return &Condition{kind: moment, column: place, from: from, to: to}
}

// Any is true if a collection has an element that satisfies a condition.
func Any(place int, e *column.Element) *Condition {
	return &Condition{kind: element, column: place, element: e}
}

// Set is true for objects whose ordinals are in a set, which must not be changed afterwards.
func Set(ordinals *roaring.Bitmap) *Condition { return &Condition{kind: set, set: ordinals} }

// Func is true if a function returns true. It is called for each object, so combine it with
// conditions that exclude most objects.
func Func(holds func(row uint32) bool) *Condition { return &Condition{kind: function, holds: holds} }

// Start returns the longest common prefix of a text of all objects for which the condition is true,
// and its column; false if the condition requires none.
func (c *Condition) Start() (place int, start string, ok bool) {
	switch {
	case c.kind == text && (c.test.Op == column.OpStarts || c.test.Op == column.OpEqual) && c.test.Text != "":
		return c.column, c.test.Text, true
	case c.kind == and:
		for _, arg := range c.args {
			if at, longer, found := arg.Start(); found && len(longer) > len(start) {
				place, start, ok = at, longer, true
			}
		}
	}
	return place, start, ok
}

// Costs of a block of 256 rows, roughly, in nanoseconds. They are measured (BenchmarkFind) and only
// determine the order in which parts are evaluated, and which conditions are too expensive.
const (
	costSet      = 20
	costTruth    = 30
	costTime     = 400
	costCodes    = 300
	costTexts    = 4000
	costElements = 6000
	costFunction = 256 * 100
)

// Cost returns about how long it takes to evaluate the condition for all rows of a table, on one
// processor.
func (c *Condition) Cost(t *column.Table) time.Duration {
	return time.Duration(c.cost(t) * int64(t.Blocks()))
}

func (c *Condition) cost(t *column.Table) int64 {
	sum := int64(costSet)
	for _, arg := range c.args {
		sum += arg.cost(t)
	}
	switch c.kind {
	case text:
		sum += costCodes
		if t.Schema().Columns[c.column].Mostly {
			sum += costTexts
		}
	case truth:
		sum += costTruth
	case moment:
		sum += costTime
	case element:
		sum += costElements
	case function:
		sum += costFunction
	}
	return sum
}

// cheapFirst returns the arguments in the best order of evaluation.
func (c *Condition) cheapFirst(t *column.Table) []*Condition {
	return slices.SortedStableFunc(slices.Values(c.args), func(a, b *Condition) int {
		return cmp.Compare(a.cost(t), b.cost(t))
	})
}

package query

import (
	"cmp"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/directory/column"
)

// Condition is a condition on an object. It never changes.
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

// All is true of every object.
func All() *Condition { return &Condition{kind: all} }

// None is true of no object.
func None() *Condition { return Not(All()) }

// And is true where all conditions are; without any, everywhere. Searches for words in one column
// are made one, which looks at each text once.
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

// Or is true where one of the conditions is; without any, nowhere. Comparisons of one column with
// many values are made one, which costs as much as a single one.
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

// flat takes the arguments of conditions of the same kind for their own.
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

// together joins the searches for words in each column.
func together(args []*Condition) []*Condition {
	list := args[:0:0]
	for _, arg := range args {
		isSame := func(other *Condition) bool {
			return other.kind == text && other.column == arg.column && other.test.Op == column.HasWords
		}
		if at := slices.IndexFunc(list, isSame); at >= 0 && isSame(arg) {
			list[at] = Text(arg.column, column.Test{Op: column.HasWords, Text: list[at].test.Text + " " + arg.test.Text})
			continue
		}
		list = append(list, arg)
	}
	return list
}

// united joins the equalities of each column.
func united(args []*Condition) []*Condition {
	values, list := map[int]map[string]struct{}{}, args[:0:0]
	for _, arg := range args {
		if arg.kind != text || arg.test.Op != column.Equal && arg.test.Op != column.In {
			list = append(list, arg)
			continue
		}
		if values[arg.column] == nil {
			values[arg.column] = map[string]struct{}{}
			list = append(list, &Condition{
				kind: text, column: arg.column, test: column.Test{Op: column.In, Set: values[arg.column]},
			})
		}
		if arg.test.Op == column.Equal {
			values[arg.column][arg.test.Text] = struct{}{}
			continue
		}
		for value := range arg.test.Set {
			values[arg.column][value] = struct{}{}
		}
	}
	for i, arg := range list {
		if arg.kind == text && arg.test.Op == column.In && len(arg.test.Set) == 1 {
			for value := range arg.test.Set {
				list[i] = Text(arg.column, column.Test{Op: column.Equal, Text: value})
			}
		}
	}
	return list
}

// Not is true where the condition is not.
func Not(arg *Condition) *Condition {
	if arg.kind == not {
		return arg.args[0]
	}
	return &Condition{kind: not, args: []*Condition{arg}}
}

// Text is true where a column of texts passes a test. Null passes none.
func Text(place int, test column.Test) *Condition {
	return &Condition{kind: text, column: place, test: test}
}

// Truth is true where a column of booleans has a value; column.Null asks for those without one.
func Truth(place int, is column.Truth) *Condition {
	return &Condition{kind: truth, column: place, truth: is}
}

// Time is true where a column of times is from one second to another, both included, as a
// column.Value has them.
func Time(place int, from, to int64) *Condition {
	return &Condition{kind: moment, column: place, from: from, to: to}
}

// Any is true where a collection has an element that fulfils a condition of its own.
func Any(place int, e *column.Element) *Condition {
	return &Condition{kind: element, column: place, element: e}
}

// Set is true of the objects whose ordinals are in a set, which must not change any more.
func Set(ordinals *roaring.Bitmap) *Condition { return &Condition{kind: set, set: ordinals} }

// Func is true where a function is. It is asked object by object, so it belongs behind something
// that leaves few.
func Func(holds func(row uint32) bool) *Condition { return &Condition{kind: function, holds: holds} }

// Start returns the beginning of a text that all have for which the condition is true, and its
// column; false when it asks for none. Of several it is the longest.
func (c *Condition) Start() (place int, start string, ok bool) {
	switch {
	case c.kind == text && (c.test.Op == column.Starts || c.test.Op == column.Equal) && c.test.Text != "":
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
// decide in what order parts are asked, and what is too much to ask.
const (
	costSet      = 20
	costTruth    = 30
	costTime     = 400
	costCodes    = 300
	costTexts    = 4000
	costElements = 6000
	costFunction = 256 * 100
)

// Cost returns about how long it takes to ask the condition of all rows of a table, on one
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

// cheapFirst returns the arguments in the order in which they are best asked.
func (c *Condition) cheapFirst(t *column.Table) []*Condition {
	return slices.SortedStableFunc(slices.Values(c.args), func(a, b *Condition) int {
		return cmp.Compare(a.cost(t), b.cost(t))
	})
}

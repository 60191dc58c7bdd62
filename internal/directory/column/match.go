package column

import mathbits "math/bits"

// Matcher tests one condition on a column, block by block. It is not safe for concurrent use.
type Matcher interface {
	// Match returns the rows of a block for which the condition is true. Rows that are not in among
	// may be missing.
	Match(block int, among Mask) Mask
}

// MatchText returns a Matcher for a column of texts.
func (t *Table) MatchText(column int, test *Test) Matcher {
	return &textMatcher{t, column, newRunMatcher(test, t.dictionaries[column][0])}
}

type textMatcher struct {
	table      *Table
	column     int
	runMatcher *runMatcher
}

func (m *textMatcher) Match(block int, among Mask) (found Mask) {
	if s, ok := m.table.block(block).cells[m.column].(scalars); ok {
		m.runMatcher.mark(s.run, found[:], among[:])
	}
	return found
}

// MatchTruth returns a Matcher for a column of booleans; TruthNull matches rows without a value.
func (t *Table) MatchTruth(column int, is Truth) Matcher { return &truthMatcher{t, column, is} }

type truthMatcher struct {
	table  *Table
	column int
	is     Truth
}

func (m *truthMatcher) Match(block int, _ Mask) (found Mask) {
	c, _ := m.table.block(block).cells[m.column].(*truths)
	if c == nil {
		c = &noTruths
	}
	for w := range found {
		switch m.is {
		case TruthTrue:
			found[w] = c.known[w] & c.is[w]
		case TruthFalse:
			found[w] = c.known[w] &^ c.is[w]
		default:
			found[w] = ^c.known[w]
		}
	}
	return found
}

var noTruths truths

// MatchTime returns a Matcher for times from one second to another, inclusive, in the form of a
// Value.
func (t *Table) MatchTime(column int, from, to int64) Matcher {
	return &timeMatcher{t, column, max(1, from), to}
}

type timeMatcher struct {
	table    *Table
	column   int
	from, to int64
}

func (m *timeMatcher) Match(block int, _ Mask) (found Mask) {
	c, ok := m.table.block(block).cells[m.column].(*times)
	if !ok {
		return found
	}
	if c.remote != nil {
		for i, at := range c.remote {
			if at >= m.from && at <= m.to {
				found.Set(i)
			}
		}
		return found
	}
	from, to := max(m.from-c.base+1, 1), min(m.to-c.base+1, 1<<32-1)
	if from > to {
		return found
	}
	least, span := uint32(from), uint32(to-from)
	for i, at := range c.near {
		found[i>>6] |= one(at-least <= span) << (i & 63) // smaller values wrap around
	}
	return found
}

// Element is a condition on one element of a collection.
type Element struct {
	Join  Join
	Args  []*Element // of JoinAnd, JoinOr; of JoinNot one
	Field int        // of JoinIs: the place in the column's Fields; 0 for a collection of texts
	Test  *Test
}

// Join is the kind of an Element.
type Join uint8

// The kinds of Elements. JoinAny is true for all elements.
const (
	JoinAny Join = iota + 1
	JoinIs
	JoinAnd
	JoinOr
	JoinNot
)

// MatchAny returns a Matcher for rows with an element for which a condition is true.
func (t *Table) MatchAny(column int, e *Element) Matcher {
	m := &anyMatcher{table: t, column: column, root: e, tests: map[*Element]*runMatcher{}}
	m.prepare(e)
	return m
}

type anyMatcher struct {
	table  *Table
	column int
	root   *Element
	tests  map[*Element]*runMatcher
	spare  [][]uint64
}

func (m *anyMatcher) prepare(e *Element) {
	if e.Join == JoinIs {
		m.tests[e] = newRunMatcher(e.Test, m.table.dictionaries[m.column][e.Field])
	}
	for _, arg := range e.Args {
		m.prepare(arg)
	}
}

func (m *anyMatcher) Match(block int, among Mask) (found Mask) {
	l, ok := m.table.block(block).cells[m.column].(*lists)
	if !ok {
		return found
	}
	n := int(l.ends[len(l.ends)-1])
	bits, row := m.eval(m.root, l, n), 0
	for w, word := range bits {
		for ; word != 0; word &= word - 1 {
			e := 64*w + mathbits.TrailingZeros64(word)
			if e >= n {
				break
			}
			for int(l.ends[row]) <= e {
				row++
			}
			found.Set(row)
		}
	}
	m.give(bits)
	for w := range found {
		found[w] &= among[w]
	}
	return found
}

// eval returns the elements of a block for which a condition is true.
func (m *anyMatcher) eval(e *Element, l *lists, n int) []uint64 {
	bits := m.take((n + 63) / 64)
	switch e.Join {
	case JoinAny:
		invert(bits)
	case JoinIs:
		if r := l.fields[e.Field]; r != nil {
			everything := m.take(len(bits))
			invert(everything)
			m.tests[e].mark(r, bits, everything)
			m.give(everything)
		}
	case JoinNot:
		inner := m.eval(e.Args[0], l, n)
		copy(bits, inner)
		invert(bits)
		m.give(inner)
	case JoinAnd, JoinOr:
		for i, arg := range e.Args {
			inner := m.eval(arg, l, n)
			for w := range bits {
				switch {
				case i == 0:
					bits[w] = inner[w]
				case e.Join == JoinAnd:
					bits[w] &= inner[w]
				default:
					bits[w] |= inner[w]
				}
			}
			m.give(inner)
		}
	}
	return bits
}

func invert(bits []uint64) {
	for w := range bits {
		bits[w] = ^bits[w]
	}
}

// take returns zeroed bits, spare ones if possible.
func (m *anyMatcher) take(words int) []uint64 {
	if last := len(m.spare) - 1; last >= 0 && cap(m.spare[last]) >= words {
		bits := m.spare[last][:words]
		m.spare = m.spare[:last]
		clear(bits)
		return bits
	}
	return make([]uint64, words, max(words, 16))
}

func (m *anyMatcher) give(bits []uint64) { m.spare = append(m.spare, bits) }

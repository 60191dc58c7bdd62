package column

import (
	"strings"

	"licensor/fold"
)

// Test is a question about one text that is not null; of null the answer is always false. Texts are compared in their
// folded form, and ordered by code point.
type Test struct {
	Op   Op
	Text string              // folded
	Set  map[string]struct{} // of In: folded texts
	Func func(string) bool   // of Holds: is given the folded text
}

// Op is the operator of a Test.
type Op uint8

// The operators.
const (
	Present Op = iota + 1 // any text
	Equal
	In
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
	Starts
	Ends
	Contains
	HasWord // a word of it starts with Text; see fold.StartsWord
	Holds
)

// Match answers the question about a folded text, where "" is null.
func (t *Test) Match(folded string) bool {
	if folded == "" {
		return false
	}
	switch t.Op {
	case Present:
		return true
	case Equal:
		return folded == t.Text
	case In:
		_, ok := t.Set[folded]
		return ok
	case Less:
		return folded < t.Text
	case LessOrEqual:
		return folded <= t.Text
	case Greater:
		return folded > t.Text
	case GreaterOrEqual:
		return folded >= t.Text
	case Starts:
		return strings.HasPrefix(folded, t.Text)
	case Ends:
		return strings.HasSuffix(folded, t.Text)
	case Contains:
		return strings.Contains(folded, t.Text)
	case HasWord:
		return fold.StartsWord(folded, t.Text)
	case Holds:
		return t.Func(folded)
	}
	return false
}

// runMatcher asks a test of all texts of a run. It knows the answer for each word of a dictionary beforehand.
type runMatcher struct {
	test   *Test
	answer []uint8 // by code: 1 or 0
}

func newRunMatcher(test *Test, d *Dictionary) *runMatcher {
	words := d.Words()
	m := &runMatcher{test: test, answer: make([]uint8, max(1<<8, len(words)))}
	for code := 1; code < len(words); code++ {
		if test.Match(words[code].Folded) {
			m.answer[code] = 1
		}
	}
	return m
}

// mark sets the bit of each text for which the answer is true. Of the texts whose bit in among is not set it may leave out
// those in the same word of 64.
func (m *runMatcher) mark(r run, bits, among []uint64) {
	switch r := r.(type) {
	case *codes:
		if r.narrow != nil {
			markCodes(r.narrow, m.answer, bits, among)
		} else {
			markCodes(r.wide, m.answer, bits, among)
		}
	case *texts:
		m.markTexts(r, bits, among)
	}
}

func markCodes[C uint8 | uint16](list []C, answer []uint8, bits, among []uint64) {
	for w := 0; len(list) > 0; w++ {
		some := list[:min(64, len(list))]
		list = list[len(some):]
		if among[w] == 0 {
			continue
		}
		word := uint64(0)
		for i, code := range some {
			word |= uint64(answer[code]) << (i & 63)
		}
		bits[w] |= word
	}
}

func (m *runMatcher) markTexts(r *texts, bits, among []uint64) {
	switch m.test.Op {
	case Contains, HasWord:
		if m.test.Text != "" {
			m.search(r, bits)
			return
		}
	case Equal:
		m.markEqual(r, bits)
		return
	}
	if m.test.Op == Starts || m.test.Op == Ends {
		m.markSides(r, bits)
		return
	}
	start := uint32(0)
	for i, end := range r.smallEnds {
		if among[i>>6] != 0 && m.test.Match(r.small[start:end]) {
			bits[i>>6] |= 1 << (i & 63)
		}
		start = end
	}
}

// markSides compares the beginning or the end of each text, the first eight bytes in one go: nearly all texts differ in these.
func (m *runMatcher) markSides(r *texts, bits []uint64) {
	text := m.test.Text
	start, want := uint32(0), uint32(len(text))
	first, mask := word8(text, 0), ^uint64(0)
	if want < 8 {
		mask = 1<<(8*want) - 1
	}
	back := uint32(0) // from where a text is compared to its end
	if m.test.Op == Ends {
		back = want
	}
	for i, end := range r.smallEnds {
		at := start
		if back > 0 {
			at = end - back
		}
		if end-start >= want && end > start && (word8(r.small, at)^first)&mask == 0 && (want <= 8 || r.small[at:at+want] == text) {
			bits[i>>6] |= 1 << (i & 63)
		}
		start = end
	}
}

// word8 returns eight bytes of a text as a number; behind its end there are zeros.
func word8(text string, at uint32) (word uint64) {
	if uint64(at)+8 > uint64(len(text)) {
		for i := at; int(i) < len(text); i++ {
			word |= uint64(text[i]) << (8 * (i - at))
		}
		return word
	}
	b := text[at : at+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// markEqual looks at lengths first.
func (m *runMatcher) markEqual(r *texts, bits []uint64) {
	start, want := uint32(0), uint32(len(m.test.Text))
	for i, end := range r.smallEnds {
		if end-start == want && r.small[start:end] == m.test.Text && want > 0 {
			bits[i>>6] |= 1 << (i & 63)
		}
		start = end
	}
}

// search finds a part of a text in all texts at once, since they lie one behind another. What is found across the end of one
// text is looked at again within it.
func (m *runMatcher) search(r *texts, bits []uint64) {
	row := 0
	for from := 0; ; {
		at := strings.Index(r.small[from:], m.test.Text)
		if at < 0 {
			return
		}
		at += from
		for int(r.smallEnds[row]) <= at {
			row++
		}
		if end := int(r.smallEnds[row]); at+len(m.test.Text) > end { // across the end
			from = at + 1
			continue
		}
		if m.test.Op == Contains || r.isStart(row, at) || m.test.Match(r.folded(row)) {
			bits[row>>6] |= 1 << (row & 63)
		}
		from = int(r.smallEnds[row])
	}
}

// isStart reports whether a word surely starts at a place in the run, within a row's text: behind its beginning or a blank.
func (t *texts) isStart(row, at int) bool {
	return row == 0 && at == 0 || row > 0 && int(t.smallEnds[row-1]) == at || t.small[at-1] == ' '
}

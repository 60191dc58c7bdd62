package column

import (
	"bytes"
	mathbits "math/bits"
	"strings"
	"unicode"

	"licensor/internal/fold"
)

// Test is a condition on one text; it is always false for null. Texts are compared in their folded
// form, and ordered by code point.
type Test struct {
	Op   Op
	Text string              // folded
	Set  map[string]struct{} // of OpIn: folded texts
	Func func(string) bool   // of OpHolds: called with the folded text
}

// Op is the operator of a Test.
type Op uint8

// The operators.
const (
	OpPresent Op = iota + 1 // any text
	OpEqual
	OpIn
	OpLess
	OpLessOrEqual
	OpGreater
	OpGreaterOrEqual
	OpStarts
	OpEnds
	OpContains
	OpHasWords // for each word in Text, a word of the value starts with it; see fold.StartsWord
	OpHolds
)

// Match reports whether a folded text, where "" is null, satisfies the test.
func (t *Test) Match(folded string) bool {
	if folded == "" {
		return false
	}
	switch t.Op {
	case OpPresent:
		return true
	case OpEqual:
		return folded == t.Text
	case OpIn:
		_, ok := t.Set[folded]
		return ok
	case OpLess:
		return folded < t.Text
	case OpLessOrEqual:
		return folded <= t.Text
	case OpGreater:
		return folded > t.Text
	case OpGreaterOrEqual:
		return folded >= t.Text
	case OpStarts:
		return strings.HasPrefix(folded, t.Text)
	case OpEnds:
		return strings.HasSuffix(folded, t.Text)
	case OpContains:
		return strings.Contains(folded, t.Text)
	case OpHasWords:
		for word := range strings.FieldsSeq(t.Text) {
			if !fold.StartsWord(folded, word) {
				return false
			}
		}
		return true
	case OpHolds:
		return t.Func(folded)
	}
	return false
}

// runMatcher applies a test to all texts of a run. It computes the results for the words of a
// dictionary in advance.
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

// mark sets the bit of each text that satisfies the test; all bits must be zero before. It may omit
// texts whose bit in among is not set.
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

// few is the ratio of all texts to those in among from which the latter are tested one by one.
const few = 8

func markCodes[C uint8 | uint16](list []C, answer []uint8, bits, among []uint64) {
	for w := 0; len(list) > 0; w++ {
		some := list[:min(64, len(list))]
		list = list[len(some):]
		if mathbits.OnesCount64(among[w]) <= 64/few {
			for left := among[w]; left != 0; left &= left - 1 {
				if i := mathbits.TrailingZeros64(left); i < len(some) {
					bits[w] |= uint64(answer[some[i]]) << i
				}
			}
			continue
		}
		word := uint64(0)
		for i, code := range some {
			word |= uint64(answer[code]) << (i & 63)
		}
		bits[w] = word
	}
}

func (m *runMatcher) markTexts(r *texts, bits, among []uint64) {
	asked := 0
	for _, word := range among {
		asked += mathbits.OnesCount64(word)
	}
	switch initials := m.initials(r); {
	case initials != 0:
		m.markEach(r, bits, r.starting(among, initials))
	case asked < r.len()/few:
		m.markEach(r, bits, among)
	case m.test.Op == OpEqual:
		m.markEqual(r, bits)
	case r.ends.far != nil:
		markEnds(m.test, r, r.ends.far, bits, among)
	default:
		markEnds(m.test, r, r.ends.near, bits, among)
	}
}

// initials returns the initials of all words of the test; 0 if they cannot exclude texts of a run.
func (m *runMatcher) initials(r *texts) (bits uint32) {
	if m.test.Op == OpHasWords && r.initials != nil {
		for word := range strings.FieldsSeq(m.test.Text) {
			bits |= initials(word)
		}
	}
	return bits
}

// markEach tests the texts in among one by one.
func (m *runMatcher) markEach(r *texts, bits, among []uint64) {
	for w, word := range among {
		for ; word != 0; word &= word - 1 {
			i := w<<6 + mathbits.TrailingZeros64(word)
			if i < r.len() && m.test.Match(r.folded(i)) {
				bits[w] |= 1 << (i & 63)
			}
		}
	}
}

// markEqual tests the texts with the same sum.
func (m *runMatcher) markEqual(r *texts, bits []uint64) {
	sum := sumOf(m.test.Text)
	for from := 0; ; from++ {
		at := bytes.IndexByte(r.sums[from:], sum)
		if at < 0 {
			return
		}
		if from += at; m.test.Match(r.folded(from)) {
			bits[from>>6] |= 1 << (from & 63)
		}
	}
}

// starting returns those in among that may have a word with these initials.
func (t *texts) starting(among []uint64, initials uint32) []uint64 {
	some := make([]uint64, len(among), BlockRows/64)
	for w := range some {
		word := uint64(0)
		for i, has := range t.initials[min(64*w, len(t.initials)):min(64*w+64, len(t.initials))] {
			word |= one(has&initials == initials) << (i & 63)
		}
		some[w] = word & among[w]
	}
	return some
}

func one(is bool) uint64 {
	if is {
		return 1
	}
	return 0
}

// markEnds tests texts by their ends.
func markEnds[E uint16 | uint32](test *Test, r *texts, ends []E, bits, among []uint64) {
	switch test.Op {
	case OpContains, OpHasWords:
		if test.Text != "" && (test.Op == OpContains || !strings.ContainsFunc(test.Text, unicode.IsSpace)) {
			search(test, r, ends, bits)
			return
		}
	case OpStarts, OpEnds:
		markSides(test, r.small, ends, bits, among)
		return
	}
	markPlainly(test, r.small, ends, bits, among)
}

// markSides compares the beginning or the end of each text. It compares eight bytes at a time,
// first the inner ones of the test's text: the outer ones, such as the domain of an address or its
// scheme, are the same in many texts.
func markSides[E uint16 | uint32](test *Test, small string, ends []E, bits, among []uint64) {
	text := test.Text
	some, inner := min(len(text), 8), max(len(text)-8, 0)
	unasked := uint(64 - 8*some)
	switch {
	case some == 0 || len(small) < len(text)+8:
		markPlainly(test, small, ends, bits, among)
	case test.Op == OpStarts:
		markStarts(text, small, ends, inner, word8(text[inner:]), unasked, bits)
	default:
		markTails(text, small, ends, word8(text[:some])<<unasked, unasked, bits)
	}
}

// markStarts marks texts that start with the test's text, which has a word at an inner place.
func markStarts[E uint16 | uint32](text, small string, ends []E, inner int, word uint64, unasked uint, bits []uint64) {
	start, last := 0, len(small)-inner-8
	for i, e := range ends {
		end, at := int(e), min(start, last)+inner
		if (start > last || (word8(small[at:at+8])^word)<<unasked == 0) && strings.HasPrefix(small[start:end], text) {
			bits[i>>6] |= 1 << (i & 63)
		}
		start = end
	}
}

// markTails marks texts that end with the test's text, whose first bytes are a word.
func markTails[E uint16 | uint32](text, small string, ends []E, word uint64, unasked uint, bits []uint64) {
	start, back := 0, max(8, len(text))
	for i, e := range ends {
		end := int(e)
		at := max(end-back, 0)
		if (end < back || (word8(small[at:at+8])^word)>>unasked == 0) && strings.HasSuffix(small[start:end], text) {
			bits[i>>6] |= 1 << (i & 63)
		}
		start = end
	}
}

// markPlainly tests the texts one by one.
func markPlainly[E uint16 | uint32](test *Test, small string, ends []E, bits, among []uint64) {
	start := E(0)
	for i, end := range ends {
		if among[i>>6] != 0 && test.Match(small[start:end]) {
			bits[i>>6] |= 1 << (i & 63)
		}
		start = end
	}
}

// word8 returns up to eight bytes as a number, the first one lowest.
func word8(b string) (word uint64) {
	if len(b) == 8 {
		return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
	}
	for i := range len(b) {
		word |= uint64(b[i]) << (8 * i)
	}
	return word
}

// search searches all texts at the same time, since they are stored consecutively. A match across
// the end of a text is checked again within it.
func search[E uint16 | uint32](test *Test, r *texts, ends []E, bits []uint64) {
	row := 0
	for from := 0; ; {
		at := strings.Index(r.small[from:], test.Text)
		if at < 0 {
			return
		}
		at += from
		for int(ends[row]) <= at {
			row++
		}
		end := int(ends[row])
		if at+len(test.Text) > end { // across the end
			from = at + 1
			continue
		}
		isStart := row == 0 && at == 0 || row > 0 && int(ends[row-1]) == at || at > 0 && r.small[at-1] == ' '
		if test.Op == OpContains || isStart || test.Match(r.folded(row)) {
			bits[row>>6] |= 1 << (row & 63)
		}
		from = end
	}
}

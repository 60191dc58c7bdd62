package column

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"licensor/internal/fold"
)

// texts are a run of texts that are stored consecutively in their folded form. Their original forms
// are stored as differences: a bit for each ASCII capital letter, and the few texts for which that
// is not sufficient.
//
// Texts are spread over the memory, and reading one takes longer than a hundred comparisons. So
// data that distinguishes most of them is stored separately.
type texts struct {
	small    string
	ends     offsets
	upper    []uint64  // a bit for each byte of small; nil if no text has capital letters
	odd      []oddText // ascending
	sums     []byte    // sumOf each text
	plain    bool      // all of them are plain, as in Word
	initials []uint32  // initialsOf each text; nil if the column does not need words
}

type oddText struct {
	place int
	text  string
}

// offsets are the ends of the texts, in two bytes each if all of them fit.
type offsets struct {
	near []uint16
	far  []uint32
}

func offsetsOf(ends []uint32) offsets {
	if len(ends) > 0 && ends[len(ends)-1] > math.MaxUint16 {
		return offsets{far: snug(ends)}
	}
	near := make([]uint16, len(ends))
	for i, end := range ends {
		near[i] = uint16(end)
	}
	return offsets{near: near}
}

func (o *offsets) len() int { return max(len(o.near), len(o.far)) }

func (o *offsets) end(i int) int {
	if o.far != nil {
		return int(o.far[i])
	}
	return int(o.near[i])
}

// span returns the range of text i.
func (o *offsets) span(i int) (from, to int) {
	if i > 0 {
		from = o.end(i - 1)
	}
	return from, o.end(i)
}

func (t *texts) len() int { return t.ends.len() }

func (t *texts) folded(i int) string {
	from, to := t.ends.span(i)
	return t.small[from:to]
}

func (t *texts) at(i int) string {
	if text, ok := t.oddAt(i); ok {
		return text
	}
	from, to := t.ends.span(i)
	if t.next(from, to) == to {
		return t.small[from:to]
	}
	return string(t.appendTo(make([]byte, 0, to-from), i))
}

func (t *texts) appendTo(dst []byte, i int) []byte {
	if text, ok := t.oddAt(i); ok {
		return append(dst, text...)
	}
	from, to := t.ends.span(i)
	start := len(dst) - from
	dst = append(dst, t.small[from:to]...)
	for at := t.next(from, to); at < to; at = t.next(at+1, to) {
		dst[start+at] -= 'a' - 'A'
	}
	return dst
}

// next returns the position of the next capital letter from a position on; to if there is none.
func (t *texts) next(at, to int) int {
	if t.upper == nil {
		return to
	}
	return nextBit(t.upper, at, to)
}

func (t *texts) oddAt(i int) (string, bool) {
	if len(t.odd) == 0 {
		return "", false
	}
	at, ok := slices.BinarySearchFunc(t.odd, i, func(o oddText, i int) int { return o.place - i })
	if !ok {
		return "", false
	}
	return t.odd[at].text, true
}

func (t *texts) bytes() int {
	n := len(t.small) + 2*len(t.ends.near) + 4*len(t.ends.far) + 8*len(t.upper) + len(t.sums) + 4*len(t.initials) + 160
	for _, o := range t.odd {
		n += 24 + len(o.text)
	}
	return n
}

// spliceTexts copies unchanged texts together, and folds only new ones.
func spliceTexts(was run, edits []edit, words bool) run {
	b := &builder{words: words}
	old, ok := was.(*texts)
	if !ok {
		old = new(texts)
		if was != nil {
			for i := range was.len() {
				b.add(was.at(i))
			}
			old = b.finish()
			b = &builder{words: words}
		}
	}
	b.room(old, edits)
	done := 0
	for _, e := range edits {
		b.keep(old, done, e.from)
		for _, text := range e.texts {
			b.add(text)
		}
		done = e.to
	}
	b.keep(old, done, max(done, old.len()))
	if t := b.finish(); t.small != "" {
		return t
	}
	return nil
}

// textsOf returns a run of texts; nil if all are null.
func textsOf(all []string, words bool) run {
	b, n := &builder{words: words}, 0
	for _, text := range all {
		n += len(text)
	}
	b.small.Grow(n)
	b.ends = make([]uint32, 0, len(all))
	for _, text := range all {
		b.add(text)
	}
	if t := b.finish(); t.small != "" {
		return t
	}
	return nil
}

// builder stores texts consecutively.
type builder struct {
	small strings.Builder
	ends  []uint32
	upper []uint64 // up to the last capital letter
	odd   []oddText
	words bool // see Column
}

// room reserves space for the old texts and the new ones.
func (b *builder) room(old *texts, edits []edit) {
	n, ends := len(old.small), old.len()
	for _, e := range edits {
		ends += len(e.texts)
		for _, text := range e.texts {
			n += len(text)
		}
	}
	b.small.Grow(n)
	b.ends = make([]uint32, 0, ends)
	if old.upper != nil {
		b.upper = make([]uint64, 0, (n+63)/64)
	}
}

func (b *builder) add(text string) {
	folded, start := fold.Text(text), b.small.Len()
	b.small.WriteString(folded)
	b.ends = append(b.ends, uint32(b.small.Len()))
	if folded == text {
		return
	}
	if !onlyCapitals(text, folded) {
		b.odd = append(b.odd, oddText{len(b.ends) - 1, strings.Clone(text)})
		return
	}
	for i := range len(text) {
		if text[i] != folded[i] {
			b.capital(start + i)
		}
	}
}

// onlyCapitals reports whether a text differs from its folded form only in ASCII capital letters.
func onlyCapitals(text, folded string) bool {
	if len(text) != len(folded) {
		return false
	}
	for i := range len(text) {
		if c := text[i]; c != folded[i] && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

func (b *builder) capital(at int) {
	for len(b.upper) <= at>>6 {
		b.upper = append(b.upper, 0)
	}
	b.upper[at>>6] |= 1 << (at & 63)
}

// keep copies the old texts from one place to another, with nulls for those beyond the end.
func (b *builder) keep(old *texts, from, to int) {
	last := min(to, old.len())
	if from < last {
		start, _ := old.ends.span(from)
		end := old.ends.end(last - 1)
		shift := b.small.Len() - start
		for at := old.next(start, end); at < end; at = old.next(at+1, end) {
			b.capital(at + shift)
		}
		for _, o := range old.odd {
			if o.place >= from && o.place < last {
				b.odd = append(b.odd, oddText{o.place - from + len(b.ends), o.text})
			}
		}
		b.small.WriteString(old.small[start:end])
		for i := from; i < last; i++ {
			b.ends = append(b.ends, uint32(old.ends.end(i)+shift))
		}
	}
	for range to - max(from, last) {
		b.ends = append(b.ends, uint32(b.small.Len()))
	}
}

func (b *builder) finish() *texts {
	t := &texts{small: b.small.String(), ends: offsetsOf(b.ends), odd: snug(b.odd)}
	if b.small.Cap() > b.small.Len()+b.small.Len()/8 {
		t.small = strings.Clone(t.small)
	}
	if len(b.upper) > 0 {
		t.upper = make([]uint64, (len(t.small)+63)/64)
		copy(t.upper, b.upper)
	}
	t.summarize(b.words)
	return t
}

func (t *texts) summarize(words bool) {
	t.sums, t.plain = make([]byte, t.len()), isPlain(t.small)
	if words {
		t.initials = make([]uint32, t.len())
	}
	for i := range t.sums {
		text := t.folded(i)
		t.sums[i] = sumOf(text)
		if words {
			t.initials[i] = initialsOf(text)
		}
	}
}

// isPlain reports whether a text is plain, as in Word. It checks eight bytes at a time.
func isPlain(text string) bool {
	const every, highs = 0x0101010101010101, 0x8080808080808080
	for ; len(text) >= 8; text = text[8:] {
		word := word8(text[:8])
		quote, slash := word^every*'"', word^every*'\\'
		if ((word-every*' ')&^word|(quote-every)&^quote|(slash-every)&^slash)&highs != 0 {
			return false
		}
	}
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// sumOf returns a byte that is the same for equal texts.
func sumOf(text string) byte {
	h := uint64(len(text))
	for ; len(text) > 8; text = text[8:] {
		h = (h ^ word8(text[:8])) * 0x9E3779B97F4A7C15
		h ^= h >> 32
	}
	return byte((h ^ word8(text)) * 0x9E3779B97F4A7C15 >> 56)
}

// initialsOf returns the initials of all words of a folded text, as fold.StartsWord splits words.
func initialsOf(text string) (bits uint32) {
	starts := true
	for i := 0; i+1 < len(text); {
		if starts {
			bits |= initials(text[i:])
		}
		c, size := rune(text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(text[i:])
			starts = !unicode.In(c, unicode.L, unicode.M, unicode.N)
		} else {
			starts = (c < 'a' || c > 'z') && (c < '0' || c > '9')
		}
		i += size
	}
	return bits
}

// initials returns a bit for the first two bytes of a word, and one for the first three; 0 for a
// word of one byte.
func initials(word string) uint32 {
	if len(word) < 2 {
		return 0
	}
	h := uint32(word[0])*0x9E3779B1 + uint32(word[1])*0x85EBCA77
	bits := uint32(1) << (h >> 27)
	if len(word) > 2 {
		bits |= 1 << ((h ^ uint32(word[2])*0xC2B2AE3D) >> 27)
	}
	return bits
}

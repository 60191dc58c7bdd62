package column

import (
	"slices"
	"strings"

	"licensor/fold"
)

// run is a sequence of texts: those of the rows of a block, or of the elements of their collections. It never changes.
type run interface {
	len() int
	// at returns the text at a place, "" for null. It shares the run's memory.
	at(i int) string
	// folded returns the folded form of that text.
	folded(i int) string
	bytes() int
}

// codes are a run of codes of a dictionary, each of one byte while all of them fit.
type codes struct {
	dictionary *Dictionary
	words      []Word // the dictionary as it was when the run was made
	narrow     []uint8
	wide       []uint16
}

func (c *codes) len() int { return max(len(c.narrow), len(c.wide)) }

func (c *codes) code(i int) uint16 {
	if c.wide != nil {
		return c.wide[i]
	}
	return uint16(c.narrow[i])
}

func (c *codes) at(i int) string     { return c.words[c.code(i)].Text }
func (c *codes) folded(i int) string { return c.words[c.code(i)].Folded }
func (c *codes) bytes() int          { return len(c.narrow) + 2*len(c.wide) + 96 }

// texts are a run of texts one behind another, as written and folded. Where both are the same, so is their memory.
type texts struct {
	written, small         string
	writtenEnds, smallEnds []uint32
}

func (t *texts) len() int            { return len(t.writtenEnds) }
func (t *texts) at(i int) string     { return span(t.written, t.writtenEnds, i) }
func (t *texts) folded(i int) string { return span(t.small, t.smallEnds, i) }

func (t *texts) bytes() int {
	n := len(t.written) + 4*len(t.writtenEnds) + 96
	if t.isFolded() {
		return n
	}
	if &t.writtenEnds[0] != &t.smallEnds[0] {
		n += 4 * len(t.smallEnds)
	}
	return n + len(t.small)
}

// isFolded reports whether all texts are written as they are folded.
func (t *texts) isFolded() bool { return len(t.written) == len(t.small) && t.written == t.small }

func span(all string, ends []uint32, i int) string {
	start := uint32(0)
	if i > 0 {
		start = ends[i-1]
	}
	return all[start:ends[i]]
}

// edit replaces the texts from one place of a run to another. Edits of a run are ascending and do not overlap.
type edit struct {
	from, to int
	texts    []string
}

// splice makes the run that edits lead to; nil when nothing but nulls is left. was may be nil.
func splice(was run, edits []edit, mostly bool, dictionary *Dictionary) run {
	if !mostly {
		old, ok := was.(*codes)
		if was == nil || ok {
			if next, ok := spliceCodes(old, edits, dictionary); ok {
				return next
			}
		}
	}
	return spliceTexts(was, edits)
}

// spliceCodes is false when the dictionary has no room for the new texts.
func spliceCodes(was *codes, edits []edit, dictionary *Dictionary) (run, bool) {
	var old []uint16
	if was != nil {
		old = was.wide
		if old == nil {
			old = make([]uint16, len(was.narrow), len(was.narrow)+1)
			for i, c := range was.narrow {
				old[i] = uint16(c)
			}
		}
	}
	next, done := make([]uint16, 0, len(old)+grown(edits)), 0
	for _, e := range edits {
		kept := old[min(done, len(old)):min(e.from, len(old))]
		next = append(next, kept...)
		next = append(next, make([]uint16, e.from-done-len(kept))...) // rows that never had a value
		for _, text := range e.texts {
			code, ok := dictionary.code(text)
			if !ok {
				return nil, false
			}
			next = append(next, code)
		}
		done = e.to
	}
	next = append(next, old[min(done, len(old)):]...)
	return packed(next, dictionary), true
}

// packed takes as little room as the codes allow, and none for nulls.
func packed(list []uint16, dictionary *Dictionary) run {
	most := uint16(0)
	for _, c := range list {
		most = max(most, c)
	}
	c := &codes{dictionary: dictionary, words: dictionary.Words()}
	switch {
	case most == 0:
		return nil
	case most < 1<<8:
		c.narrow = make([]uint8, len(list))
		for i, code := range list {
			c.narrow[i] = uint8(code)
		}
	default:
		c.wide = snug(list)
	}
	return c
}

func grown(edits []edit) int {
	n := 0
	for _, e := range edits {
		n += len(e.texts)
	}
	if len(edits) > 0 {
		n += edits[len(edits)-1].from // at the most, where the run was shorter
	}
	return n
}

// spliceTexts copies what stays in one go, and folds only what is new.
func spliceTexts(was run, edits []edit) run {
	old, ok := was.(*texts)
	if !ok {
		return joined(was, edits)
	}
	var written, small builder
	isFolded, done := old.isFolded(), 0
	if written.room(old.written, edits); !isFolded {
		small.room(old.small, edits)
	}
	for _, e := range edits {
		for _, text := range e.texts {
			isFolded = isFolded && fold.Text(text) == text
		}
	}
	for _, e := range edits {
		written.keep(old.written, old.writtenEnds, done, e.from)
		if !isFolded {
			small.keep(old.small, old.smallEnds, done, e.from)
		}
		for _, text := range e.texts {
			written.add(text)
			if !isFolded {
				small.add(fold.Text(text))
			}
		}
		done = e.to
	}
	written.keep(old.written, old.writtenEnds, done, max(done, old.len()))
	if !isFolded {
		small.keep(old.small, old.smallEnds, done, max(done, old.len()))
	}
	return finished(&written, &small, isFolded)
}

// joined makes texts of a run of codes, or of nothing.
func joined(was run, edits []edit) run {
	all, from, n := []string{}, 0, 0
	if was != nil {
		n = was.len()
	}
	for _, e := range edits {
		for ; from < e.from; from++ {
			if from < n {
				all = append(all, was.at(from))
			} else {
				all = append(all, "")
			}
		}
		all = append(all, e.texts...)
		from = max(from, e.to)
	}
	for ; from < n; from++ {
		all = append(all, was.at(from))
	}
	return textsOf(all)
}

// textsOf makes a run of texts.
func textsOf(all []string) run {
	var written builder
	n := 0
	for _, text := range all {
		n += len(text)
	}
	written.text.Grow(n)
	written.ends = make([]uint32, 0, len(all))
	for _, text := range all {
		written.add(text)
	}
	return foldedRun(written.all(), written.ends)
}

// foldedRun makes a run of texts that lie one behind another already; nil when all are null.
func foldedRun(all string, ends []uint32) run {
	if all == "" {
		return nil
	}
	t := &texts{written: all, small: fold.Text(all), writtenEnds: ends, smallEnds: ends}
	switch {
	case t.small == all:
		t.small = all
	case !fold.ASCII(all):
		var small builder
		for i := range ends {
			small.add(fold.Text(t.at(i)))
		}
		if t.small = small.all(); !slices.Equal(small.ends, ends) {
			t.smallEnds = snug(small.ends)
		}
	}
	return t
}

func finished(written, small *builder, isFolded bool) run {
	if written.text.Len() == 0 {
		return nil
	}
	t := &texts{written: written.all(), writtenEnds: snug(written.ends)}
	t.small, t.smallEnds = t.written, t.writtenEnds
	if !isFolded {
		t.small, t.smallEnds = small.all(), t.writtenEnds
		if !slices.Equal(small.ends, t.writtenEnds) {
			t.smallEnds = snug(small.ends)
		}
	}
	return t
}

// builder puts texts one behind another.
type builder struct {
	text strings.Builder
	ends []uint32
}

// room makes room for the old texts and the new ones.
func (b *builder) room(old string, edits []edit) {
	n := len(old)
	for _, e := range edits {
		for _, text := range e.texts {
			n += len(text)
		}
	}
	b.text.Grow(n)
}

func (b *builder) add(text string) {
	b.text.WriteString(text)
	b.ends = append(b.ends, uint32(b.text.Len()))
}

// keep takes over the old texts from one place to another, with nulls for those behind the end.
func (b *builder) keep(old string, ends []uint32, from, to int) {
	last := min(to, len(ends))
	if from < last {
		start := uint32(0)
		if from > 0 {
			start = ends[from-1]
		}
		shift := uint32(b.text.Len()) - start
		b.text.WriteString(old[start:ends[last-1]])
		for _, end := range ends[from:last] {
			b.ends = append(b.ends, end+shift)
		}
	}
	for range to - max(from, last) {
		b.ends = append(b.ends, uint32(b.text.Len()))
	}
}

// all is the whole text, without the room that was made for more.
func (b *builder) all() string {
	if b.text.Cap() > b.text.Len()+b.text.Len()/8 {
		return strings.Clone(b.text.String())
	}
	return b.text.String()
}

// snug gives back what append has allocated in advance when that is much.
func snug[E any](s []E) []E {
	if cap(s) > len(s)+len(s)/8 {
		return append(make([]E, 0, len(s)), s...)
	}
	return s
}

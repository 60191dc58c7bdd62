package column

// run is a sequence of texts: those of the rows of a block, or of the elements of their
// collections. It is immutable.
type run interface {
	len() int
	// at returns the text at a place, "" for null.
	at(i int) string
	// appendTo appends that text to dst.
	appendTo(dst []byte, i int) []byte
	// folded returns the folded form of that text.
	folded(i int) string
	bytes() int
}

// codes are a run of codes of a dictionary, each of one byte if all of them fit.
type codes struct {
	dictionary *Dictionary
	words      []Word // the dictionary when the run was made
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

func (c *codes) appendTo(dst []byte, i int) []byte { return append(dst, c.at(i)...) }
func (c *codes) bytes() int                        { return len(c.narrow) + 2*len(c.wide) + 96 }

// edit replaces the texts in a range of a run. Edits of a run are ascending and do not overlap.
type edit struct {
	from, to int
	texts    []string
}

// splice returns the result of edits to a run; nil if only nulls are left. was may be nil.
func splice(was run, edits []edit, c *Column, dictionary *Dictionary) run {
	if !c.Mostly && (was != nil || !dictionary.spares(edits)) {
		old, ok := was.(*codes)
		if was == nil || ok {
			if next, ok := spliceCodes(old, edits, dictionary); ok {
				return next
			}
		}
	}
	return spliceTexts(was, edits, c.Words)
}

// spliceCodes returns false if the dictionary has no room for the new texts.
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

// packed uses as little space as the codes allow, and none for nulls.
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
		n += edits[len(edits)-1].from // at most, if the run was shorter
	}
	return n
}

// snug frees the spare capacity of a slice if it is large.
func snug[E any](s []E) []E {
	if cap(s) > len(s)+len(s)/8 {
		return append(make([]E, 0, len(s)), s...)
	}
	return s
}

package column

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"

	"licensor/internal/compressed"
	"licensor/internal/fold"
	"licensor/internal/licensing/vector"
	"licensor/internal/turns"
)

// Decode returns the table of parts that AppendPart wrote. It needs all parts, in order. Texts are
// numbered again, so unused ones are dropped. Data that AppendPart did not write is an error.
func Decode(schema *Schema, parts [][]byte) (*Table, error) {
	t := NewTable(schema)
	blocks, rows, errs := make([][]*block, len(parts)), make([]int, len(parts)), make([]error, len(parts))
	var wait sync.WaitGroup
	for n, data := range parts {
		wait.Go(func() {
			turns.Aside(len(parts) > 1, func() { blocks[n], rows[n], errs[n] = t.decodePart(data) })
		})
	}
	wait.Wait()
	owner := new(vector.Owner)
	for n := range parts {
		if errs[n] != nil {
			return nil, fmt.Errorf("columns of part %d: %w", n, errs[n])
		}
		if t.rows%PartRows != 0 {
			return nil, fmt.Errorf("columns of part %d: the part before has only %d rows", n, rows[n-1])
		}
		for _, b := range blocks[n] {
			t.blocks.Append(owner, b)
		}
		t.rows += uint32(rows[n])
	}
	return t, nil
}

func (t *Table) decodePart(part []byte) (blocks []*block, rows int, err error) {
	err = compressed.Read(part, func(data []byte) error {
		blocks, rows, err = t.decodeData(data)
		return err
	})
	return blocks, rows, err
}

func (t *Table) decodeData(data []byte) (blocks []*block, rows int, err error) {
	r := &partReader{reader: reader{rest: data}}
	if format := r.byte(); r.err == nil && format != partFormat {
		return nil, 0, fmt.Errorf("it is in format %d, and this version reads format %d: run the version that "+
			"wrote it or a newer one", format, partFormat)
	}
	rows = int(min(r.number(), PartRows+1))
	if r.err != nil || rows == 0 || rows > PartRows {
		return nil, 0, errors.Join(r.err, fmt.Errorf("it has %d rows", rows))
	}
	blocks = make([]*block, (rows+BlockRows-1)/BlockRows)
	for i := range blocks {
		r.rows = min(BlockRows, rows-i*BlockRows)
		b := &block{live: r.mask(), deleted: r.mask(), cells: make([]cells, len(t.schema.Columns))}
		for w := range b.live {
			if b.live[w]&b.deleted[w] != 0 {
				r.fail(errors.New("an object is both live and deleted"))
			}
		}
		blocks[i] = b
	}
	for r.err == nil {
		number := r.number()
		if number == 0 {
			break
		}
		column, ok := t.schema.byNumber[uint32(number)]
		if r.err == nil && !ok {
			return nil, 0, fmt.Errorf("column number %d is not known to this version", number)
		}
		r.column(t, column, blocks, rows)
	}
	if r.err == nil && len(r.rest) > 0 {
		r.err = fmt.Errorf("%d bytes too many", len(r.rest))
	}
	return blocks, rows, r.err
}

// partReader reads a part.
type partReader struct {
	reader
	rows  int        // of the block
	codes [][]uint16 // by field and number of the word in the part: its code
	texts [][]string // words that do not fit in the dictionary have no code
}

func (r *partReader) bytes(n int) []byte {
	if r.err != nil || n > len(r.rest) {
		r.fail(errTruncated)
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// mask reads a set of rows of the block.
func (r *partReader) mask() (m Mask) {
	b := r.bytes(len(m) * 8)
	for w := range m {
		if b != nil {
			m[w] = binary.LittleEndian.Uint64(b[8*w:])
		}
		if over := max(0, 64*(w+1)-r.rows); m[w]>>(64-min(64, over)) != 0 && over > 0 {
			r.fail(errors.New("a row beyond the last has a state or value"))
		}
	}
	return m
}

func (r *partReader) column(t *Table, column int, blocks []*block, rows int) {
	c := &t.schema.Columns[column]
	if blocks[0].cells[column] != nil || blocks[len(blocks)-1].cells[column] != nil {
		r.fail(fmt.Errorf("duplicate column %s", c.Name))
		return
	}
	r.codes, r.texts = make([][]uint16, c.width()), make([][]string, c.width())
	for f := range c.width() {
		r.words(t, column, f)
	}
	for i := 0; i < len(blocks) && r.err == nil; i++ {
		r.rows = min(BlockRows, rows-i*BlockRows)
		blocks[i].cells[column] = r.cells(t, column)
	}
}

// words reads the words of a field and numbers them.
func (r *partReader) words(t *Table, column, field int) {
	n := r.count()
	if n > 0 && t.dictionaries[column] == nil {
		r.fail(fmt.Errorf("column %s has words", t.schema.Columns[column].Name))
		return
	}
	if n > maxWords {
		r.fail(fmt.Errorf("%d words", n))
		return
	}
	list, texts := make([]uint16, n+1), make([]string, n+1)
	full := false
	for i := 1; i <= n && r.err == nil; i++ {
		texts[i] = r.text()
		code, ok := t.dictionaries[column][field].code(texts[i])
		list[i], full = code, full || !ok
		if texts[i] == "" && r.err == nil {
			r.fail(errors.New("a word is empty"))
		}
	}
	r.codes[field] = list
	if full {
		r.texts[field] = texts
	}
}

func (r *partReader) cells(t *Table, column int) cells {
	kind := t.schema.Columns[column].Kind
	how := r.byte()
	switch {
	case r.err != nil || how == none:
		return nil
	case kind == KindText && (how == asCodes || how == asTexts):
		if run := r.run(t, column, 0, how, r.rows); run != nil {
			return scalars{run}
		}
		return nil
	case kind == KindBool && how == asMasks:
		return &truths{r.mask(), r.mask()}
	case kind == KindTime && (how == asNear || how == asRemote):
		return r.times(how)
	case (kind == KindTexts || kind == KindObjects) && how == asLists:
		return r.lists(t, column)
	}
	r.fail(fmt.Errorf("column %s is written in a way that does not suit it (%d)", t.schema.Columns[column].Name, how))
	return nil
}

// run reads a run of at most so many texts.
func (r *partReader) run(t *Table, column, field int, how byte, most int) run {
	if how == asTexts {
		return r.textRun(most, t.schema.Columns[column].Words)
	}
	n := r.count()
	b := r.bytes(2 * n)
	if r.err != nil || n > most {
		r.fail(errTruncated)
		return nil
	}
	list := make([]uint16, n)
	for i := range list {
		word := binary.LittleEndian.Uint16(b[2*i:])
		if int(word) >= len(r.codes[field]) {
			r.fail(fmt.Errorf("word number %d of %d", word, len(r.codes[field])-1))
			return nil
		}
		list[i] = word
	}
	if r.texts[field] != nil { // the dictionary is full
		all := make([]string, n)
		for i, word := range list {
			all[i] = r.texts[field][word]
		}
		return textsOf(all, t.schema.Columns[column].Words)
	}
	for i, word := range list {
		list[i] = r.codes[field][word]
	}
	return packed(list, t.dictionaries[column][field])
}

func (r *partReader) textRun(most int, words bool) run {
	ends := r.ends(most, len(r.rest))
	if r.err != nil || len(ends) == 0 {
		return nil
	}
	written := r.bytes(int(ends[len(ends)-1]))
	if small, upper, ok := fold.Apart(written); ok && small != "" { // folding does not change the length
		t := &texts{small: small, ends: offsetsOf(ends), upper: upper}
		t.summarize(words)
		return t
	}
	all := string(written)
	if r.err == nil && (all == "" || !utf8.ValidString(all) || !startsWell(all, ends)) {
		r.fail(errors.New("a text is empty or not valid UTF-8"))
	}
	if r.err != nil {
		return nil
	}
	list, start := make([]string, len(ends)), uint32(0)
	for i, end := range ends {
		list[i], start = all[start:end], end
	}
	return textsOf(list, words)
}

// startsWell reports whether each text begins with the first byte of a character.
func startsWell(all string, ends []uint32) bool {
	for _, end := range ends {
		if int(end) < len(all) && all[end]&0xC0 == 0x80 {
			return false
		}
	}
	return true
}

// ends reads the ends of at most so many elements, the last of which is at most the limit.
func (r *partReader) ends(most, limit int) []uint32 {
	n := r.count()
	if n > most {
		r.fail(fmt.Errorf("%d values for %d", n, most))
		return nil
	}
	list, total := make([]uint32, n), uint64(0)
	for i := range list {
		if total += r.number(); total > uint64(limit) {
			r.fail(errTruncated)
			return nil
		}
		list[i] = uint32(total)
	}
	return list
}

// maxElements limits the elements of a block, because those without a value take no space in the
// data.
const maxElements = 1 << 24

func (r *partReader) times(how byte) cells {
	n := r.count()
	if n > r.rows {
		r.fail(errTruncated)
		return nil
	}
	all := make([]int64, n)
	if how == asRemote {
		if b := r.bytes(8 * n); b != nil {
			for i := range all {
				all[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
			}
		}
	} else if b := r.bytes(8 + 4*n); b != nil {
		base := int64(binary.LittleEndian.Uint64(b))
		for i := range all {
			if near := binary.LittleEndian.Uint32(b[8+4*i:]); near > 0 {
				all[i] = base + int64(near) - 1
			}
		}
	}
	for _, at := range all {
		if at < 0 || at > lastTime {
			r.fail(fmt.Errorf("%d is not a time between the years 1 and 9999", at))
			return nil
		}
	}
	if r.err != nil {
		return nil
	}
	return packedTimes(all)
}

func (r *partReader) lists(t *Table, column int) cells {
	l := &lists{ends: r.ends(r.rows, maxElements), fields: make([]run, t.schema.Columns[column].width())}
	if r.err != nil || len(l.ends) == 0 || l.ends[len(l.ends)-1] == 0 {
		r.fail(errors.New("a list without elements"))
		return nil
	}
	for f := range l.fields {
		switch how := r.byte(); how {
		case none:
		case asCodes, asTexts:
			l.fields[f] = r.run(t, column, f, how, int(l.ends[len(l.ends)-1]))
		default:
			r.fail(fmt.Errorf("a list is written in an unknown way (%d)", how))
		}
	}
	return l
}

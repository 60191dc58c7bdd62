package column

import (
	"encoding/binary"
)

// partFormat is the first byte of a part. A new format takes the next number.
const partFormat = 1

// The forms of runs and cells.
const (
	none byte = iota
	asCodes
	asTexts
	asNear
	asRemote
	asMasks
	asLists
)

// AppendPart writes the rows of a part: for each block its states, then column by column the values
// of the blocks. Texts of dictionaries are written once per part.
func (t *Table) AppendPart(dst []byte, part int) []byte {
	blocks := t.blocks.Chunk(part)
	dst = append(dst, partFormat)
	rows := min(int(t.rows)-part*PartRows, PartRows)
	dst = binary.AppendUvarint(dst, uint64(rows))
	for _, b := range blocks {
		dst = appendMask(appendMask(dst, &b.live), &b.deleted)
	}
	for i := range t.schema.Columns {
		has := false
		for _, b := range blocks {
			has = has || b.cells[i] != nil
		}
		if !has {
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(t.schema.Columns[i].Number))
		w := &partWriter{blocks: blocks, column: i, width: t.schema.Columns[i].width()}
		dst = w.append(dst)
	}
	return binary.AppendUvarint(dst, 0)
}

func appendMask(dst []byte, m *Mask) []byte {
	for _, word := range m {
		dst = binary.LittleEndian.AppendUint64(dst, word)
	}
	return dst
}

// partWriter writes one column of a part.
type partWriter struct {
	blocks []*block
	column int
	width  int
	words  [][]uint16 // by field and code: the number of the word in the part, from 1
}

func (w *partWriter) append(dst []byte) []byte {
	w.words = make([][]uint16, w.width)
	for f := range w.width {
		dst = w.appendWords(dst, f)
	}
	for _, b := range w.blocks {
		switch c := b.cells[w.column].(type) {
		case nil:
			dst = append(dst, none)
		case scalars:
			dst = w.appendRun(dst, 0, c.run)
		case *truths:
			dst = appendMask(appendMask(append(dst, asMasks), &c.known), &c.is)
		case *times:
			dst = c.append(dst)
		case *lists:
			dst = append(dst, asLists)
			dst = appendEnds(dst, c.ends)
			for f, r := range c.fields {
				dst = w.appendRun(dst, f, r)
			}
		}
	}
	return dst
}

// runOf returns the run of a field in a block; nil if there is none.
func (w *partWriter) runOf(b *block, field int) run {
	switch c := b.cells[w.column].(type) {
	case scalars:
		return c.run
	case *lists:
		return c.fields[field]
	}
	return nil
}

// appendWords writes the words of the part's codes.
func (w *partWriter) appendWords(dst []byte, field int) []byte {
	var list []string
	for _, b := range w.blocks {
		c, ok := w.runOf(b, field).(*codes)
		if !ok {
			continue
		}
		if w.words[field] == nil {
			w.words[field] = make([]uint16, maxWords+1)
		}
		for i := range c.len() {
			if code := c.code(i); code != 0 && w.words[field][code] == 0 {
				list = append(list, c.words[code].Text)
				w.words[field][code] = uint16(len(list))
			}
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, text := range list {
		dst = appendText(dst, text)
	}
	return dst
}

func (w *partWriter) appendRun(dst []byte, field int, r run) []byte {
	switch r := r.(type) {
	case *codes:
		dst = binary.AppendUvarint(append(dst, asCodes), uint64(r.len()))
		for i := range r.len() {
			dst = binary.LittleEndian.AppendUint16(dst, w.words[field][r.code(i)])
		}
		return dst
	case *texts:
		return r.append(append(dst, asTexts))
	}
	return append(dst, none)
}

// append writes the texts in their original form, after their lengths.
func (t *texts) append(dst []byte) []byte {
	written := make([]byte, 0, len(t.small))
	dst = binary.AppendUvarint(dst, uint64(t.len()))
	for i := range t.len() {
		before := len(written)
		written = t.appendTo(written, i)
		dst = binary.AppendUvarint(dst, uint64(len(written)-before))
	}
	return append(dst, written...)
}

// appendEnds writes the ends of a list's elements, as their lengths.
func appendEnds(dst []byte, ends []uint32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(ends)))
	last := uint32(0)
	for _, end := range ends {
		dst = binary.AppendUvarint(dst, uint64(end-last))
		last = end
	}
	return dst
}

func (t *times) append(dst []byte) []byte {
	if t.remote != nil {
		dst = binary.AppendUvarint(append(dst, asRemote), uint64(len(t.remote)))
		for _, at := range t.remote {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(at))
		}
		return dst
	}
	dst = binary.AppendUvarint(append(dst, asNear), uint64(len(t.near)))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(t.base))
	for _, at := range t.near {
		dst = binary.LittleEndian.AppendUint32(dst, at)
	}
	return dst
}

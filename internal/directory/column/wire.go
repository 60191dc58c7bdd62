package column

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// Change is a new value of an object in a column, by the column's place in the schema.
type Change struct {
	Column int
	Value  Value
}

// AppendChanges writes changes in order. They contain texts and the columns' numbers, so any schema
// with these columns can read them.
func (s *Schema) AppendChanges(dst []byte, changes []Change) []byte {
	size := 0
	for _, c := range changes {
		size += bytesOfChange + len(c.Value.Text)
	}
	dst = slices.Grow(dst, size)
	for _, c := range changes {
		column := &s.Columns[c.Column]
		dst = binary.AppendUvarint(dst, uint64(column.Number))
		dst = appendValue(dst, column, c.Value)
	}
	return dst
}

func appendValue(dst []byte, c *Column, v Value) []byte {
	switch c.Kind {
	case KindText:
		return appendText(dst, v.Text)
	case KindBool:
		return append(dst, byte(v.Truth))
	case KindTime:
		return binary.AppendVarint(dst, v.Time)
	}
	dst = binary.AppendUvarint(dst, uint64(len(v.Texts)/c.width()))
	for _, text := range v.Texts {
		dst = appendText(dst, text)
	}
	return dst
}

func appendText(dst []byte, text string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(text)))
	return append(dst, text...)
}

// bytesOfChange is about the size of a change.
const bytesOfChange = 10

// ReadChanges reads what AppendChanges wrote. It returns an error for data that AppendChanges did
// not write, and for columns that the schema does not have.
func (s *Schema) ReadChanges(data []byte) ([]Change, error) {
	changes := make([]Change, 0, min(len(data)/bytesOfChange+1, len(s.Columns)))
	r := &reader{rest: data}
	for len(r.rest) > 0 && r.err == nil {
		number := r.number()
		place, ok := s.byNumber[uint32(number)]
		if r.err == nil && (!ok || number > math.MaxUint32) {
			return nil, fmt.Errorf("column number %d is not known to this version", number)
		}
		changes = append(changes, Change{place, r.value(&s.Columns[place])})
	}
	return changes, r.err
}

// reader reads values. After the first error it returns zeros.
type reader struct {
	rest []byte
	err  error
}

var errTruncated = errors.New("the data ends too early")

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.fail(errTruncated)
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// count reads the number of elements that follow, which take at least a byte each.
func (r *reader) count() int {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.fail(errTruncated)
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count()
	if r.err != nil {
		return ""
	}
	text := string(r.rest[:n])
	r.rest = r.rest[n:]
	if !utf8.ValidString(text) {
		r.fail(errors.New("a text is not valid UTF-8"))
	}
	return text
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail(errTruncated)
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) value(c *Column) (v Value) {
	switch c.Kind {
	case KindText:
		v.Text = r.text()
	case KindBool:
		if v.Truth = Truth(r.byte()); v.Truth > TruthTrue {
			r.fail(fmt.Errorf("truth value %d is not known", v.Truth))
		}
	case KindTime:
		n, size := binary.Varint(r.rest)
		if size <= 0 {
			r.fail(errTruncated)
			return Value{}
		}
		v.Time, r.rest = n, r.rest[size:]
		if v.Time < 0 || v.Time > lastTime {
			r.fail(fmt.Errorf("%d is not a time between the years 1 and 9999", v.Time))
		}
	default:
		n := r.count()
		if n*c.width() > len(r.rest) {
			r.fail(errTruncated)
			return Value{}
		}
		for range n * c.width() {
			v.Texts = append(v.Texts, r.text())
		}
	}
	if r.err != nil {
		return Value{}
	}
	return v
}

// lastTime is the last second of the year 9999.
const lastTime = 253402300799 - epoch

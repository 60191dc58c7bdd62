package column

import (
	"slices"
	"time"
)

// Kind is the kind of a column's values.
type Kind uint8

// The kinds. A collection is never null; an empty text is.
const (
	KindText    Kind = iota + 1
	KindBool         // true, false or null
	KindTime         // whole seconds of UTC
	KindTexts        // a collection of texts
	KindObjects      // a collection of objects, each with a text for each of the column's Fields
)

// Column is one column of a schema.
type Column struct {
	Number uint32 // stored; never renumber
	Name   string // as Graph spells it, such as city or employeeOrgData/costCenter
	Kind   Kind
	Fields []string // of KindObjects: the names of an element's properties
	// Mostly means that nearly every object has a value of its own, so that a dictionary would be
	// as long as the column.
	Mostly bool
	// Words means that texts are queried by their words (OpHasWords), so that the beginnings of words
	// are indexed.
	Words bool
}

// width returns the number of texts of an element.
func (c *Column) width() int { return max(1, len(c.Fields)) }

// Truth is a boolean that may be null.
type Truth uint8

// The values of a Truth.
const (
	TruthNull Truth = iota
	TruthFalse
	TruthTrue
)

// TruthOf returns the Truth of a boolean.
func TruthOf(is bool) Truth {
	if is {
		return TruthTrue
	}
	return TruthFalse
}

// Value is the value of one object in one column. The zero value is null, or an empty collection.
type Value struct {
	Text  string
	Truth Truth
	Time  int64    // of TimeOf; 0 is null
	Texts []string // of KindTexts; of KindObjects the fields of one element after those of another
}

// epoch is the second before that of a Time of 1: the zero time.Time.
const epoch = -62135596800

// TimeOf returns a time in the form of a Value: seconds since the zero time, which is null.
func TimeOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix() - epoch
}

// AsTime returns the reverse of TimeOf.
func AsTime(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds+epoch, 0).UTC()
}

// IsNull reports whether the value is null.
func (v Value) IsNull() bool {
	return v.Text == "" && v.Truth == TruthNull && v.Time == 0 && len(v.Texts) == 0
}

// Equal reports whether two values are identical, including letter case.
func (v Value) Equal(w Value) bool {
	return v.Text == w.Text && v.Truth == w.Truth && v.Time == w.Time && slices.Equal(v.Texts, w.Texts)
}

// Schema has the columns of the objects of a kind.
type Schema struct {
	Columns  []Column
	byNumber map[uint32]int
	byName   map[string]int
}

// NewSchema returns a schema. Numbers and names must be unique.
func NewSchema(columns ...Column) *Schema {
	s := &Schema{
		Columns:  columns,
		byNumber: make(map[uint32]int, len(columns)),
		byName:   make(map[string]int, len(columns)),
	}
	for i, c := range columns {
		s.byNumber[c.Number], s.byName[c.Name] = i, i
	}
	if len(s.byNumber) != len(columns) || len(s.byName) != len(columns) {
		panic("column: duplicate number or name")
	}
	return s
}

// Column returns the place of the column with a name, which is case-sensitive.
func (s *Schema) Column(name string) (place int, ok bool) {
	place, ok = s.byName[name]
	return place, ok
}

package directory

import (
	"iter"

	"licensor/internal/directory/column"
	"licensor/internal/fold"
)

// Level is the kind of requests in which something can be queried (docs/spec/protocol.md P30, P31).
type Level uint8

// LevelNever: in no request. LevelBasic: in all requests. LevelAdvanced: only in advanced requests,
// which have the header ConsistencyLevel.
const (
	LevelNever Level = iota
	LevelBasic
	LevelAdvanced
)

// The levels, as the tables of properties spell them.
const (
	never    = LevelNever
	basic    = LevelBasic
	advanced = LevelAdvanced
)

// Filterable describes how a property can be filtered (docs/spec/protocol.md P30). For a collection
// it applies to the elements.
type Filterable struct {
	Equal  Level // eq and in; if these are possible, ne and not are LevelAdvanced
	Starts Level // startsWith
	Range  Level // ge and le
	Null   Level // eq null
}

// Search is the part of a text that $search matches (docs/spec/protocol.md P34).
type Search uint8

// Nothing; the beginning of the text; the beginning of each of its words.
const (
	SearchNone Search = iota
	SearchByStart
	SearchByWords
)

// Asked describes how a property, or one within it, can be queried.
type Asked struct {
	Path   string // as Graph spells it: city, employeeOrgData/costCenter
	Kind   Kind
	Column int      // its place in the schema; -1 for a property that is not stored, which is null for all objects
	Fields []string // of a ComplexCollection: the properties of an element
	Filterable
	Ends    bool // endsWith works on it (docs/spec/protocol.md P31)
	Counted bool // whether a collection is empty can be queried: /$count eq 0
	Search  Search
	Order   Level // in which requests lists can be ordered by it (docs/spec/protocol.md P33)
}

// source fills a column with the values of objects.
type source[T any] struct {
	column column.Column
	value  func(*T) column.Value
}

// column gives the property a column, whose number is stored: never renumber. The columns of a
// property with inner properties are numbered consecutively from it.
func (p *Property[T]) column(number uint32) *Property[T] {
	for i := range p.sources {
		p.sources[i].column.Number = number + uint32(i)
	}
	return p
}

// mostly declares that nearly every object has a value of its own.
func (p *Property[T]) mostly() *Property[T] {
	for i := range p.sources {
		p.sources[i].column.Mostly = true
	}
	return p
}

// filtered sets how the property and those within it can be filtered.
func (p *Property[T]) filtered(equal, starts, within, null Level) *Property[T] {
	p.asked.Filterable = Filterable{equal, starts, within, null}
	return p
}

func (p *Property[T]) ends() *Property[T]    { p.asked.Ends = true; return p }
func (p *Property[T]) counted() *Property[T] { p.asked.Counted = true; return p }
func (p *Property[T]) searched(how Search) *Property[T] {
	p.asked.Search = how
	for i := range p.sources {
		p.sources[i].column.Words = how == SearchByWords
	}
	return p
}

// elements names the properties that can be queried in the elements of a collection that no object
// has.
func (p *Property[T]) elements(fields ...string) *Property[T] { p.asked.Fields = fields; return p }

func (p *Property[T]) ordered(level Level) *Property[T] { p.asked.Order = level; return p }

// innerSources returns the columns of the texts and booleans within a property.
func innerSources[T, C any](name string, inner *table[C], at func(*T) **C) []source[T] {
	var all []source[T]
	for _, p := range inner.all {
		for _, s := range p.sources {
			s.column.Name = name + "/" + s.column.Name
			all = append(all, source[T]{s.column, func(object *T) column.Value {
				if value := *at(object); value != nil {
					return s.value(value)
				}
				return column.Value{}
			}})
		}
	}
	return all
}

// elementSource returns the source of the column of a collection of objects with texts.
func elementSource[T, C any](name string, inner *table[C], at func(*T) *[]C) source[T] {
	c := column.Column{Name: name, Kind: column.KindObjects}
	for _, p := range inner.all {
		if p.text != nil {
			c.Fields = append(c.Fields, p.Name)
		}
	}
	return source[T]{c, func(object *T) (v column.Value) {
		for i := range *at(object) {
			for _, p := range inner.all {
				if p.text != nil {
					v.Texts = append(v.Texts, *p.text(&(*at(object))[i]))
				}
			}
		}
		return v
	}}
}

// arrange builds the schema of the properties with columns, and the list of those that can be
// queried.
func (t *table[T]) arrange() {
	var columns []column.Column
	t.asked = fold.Names[*Asked]{}
	for _, p := range t.all {
		about := p.asked
		about.Path, about.Kind, about.Column = p.Name, p.Kind, -1
		t.ask(p, about)
		for _, s := range p.sources {
			if s.column.Number == 0 {
				continue
			}
			kind := p.Kind
			if p.Kind == KindComplex {
				kind = kinds[s.column.Kind]
			}
			about.Path, about.Kind, about.Column, about.Fields = s.column.Name, kind, len(columns), s.column.Fields
			t.ask(p, about)
			columns = append(columns, s.column)
			t.sources = append(t.sources, s)
		}
	}
	t.schema = column.NewSchema(columns...)
}

var kinds = map[column.Kind]Kind{column.KindText: KindString, column.KindBool: KindBool, column.KindTime: KindDateTime}

func (t *table[T]) ask(p *Property[T], a Asked) {
	p.asked = a
	t.asked.Add(a.Path, &a)
}

// lacks adds properties that can be queried although they are never shown, because no object has
// them or they are references.
func (t *table[T]) lacks(all ...Asked) *table[T] {
	for _, a := range all {
		a.Column = -1
		t.asked.Add(a.Path, &a)
	}
	return t
}

// about returns how a path can be queried. It may have any letter case.
func (t *table[T]) about(path string) (*Asked, bool) {
	return t.asked.Find(path)
}

func (t *table[T]) allAbout(yield func(*Asked) bool) {
	for _, p := range t.all {
		if !yield(&p.asked) {
			return
		}
	}
}

// values returns an object's values in the columns, except null.
func (t *table[T]) values(object *T) []column.Change {
	return t.changed(make([]column.Change, 0, 24), nil, object)
}

// changed appends the new values of the columns in which two states of an object differ. A new
// object has no earlier one: then these are its values, except null.
func (t *table[T]) changed(changes []column.Change, was, now *T) []column.Change {
	for i := range t.sources {
		var before column.Value
		if was != nil {
			before = t.sources[i].value(was)
		}
		if v := t.sources[i].value(now); !v.Equal(before) {
			changes = append(changes, column.Change{Column: i, Value: v})
		}
	}
	return changes
}

// Column returns the place of the column that has all that the property shows; false if there is
// none.
func (p *Property[T]) Column() (place int, ok bool) {
	return p.asked.Column, p.asked.Column >= 0 && p.Kind != KindComplex && p.Kind != KindComplexCollection
}

// UserSchema has the columns of users.
func UserSchema() *column.Schema { return userTable.schema }

// GroupSchema has the columns of groups.
func GroupSchema() *column.Schema { return groupTable.schema }

// AboutUser returns how a property of users can be queried. The name may have any letter case.
func AboutUser(path string) (*Asked, bool) { return userTable.about(path) }

// AboutGroup returns how a property of groups can be queried. The name may have any letter case.
func AboutGroup(path string) (*Asked, bool) { return groupTable.about(path) }

// AllAboutUsers yields how each property of users can be queried, in alphabetical order.
func AllAboutUsers() iter.Seq[*Asked] { return userTable.allAbout }

// AllAboutGroups yields how each property of groups can be queried, in alphabetical order.
func AllAboutGroups() iter.Seq[*Asked] { return groupTable.allAbout }

// Values returns the user's values in the columns of UserSchema, except null.
func (u *User) Values() []column.Change { return userTable.values(u) }

// AppendChanged appends the new values of the columns in which the user differs from an older
// version; nil: all, as Values.
func (u *User) AppendChanged(dst []column.Change, was *User) []column.Change {
	return userTable.changed(dst, was, u)
}

// Values returns the group's values in the columns of GroupSchema, except null.
func (g *Group) Values() []column.Change { return groupTable.values(g) }

// Changed returns the new values of the columns in which the group differs from an older version;
// nil: all, as Values.
func (g *Group) Changed(was *Group) []column.Change { return groupTable.changed(nil, was, g) }

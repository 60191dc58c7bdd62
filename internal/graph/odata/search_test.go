package odata

import (
	"errors"
	"strings"
	"testing"
)

// plain writes a search such that its tree shows.
func (s *Search) plain() string {
	if s.Op == 0 {
		return s.Property + ":" + s.Text
	}
	var args []string
	for _, arg := range s.Args {
		args = append(args, arg.plain())
	}
	return s.Op.String() + "(" + strings.Join(args, ", ") + ")"
}

func TestParseSearch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{`"displayName:ann"`, `displayName:ann`},
		{` "displayName : ann lee" `, `displayName: ann lee`},
		{`"displayName:a" OR "mail:b"`, `or(displayName:a, mail:b)`},
		{`"a:1" OR "b:2" AND "c:3"`, `or(a:1, and(b:2, c:3))`},
		{`("a:1" OR "b:2") AND "c:3"`, `and(or(a:1, b:2), c:3)`},
		{`"a:1" "b:2"`, `and(a:1, b:2)`},
		{`"a:1"AND("b:2")`, `and(a:1, b:2)`},
		{`"a:say \"hi\" \\ \x"`, `a:say "hi" \ \x`},
		{`"a:b:c"`, `a:b:c`},
	} {
		got, err := ParseSearch(c.text)
		if err != nil || got.plain() != c.want {
			t.Errorf("%s: got %v, %v, want %s", c.text, got, err, c.want)
		}
	}
}

func TestParseSearchRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, want string
		column     int
	}{
		{`displayName:ann`, "in double quotes", 1},
		{``, "in double quotes", 1},
		{`"ann"`, "with a property", 1},
		{`"a b:c"`, "with a property", 1},
		{`"displayName:"`, "something to search for", 1},
		{`"displayName:ann`, "closing quotation mark", 1},
		{`"a:1" or "b:2"`, "AND, OR or the end", 7},
		{`"a:1" ORR "b:2"`, "AND, OR or the end", 7},
		{`"a:1" OR`, "in double quotes", 9},
		{`"é:1"`, "with a property", 1},
		{`("a:é" OR "b:2"`, "AND, OR or ')'", 16},
		{`NOT "a:1"`, "in double quotes", 1},
		{strings.Repeat("(", 40) + `"a:1"`, "less nesting", 33},
		{strings.Repeat(`"a:1" `, 51), "at most 50 terms", 301},
	} {
		_, err := ParseSearch(c.text)
		var e *SyntaxError
		if !errors.As(err, &e) || !strings.Contains(e.Want, c.want) || e.Column != c.column {
			t.Errorf("%s: %v, want %s in column %d", c.text, err, c.want, c.column)
		}
	}
}

func TestParseExpandRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, want string }{
		{"$expand=", "the name of a relation"},
		{"$expand=members,", "the name of a relation"},
		{"$expand=members($select=id", "closing parenthesis"},
		{"$expand=members($select=)", "list of properties"},
		{"$expand=members($top=5)", "no other option"},
		{"$expand=members()", "no other option"},
		{"$expand=mem bers", "the name of a relation"},
	} {
		if _, err := Parse(c.query); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.query, err, c.want)
		}
	}
}

func FuzzSearch(f *testing.F) {
	for _, seed := range []string{`"displayName:ann" OR ("mail:bob" AND "a:\"")`, `"a:1" "b:2"`, `(("a:é`, `a:b`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		node, err := ParseSearch(text)
		if (node == nil) == (err == nil) {
			t.Fatalf("%q answers %v and %v", text, node, err)
		}
	})
}

// FuzzOrderBy reads $orderby and $expand, whose columns must be in the text.
func FuzzOrderBy(f *testing.F) {
	for _, seed := range []string{"displayName desc, mail", "a  asc", ",", "members($select=id;$levels=2),owners", "é(", "a(b(c),d),e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o := &Options{}
		if o.readOrderBy(text) == nil {
			for _, key := range o.OrderBy {
				if runes := []rune(text); !strings.HasPrefix(string(runes[key.Column-1:]), key.Property) {
					t.Fatalf("%q: %v", text, key)
				}
			}
		}
		if o.readExpand(text) == nil && len(o.Expand) == 0 {
			t.Fatal("neither an error nor anything")
		}
	})
}

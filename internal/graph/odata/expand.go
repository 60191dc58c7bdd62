package odata

import (
	"math"
	"strconv"
	"strings"

	"licensor/internal/fold"
)

// Expansion is an element of $expand: a relation to show within an object.
type Expansion struct {
	Name   string
	Select []string // nil: the default properties
	Column int      // position in the option, in characters, the first is 1
	Levels int      // requested levels; AllLevels for $levels=max
	Nested bool     // it has a nested $expand
}

// AllLevels is $levels=max.
const AllLevels = math.MaxInt

// readExpand reads members,owners($select=id;$levels=1).
func (o *Options) readExpand(value string) error {
	at := 0
	for _, item := range splitOutside(value, ',') {
		e, err := readExpansion(value, item, at)
		if err != nil {
			return err
		}
		o.Expand = append(o.Expand, e)
		at += len(item) + 1
	}
	return nil
}

// splitOutside splits at a character outside parentheses.
func splitOutside(text string, sign byte) []string {
	var parts []string
	depth, start := 0, 0
	for i := range len(text) {
		switch {
		case text[i] == '(':
			depth++
		case text[i] == ')':
			depth--
		case text[i] == sign && depth <= 0:
			parts, start = append(parts, text[start:i]), i+1
		}
	}
	return append(parts, text[start:])
}

func readExpansion(value, item string, at int) (Expansion, error) {
	fail := func(want string) error {
		token := strings.TrimSpace(item)
		return &SyntaxError{Option: "$expand", Text: value, Token: token, Column: column(value, at), Want: want}
	}
	name, inner, options := strings.Cut(strings.TrimSpace(item), "(")
	e := Expansion{Name: strings.TrimSpace(name), Column: column(value, at), Levels: 1}
	if !isPath(e.Name) {
		return e, fail("the name of a relation to expand, such as members($select=id),")
	}
	if !options {
		return e, nil
	}
	inner, closed := strings.CutSuffix(inner, ")")
	if !closed {
		return e, fail("a closing parenthesis")
	}
	for _, option := range splitOutside(inner, ';') {
		name, text, _ := strings.Cut(strings.TrimSpace(option), "=")
		switch name = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(name), "$")); name {
		case "select":
			for _, name := range strings.Split(text, ",") {
				if name = strings.TrimSpace(name); !isPath(name) {
					return e, fail("a list of properties behind $select=")
				}
				if _, ok := fold.Among(e.Select, name); !ok {
					e.Select = append(e.Select, name)
				}
			}
		case "levels":
			if text = strings.TrimSpace(text); strings.EqualFold(text, "max") {
				e.Levels = AllLevels
				break
			}
			n, err := strconv.ParseInt(text, 10, 32)
			if err != nil || n < 1 {
				return e, fail("a whole number from 1 on, or max, behind $levels=")
			}
			e.Levels = int(n)
		case "expand":
			e.Nested = true
		default:
			return e, fail("$select or $levels and no other option in the parentheses")
		}
	}
	return e, nil
}

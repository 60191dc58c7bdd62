package directory

import (
	"fmt"
	"slices"
	"strings"

	"licensor/internal/fold"
)

// rule is the restriction of a text property, or of each text of a collection.
type rule struct {
	longest int                 // UTF-16 units, which is how the real service counts; 0: maxUnits
	most    int                 // texts in a collection; 0: maxTexts
	fold    func(string) string // normalizes a value
	ok      func(string) bool
	want    string // the remedy if ok is false
}

// Limits where Microsoft's documentation has none: the texts of a collection, and the length of a
// text.
const (
	maxTexts = 1000
	maxUnits = 8192
)

func (p *Property[T]) max(units int) *Property[T] { p.rule.longest = units; return p }
func (p *Property[T]) most(n int) *Property[T]    { p.rule.most = n; return p }

func (p *Property[T]) must(want string, ok func(string) bool) *Property[T] {
	p.rule.want, p.rule.ok = want, ok
	return p
}

func (p *Property[T]) oneOf(values ...string) *Property[T] {
	spelled := func(value string) string { value, _ = fold.Among(values, value); return value }
	return p.folded(spelled).must("one of "+strings.Join(values, ", "), func(value string) bool {
		return slices.Contains(values, value)
	})
}

func (p *Property[T]) folded(by func(string) string) *Property[T] { p.rule.fold = by; return p }

// check returns the stored form of the value and, if it is not allowed, what is allowed.
func (r *rule) check(value string) (kept, want string) {
	if r.fold != nil {
		value = r.fold(value)
	}
	longest := maxUnits
	if r.longest > 0 {
		longest = r.longest
	}
	switch {
	case value == "":
		return value, "a text that is not empty, or null"
	case units(value) > longest:
		return value, fmt.Sprintf("at most %d characters", longest)
	case r.ok != nil && !r.ok(value):
		return value, r.want
	}
	return value, ""
}

// checkAll returns the first value that is not allowed, and what is allowed.
func (r *rule) checkAll(values []string) (value, want string) {
	most := maxTexts
	if r.most > 0 {
		most = r.most
	}
	if len(values) > most {
		return fmt.Sprintf("%d values", len(values)), fmt.Sprintf("at most %d", most)
	}
	for i := range values {
		if values[i], want = r.check(values[i]); want != "" {
			return values[i], want
		}
	}
	return "", ""
}

func units(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

package membership_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"licensor/internal/membership"
	"licensor/internal/query"
)

// FuzzParse parses any text: it is a rule, or refused with a place in it. A rule gives the same
// results for users alone and by columns, or fails for both.
func FuzzParse(f *testing.F) {
	for _, example := range examples {
		f.Add(names(example.rule))
	}
	for _, rule := range []string{`user.city -match "(?<=a)b{2,}(c|\1)[a-z-[x]]$"`, `user.otherMails -any (_ -match "(a+)+$")`} {
		f.Add(rule)
	}
	people := six()
	people = append(people, one("gil", "city", strings.Repeat("a", 30)+"!"))
	of := population(people)
	f.Fuzz(func(t *testing.T, text string) {
		rule, err := membership.Parse(text)
		if err != nil {
			r, ok := errors.AsType[*membership.RefusalError](err)
			if !ok || r.At < 1 || r.At > utf8.RuneCountInString(text)+1 || r.Kind == 0 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		holds(t, rule, people, of)
	})
}

func holds(t *testing.T, rule *membership.Rule, people []*person, of *membership.Population) {
	c, failed := rule.Condition(t.Context(), of)
	found := map[uint32]bool{}
	if failed == nil {
		rows, err := c.Find(t.Context(), of.Table, query.WithinLive, nil)
		if err != nil {
			t.Fatal(err)
		}
		for row := range people {
			found[uint32(row)] = rows.Has(uint32(row))
		}
	}
	for row, p := range people {
		is, err := rule.Holds(p, of.Now)
		if failed == nil && err == nil && is != found[uint32(row)] {
			t.Fatalf("%q of %s is %t alone", rule.Text(), p.name, is)
		}
		if _, ok := errors.AsType[*membership.PatternError](err); err != nil && !ok {
			t.Fatal(err)
		}
	}
}

package membership_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"licensor/internal/fold"
	"licensor/internal/membership"
)

// TestComparedTexts says which texts of the department rules distinguish.
func TestComparedTexts(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		`user.department -eq "Sales"`:                                     "sales",
		`user.department -ne "Öz" -or user.department -in ["A", null, 6]`: ",6,a,öz",
		`-not (user.department -ne null -and user.city -startsWith "L")`:  "",
		`user.department -eq "A" -or user.department -startsWith "B"`:     "any",
		`user.department -match "^a$"`:                                    "any",
	} {
		r := parse(t, rule)
		p := r.Properties()[0]
		texts, ok := r.Compared(p)
		slices.Sort(texts)
		got := strings.Join(texts, ",")
		if !ok {
			got = "any"
		}
		if got != want || p.Name != "department" {
			t.Errorf("%s distinguishes %q of %s, want %q", rule, got, p.Name, want)
		}
	}
	for _, rule := range []string{
		`user.accountEnabled -eq true`, `user.employeeHireDate -eq null`, `user.otherMails -eq "a@x.example"`,
		`user.sipProxyAddress -eq "a"`, `user.otherMails -any (_ -eq "a")`,
	} {
		r := parse(t, rule)
		if texts, ok := r.Compared(r.Properties()[0]); ok {
			t.Errorf("%s distinguishes %q", rule, texts)
		}
	}
}

// TestOtherTextsThanComparedGiveTheSame gives a user texts that a rule does not compare with.
func TestOtherTextsThanComparedGiveTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rule, err := membership.Parse(randomRule(t, 1).text)
		if err != nil {
			t.Fatal(err)
		}
		p := randomPeople(t)[0]
		for _, property := range rule.Properties() {
			texts, ok := rule.Compared(property)
			if !ok || property.Column < 0 {
				continue
			}
			var results []bool
			for _, text := range append(slices.Clone(textPool), "", "another") {
				if slices.Contains(texts, fold.Text(text)) {
					continue
				}
				p.values[property.Graph] = text
				is, err := rule.Holds(p, now)
				if err != nil {
					t.Fatal(err)
				}
				results = append(results, is)
			}
			if len(slices.Compact(results)) > 1 {
				t.Fatalf("%s compares %s with %q, but other texts do not give the same", rule.Text(), property.Name, texts)
			}
		}
	})
}

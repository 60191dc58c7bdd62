package membership_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/membership"
	"licensor/internal/query"
)

func TestD60PatternsMatchAPart(t *testing.T) {
	t.Parallel()
	are(t, six(), map[string]string{
		`user.physicalDeliveryOfficeName -match "6.*"`: "ann bob cem dia",
		`user.displayName -match ".*ID"`:               "bob dia",
		`user.displayName -match "^id"`:                "",
		`user.physicalDeliveryOfficeName -match "^6"`:  "ann cem dia",
		`user.physicalDeliveryOfficeName -match "6$"`:  "bob",
		`user.physicalDeliveryOfficeName -match "\A6"`: "ann cem dia",
		`user.physicalDeliveryOfficeName -match "6\z"`: "bob",
		`user.physicalDeliveryOfficeName -match ""`:    "ann bob cem dia",
		`user.employeeId -match 50`:                    "ann bob",
	})
}

func TestD61TheDialectIsThatOfDotNET(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{`^a(?=b)`, "ab", true},
		{`^a(?=b)`, "ac", false},
		{`^a(?!b)`, "ac", true},
		{`(?<=a)b`, "ab", true},
		{`(?<!a)b`, "ab", false},
		{`(.)\1`, "abba", true},
		{`(.)\1`, "abab", false},
		{`(?<n>a)\k<n>`, "aa", true},
		{`(?'n'a)\k'n'`, "ab", false},
		{`^[a-z-[aeiou]]+$`, "xyz", true},
		{`^[a-z-[aeiou]]+$`, "xay", false},
		{`^\p{L}+$`, "Öz", true},
		{`(?x) a b # c`, "ab", true},
		{`a$`, "a\n", true},
		{`a\z`, "a\n", false},
		{`^\d$`, "٣", true},
		{`^\w+$`, "Öß", true},
		{`a++b`, "aab", true},
		{`a++ab`, "aab", false},
	} {
		rule := "user.department -match '" + strings.ReplaceAll(c.pattern, "'", "''") + "'"
		if got := members(t, rule, one("x", "department", c.text)) != ""; got != c.want {
			t.Errorf("%s on %q is %t", c.pattern, c.text, got)
		}
	}
}

func TestD62PatternsAreCompiledWithTheRule(t *testing.T) {
	t.Parallel()
	parse(t, `user.city -match "`+strings.Repeat("ö", 1000)+`"`)
	areRefused(t, membership.KindSyntax, invalid+"Query compilation error.", map[string]int{
		`user.city -match "` + strings.Repeat("ö", 1001) + `"`: 18,
		`user.city -match "("`:           18,
		`user.city -notMatch "a)"`:       21,
		`user.city -match "*"`:           18,
		`user.city -match "[b-a]"`:       18,
		`user.city -match "\p{Nothing}"`: 18,
	})
}

// slow is a pattern that takes too long on hard.
const (
	slow = `^(?!x)(a+)+$`
	hard = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"
)

func TestD64SlowPatternsFail(t *testing.T) {
	t.Parallel()
	people := []*person{one("ann", "displayName", "aaa"), one("bob", "displayName", hard), one("cem", "displayName", "b")}
	people[0].values["otherMails"] = []string{hard}
	for rule, row := range map[string]uint32{
		`user.displayName -match "` + slow + `"`:                                         1,
		`user.displayName -eq "` + hard + `" -or user.displayName -match "` + slow + `"`: 1, // all parts count (D46)
		`user.otherMails -any (_ -eq "x" -and _ -match "` + slow + `")`:                  0,
		`user.otherMails -notMatch "` + slow + `"`:                                       0,
	} {
		r := parse(t, rule)
		_, err := r.Condition(t.Context(), population(people))
		wrong, ok := errors.AsType[*membership.PatternError](err)
		names := ok && (wrong.Property == "_" || strings.Contains(rule, "user."+wrong.Property))
		if !names || wrong.Row != row || wrong.Pattern != slow {
			t.Errorf("%s: by columns: %v", rule, err)
		}
		for i, p := range people {
			_, err := r.Holds(p, now)
			if (err != nil) != (uint32(i) == row) || err != nil && strings.Contains(err.Error(), hard) {
				t.Errorf("%s of %s: %v", rule, p.name, err)
			}
		}
	}
	// In linear time it is not slow.
	if got := members(t, `user.displayName -match "^(a+)+\z"`, people...); got != "ann" {
		t.Errorf("the members are %q", got)
	}
}

// TestD64ExceptedUsersDoNotFail covers users for whom a pattern may fail: the others have results.
func TestD64ExceptedUsersDoNotFail(t *testing.T) {
	t.Parallel()
	people := []*person{one("ann", "displayName", "aaa"), one("bob", "displayName", hard), one("cem", "displayName", hard)}
	rule := parse(t, `user.displayName -match "`+slow+`"`)
	of := population(people)
	of.Except = []uint32{1}
	if _, err := rule.Condition(t.Context(), of); rowOf(err) != 2 {
		t.Errorf("with one of two excepted, the error is %v", err)
	}
	of.Except = []uint32{1, 2}
	c, err := rule.Condition(t.Context(), of)
	if err != nil {
		t.Fatalf("with both excepted: %v", err)
	}
	rows, err := c.Find(t.Context(), of.Table, query.WithinLive, nil)
	if err != nil || !rows.Has(0) {
		t.Errorf("the result of the other is %v (%v)", rows, err)
	}
}

// rowOf returns the row of a *membership.PatternError; -1 for other errors.
func rowOf(err error) int {
	if e, ok := errors.AsType[*membership.PatternError](err); ok {
		return int(e.Row)
	}
	return -1
}

// TestD64TextsThatNobodyHas do not make a rule fail: those of deleted users, and old ones.
func TestD64TextsThatNobodyHas(t *testing.T) {
	t.Parallel()
	schema := directory.UserSchema()
	place, _ := schema.Column("department")
	name, _ := schema.Column("displayName")
	d := column.NewTable(schema).Draft()
	for range 3 {
		d.AddRow()
	}
	d.Set(0, place, column.Value{Text: hard})
	d.Set(1, name, column.Value{Text: hard})
	d.SetDeleted(1, true)
	d = d.Finish().Draft()
	d.Set(0, place, column.Value{Text: "aaa"})
	people := []*person{one("ann", "department", "aaa"), one("bob", "displayName", hard), one("cem", "city", "x")}
	of := populationOf(d.Finish(), people)
	for _, rule := range []string{`user.department -match "` + slow + `"`, `user.displayName -notMatch "` + slow + `"`} {
		if _, err := parse(t, rule).Condition(t.Context(), of); err != nil {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

func TestConditionsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	of := population([]*person{one("bob", "displayName", hard)})
	_, err := parse(t, `user.displayName -match "`+slow+`"`).Condition(ctx, of)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	pause := errors.New("stop")
	of.Pause = func() error { return pause }
	if _, err := parse(t, `user.displayName -match "x$"`).Condition(t.Context(), of); !errors.Is(err, pause) {
		t.Errorf("the error is %v", err)
	}
}

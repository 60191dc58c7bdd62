package membership_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"licensor/internal/membership"
	"licensor/internal/query"
)

// stated is a rule, or a part of one, with what it says of a user in the words of the
// specification.
type stated struct {
	text string
	is   func(p *person) bool
}

var (
	textPool = []string{"Sales", "sales", "SALES, EMEA", "Öz", "öZ", "ß", "a", "6", "600", "null", `a"b`, "it's", "x\ny"}
	mailPool = []string{"a@x.example", "B@X.example", "smtp:a@x.example", "SMTP:B@y.example", "sip:öz", "SIP:a", "sip:"}
	planPool = []membership.Plan{{"p1", "exchange", "Enabled"}, {"P1", "Exchange", "Deleted"}, {"p2", "", "Enabled"}, {"", "x", ""}}
	timePool = []string{"2026-11-26T12:00:00Z", "2026-11-26T11:59:59Z", "2026-11-27T12:00:00Z", "2020-02-29T00:00:00Z"}
)

// textOf returns a text property of rules, in the plainest way; "" is null.
var textOf = map[string]func(p *person) string{
	"department":          func(p *person) string { return text(p, "department") },
	"displayName":         func(p *person) string { return text(p, "displayName") },
	"mobile":              func(p *person) string { return text(p, "mobilePhone") },
	"extensionAttribute7": func(p *person) string { return text(p, "onPremisesExtensionAttributes/extensionAttribute7") },
	"objectId":            func(p *person) string { return p.id.String() },
	"telephoneNumber": func(p *person) string {
		for _, phone := range list(p, "businessPhones") {
			return phone
		}
		return ""
	},
	"sipProxyAddress": func(p *person) string {
		for _, address := range list(p, "proxyAddresses") {
			if rest, ok := strings.CutPrefix(strings.ToLower(address), "sip:"); ok {
				return rest
			}
		}
		return ""
	},
}

func text(p *person, name string) string   { s, _ := p.values[name].(string); return s }
func list(p *person, name string) []string { s, _ := p.values[name].([]string); return s }

func randomPeople(t *rapid.T) []*person {
	people := make([]*person, rapid.SampledFrom([]int{1, 5, 40, 300, 600}).Draw(t, "people"))
	for i := range people {
		p := &person{name: fmt.Sprint(i), id: idOf(fmt.Sprint(i)), values: map[string]any{}}
		p.deleted = rapid.IntRange(0, 9).Draw(t, "state") == 0
		for _, name := range []string{"department", "displayName", "mobilePhone", "onPremisesExtensionAttributes/extensionAttribute7"} {
			if rapid.IntRange(0, 3).Draw(t, "has") > 0 {
				p.values[name] = rapid.SampledFrom(textPool).Draw(t, name)
			}
		}
		for name, pool := range map[string][]string{"otherMails": mailPool[:2], "proxyAddresses": mailPool, "businessPhones": textPool} {
			p.values[name] = rapid.SliceOfN(rapid.SampledFrom(pool), 0, 3).Draw(t, name)
		}
		if is := rapid.IntRange(0, 2).Draw(t, "enabled"); is > 0 {
			p.values["onPremisesSyncEnabled"] = is == 1
		}
		if at := rapid.SampledFrom(append(timePool, "")).Draw(t, "hired"); at != "" {
			p.values["employeeHireDate"] = moment(at)
		}
		p.plans = rapid.SliceOfN(rapid.SampledFrom(planPool), 0, 2).Draw(t, "plans")
		people[i] = p
	}
	return people
}

// positives are the positive operators of texts: what they say of a value in small letters, which
// is not empty, and of an operand in small letters.
var positives = map[string]func(value, operand string) bool{
	"eq":         func(value, operand string) bool { return value == operand },
	"startsWith": strings.HasPrefix,
	"endsWith":   strings.HasSuffix,
	"contains":   strings.Contains,
}

// patterns are some, with what they say of a value in small letters.
var patterns = map[string]func(value string) bool{
	"a":          func(v string) bool { return strings.Contains(v, "a") },
	"^S":         func(v string) bool { return strings.HasPrefix(v, "s") },
	`^\d+$`:      func(v string) bool { return v == "6" || v == "600" },
	"^(?!sales)": func(v string) bool { return !strings.HasPrefix(v, "sales") },
	`Ö.\z`:       func(v string) bool { return strings.HasSuffix(v, "öz") },
	"^.$":        func(v string) bool { return utf8.RuneCountInString(v) == 1 },
	"^[^b]*$":    func(v string) bool { return !strings.Contains(v, "b") },
}

// randomTest returns an operator with a value, and what it says of one value, where "" is null.
func randomTest(t *rapid.T, pool []string) (text string, is func(value string) bool) {
	negative := rapid.Bool().Draw(t, "negative")
	operand := rapid.SampledFrom(append(pool, "al", "s", "")).Draw(t, "operand")
	switch rapid.IntRange(0, 4).Draw(t, "test") {
	case 0:
		text, is = named(t, negative, "eq", "ne")+" "+rapid.SampledFrom([]string{"null", "$null", "NULL"}).Draw(t, "null"),
			func(value string) bool { return value == "" }
	case 1:
		pattern := rapid.SampledFrom(keys(patterns)).Draw(t, "pattern")
		text, is = named(t, negative, "match", "notMatch")+" "+written(t, pattern), func(value string) bool {
			return value != "" && patterns[pattern](strings.ToLower(value))
		}
	case 2:
		operands := rapid.SliceOfN(rapid.SampledFrom(append(pool, "")), 1, 3).Draw(t, "operands")
		var items []string
		for _, operand := range operands {
			item := "null" // that is what "" means here
			if operand != "" {
				item = written(t, operand)
			}
			items = append(items, item)
		}
		text = named(t, negative, "in", "notIn") + " [" + strings.Join(items, ", ") + "]"
		is = func(value string) bool {
			return slices.ContainsFunc(operands, func(operand string) bool { return strings.EqualFold(operand, value) })
		}
	default:
		op := rapid.SampledFrom(keys(positives)).Draw(t, "op")
		opposite := "not" + op
		if op == "eq" {
			opposite = "ne"
		}
		text, is = named(t, negative, op, opposite)+" "+written(t, operand), func(value string) bool {
			return value != "" && positives[op](strings.ToLower(value), strings.ToLower(operand))
		}
	}
	positive := is
	return text, func(value string) bool { return positive(value) != negative }
}

func keys[V any](m map[string]V) []string {
	var all []string
	for key := range m {
		all = append(all, key)
	}
	slices.Sort(all)
	return all
}

// named writes an operator in one of the ways that are allowed.
func named(t *rapid.T, negative bool, positive, opposite string) string {
	if negative {
		positive = opposite
	}
	positive = rapid.SampledFrom([]string{positive, strings.ToLower(positive), strings.ToUpper(positive)}).Draw(t, "case")
	return rapid.SampledFrom([]string{"-", "", "–", "—"}).Draw(t, "dash") + positive
}

// written writes a text in one of the ways that are allowed.
func written(t *rapid.T, text string) string {
	if rapid.Bool().Draw(t, "single") {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	escape := rapid.SampledFrom([]string{"`\"", `\"`}).Draw(t, "escape")
	return `"` + strings.ReplaceAll(text, `"`, escape) + `"`
}

func randomLeaf(t *rapid.T) stated {
	switch rapid.IntRange(0, 6).Draw(t, "leaf") {
	case 0, 1:
		name := rapid.SampledFrom(keys(textOf)).Draw(t, "property")
		test, is := randomTest(t, textPool)
		return stated{"user." + name + " " + test, func(p *person) bool { return is(textOf[name](p)) }}
	case 2:
		return randomTime(t)
	case 3:
		value := rapid.SampledFrom([]string{"true", "False", `"TRUE"`, "null"}).Draw(t, "value")
		negative := rapid.Bool().Draw(t, "negative")
		return stated{"user.dirSyncEnabled " + named(t, negative, "eq", "ne") + " " + value, func(p *person) bool {
			is, ok := p.values["onPremisesSyncEnabled"].(bool)
			actual := "null"
			if ok {
				actual = fmt.Sprint(is)
			}
			return (actual == strings.ToLower(strings.Trim(value, `"`))) != negative
		}}
	case 4:
		name := rapid.SampledFrom([]string{"otherMails", "proxyAddresses"}).Draw(t, "collection")
		positive, is := positiveTest(t)
		negative := rapid.Bool().Draw(t, "negated") // D43: true of none
		return stated{"user." + name + " " + positive(negative), func(p *person) bool {
			return slices.ContainsFunc(list(p, name), is) != negative
		}}
	}
	return randomQuantified(t)
}

// positiveTest returns a test of elements, as it is written and as its opposite is.
func positiveTest(t *rapid.T) (text func(negative bool) string, is func(string) bool) {
	op := rapid.SampledFrom([]string{"startsWith", "endsWith", "contains"}).Draw(t, "op")
	operand := rapid.SampledFrom(append(mailPool, "a", "smtp:", "example", "")).Draw(t, "operand")
	quoted := written(t, operand)
	return func(negative bool) string {
			if negative {
				return "-not" + op + " " + quoted
			}
			return "-" + op + " " + quoted
		}, func(value string) bool {
			return positives[op](strings.ToLower(value), strings.ToLower(operand))
		}
}

func randomTime(t *rapid.T) stated {
	op := rapid.SampledFrom([]string{"eq", "ne", "le", "ge"}).Draw(t, "op")
	at := rapid.SampledFrom(timePool).Draw(t, "time")
	value, operand := at, moment(at)
	switch rapid.IntRange(0, 3).Draw(t, "relative") {
	case 0:
		value, operand = "system.now", now
	case 1:
		value, operand = "system.now -plus p1d", now.Add(24*time.Hour)
	case 2:
		value, operand = "System.Now -minus PT1S", now.Add(-time.Second)
	}
	return stated{"user.employeeHireDate -" + op + " " + value, func(p *person) bool {
		hired, ok := p.values["employeeHireDate"].(time.Time)
		switch op {
		case "eq":
			return ok && hired.Equal(operand)
		case "ne":
			return !ok || !hired.Equal(operand)
		case "le":
			return ok && !hired.After(operand)
		}
		return ok && !hired.Before(operand)
	}}
}

// randomQuantified returns a condition on the elements of a collection.
func randomQuantified(t *rapid.T) stated {
	all := rapid.Bool().Draw(t, "all")
	elements := func(p *person) int { return len(p.plans) }
	property, leaf := "assignedPlans", func() (string, func(p *person, i int) bool) {
		field := rapid.SampledFrom([]string{"servicePlanId", "service", "capabilityStatus"}).Draw(t, "field")
		test, is := randomTest(t, []string{"p1", "EXCHANGE", "Enabled"})
		return "assignedPlan." + field + " " + test, func(p *person, i int) bool {
			plan := p.plans[i]
			return is(map[string]string{
				"servicePlanId": plan.ServicePlanID, "service": plan.Service, "capabilityStatus": plan.CapabilityStatus,
			}[field])
		}
	}
	if rapid.Bool().Draw(t, "texts") {
		name := rapid.SampledFrom([]string{"otherMails", "proxyAddresses"}).Draw(t, "collection")
		elements = func(p *person) int { return len(list(p, name)) }
		property, leaf = name, func() (string, func(p *person, i int) bool) {
			test, is := randomTest(t, mailPool)
			return "_ " + test, func(p *person, i int) bool { return is(list(p, name)[i]) }
		}
	}
	body, is := leaf()
	switch rapid.IntRange(0, 3).Draw(t, "body") {
	case 0:
		more, also := leaf()
		first := is
		body, is = "("+body+" -and -not ("+more+"))", func(p *person, i int) bool { return first(p, i) && !also(p, i) }
	case 1:
		more, also := leaf()
		first := is
		body, is = "("+body+" or "+more+")", func(p *person, i int) bool { return first(p, i) || also(p, i) }
	case 2:
		body = "(" + body + ")"
	}
	return stated{"user." + property + " " + named(t, all, "any", "all") + " " + body, func(p *person) bool {
		n := 0
		for i := range elements(p) {
			if is(p, i) {
				n++
			}
		}
		return n > 0 && !all || all && n == elements(p)
	}}
}

// randomRule returns conditions in the precedence of D33.
func randomRule(t *rapid.T, depth int) stated {
	alternatives := make([][]stated, rapid.IntRange(1, 2).Draw(t, "or"))
	var texts []string
	for i := range alternatives {
		alternatives[i] = make([]stated, rapid.IntRange(1, 2).Draw(t, "and"))
		var parts []string
		for j := range alternatives[i] {
			alternatives[i][j] = randomNegation(t, depth)
			parts = append(parts, alternatives[i][j].text)
		}
		texts = append(texts, strings.Join(parts, " "+named(t, false, "and", "")+" "))
	}
	return stated{strings.Join(texts, " "+named(t, false, "or", "")+" "), func(p *person) bool {
		return slices.ContainsFunc(alternatives, func(all []stated) bool {
			return !slices.ContainsFunc(all, func(one stated) bool { return !one.is(p) })
		})
	}}
}

func randomNegation(t *rapid.T, depth int) stated {
	s := stated{}
	if depth > 0 && rapid.Bool().Draw(t, "parentheses") {
		s = randomRule(t, depth-1)
		s.text = "( " + s.text + ")"
	} else {
		s = randomLeaf(t)
	}
	if rapid.IntRange(0, 3).Draw(t, "not") > 0 {
		return s
	}
	return stated{named(t, false, "not", "") + " " + s.text, func(p *person) bool { return !s.is(p) }}
}

// TestThreeReadingsAgree compares a rule of one user, by columns, and as it is stated.
func TestThreeReadingsAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, threeReadingsAgree)
}

func FuzzThreeReadings(f *testing.F) { f.Fuzz(rapid.MakeFuzz(threeReadingsAgree)) }

func threeReadingsAgree(t *rapid.T) {
	people := randomPeople(t)
	of := population(people)
	for range 5 {
		s := randomRule(t, 2)
		rule, err := membership.Parse(s.text)
		if err != nil {
			t.Fatalf("%s: %v", s.text, err)
		}
		var want []uint32
		for row, p := range people {
			if !p.deleted && s.is(p) {
				want = append(want, uint32(row))
			}
		}
		if got := fulfill(t, rule, people, of); !slices.Equal(got, want) {
			t.Fatalf("%s: %v, not %v", s.text, got, want)
		}
	}
}

// TestD25OnlyUsersBetweenTwoTimesCanChange compares the results of a rule at two times.
func TestD25OnlyUsersBetweenTwoTimesCanChange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		people := randomPeople(t)
		of := population(people)
		rule, err := membership.Parse(randomRule(t, 1).text)
		if err != nil {
			t.Fatal(err)
		}
		early := now.Add(time.Duration(rapid.IntRange(-90_000, 90_000).Draw(t, "seconds")) * time.Second)
		late := early.Add(time.Duration(rapid.IntRange(0, 90_000).Draw(t, "later")) * time.Second)
		for _, times := range [][2]time.Time{{early, late}, {late, early}} {
			rows, err := rule.Between(times[0], times[1]).Find(context.Background(), of.Table, query.WithinLive, nil)
			if err != nil {
				t.Fatal(err)
			}
			for row, p := range people {
				before, _ := rule.Holds(p, times[0])
				after, _ := rule.Holds(p, times[1])
				if before != after && !p.deleted && !rows.Has(uint32(row)) {
					t.Fatalf("%s of %s is %t at %s and %t at %s", rule.Text(), p.name, before, times[0], after, times[1])
				}
			}
			if times[0].Equal(times[1]) && rows.Count() > 0 {
				t.Fatalf("%d users can change without time", rows.Count())
			}
		}
	})
}

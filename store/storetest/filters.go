package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/store"
)

type document = map[string]any

// people are the documents the table of filters is about; a row's ordinal is its place.
var people = []document{
	0: {"displayName": "Anna Meyer", "userPrincipalName": "Anna@Contoso.example", "mail": "anna@contoso.example", "accountEnabled": true, "age": 41, "city": "Köln", "created": "2024-01-01T00:00:00Z", "tags": []any{"Red", "green"}},
	1: {"displayName": "ÉMILE ZOLA", "userPrincipalName": "emile@contoso.example", "mail": nil, "accountEnabled": false, "age": 62, "city": "Paris", "created": "2024-01-01T00:00:00.5Z", "tags": []any{}},
	2: {"displayName": "Иван Петров", "userPrincipalName": "ivan@fabrikam.example", "accountEnabled": nil, "age": 41.5, "city": nil, "created": "2024-01-01T00:00:01Z", "tags": nil},
	3: {"displayName": "O'Brien 100%_\\", "userPrincipalName": "o'brien@contoso.example", "mail": "OBrien@Contoso.Example", "age": "41", "created": "yesterday", "tags": "Red"},
	4: {"displayName": 7, "userPrincipalName": []any{"x"}, "mail": true, "accountEnabled": "true", "address": document{"city": "Köln", "lines": []any{"Domplatz 1"}}, "tags": []any{"blue", nil, 3, true, document{"city": "KÖLN"}}},
	5: {},
}

func eq(property string, value any) *store.Filter { return is(store.Eq, property, value) }

func is(op store.Op, property string, value any) *store.Filter {
	return &store.Filter{Op: op, Property: property, Value: value}
}

func of(op store.Op, args ...*store.Filter) *store.Filter { return &store.Filter{Op: op, Args: args} }

func anyOf(property string, arg *store.Filter) *store.Filter {
	return &store.Filter{Op: store.Any, Property: property, Args: []*store.Filter{arg}}
}

func at(text string) time.Time {
	when, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return when
}

var filterTable = []struct {
	name   string
	filter *store.Filter
	want   []uint32
}{
	{"text is equal whatever the case", eq("displayName", "ANNA meyer"), []uint32{0}},
	{"and with letters outside ASCII", eq("displayName", "émile zola"), []uint32{1}},
	{"and in other alphabets", eq("displayName", "ИВАН ПЕТРОВ"), []uint32{2}},
	{"in properties without an index too", eq("city", "kÖLN"), []uint32{0}},
	{"accents matter", eq("displayName", "Emile Zola"), nil},
	{"quotes are text", eq("userPrincipalName", "O'Brien@contoso.example"), []uint32{3}},
	{"SQL is text", eq("displayName", "' OR '1'='1"), nil},
	{"SQL is text in searches", is(store.Contains, "city", "') OR 1=1 --"), nil},
	{"wildcards are text", is(store.Contains, "displayName", "%_\\"), []uint32{3}},
	{"a wildcard alone finds only itself", is(store.StartsWith, "displayName", "%"), nil},
	{"a star finds only itself", is(store.EndsWith, "city", "*"), nil},
	{"text is no number", eq("age", "41"), []uint32{3}},
	{"a number is no text", eq("age", int64(41)), []uint32{0}},
	{"unequal is the opposite", is(store.Ne, "age", int64(41)), []uint32{1, 2, 3, 4, 5}},
	{"unequal is true for null", is(store.Ne, "mail", "anna@contoso.example"), []uint32{1, 2, 3, 4, 5}},
	{"null is null or missing", eq("mail", nil), []uint32{1, 2, 5}},
	{"not null", is(store.Ne, "mail", nil), []uint32{0, 3, 4}},
	{"missing everywhere", eq("nothing", nil), []uint32{0, 1, 2, 3, 4, 5}},
	{"truth", eq("accountEnabled", true), []uint32{0}},
	{"falsehood is not null", eq("accountEnabled", false), []uint32{1}},
	{"not true", is(store.Ne, "accountEnabled", true), []uint32{1, 2, 3, 4, 5}},
	{"less, for numbers", is(store.Lt, "age", int64(42)), []uint32{0, 2}},
	{"at least, for numbers", is(store.Ge, "age", int64(42)), []uint32{1}},
	{"at most", is(store.Le, "age", int64(41)), []uint32{0}},
	{"greater", is(store.Gt, "age", int64(41)), []uint32{1, 2}},
	{"less, for text", is(store.Lt, "displayName", "O"), []uint32{0}},
	{"greater, for text, by code point", is(store.Gt, "displayName", "z"), []uint32{1, 2}},
	{"not less includes null", of(store.Not, is(store.Lt, "displayName", "O")), []uint32{1, 2, 3, 4, 5}},
	{"at least, without an index", is(store.Ge, "city", "KÖLN"), []uint32{0, 1}},
	{"starts", is(store.StartsWith, "userPrincipalName", "ANNA@"), []uint32{0}},
	{"starts, with another alphabet", is(store.StartsWith, "displayName", "ИВАН"), []uint32{2}},
	{"starts, without an index", is(store.StartsWith, "city", "kö"), []uint32{0}},
	{"starts with nothing", is(store.StartsWith, "displayName", ""), []uint32{0, 1, 2, 3}},
	{"starts in the middle does not count", is(store.StartsWith, "city", "öln"), nil},
	{"ends", is(store.EndsWith, "userPrincipalName", "CONTOSO.example"), []uint32{0, 1, 3}},
	{"ends, without an index", is(store.EndsWith, "city", "ÖLN"), []uint32{0}},
	{"ends with nothing", is(store.EndsWith, "city", ""), []uint32{0, 1}},
	{"ends with more than there is", is(store.EndsWith, "city", "xxKöln"), nil},
	{"contains", is(store.Contains, "mail", "@CONTOSO"), []uint32{0, 3}},
	{"contains nothing", is(store.Contains, "city", ""), []uint32{0, 1}},
	{"not containing includes null", of(store.Not, is(store.Contains, "mail", "anna")), []uint32{1, 2, 3, 4, 5}},
	{"has a word", is(store.HasWord, "displayName", "MEY"), []uint32{0}},
	{"has a word, the first", is(store.HasWord, "displayName", "an"), []uint32{0}},
	{"has no word in the middle", is(store.HasWord, "displayName", "eyer"), nil},
	{"has a word behind a sign", is(store.HasWord, "displayName", "brien"), []uint32{3}},
	{"has a word that is a number", is(store.HasWord, "displayName", "10"), []uint32{3}},
	{"has a word in another alphabet", is(store.HasWord, "displayName", "ПЕТ"), []uint32{2}},
	{"has a word, without an index", is(store.HasWord, "city", "KÖ"), []uint32{0}},
	{"has not a word", of(store.Not, is(store.HasWord, "displayName", "anna")), []uint32{1, 2, 3, 4, 5}},
	{"any, has a word", anyOf("tags", is(store.HasWord, "", "gre")), []uint32{0}},
	{"a property of a complex one", eq("address/city", "köln"), []uint32{4}},
	{"a property of what is not complex is null", eq("displayName/first", nil), []uint32{0, 1, 2, 3, 4, 5}},
	{"any, by equality", anyOf("tags", eq("", "RED")), []uint32{0}},
	{"any, by start", anyOf("tags", is(store.StartsWith, "", "B")), []uint32{4}},
	{"any, unequal", anyOf("tags", is(store.Ne, "", "red")), []uint32{0, 4}},
	{"any, null", anyOf("tags", eq("", nil)), []uint32{4}},
	{"any, a number", anyOf("tags", eq("", int64(3))), []uint32{4}},
	{"any, truth", anyOf("tags", eq("", true)), []uint32{4}},
	{"any, of a property of an element", anyOf("tags", eq("city", "köln")), []uint32{4}},
	{"any, deeper", anyOf("address/lines", is(store.Contains, "", "DOM")), []uint32{4}},
	{"any, with and", anyOf("tags", of(store.And, is(store.Ge, "", "g"), is(store.Lt, "", "h"))), []uint32{0}},
	{"not any", of(store.Not, anyOf("tags", eq("", "red"))), []uint32{1, 2, 3, 4, 5}},
	{"a time", eq("created", at("2024-01-01T00:00:00Z")), []uint32{0}},
	{"a time with a fraction", eq("created", at("2024-01-01T00:00:00.5Z")), []uint32{1}},
	{"a time elsewhere", eq("created", at("2024-01-01T02:00:00+02:00")), []uint32{0}},
	{"later", is(store.Gt, "created", at("2024-01-01T00:00:00Z")), []uint32{1, 2}},
	{"earlier, within a second", is(store.Lt, "created", at("2024-01-01T00:00:00.6Z")), []uint32{0, 1}},
	{"not at that time", is(store.Ne, "created", at("2024-01-01T00:00:00Z")), []uint32{1, 2, 3, 4, 5}},
	{"and", of(store.And, is(store.Contains, "mail", "contoso"), eq("accountEnabled", true)), []uint32{0}},
	{"or", of(store.Or, eq("displayName", "anna meyer"), eq("city", "paris"), eq("nothing", "x")), []uint32{0, 1}},
	{"neither", of(store.Not, of(store.Or, eq("displayName", "anna meyer"), eq("city", "paris"))), []uint32{2, 3, 4, 5}},
	{"not both", of(store.Not, of(store.And, eq("accountEnabled", true), eq("city", "köln"))), []uint32{1, 2, 3, 4, 5}},
	{"not not", of(store.Not, of(store.Not, eq("displayName", "anna meyer"))), []uint32{0}},
}

func filters(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	rows := appendPeople(t, s, tenant)
	for _, c := range filterTable {
		t.Run(c.name, func(t *testing.T) {
			query := users()
			query.Where = c.filter
			wantOrdinals(t, find(t, s, tenant, query), c.want...)
			for _, row := range rows {
				if got := Matches(row.Document, c.filter); got != slices.Contains(c.want, row.Ordinal) {
					t.Errorf("Matches answers %t for %s", got, row.Document)
				}
			}
		})
	}
}

func appendPeople(t *testing.T, s store.Store, tenant uuid.UUID) []store.Object {
	t.Helper()
	var rows []store.Object
	for i, person := range people {
		rows = append(rows, object(uint32(i), person))
	}
	mustAppend(t, s, tenant, nil, rows...)
	return rows
}

// oddTexts are texts that databases like to get wrong.
var oddTexts = []string{
	"", "a", "A", "ab", "aB\x00c", "\x00", "k", "\u212a", "s", "ſ", "ß", "ẞ", "SS", "i", "İ", "ı", "å", "\u212b", "Å", "é", "É",
	"e\u0301", "ǆ", "ǅ", "Ǆ", "σ", "ς", "Σ", "😀", "\U0010ffff", "a\U0010ffff", "\u007f", "\u0080", "\uffff", "'", "\"", "\\", "%", "_", "*", "[a]", "?1", "41", "null",
	"2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000Z", "2024-01-01T00:00:10Z", "2024-01-01T00:00:1Z", "2024-01-01T00:00:00", "1e2",
}

func oddDocuments(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	values := []any{nil, true, false, 0, 41, -41, 41.5, 9007199254740993, []any{}, document{}, []any{"a", "É", 41}}
	for _, text := range oddTexts {
		values = append(values, text)
	}
	var rows []store.Object
	for i, value := range values {
		rows = append(rows, object(uint32(i), document{"displayName": value, "city": value, "tags": []any{value, "x"}}))
	}
	mustAppend(t, s, tenant, nil, rows...)
	for _, text := range append(oddTexts, "\xff", "a\x80", "É\xc3") {
		for op := store.Eq; op <= store.HasWord; op++ {
			wantMatches(t, s, tenant, rows, is(op, "displayName", text))
			wantMatches(t, s, tenant, rows, of(store.Not, is(op, "city", text)))
			wantMatches(t, s, tenant, rows, anyOf("tags", is(op, "", text)))
		}
	}
	for _, value := range []any{int64(0), int64(41), int64(-42), int64(9007199254740992), at("2024-01-01T00:00:00Z"), at("2024-01-01T00:00:09.9Z")} {
		for op := store.Eq; op <= store.Ge; op++ {
			wantMatches(t, s, tenant, rows, is(op, "displayName", value))
			wantMatches(t, s, tenant, rows, anyOf("tags", is(op, "", value)))
		}
	}
}

func wantMatches(t *testing.T, s store.Store, tenant uuid.UUID, rows []store.Object, filter *store.Filter) {
	t.Helper()
	query := users()
	query.Where = filter
	found, err := s.Objects(t.Context(), tenant, query)
	if err != nil {
		t.Fatalf("%s: %v", Describe(filter), err)
	}
	want := []uint32{}
	for _, row := range rows {
		if Matches(row.Document, filter) {
			want = append(want, row.Ordinal)
		}
	}
	if got := ordinals(found); !slices.Equal(got, want) {
		t.Errorf("%s finds %v, want %v", Describe(filter), got, want)
	}
}

// Describe writes a filter for people.
func Describe(f *store.Filter) string {
	names := []string{"?", "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "startsWith", "endsWith", "contains", "hasWord", "any"}
	if len(f.Args) == 0 {
		return fmt.Sprintf("(%s %q %#v)", names[f.Op], f.Property, f.Value)
	}
	var args []string
	for _, arg := range f.Args {
		args = append(args, Describe(arg))
	}
	return fmt.Sprintf("(%s %q %s)", names[f.Op], f.Property, strings.Join(args, " "))
}

func badFilters(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	appendPeople(t, s, tenant)
	for name, filter := range map[string]*store.Filter{
		"no operator":             {},
		"an unknown operator":     {Op: 99, Property: "city", Value: "x"},
		"no property":             eq("", "x"),
		"SQL for a property":      eq("city') OR 1=1 --", "x"),
		"a quote in a property":   eq(`ci"ty`, "x"),
		"a path":                  eq("$.city", "x"),
		"an empty step":           eq("address//city", "x"),
		"a step at the end":       eq("address/", "x"),
		"a value of another type": eq("city", 1.5),
		"less than null":          is(store.Lt, "city", nil),
		"less than true":          is(store.Lt, "city", true),
		"starts with a number":    is(store.StartsWith, "city", int64(1)),
		"contains a time":         is(store.Contains, "city", time.Unix(0, 0)),
		"a far year":              eq("created", time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)),
		"and of nothing":          of(store.And),
		"and of nil":              of(store.And, nil, nil),
		"not of two":              of(store.Not, eq("city", "x"), eq("city", "y")),
		"any of nothing":          {Op: store.Any, Property: "tags"},
		"any in any":              anyOf("tags", anyOf("lines", eq("", "x"))),
	} {
		query := users()
		query.Where = filter
		_, objects := s.Objects(t.Context(), tenant, query)
		_, count := s.Count(t.Context(), tenant, query)
		if !errors.Is(objects, store.ErrFilter) || !errors.Is(count, store.ErrFilter) {
			t.Errorf("%s answers %v and %v, want ErrFilter", name, objects, count)
		}
	}
}

func largeFilters(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	appendPeople(t, s, tenant)
	query := users()
	for _, property := range []string{"displayName", "city"} {
		wide := []*store.Filter{eq("displayName", "anna meyer")}
		for i := range store.MaxConditions - 2 {
			wide = append(wide, eq(property, fmt.Sprint("nobody ", i)))
		}
		query.Where = of(store.Or, wide...)
		wantOrdinals(t, find(t, s, tenant, query), 0)
		query.Where = of(store.Or, append(wide, eq(property, "one more"))...)
		if _, err := s.Objects(t.Context(), tenant, query); !errors.Is(err, store.ErrFilter) {
			t.Errorf("%d conditions answer %v, want ErrFilter", store.MaxConditions+1, err)
		}
	}
	deep := eq("displayName", "anna meyer")
	for i := range store.MaxDepth - 1 {
		deep = of(store.And+store.Op(i%2), eq("age", int64(41)), deep)
		if i%3 == 0 {
			deep.Args[0].Op = store.Ne
		}
	}
	query.Where = deep
	find(t, s, tenant, query)
	query.Where = of(store.Not, deep)
	if _, err := s.Objects(t.Context(), tenant, query); !errors.Is(err, store.ErrFilter) {
		t.Errorf("a depth of %d answers %v, want ErrFilter", store.MaxDepth+1, err)
	}
}

func filtersFollowChanges(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	query := users()
	query.Where = eq("mail", "b@contoso.example")
	row := object(0, document{"mail": "a@contoso.example"})
	for _, step := range []struct {
		document string
		found    []uint32
	}{{`{"mail":"a@contoso.example"}`, nil}, {`{"mail":"B@contoso.example"}`, []uint32{0}}, {`{"mail":null}`, nil}, {`{"mail":"b@CONTOSO.example"}`, []uint32{0}}, {`{}`, nil}} {
		row.Document = []byte(step.document)
		mustAppend(t, s, tenant, nil, row)
		wantOrdinals(t, find(t, s, tenant, query), step.found...)
	}
}

package main

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

func TestNamesThatMislead(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`func f() { len := 1; _ = len }`:                                                "len hides what Go has built in",
		`func f(any int) {}`:                                                            "any hides what Go has built in",
		`func f() (cap int) { return }`:                                                 "cap hides what Go has built in",
		`type string struct{}`:                                                          "string hides what Go has built in",
		`func f() { for real := range 3 { _ = real } }`:                                 "real hides what Go has built in",
		`var errors = 1`:                                                                "errors hides the package errors",
		"import \"path/filepath\"\nfunc f(filepath int) {}":                             "filepath hides the package filepath",
		"import \"example.com/lru/v2\"\nfunc f(lru int) {}":                             "lru hides the package lru",
		"import short \"example.com/long\"\nfunc f(short, long int) {}":                 "short hides the package short",
		`type wrong struct{}; func (w *wrong) Error() string { return "" }`:             "wrong is an error",
		`type Error struct{}; func (Error) Error() string { return "" }`:                "Error is an error",
		`type badError struct{ len int }; func (badError) Error() string { return "" }`: "",
		`type log struct{}; func (log) Error(text string) {}; func (log) new() {}`:      "",
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, m := range misleading(file) {
			found = append(found, m.why)
		}
		got := strings.Join(found, "; ")
		if !strings.HasPrefix(got, want) || (want == "") != (got == "") || len(found) > 1 {
			t.Errorf("%s: found %q, want %q", source, got, want)
		}
	}
}

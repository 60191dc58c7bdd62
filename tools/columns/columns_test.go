package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestLongCode(t *testing.T) {
	words := strings.Repeat("a word ", 20)
	source := "package a\n\n" +
		"var table = []string{\"" + words + "\"}\n\n" + // 3
		"func f() {\n" +
		"\tg(\"" + words + "\")\n" + // 6
		"\tg(\"https://" + strings.Repeat("a", 150) + "\")\n" + // cannot be wrapped
		"\tg(`" + words + "\n" + words + "`)\n" + // a literal of several lines
		"\tg(" + strings.Repeat("a+", 80) + "b)\n" + // 10
		"}\n"
	for name, want := range map[string][]int{"a.go": {3, 6, 10}, "a_test.go": {10}} {
		got, err := longCode(name, []byte(source))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: lines %v are too long (%v), want %v", name, got, err, want)
		}
	}
}

func TestLongComments(t *testing.T) {
	words := strings.Repeat("word ", 25)
	source := "// " + words + "\npackage a\n\n//   - " + words + "\n//\t" + words + "\n"
	if got := longComments([]byte(source)); !reflect.DeepEqual(got, []int{1}) {
		t.Errorf("lines %v are too long, want line 1 only", got)
	}
}

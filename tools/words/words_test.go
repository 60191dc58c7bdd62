package main

import (
	"fmt"
	"reflect"
	"testing"
)

func TestFindsPhrasesInComments(t *testing.T) {
	source := "package a\n\n" +
		"// F is for callers. Nobody\n// calls it\n// any\n// more.\nfunc F() {\n" +
		"\tx := \"nobody\" // whoever reads this\n" +
		"\t// It says \"nobody\" and `whoever`.\n" +
		"\t//\n\t//\tcode that nobody reads\n}\n"
	want := []string{"3 Nobody", "5 any more", "8 whoever"}
	if got := list("a.go", source); !reflect.DeepEqual(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestFindsPhrasesInTexts(t *testing.T) {
	source := "package a\n\nvar a, b = \"This is \" +\n\t\"no GUID\", `all\nis put right`, \"a\\nnobody\"\n\n" +
		"var c = []string{\"nobody\", \"any\", \"more\"}\n"
	want := []string{"3 is no", "5 put right", "5 nobody"}
	if got := list("a.go", source); !reflect.DeepEqual(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if got := list("a_test.go", source); got != nil {
		t.Errorf("found %q in a test", got)
	}
}

func TestFindsPhrasesInDocuments(t *testing.T) {
	source := "# Nobody\n\nThe file is to\nbe read by `whoever`.\n\n```\nnobody\n```\n\n    nobody\n\nIt is no list, and there is no list.\n"
	want := []string{"1 Nobody", "3 is to be", "12 is no"}
	if got := list("a.md", source); !reflect.DeepEqual(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestFindsPhrasesInMakefiles(t *testing.T) {
	source := "# nobody\nall: ## for whoever\n\techo nobody\n"
	want := []string{"1 nobody", "2 whoever"}
	if got := list("Makefile", source); !reflect.DeepEqual(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestAllowsExceptions(t *testing.T) {
	source := "// There is no list, it is no longer one, and is no more. It is no problem.\npackage a\n"
	want := []string{"1 is no"}
	if got := list("a.go", source); !reflect.DeepEqual(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func list(name, source string) (found []string) {
	for _, f := range check(name, []byte(source)) {
		found = append(found, fmt.Sprint(f.line, " ", f.text))
	}
	return found
}

package directory_test

import (
	"slices"
	"testing"

	"licensor/internal/directory"
)

func TestDifferingDocuments(t *testing.T) {
	t.Parallel()
	got := directory.Differing([]byte(`{"a":1,"b":"x","c":[1]}`), []byte(`{"a":1,"c":[1,2],"d":null}`))
	if !slices.Equal(got, []string{"b", "c", "d"}) {
		t.Errorf("%v differ", got)
	}
}

func TestDifferingPropertiesWithin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want []string
	}{
		{`{"a":1}`, `{"a":2}`, []string{"a"}},
		{`{"a":1,"properties":{"x":1,"y":[2]}}`, `{"a":1,"properties":{"x":1,"y":[3]},"z":0}`, []string{"z", "y"}},
		{`{"a":1}`, `{"a":1,"properties":{"x":{}}}`, []string{"x"}},
		{`{"properties":{"x":{}}}`, `{}`, []string{"x"}},
	} {
		if got := directory.DifferingWithin([]byte(c.a), []byte(c.b)); !slices.Equal(got, c.want) {
			t.Errorf("%s and %s: %v differ, want %v", c.a, c.b, got, c.want)
		}
	}
}

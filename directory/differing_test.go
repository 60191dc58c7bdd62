package directory_test

import (
	"slices"
	"testing"

	"licensor/directory"
)

func TestDifferingDocuments(t *testing.T) {
	t.Parallel()
	got := directory.Differing([]byte(`{"a":1,"b":"x","c":[1]}`), []byte(`{"a":1,"c":[1,2],"d":null}`))
	if !slices.Equal(got, []string{"b", "c", "d"}) {
		t.Errorf("%v differ", got)
	}
}

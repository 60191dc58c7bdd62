package directory_test

import (
	"fmt"
	"testing"

	"licensor/internal/directory"
)

func TestDifferencesOfDocuments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b, want string }{
		{`{"a":1,"b":"x","c":[1]}`, `{"a":1,"c":[1,2],"d":null}`, `[{b "x" } {c [1] [1,2]} {d  null}]`},
		{``, `{"b":1,"a":2}`, `[{a  2} {b  1}]`},
		{`{"a":1}`, `{"a":2}`, `[{a 1 2}]`},
		{`{"a":1,"properties":{"x":1,"y":[2]}}`, `{"a":1,"properties":{"x":1,"y":[3]},"z":0}`, `[{y [2] [3]} {z  0}]`},
		{`{"a":1}`, `{"a":1,"properties":{"x":{}}}`, `[{x  {}}]`},
		{`{"properties":{"x":{}}}`, `{}`, `[{x {} }]`},
	} {
		got := "["
		for i, d := range directory.Differences([]byte(c.a), []byte(c.b)) {
			if i > 0 {
				got += " "
			}
			got += fmt.Sprintf("{%s %s %s}", d.Name, d.Old, d.New)
		}
		if got += "]"; got != c.want {
			t.Errorf("%s and %s: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}

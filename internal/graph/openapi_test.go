package graph

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"licensor/internal/graph/route"
)

// TestOpenAPIHasOurOperationsAndNoOthers compares openapi.yaml with the table of operations. That
// answers are as it says is tested in test/openapi.
func TestOpenAPIHasOurOperationsAndNoOthers(t *testing.T) {
	t.Parallel()
	var want, got []string
	for i := range everyOperation {
		if op := &everyOperation[i]; strings.HasPrefix(op.Path, route.Own) && op.Do != nil {
			want = append(want, op.Method+" "+strings.TrimPrefix(op.Path, route.Own))
		}
	}
	paths, _, _ := strings.Cut(string(openAPI), "\ncomponents:")
	path := ""
	for line := range strings.Lines(paths) {
		if m := regexp.MustCompile(`^  (/\S*):`).FindStringSubmatch(line); m != nil {
			path = m[1]
		}
		if m := regexp.MustCompile(`^    (get|put|post|patch|delete):`).FindStringSubmatch(line); m != nil {
			got = append(got, strings.ToUpper(m[1])+" "+path)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("openapi.yaml has too much: %v, and lacks: %v", without(got, want), without(want, got))
	}
}

func TestOpenAPIIsServedToAnybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.do("GET", "/licensor/v1/openapi.yaml", "", "")
	if got.status != 200 || got.body != string(openAPI) || got.header.Get("Content-Type") != "application/yaml" {
		t.Errorf("%d %v", got.status, got.header)
	}
}

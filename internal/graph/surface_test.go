package graph

import (
	"encoding/csv"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"licensor/internal/graph/route"
)

// specified reads a file of the project's specification, which LICENSOR_SPEC leads to.
func specified(t *testing.T, name string) string {
	t.Helper()
	spec := os.Getenv("LICENSOR_SPEC")
	if spec == "" {
		t.Skip("LICENSOR_SPEC does not say where the specification is")
	}
	data, err := os.ReadFile(filepath.Join(spec, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// slips are mistakes in the paths of the specification, which stand in the public documentation.
var slips = strings.NewReplacer("{}}", "{}", "(team-id)", "{}", "requests{}", "requests/{}", "?$filter=agentcardmanifest/id eq '{}'", "", "?$filter=agentcardmanifest", "")

// withKeys is a path of the specification as a client would send it, with an id for each key.
func withKeys(path string) string {
	path = slips.Replace(strings.NewReplacer("{id}", "{}", "{value}", "{}").Replace(path))
	return strings.NewReplacer("={}", "='"+nobodysID+"'", "({})", "('"+nobodysID+"')", "{}", nobodysID).Replace(path)
}

// Every path of Graph's surface is served or answered with 501, by every method. Where some methods
// are served, others are not allowed.
func TestEveryPathOfGraphIsServedOrSaidNotToBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, methods := w.appToken(allPermissions...), []string{"GET", "POST", "PATCH", "PUT", "DELETE"}
	routes := newRoutes(furtherOperations)
	paths := strings.Split(strings.TrimSpace(specified(t, "graph/paths.txt")), "\n")
	if len(paths) < 2000 {
		t.Fatalf("only %d paths", len(paths))
	}
	for i, path := range paths {
		path = []string{"/v1.0", "/beta"}[i%2] + withKeys(path)
		parts, _ := route.Segments(path)
		m, lost, ok := routes.Find(parts)
		if ok {
			continue
		}
		if !m.Unserved {
			t.Errorf("%s: lost at %q", path, lost)
			continue
		}
		method := methods[i%len(methods)]
		got := w.do(method, path, token, "")
		if got.status != http.StatusNotImplemented || !strings.Contains(got.body, method) {
			t.Errorf("%s %s: %d %s", method, path, got.status, got.body)
		}
	}
}

// What someone may be permitted to do in Graph is never said not to be allowed, or not to be
// there.
func TestEveryPermittedOperationIsServedOrSaidNotToBe(t *testing.T) {
	t.Parallel()
	rows, err := csv.NewReader(strings.NewReader(specified(t, "graph/permissions.csv"))).ReadAll()
	if err != nil || len(rows) < 1000 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	routes := newRoutes(furtherOperations)
	known := func(method, path string) bool {
		parts, _ := route.Segments("/v1.0" + path)
		m, _, ok := routes.Find(parts)
		return !ok && m.Unserved || ok && m.Place.Operations[method] != nil
	}
	for _, row := range rows[1:] {
		method, path := row[0], withKeys(row[1])
		if !known(method, path) && !known(method, path+"/$ref") { // which the table leaves out
			t.Errorf("%s %s", method, path)
		}
	}
}

package graph

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"licensor/internal/directory"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
)

const parityFile = "../../docs/parity.md"

// divergences are the differences from Graph, written by hand.
//
//go:embed testdata/divergences.md
var divergences string

// witnesses are the scenarios that have seen what is served: by operation, and by query option and
// operation.
type witnesses struct {
	mutex   sync.Mutex
	routes  *route.Tree[wire.Operation]
	played  int
	seen    map[string][]string
	options map[string]map[string][]string
}

func newWitnesses() *witnesses {
	return &witnesses{
		routes: newRoutes(furtherOperations), seen: map[string][]string{}, options: map[string]map[string][]string{},
	}
}

// saw notes that a scenario was answered well.
func (w *witnesses) saw(scenario, method, path string, got answer, request string) {
	address, query, _ := strings.Cut(path, "?")
	parts, ok := route.Segments(address)
	if !ok || got.status >= 300 {
		return
	}
	m, _, ok := w.routes.Find(parts)
	if !ok || m.Place.Operations[method] == nil {
		return
	}
	op := m.Place.Operations[method]
	if op.Path == "/$batch" {
		w.sawBatch(scenario, "/"+parts[0], request, got.body)
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	name := op.Method + " " + strings.NewReplacer("(appId='{applications}')", "/{application}", "(appId='{servicePrincipals}')", "/{servicePrincipal}").Replace(op.Path)
	w.seen[name] = append(w.seen[name], scenario)
	if options, err := odata.Parse(query); err == nil {
		for _, option := range options.Given {
			if w.options[option] == nil {
				w.options[option] = map[string][]string{}
			}
			w.options[option][name] = append(w.options[option][name], scenario)
		}
	}
}

// sawBatch notes what a scenario was answered well within a batch.
func (w *witnesses) sawBatch(scenario, version, request, body string) {
	var asked struct {
		Requests []struct {
			ID          any
			Method, URL string
		}
	}
	var answered struct {
		Responses []struct {
			ID     any
			Status int
		}
	}
	if json.Unmarshal([]byte(request), &asked) != nil || json.Unmarshal([]byte(body), &answered) != nil {
		return
	}
	for _, r := range answered.Responses {
		for _, a := range asked.Requests {
			if a.ID == r.ID {
				w.saw(
					scenario, strings.ToUpper(a.Method), version+"/"+strings.TrimPrefix(a.URL, "/"),
					answer{status: r.Status}, "",
				)
			}
		}
	}
}

// compare looks whether docs/parity.md says what the scenarios have seen, once all of them are
// played. With -update it is written.
func (w *witnesses) compare(t *testing.T, scenarios int) {
	if t.Failed() || w.played < scenarios {
		return
	}
	for i := range everyOperation {
		op := &everyOperation[i]
		if op.Do != nil && len(w.seen[op.Method+" "+op.Path]) == 0 {
			t.Errorf("%s %s is served, but no scenario has seen it succeed", op.Method, op.Path)
		}
	}
	want := w.page()
	if *update {
		if err := os.WriteFile(parityFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(parityFile); err != nil || string(got) != want {
		t.Errorf("docs/parity.md is not what the operations and scenarios say. Update it with go test ./internal/graph -run 'TestScenarios$' -update")
	}
}

const parityHead = `# Parity with Microsoft Graph

Written by ` + "`go test ./internal/graph -run 'TestScenarios$' -update`" + `; do not edit. Each operation has a scenario that shows it
(` + "`internal/graph/testdata/scenarios`" + `), and a test fails for an operation without one. Everything under ` + "`/users/{user}`" + ` also exists for
` + "`/me`" + `, everything under ` + "`/applications/{application}`" + ` and ` + "`/servicePrincipals/{servicePrincipal}`" + ` for ` + "`(appId='…')`" + `, everything under
` + "`/directory/administrativeUnits`" + ` for ` + "`/administrativeUnits`" + `, and everything of Graph under
` + "`/beta`" + `. Every response in the tests is compared with the types of Graph's v1.0 metadata.

The permission is the documented least permission, for signed-in users and for applications where they differ. If it shows only basic properties,
the permission that shows all of them is in parentheses. Permissions for the caller's own data, such as User.Read, apply to the caller only. Other sufficient
permissions, and the roles that signed-in users also need, are in ` + "`internal/identity/needs.go`" + `.
`

// page is docs/parity.md.
func (w *witnesses) page() string {
	var b strings.Builder
	b.WriteString(parityHead)
	w.writeOperations(&b, "\n## Supported operations of Graph\n", func(op *wire.Operation) bool {
		return op.Do != nil && !strings.HasPrefix(op.Path, route.Own)
	})
	writeDeviations(&b)
	b.WriteString("\n## Operations of Graph that return 501\n\nAll other operations of Graph: the paths in `internal/graph/route/surface.txt` and everything below them, with any method. If some methods of a path\nare supported, the others return 405, except for these:\n\n")
	for i := range everyOperation {
		if op := &everyOperation[i]; op.Do == nil {
			fmt.Fprintf(&b, "- `%s %s`\n", op.Method, op.Path)
		}
	}
	w.writeOptions(&b)
	b.WriteString(divergences)
	b.WriteString("\n## Properties that are always null or empty\n\nThey are in responses, but their values are not stored.\n\n")
	writeEmpty(&b, userType, directory.UserProperties())
	writeEmpty(&b, groupType, directory.GroupProperties())
	writeEmpty(&b, organizationFields.TypeName, directory.OrganizationProperties())
	w.writeOperations(&b, "\n## Operations of our own\n\nDescribed in `/licensor/v1/openapi.yaml`.\n", func(op *wire.Operation) bool { return strings.HasPrefix(op.Path, route.Own) })
	return b.String()
}

func (w *witnesses) writeOperations(b *strings.Builder, head string, which func(*wire.Operation) bool) {
	b.WriteString(head + "\n| operation | permission | scenario |\n|---|---|---|\n")
	for i := range everyOperation {
		if op := &everyOperation[i]; which(op) {
			fmt.Fprintf(b, "| `%s %s` | %s | %s |\n", op.Method, op.Path, permission(op), first(w.seen[op.Method+" "+op.Path]))
		}
	}
}

func permission(op *wire.Operation) string {
	need, ok := identity.Needs[op.Need]
	switch {
	case op.Open:
		return "no token needed"
	case op.Anyone || !ok:
		return "any token"
	}
	text := leastOf(&need)
	if op.NeedOfGroup != "" {
		group := identity.Needs[op.NeedOfGroup]
		text += "; of a group: " + leastOf(&group)
	}
	if op.NeedOfUnit != "" {
		unit := identity.Needs[op.NeedOfUnit]
		text += "; of an administrative unit: " + leastOf(&unit)
	}
	return strings.ReplaceAll(text, "+", " and ")
}

func leastOf(need *identity.Need) string {
	user, application := need.LeastOf(true), need.LeastOf(false)
	text := user
	if application != user {
		text += ", for applications " + application
	}
	if len(need.Basic) > 0 && len(need.Full) > 0 {
		text += " (" + need.Full[0] + ")"
	}
	return text
}

func writeDeviations(b *strings.Builder) {
	b.WriteString("\n## Documented permissions that do not suffice here\n\n| operation | permission | why |\n|---|---|---|\n")
	for _, d := range deviations {
		for _, op := range d.operations {
			fmt.Fprintf(b, "| `%s` | %s | %s |\n", op, strings.Join(d.permissions, ", "), d.why)
		}
	}
	b.WriteString("\nUser.ReadWrite.CrossCloud suffices for all users: the cloud that a user comes from is not stored. The basic properties of users and groups are all that " +
		"can be filtered, searched and ordered by with a permission that shows no more. Documented permissions are compared with the server by a test.\n")
}

// first is the scenario that stands for all that have seen the same.
func first(scenarios []string) string {
	if len(scenarios) == 0 {
		return ""
	}
	return slices.Min(scenarios)
}

func (w *witnesses) writeOptions(b *strings.Builder) {
	b.WriteString("\n## Query options\n\n| option | operation | scenario |\n|---|---|---|\n")
	for _, option := range slices.Sorted(maps.Keys(w.options)) {
		for _, op := range slices.Sorted(maps.Keys(w.options[option])) {
			fmt.Fprintf(b, "| `%s` | `%s` | %s |\n", option, op, first(w.options[option][op]))
		}
	}
	b.WriteString("\nOperations refuse any other option with 400, or with 501 if Graph supports it.\n")
}

func writeEmpty[T any](b *strings.Builder, typeName string, properties []*directory.Property[T]) {
	var names []string
	for _, p := range properties {
		value := string(p.Append(nil, new(T)))
		if !p.Stored() && (value == "null" || value == "[]") && p.Name != "legalAgeGroupClassification" {
			names = append(names, p.Name)
		}
	}
	if len(names) > 0 {
		fmt.Fprintf(b, "- `%s`: %s\n", typeName, strings.Join(names, ", "))
	}
}

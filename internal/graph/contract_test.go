package graph

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"licensor/internal/fold"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/licenses"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
)

// question is what a test asked, for comparing its answer with the contract.
type question struct {
	method, host, path string // path as sent, with its query
	full, none, beta   bool   // odata.metadata, the version
	restricted         bool   // the caller may not see everything
}

// checkContract compares every answer of Graph's surface with metadata.xml: types, names, what must
// be there, the context. It is where all tests' answers come by.
func (w *world) checkContract(q question, got answer, request string) {
	w.t.Helper()
	c, err := theContract()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := checkAnswer(c, q, got, request); err != nil {
		w.t.Errorf("%s %s: the answer breaks the contract: %v\n%s", q.method, q.path, err, problem.Clip(got.body))
	}
}

func checkAnswer(c *csdl, q question, got answer, request string) error {
	switch {
	case got.status >= 400:
		return checkProblem(got)
	case c == nil || got.status >= 300 || got.body == "" || q.method == "OPTIONS":
		return nil
	case got.header.Get("Preference-Applied") == wire.PreferPreview: // it is an answer of our own surface
		return nil
	}
	path, query, _ := strings.Cut(q.path, "?")
	parts, _ := route.Segments(path)
	for i, part := range parts {
		if strings.HasPrefix(part, "$") {
			parts[i] = strings.ToLower(part)
		}
	}
	if parts, _ = route.WithoutTenant(parts); len(parts) < 2 || parts[0] != "v1.0" && parts[0] != "beta" || parts[1] == "$metadata" {
		return nil // our own surface has its own contract
	}
	root := q.host + "/" + parts[0]
	if parts[1] == "$batch" {
		return checkBatch(c, q, parts[0], got, request)
	}
	place, err := c.walk(q.method, parts[1:])
	if err != nil {
		return err
	}
	if place.typeName == "$count" {
		return nil
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		return err
	}
	options, err := url.ParseQuery(strings.ReplaceAll(query, ";", "%3B"))
	if err != nil {
		return err
	}
	q.beta = parts[0] == "beta"
	k := &checker{csdl: c, question: q, root: root, place: place}
	if k.selected = c.spelled(listed(options, "select")); place.typeName == "$ref" {
		k.selected = nil // an address has no properties
	}
	k.expanded = c.spelled(listed(options, "expand"))
	if place.typeName == "$ref" {
		k.selected = nil // an address has no properties
	}
	return k.check(body)
}

// spelled gives names the spelling of the contract: what is answered has it.
func (c *csdl) spelled(names []string) []string {
	known := []string{"publishedPermissionScopes"}
	for name, t := range c.Entities {
		for _, p := range slices.Concat(t.Properties, t.Navigation) {
			known = append(known, p.Name)
		}
		known = slices.Concat(
			known, edm.Navigation[name], edm.BetaOnly[name].Nulls, edm.BetaOnly[name].Lists,
			edm.BetaOnly[name].OnSelect, edm.BetaOnly[name].Kept,
		)
	}
	for i := range names {
		names[i], _ = fold.Among(known, names[i])
	}
	return slices.Compact(names)
}

// listed reads an option that names properties.
func listed(options url.Values, name string) []string {
	for key, values := range options {
		if strings.EqualFold(strings.TrimPrefix(strings.TrimSpace(key), "$"), name) {
			var names []string
			for _, part := range strings.Split(values[0], ",") {
				name, _, _ := strings.Cut(strings.TrimSpace(part), "(")
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
			return names
		}
	}
	return nil
}

// checkProblem looks at the form of an error (P10).
func checkProblem(got answer) error {
	var body struct {
		Error struct {
			Code, Message string
			InnerError    map[string]string `json:"innerError"`
			Details       []struct{ Code, Message string }
		}
	}
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		return err
	}
	e := body.Error
	if e.Code == "" || e.Message == "" || e.InnerError["date"] == "" || e.InnerError["request-id"] == "" || e.InnerError["client-request-id"] == "" {
		return fmt.Errorf("the error lacks its code, message or innerError")
	}
	for _, d := range e.Details {
		if d.Code == "" || d.Message == "" {
			return fmt.Errorf("a detail lacks its code or message")
		}
	}
	return nil
}

// checkBatch compares each answer in a batch with its own request.
func checkBatch(c *csdl, q question, version string, got answer, request string) error {
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
			Body   json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(request), &asked); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(got.body), &answered); err != nil {
		return err
	}
	for _, r := range answered.Responses {
		for _, a := range asked.Requests {
			if a.ID != r.ID || len(r.Body) == 0 || r.Body[0] != '{' {
				continue
			}
			inner := question{method: a.Method, host: q.host, path: "/" + version + "/" + strings.TrimPrefix(a.URL, "/")}
			if err := checkAnswer(c, inner, answer{status: r.Status, body: string(r.Body)}, ""); err != nil {
				return fmt.Errorf("response %s: %w", r.ID, err)
			}
		}
	}
	return nil
}

// TestEveryPropertyOfTheContractIsServedAndNoOther compares what each type can show with
// metadata.xml, in both directions.
func TestEveryPropertyOfTheContractIsServedAndNoOther(t *testing.T) {
	t.Parallel()
	c := readContract(t)
	compareNames(t, c, userFields)
	compareNames(t, c, groupFields)
	compareNames(t, c, licenses.SKUFields)
	compareNames(t, c, licenses.DetailFields)
	compareNames(t, c, organizationFields)
	compareNames(t, c, licenses.SubscriptionFields)
	compareNames(t, c, domainFields)
	compareNames(t, c, applicationFields)
	compareNames(t, c, principalFields)
	compareNames(t, c, federatedFields)
	compareNames(t, c, roleAssignmentFields)
	compareNames(t, c, grantFields)
	compareNames(t, c, roleFields)
	compareNames(t, c, templateFields)
	compareNames(t, c, definitionFields)
	compareNames(t, c, heldFields)
}

func compareNames[T any](t *testing.T, c *csdl, served *wire.FieldSet[T]) {
	var want, got []string
	for _, base := range c.bases(bare(served.TypeName)) {
		for _, p := range base.Properties {
			want = append(want, p.Name)
		}
	}
	got = append(got, served.Properties()...)
	if len(want) == 0 || len(without(got, want))+len(without(want, got)) > 0 {
		t.Errorf("%s has %v, lacks %v", served.TypeName, without(got, want), without(want, got))
	}
}

func without(list, others []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool { return slices.Contains(others, name) })
}

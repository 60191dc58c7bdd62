package graph

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"licensor/internal/graph/problem"
)

// TestLetterCaseNeverMatters plays every scenario in two worlds: as it is written, and with the
// letter case of all names changed at random. The answers must be the same (P1).
func TestLetterCaseNeverMatters(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			written := playTold(t, string(text), nil)
			seed := rand.Uint64()
			changed := playTold(t, string(text), newRecast(seed))
			if len(written) != len(changed) {
				t.Fatalf("seed %d: %d answers, and %d in other letters", seed, len(written), len(changed))
			}
			for i := range written {
				if !reflect.DeepEqual(written[i], changed[i]) {
					t.Fatalf("-- %s -- seed %d\n%v\nin other letters\n%v", written[i].step, seed, written[i], changed[i])
				}
			}
		})
	}
}

// told is the answer to a step of a scenario, without what is different in every world.
type told struct {
	step, location string
	status         int
	body           any
}

func playTold(t *testing.T, text string, c *recast) (all []told) {
	w := newWorld(t)
	w.once = true
	s := newScenario(t, w, newWitnesses())
	s.recast = c
	s.told = func(step string, got answer) {
		all = append(all, told{step, w.plain(got.header.Get("Location")), got.status, w.plainBody(got)})
	}
	s.play(text)
	return all
}

var tokenText = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`)

// plain takes out of a text what differs from world to world.
func (w *world) plain(text string) string {
	return tokenText.ReplaceAllString(strings.ReplaceAll(text, w.server.URL, "<root>"), "<token>")
}

// plainBody is what an answer says, but for ids of requests, addresses of pages, and what errors
// say next to their code.
func (w *world) plainBody(got answer) any {
	var body any
	if json.Unmarshal([]byte(got.body), &body) != nil {
		return w.plain(got.body)
	}
	return w.plainValue(body)
}

func (w *world) plainValue(value any) any {
	switch value := value.(type) {
	case string:
		return w.plain(value)
	case []any:
		for i := range value {
			value[i] = w.plainValue(value[i])
		}
	case map[string]any:
		for name, member := range value {
			switch name {
			case "@odata.nextLink", "@odata.deltaLink":
				value[name] = "<link>"
			case "message": // it may repeat what was asked
				value[name] = strings.ToLower(fmt.Sprint(member))
			case "error":
				if body, ok := member.(map[string]any); ok {
					value[name] = body["code"]
				}
			case "request-id", "client-request-id", "Location", "Content-Location", "date":
				delete(value, name)
			default:
				value[name] = w.plainValue(member)
			}
		}
	}
	return value
}

// askAgain sends a read that was answered again, in other letters: the answer must be the same. It
// says nothing where something was written in between.
func (w *world) askAgain(path, token string, got answer, seq uint64, headers []string) {
	w.t.Helper()
	changed := newRecast(rand.Uint64()).address(path)
	again := w.send(http.MethodGet, changed, token, "", headers...)
	if w.commits() != seq {
		return
	}
	if again.status != got.status || !reflect.DeepEqual(w.plainBody(again), w.plainBody(got)) {
		w.t.Errorf("GET %s is answered\n%d %s\nbut GET %s\n%d %s", path, got.status, problem.Clip(got.body), changed, again.status, problem.Clip(again.body))
	}
}

// TestRecastChangesNamesAndNothingElse keeps the comparison honest.
func TestRecastChangesNamesAndNothingElse(t *testing.T) {
	t.Parallel()
	c := newRecast(1)
	address := "/v1.0/users/Ann@Contoso.com/memberOf/microsoft.graph.group?$select=displayName&$filter=displayName%20eq%20'ABCdef'&$top=5&$skiptoken=AbC"
	body := `{"addLicenses":[{"skuId":"AbCdEf","disabledPlans":[]}],"userType":"Member","@odata.id":"https://x/v1.0/groups/AbCdEf"}`
	names := []string{"/v1.0/users/", "/memberOf/microsoft.graph.group?", "$select=displayName&", "$filter=", "displayName", "$top=5", "addLicenses", "skuId", "disabledPlans", "Member"}
	seen := map[string]bool{}
	for range 20 {
		changed := c.address(address) + c.body(body)
		plain := strings.NewReplacer("%2C", ",", "%27", "'", "%24", "$", "+", " ", "%20", " ").Replace(changed)
		want := strings.ReplaceAll(address+body, "%20", " ")
		if !strings.EqualFold(strings.ReplaceAll(plain, "= ", "="), want) &&
			!strings.EqualFold(strings.ReplaceAll(plain, " ", ""), strings.ReplaceAll(want, " ", "")) {
			t.Fatalf("%s\nbecomes\n%s", address+body, changed)
		}
		for _, kept := range []string{"Ann@Contoso.com", "'ABCdef'", "=AbC", `"AbCdEf"`, "/AbCdEf"} {
			if !strings.Contains(plain, kept) {
				t.Errorf("%s is lost in %s", kept, changed)
			}
		}
		for _, name := range names {
			seen[name] = seen[name] || !strings.Contains(plain, name)
		}
	}
	for _, name := range names {
		if !seen[name] {
			t.Errorf("%s was never changed", name)
		}
	}
}

package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The users of docs/spec/dynamic-membership.md, section 9. Bob once had the plan that Ann has.
var exampleUsers = []string{
	`"displayName":"Ann Berg","department":"Sales","jobTitle":"SDE II","city":"Lagos","country":"NG","userType":"Member","accountEnabled":true,` +
		`"mail":"ann@contoso.example","otherMails":["ann@mail.example"],"proxyAddresses":["SMTP:ann@contoso.example","smtp:a.berg@contoso.example"],` +
		`"officeLocation":"600","employeeId":"500","employeeHireDate":"2026-06-10T18:13:20Z","usageLocation":"NO"`,
	`"displayName":"Bob Vidal","department":"Marketing","jobTitle":"Manager","city":"Oslo","country":"NO","userType":"Member","accountEnabled":true,` +
		`"mail":"bob@fabrikam.example","proxyAddresses":["SMTP:bob@fabrikam.example"],"officeLocation":"16","employeeId":"501",` +
		`"employeeHireDate":"2026-12-01T00:00:00Z","usageLocation":"NO"`,
	`"displayName":"Cem Öz","city":"lagos","country":"NG","userType":"Member","accountEnabled":false,` +
		`"otherMails":["c1@contoso.example","c2@fabrikam.example"],"officeLocation":"600A"`,
	`"displayName":"David Diaz","department":"sales","jobTitle":"SDE","country":"US","userType":"Member","accountEnabled":true,` +
		`"mail":"dia@contoso.example","officeLocation":"699","employeeId":"1000"`,
	`"displayName":"Eve \"Sales\" Lind","department":"Sales, EMEA","jobTitle":"Analyst","city":"London","country":"GB","userType":"Member",` +
		`"accountEnabled":true,"mail":"eve@contoso.example","otherMails":["eve@contoso.example"],` +
		`"onPremisesExtensionAttributes":{"extensionAttribute15":"Marketing"}`,
	`"displayName":"Fay Guest","city":"Boston","country":"US","userType":"Guest","accountEnabled":true,` +
		`"mail":"fay@partner.example","otherMails":["fay@partner.example"]`,
}

var exampleNames = []string{"ann", "bob", "cem", "dia", "eve", "fay"}

func exampleID(name string) string { return idOf('a', name) }

// TestD80EvaluationAgreesWithTheMembers covers scenario 13 of dynamic membership: for each example
// rule of docs/spec/dynamic-membership.md and each of its users, evaluateDynamicMembership
// reports whether the user is a member of a group with that rule.
func TestD80EvaluationAgreesWithTheMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.Store(time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC).Unix())
	token := w.appToken(allPermissions...)
	source := addExampleUsers(w, token)
	rules := exampleRules(t)
	if len(rules) != 55 {
		t.Fatalf("there are %d rules", len(rules))
	}
	for n, example := range rules {
		rule := strings.NewReplacer("{bob}", exampleID("bob"), "{G1}", source).Replace(example.rule)
		text, _ := json.Marshal(rule)
		group := w.made(t, token, "/v1.0/groups", fmt.Sprintf(`{"displayName":"example","mailEnabled":false,"mailNickname":"example%d",`+
			`"securityEnabled":true,"groupTypes":["DynamicMembership"],"membershipRule":%s}`, n, text))
		got := w.send("GET", "/v1.0/groups/"+group+"/members?$select=id", token, "")
		for _, name := range exampleNames {
			is := slices.Contains(example.members, name)
			if has := strings.Contains(got.body, exampleID(name)); has != is {
				t.Errorf("example %d, %s: %s is a member: %t", n+1, rule, name, has)
			}
			result := w.send("POST", "/beta/groups/evaluateDynamicMembership", token,
				fmt.Sprintf(`{"memberId":"%s","membershipRule":%s}`, exampleID(name), text))
			want := fmt.Sprintf(`"membershipRuleEvaluationResult":%t`, is)
			if result.status != http.StatusOK || !strings.Contains(result.body, want) {
				t.Errorf("example %d, %s, for %s: %d %s", n+1, rule, name, result.status, result.body)
			}
		}
	}
}

// addExampleUsers adds the users, and returns the id of group G1.
func addExampleUsers(w *world, token string) string {
	lines := []string{`{"subscription":{"skuId":"` + catalogNames()["sku:ENTERPRISEPACK"] + `","totalLicenses":2}}`}
	for i, name := range exampleNames {
		principal := name
		if name == "fay" {
			principal = "fay_partner.example#EXT#"
		}
		lines = append(lines, fmt.Sprintf(`{"user":{"id":"%s","mailNickname":"%s","userPrincipalName":"%s@contoso.example",%s}}`,
			exampleID(name), name, principal, exampleUsers[i]))
	}
	w.imports(lines...)
	add := `{"addLicenses":[{"skuId":"` + catalogNames()["sku:ENTERPRISEPACK"] + `"}],"removeLicenses":[]}`
	remove := `{"addLicenses":[],"removeLicenses":["` + catalogNames()["sku:ENTERPRISEPACK"] + `"]}`
	member := func(id string) string { return `{"@odata.id":"` + w.server.URL + `/v1.0/directoryObjects/` + id + `"}` }
	source := w.made(w.t, token, "/v1.0/groups", `{"displayName":"G1","mailEnabled":false,"mailNickname":"g1","securityEnabled":true}`)
	nested := w.made(w.t, token, "/v1.0/groups", `{"displayName":"G2","mailEnabled":false,"mailNickname":"g2","securityEnabled":true}`)
	for _, step := range [][3]string{
		{"POST", "/v1.0/users/" + exampleID("ann") + "/assignLicense", add},
		{"POST", "/v1.0/users/" + exampleID("bob") + "/assignLicense", add},
		{"POST", "/v1.0/users/" + exampleID("bob") + "/assignLicense", remove},
		{"PUT", "/v1.0/users/" + exampleID("ann") + "/manager/$ref", member(exampleID("bob"))},
		{"PUT", "/v1.0/users/" + exampleID("dia") + "/manager/$ref", member(exampleID("bob"))},
		{"POST", "/v1.0/groups/" + source + "/members/$ref", member(exampleID("ann"))},
		{"POST", "/v1.0/groups/" + source + "/members/$ref", member(exampleID("cem"))},
		{"POST", "/v1.0/groups/" + source + "/members/$ref", member(nested)},
		{"POST", "/v1.0/groups/" + nested + "/members/$ref", member(exampleID("eve"))},
	} {
		if got := w.send(step[0], step[1], token, step[2]); got.status >= 300 {
			w.t.Fatalf("%s %s: %d %s", step[0], step[1], got.status, got.body)
		}
	}
	return source
}

// made creates an object, and returns its id.
func (w *world) made(t testing.TB, token, path, body string) string {
	t.Helper()
	got := w.send("POST", path, token, body)
	var object struct{ ID string }
	if err := json.Unmarshal([]byte(got.body), &object); err != nil || got.status != http.StatusCreated {
		t.Fatalf("POST %s %s: %d %s", path, body, got.status, got.body)
	}
	return object.ID
}

// exampleRule is a row of the table of examples.
type exampleRule struct {
	rule    string
	members []string
}

var exampleRow = regexp.MustCompile("^\\| \\d+ \\| (?:``(.+?)``|`([^`]+)`)(?: \\([a-z ]+\\))? \\| ([a-z ]+) \\|")

// exampleRules reads the rules that are not refused.
func exampleRules(t *testing.T) (list []exampleRule) {
	t.Helper()
	page, err := os.ReadFile("../../docs/spec/dynamic-membership.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		found := exampleRow.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		e := exampleRule{rule: found[1] + found[2]}
		switch found[3] {
		case "none":
		case "all six":
			e.members = exampleNames
		default:
			e.members = strings.Fields(found[3])
		}
		list = append(list, e)
	}
	return list
}

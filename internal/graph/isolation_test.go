package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"licensor/internal/graph/own"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"

	"pgregory.net/rapid"
)

// TestTenantsDoNotTouch asks for all kinds of things as Contoso's callers, with Fabrikam's ids,
// names and tokens wherever one can stand. Nothing of Fabrikam is changed, nothing of it is in an
// answer, and an answer is the same as for what is nowhere at all: not even that something is there
// can be learned.
func TestTenantsDoNotTouch(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	image, stored := n.fabrikam.tenant.Image(), n.fabrikam.everything()
	answered := map[int]int{}
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			r := n.draw(t)
			got := n.ask(t, r)
			answered[got.status/100]++
			n.wantNothingOfFabrikam(t, r, got)
			if n.fabrikam.tenant.Image() != image {
				t.Fatalf("%s has changed the other tenant", r)
			}
			if r.method == http.MethodGet {
				n.wantAlike(t, r, got)
			}
		}
	})
	if n.fabrikam.everything() != stored {
		t.Error("what is stored of the other tenant has changed")
	}
	if answered[2] == 0 || answered[4] == 0 {
		t.Errorf("the answers are of these kinds only: %v", answered)
	}
	t.Logf("answers by their first digit: %v", answered)
}

// isolationRequest is a request of one of Contoso's callers.
type isolationRequest struct {
	method, path, token, body string
}

func (r isolationRequest) String() string { return r.method + " " + r.path + " " + r.body }

// draw makes up a request: any operation, with keys, options and a body of any tenant.
func (n *neighbours) draw(t *rapid.T) isolationRequest {
	r := n.drawOne(t)
	if rapid.IntRange(0, 5).Draw(t, "batch") > 0 || strings.HasPrefix(r.path, route.Own) {
		return r
	}
	var steps []map[string]any
	for i := range rapid.IntRange(1, 4).Draw(t, "steps") {
		step := n.drawOne(t)
		if strings.HasPrefix(step.path, "/v1.0/") {
			steps = append(steps, map[string]any{
				"id": fmt.Sprint(i), "method": step.method, "url": strings.TrimPrefix(step.path, "/v1.0"),
				"headers": map[string]string{"Content-Type": wire.JSONType}, "body": json.RawMessage(step.body),
			})
		}
	}
	body, err := json.Marshal(map[string]any{"requests": steps})
	if err != nil {
		t.Fatal(err)
	}
	return isolationRequest{method: "POST", path: "/v1.0/$batch", token: r.token, body: string(body)}
}

func (n *neighbours) drawOne(t *rapid.T) isolationRequest {
	op := rapid.SampledFrom(servedOperations()).Draw(t, "operation")
	r := isolationRequest{method: op.Method, token: rapid.SampledFrom(n.callers).Draw(t, "caller")}
	path := strings.ReplaceAll(op.Path, "{type}", "user")
	for strings.Contains(path, "{") {
		from := strings.IndexByte(path, '{')
		path = path[:from] + url.PathEscape(n.drawKey(t)) + path[from+strings.IndexByte(path[from:], '}')+1:]
	}
	r.path = strings.ReplaceAll(path, "()", "")
	if !strings.HasPrefix(path, route.Own) {
		r.path = "/v1.0" + r.path
	}
	var options []string
	if rapid.Bool().Draw(t, "has options") && op.Method == "GET" {
		options = append(options, n.fill(t, rapid.SampledFrom(isolationOptions).Draw(t, "options"), url.QueryEscape))
	}
	if rapid.IntRange(0, 3).Draw(t, "names the tenant") == 0 {
		options = append(options, strings.ReplaceAll("tenantId=TENANT&tenant=TENANT&tid=TENANT", "TENANT", n.strange[0]))
	}
	if options != nil {
		r.path += "?" + strings.Join(options, "&")
	}
	r.body = "{}"
	if op.Method == "POST" || op.Method == "PATCH" || op.Method == "PUT" {
		r.body = n.fill(t, rapid.SampledFrom(isolationBodies).Draw(t, "body"), func(key string) string { return key })
	}
	return r
}

func servedOperations() (served []wire.Operation) {
	for _, op := range everyOperation {
		if op.Do != nil && !op.IsDevelopment() && op.Path != "/$batch" {
			served = append(served, op)
		}
	}
	return served
}

// drawKey is an id or a name, mostly of Fabrikam.
func (n *neighbours) drawKey(t *rapid.T) string {
	if rapid.IntRange(0, 3).Draw(t, "own") == 0 {
		return rapid.SampledFrom(n.own[5:]).Draw(t, "own key") // not the caller's application
	}
	return rapid.SampledFrom(n.strange).Draw(t, "strange key")
}

// fill puts keys in for KEY and tokens of lists for TOKEN.
func (n *neighbours) fill(t *rapid.T, template string, encode func(string) string) string {
	for strings.Contains(template, "KEY") {
		template = strings.Replace(template, "KEY", encode(n.drawKey(t)), 1)
	}
	for strings.Contains(template, "TOKEN") {
		template = strings.Replace(template, "TOKEN", rapid.SampledFrom(n.tokens).Draw(t, "token"), 1)
	}
	return template
}

var isolationOptions = []string{
	"$top=999", "$count=true&$top=2", "$skiptoken=TOKEN", "$skiptoken=TOKEN&$top=1", "$deltatoken=TOKEN", "$deltatoken=TOKEN&$top=1", "$top=1&$skiptoken=TOKEN&$orderby=displayName",
	"$filter=id%20eq%20'KEY'", "$filter=userPrincipalName%20eq%20'KEY'", "$filter=startsWith(userPrincipalName,'KEY')", "$filter=memberOf/any(g:g/id%20eq%20'KEY')&$count=true",
	"$filter=appId%20eq%20'KEY'", "$filter=principalId%20eq%20'KEY'", "$filter=clientId%20eq%20'KEY'", "$filter=proxyAddresses/any(p:p%20eq%20'smtp:KEY')",
	"$filter=id%20in%20('KEY','KEY')", "$search=%22displayName:quetzal%22", "$expand=memberOf", "$expand=members", "$expand=manager", "$expand=owners", "$expand=directReports",
	"$select=id,displayName,assignedLicenses", "group=KEY&user=KEY",
}

var isolationBodies = []string{
	`{}`, `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/KEY"}`, `{"@odata.id":"https://graph.microsoft.com/v1.0/users/KEY"}`,
	`{"ids":["KEY","KEY"],"types":["user","group"]}`, `{"ids":["KEY","KEY","KEY"]}`, `{"groupIds":["KEY","KEY"]}`, `{"ids":["KEY"],"securityEnabledOnly":true}`, `{"securityEnabledOnly":false}`,
	`{"addLicenses":[{"skuId":"KEY"}],"removeLicenses":[]}`, `{"addLicenses":[{"skuId":"` + e3 + `"}],"removeLicenses":["KEY"]}`,
	`{"users":["KEY","KEY"]}`, `{"group":"KEY"}`, `{"all":true}`, `{"userPrincipalName":"KEY"}`, `{"displayName":"KEY","mailNickname":"k"}`,
	`{"displayName":"Red","mailEnabled":false,"mailNickname":"red","securityEnabled":true,"members@odata.bind":["x/directoryObjects/KEY"],"owners@odata.bind":["x/users/KEY"]}`,
	`{"accountEnabled":true,"displayName":"New","mailNickname":"new","userPrincipalName":"KEY","passwordProfile":{"password":"Correct horse 9 battery"}}`,
	`{"skuId":"KEY","totalLicenses":3}`, `{"totalLicenses":1}`, `{"groupBundles":"independent"}`, `{"countryLetterCode":"FR"}`, `{"passwordProfile":{"password":"Wrong horse 9 battery"}}`,
	`{"appId":"KEY"}`, `{"displayName":"App","appId":"KEY"}`, `{"principalId":"KEY","resourceId":"KEY","appRoleId":"KEY"}`, `{"clientId":"KEY","consentType":"AllPrincipals","resourceId":"KEY","scope":"User.Read"}`,
	`{"clientId":"KEY","consentType":"Principal","principalId":"KEY","resourceId":"KEY","scope":"User.Read"}`, `{"roleDefinitionId":"KEY","principalId":"KEY","directoryScopeId":"/"}`,
	`{"passwordCredential":{"displayName":"x"}}`, `{"keyId":"KEY"}`, `{"accountEnabled":false}`,
}

func (n *neighbours) ask(t *rapid.T, r isolationRequest) answer {
	request, err := http.NewRequest(r.method, n.server.URL+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if r.method == http.MethodGet || r.method == http.MethodDelete {
		request.Body, request.ContentLength = http.NoBody, 0
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	request.Header.Set("ConsistencyLevel", "eventual")
	request.Header.Set("Content-Type", wire.JSONType)
	if strings.HasSuffix(r.path, "/import") {
		request.Header.Set("Content-Type", own.LinesType)
	}
	return n.fetch(t, request)
}

// wantNothingOfFabrikam: what no caller has said is in no answer.
func (n *neighbours) wantNothingOfFabrikam(t *rapid.T, r isolationRequest, got answer) {
	if got.status >= 500 && got.status != http.StatusNotImplemented {
		t.Fatalf("%s: %d %s", r, got.status, got.body)
	}
	said := strings.ToLower(fmt.Sprint(got.header) + got.body)
	for _, text := range append(n.silent, unseen) {
		if strings.Contains(said, text) {
			t.Fatalf("%s: the answer has the other tenant's %s: %d %s", r, text, got.status, got.body)
		}
	}
}

// passing are the parts of an answer that are never the same, or that have what was asked for in
// another spelling.
var passing = regexp.MustCompile(`"(request-id|client-request-id|date)":"[^"]*"|token=[^"&]*`)

// wantAlike asks the same again with the other tenant's ids and names replaced by such as are
// nowhere.
func (n *neighbours) wantAlike(t *rapid.T, r isolationRequest, got answer) {
	other := r
	if other.path = n.phantoms.Replace(r.path); other.path == r.path {
		return
	}
	second := n.ask(t, other)
	// An object of one's own may have been given such a name.
	plainly := func(a answer) string { return n.phantoms.Replace(passing.ReplaceAllString(a.body, "")) }
	first := plainly(got)
	if got.status != second.status || first != plainly(second) {
		t.Fatalf("%s: what is the other tenant's is answered with\n%d %s\nand what is nowhere with\n%d %s", r, got.status, first, second.status, second.body)
	}
}

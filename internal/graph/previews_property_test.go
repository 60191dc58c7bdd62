package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestAPreviewShowsWhatHappens tries random change sets and applies them, with a change by
// others in between or not. Either the result is what was shown, for every user and request, or
// nothing happens. In another tenant, each request is sent alone, and answers the same.
func TestAPreviewShowsWhatHappens(t *testing.T) {
	t.Parallel()
	outcomes := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		together, alone := newTrial(t, rt), newTrial(t, rt)
		for range rapid.IntRange(0, 3).Draw(rt, "earlier changes") {
			one := together.request("0")
			together.alone(one)
			alone.alone(one)
		}
		var requests []trialRequest
		for i := range rapid.IntRange(1, 6).Draw(rt, "requests") {
			requests = append(requests, together.request(fmt.Sprint(i)))
		}
		shown := together.preview(requests)
		before := together.holdings()
		between := rapid.IntRange(0, 2).Draw(rt, "between") == 0
		if between {
			together.alone(together.request("0"))
		}
		outcomes[together.applied(shown, requests, before, between)]++
		if between {
			return
		}
		made := map[string]string{}
		for i, one := range requests {
			status, id := alone.alone(one.with(made))
			if id != "" {
				made["$"+one.ID] = id
			}
			if want := shown.Responses[i].Status; status != want && want != http.StatusFailedDependency {
				rt.Fatalf("request %s alone answers %d, in the preview %d", one.ID, status, want)
			}
		}
		all, one := flat(together.holdings()), flat(alone.holdings())
		if shown.FailedRequests == 0 && !maps.Equal(all, one) {
			rt.Fatalf("together the users have %v, alone %v", all, one)
		}
	})
	// Few are refused because their result differs; testdata/scenarios/115-previews.txtar has one.
	for _, kind := range []string{"applied", "refused", "applied after another change"} {
		if outcomes[kind] == 0 && !testing.Short() {
			t.Errorf("no change set was %s: %v", kind, outcomes)
		}
	}
}

// trial is a tenant with a few users, groups and seats.
type trial struct {
	*world
	rt    *rapid.T
	token string
	made  int
}

type trialRequest struct {
	ID     string `json:"id"`
	Method string `json:"method"`
	URL    string `json:"url"`
	Body   any    `json:"body,omitempty"`
}

// with returns the request with the ids of what earlier ones have made.
func (r trialRequest) with(made map[string]string) trialRequest {
	body, _ := json.Marshal(r.Body)
	for name, id := range made {
		r.URL = strings.TrimSuffix(strings.ReplaceAll(r.URL+"/", name+"/", id+"/"), "/")
		body = []byte(strings.ReplaceAll(string(body), name+`"`, id+`"`))
	}
	if r.Body != nil {
		r.Body = json.RawMessage(body)
	}
	return r
}

var trialSKU = catalogNames()["sku:EMS"]

var trialUsers, trialGroups = []string{"ann", "bob", "cid", "dan"}, []string{"red", "blue"}

func newTrial(t *testing.T, rt *rapid.T) *trial {
	w := newWorld(t)
	lines := []string{
		`{"subscription":{"skuId":"` + e3 + `","totalLicenses":2}}`, `{"subscription":{"skuId":"` + trialSKU + `","totalLicenses":3}}`,
	}
	for _, name := range trialUsers {
		lines = append(lines, fmt.Sprintf(`{"user":{"id":%q,"userPrincipalName":"%[2]s@contoso.example","displayName":%[2]q,"mailNickname":%[2]q,`+
			`"accountEnabled":true,"usageLocation":"DE"}}`, idOf('a', name), name))
	}
	for _, name := range trialGroups {
		lines = append(lines, fmt.Sprintf(`{"group":{"id":%q,"displayName":%[2]q,"mailNickname":%[2]q,"mailEnabled":false,"securityEnabled":true}}`,
			idOf('b', name), name))
	}
	lines = append(lines, fmt.Sprintf(`{"group":{"id":%q,"displayName":"moving","mailNickname":"moving","mailEnabled":false,"securityEnabled":true,`+
		`"groupTypes":["DynamicMembership"],"membershipRule":"user.department -eq \"Sales\"","membershipRuleProcessingState":"On"}}`, idOf('b', "moving")),
		fmt.Sprintf(`{"group":{"id":%q,"displayName":"team","mailNickname":"team","mailEnabled":true,"securityEnabled":false,"groupTypes":["Unified"]}}`, idOf('b', "team")))
	w.imports(lines...)
	return &trial{world: w, rt: rt, token: w.appToken(allPermissions...)}
}

func (w *trial) user() string { return idOf('a', rapid.SampledFrom(trialUsers).Draw(w.rt, "user")) }

func (w *trial) group() string { return idOf('b', rapid.SampledFrom(trialGroups).Draw(w.rt, "group")) }

// licenses is the body of assignLicense.
func (w *trial) licenses() any {
	sku := rapid.SampledFrom([]string{e3, trialSKU}).Draw(w.rt, "sku")
	if rapid.IntRange(0, 2).Draw(w.rt, "remove") == 0 {
		return map[string]any{"addLicenses": []any{}, "removeLicenses": []string{sku}}
	}
	disabled := []string{}
	if sku == e3 && rapid.Bool().Draw(w.rt, "disabled") {
		disabled = []string{catalogNames()["plan:YAMMER_ENTERPRISE"]}
	}
	return map[string]any{
		"addLicenses": []any{map[string]any{"skuId": sku, "disabledPlans": disabled}}, "removeLicenses": []any{},
	}
}

// request makes up a request. Those with an id other than 0 may be about the user that the first
// request of a change set makes.
func (w *trial) request(id string) trialRequest {
	user := w.user()
	if id != "0" && rapid.IntRange(0, 3).Draw(w.rt, "new") == 0 {
		user = "$0"
	}
	r := trialRequest{ID: id, Method: "POST"}
	switch rapid.SampledFrom([]string{
		"group", "group", "user", "join", "join", "leave", "move", "delete user", "delete group", "create", "seats", "settings", "reprocess",
	}).Draw(w.rt, "kind") {
	case "group":
		r.URL, r.Body = "/groups/"+w.group()+"/assignLicense", w.licenses()
	case "user":
		r.URL, r.Body = "/users/"+user+"/assignLicense", w.licenses()
	case "join":
		r.URL = "/groups/" + w.group() + "/members/$ref"
		r.Body = map[string]any{"@odata.id": "https://graph.microsoft.com/v1.0/users/" + user}
	case "leave":
		r.Method, r.URL = "DELETE", "/groups/"+w.group()+"/members/"+user+"/$ref"
	case "move":
		r.Method, r.URL = "PATCH", "/users/"+user
		r.Body = map[string]any{"usageLocation": rapid.SampledFrom([]any{"US", nil}).Draw(w.rt, "location")}
	case "delete user":
		r.Method, r.URL = "DELETE", "/users/"+user
	case "delete group":
		r.Method, r.URL = "DELETE", "/groups/"+w.group()
	case "create":
		w.made++
		name := fmt.Sprint("new", w.made)
		r.URL, r.Body = "/users", map[string]any{
			"accountEnabled": true, "displayName": name, "mailNickname": name, "userPrincipalName": name + "@contoso.example",
			"usageLocation": "DE", "passwordProfile": map[string]any{"password": "Secret-1234"},
		}
	case "seats":
		r.URL, r.Body = "/licensor/v1/subscriptions", map[string]any{"skuId": e3, "totalLicenses": 1}
	case "settings":
		r.Method, r.URL = "PATCH", "/licensor/v1/settings"
		r.Body = map[string]any{"autoReprocess": rapid.Bool().Draw(w.rt, "auto")}
	case "reprocess":
		r.URL, r.Body = "/licensor/v1/reprocess", map[string]any{"all": true}
	}
	return r
}

// alone sends a request alone, and returns the id of what it has made.
func (w *trial) alone(r trialRequest) (status int, made string) {
	body := ""
	if r.Body != nil {
		text, err := json.Marshal(r.Body)
		w.must(err)
		body = string(text)
	}
	path := r.URL
	if !strings.HasPrefix(path, "/licensor") {
		path = "/v1.0" + path
	}
	got := w.send(r.Method, path, w.token, body)
	w.rt.Logf("alone: %s %s %s: %d", r.Method, path, body, got.status)
	if got.status == http.StatusCreated {
		var object struct{ ID string }
		w.must(json.Unmarshal([]byte(got.body), &object))
		made = object.ID
	}
	return got.status, made
}

// trialPreview is the part of a preview that is compared.
type trialPreview struct {
	ID             string
	FailedRequests int
	Responses      []struct{ Status int }
	Users          map[string]int
	rows           []string // "user sku outcome"
}

func (w *trial) preview(requests []trialRequest) (p trialPreview) {
	body, err := json.Marshal(map[string]any{"requests": requests})
	w.must(err)
	got := w.send("POST", "/licensor/v1/previews", w.token, string(body))
	w.rt.Logf("%s: %d %s", body, got.status, got.body)
	if got.status != http.StatusOK || json.Unmarshal([]byte(got.body), &p) != nil {
		w.rt.Fatalf("preview of %s: %d %s", body, got.status, got.body)
	}
	counts := map[string]int{}
	next := "/licensor/v1/previews/" + p.ID + "/users?$top=2"
	for next != "" {
		var page struct {
			Next  string `json:"@odata.nextLink"`
			Value []struct{ UserPrincipalName, SkuPartNumber, Outcome string }
		}
		got := w.send("GET", next, w.token, "")
		w.must(json.Unmarshal([]byte(got.body), &page))
		for _, row := range page.Value {
			p.rows = append(p.rows, row.UserPrincipalName+" "+row.SkuPartNumber+" "+row.Outcome)
		}
		next = strings.TrimPrefix(page.Next, w.server.URL)
	}
	seen := map[string]bool{}
	for _, row := range p.rows {
		parts := strings.Fields(row)
		if user := parts[0] + " " + parts[2]; !seen[user] {
			seen[user] = true
			counts[parts[2]]++
		}
	}
	for kind, n := range p.Users {
		if counts[kind] != n {
			w.rt.Fatalf("%d users %s in %v, want %d", n, kind, p.rows, counts[kind])
		}
	}
	slices.Sort(p.rows)
	return p
}

// productHeld is what a user has of a product.
type productHeld struct {
	held, failed bool
	disabled     string
}

// holdings returns what users have, by "user sku".
func (w *trial) holdings() map[string]productHeld {
	var list struct {
		Value []struct {
			UserPrincipalName string
			AssignedLicenses  []struct {
				SkuID         string
				DisabledPlans []string
			}
			LicenseAssignmentStates []struct{ SkuID, State, Error string }
		}
	}
	got := w.send("GET", "/v1.0/users?$top=999&$select="+url.QueryEscape("userPrincipalName,assignedLicenses,licenseAssignmentStates"), w.token, "")
	if got.status != http.StatusOK {
		w.rt.Fatal(got.body)
	}
	w.must(json.Unmarshal([]byte(got.body), &list))
	names := map[string]string{e3: "ENTERPRISEPACK", trialSKU: "EMS"}
	all := map[string]productHeld{}
	for _, u := range list.Value {
		for _, s := range u.LicenseAssignmentStates {
			h := all[u.UserPrincipalName+" "+names[s.SkuID]]
			h.failed = h.failed || s.Error != "None"
			all[u.UserPrincipalName+" "+names[s.SkuID]] = h
		}
		for _, l := range u.AssignedLicenses {
			h := all[u.UserPrincipalName+" "+names[l.SkuID]]
			slices.Sort(l.DisabledPlans)
			h.held, h.disabled = true, strings.Join(l.DisabledPlans, ",")
			all[u.UserPrincipalName+" "+names[l.SkuID]] = h
		}
	}
	return all
}

// flat returns holdings without those of nothing.
func flat(all map[string]productHeld) map[string]productHeld {
	all = maps.Clone(all)
	maps.DeleteFunc(all, func(_ string, h productHeld) bool { return h == productHeld{} })
	return all
}

// happenings returns what happens between two states, in the plainest way.
func happenings(before, after map[string]productHeld) (rows []string) {
	names := maps.Clone(before)
	maps.Copy(names, after)
	for name := range names {
		was, is := before[name], after[name]
		for kind, happens := range map[string]bool{
			"gain": !was.held && is.held, "lose": was.held && !is.held, "fail": !was.failed && is.failed,
			"clear": was.failed && !is.failed, "change": was.held && is.held && was.disabled != is.disabled,
		} {
			if happens {
				rows = append(rows, name+" "+kind)
			}
		}
	}
	slices.Sort(rows)
	return rows
}

// applied applies a preview and checks the result. It returns what has happened.
func (w *trial) applied(
	shown trialPreview, requests []trialRequest, before map[string]productHeld, between bool,
) string {
	if between {
		before = w.holdings()
	}
	seq := w.tenant.Image().Seq
	got := w.send("POST", "/licensor/v1/previews/"+shown.ID+"/apply", w.token, "")
	after := w.holdings()
	commits := w.tenant.Image().Seq - seq
	switch {
	case got.status == http.StatusOK && shown.FailedRequests == 0:
		if rows := happenings(before, after); !slices.Equal(rows, shown.rows) || commits > 1 {
			w.rt.Fatalf("applied in %d commits: %v, shown was %v", commits, rows, shown.rows)
		}
		if between {
			return "applied after another change"
		}
		return "applied"
	case got.status != http.StatusConflict || commits > 0 || !maps.Equal(before, after):
		w.rt.Fatalf("apply: %d %s, with %d commits", got.status, got.body, commits)
	case shown.FailedRequests > 0:
		return "refused"
	case !between:
		w.rt.Fatalf("apply without a change in between: %s", got.body)
	}
	now := w.preview(requests)
	if slices.Equal(now.rows, shown.rows) && now.FailedRequests == 0 && !strings.Contains(got.body, "would have") {
		w.rt.Fatalf("%s, and the preview is the same: %v", got.body, now)
	}
	return "differs"
}

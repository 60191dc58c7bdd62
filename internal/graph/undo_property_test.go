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

	"licensor/internal/graph/own"
)

// TestAnUndoBringsBackWhatWasOrSaysWhatStays undoes random commits, with later ones in between or
// not, and compares everything that Graph shows with what it showed before the commit. What is
// different is in the list of what stays. What others changed since is left alone.
func TestAnUndoBringsBackWhatWasOrSaysWhatStays(t *testing.T) {
	t.Parallel()
	undone := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		w := &undoTrial{trial: newTrial(t, rt)}
		w.alone(trialRequest{Method: "PATCH", URL: "/licensor/v1/settings", Body: map[string]any{"autoReprocess": rapid.Bool().Draw(rt, "auto at first")}})
		for range rapid.IntRange(0, 5).Draw(rt, "earlier changes") {
			w.change()
		}
		before, commit := w.shown(), w.tenant.Image().Seq+1
		w.change()
		if w.tenant.Image().Seq < commit {
			undone["nothing"]++
			return
		}
		after := w.shown()
		later := rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(rt, "later changes")
		for range later {
			w.change()
		}
		found, seq := w.shown(), w.tenant.Image().Seq
		u := w.undo(commit)
		if w.tenant.Image().Seq != seq || !maps.Equal(w.shown(), found) {
			rt.Fatal("the undo has changed something")
		}
		if len(u.Requests) == 0 {
			undone["no requests"]++
		} else {
			undone["requests"]++
			w.apply(u)
		}
		w.compare(before, after, found, w.shown(), u, later > 0)
		if len(u.Stays) == 0 {
			undone["wholly"]++
		}
	})
	for _, kind := range []string{"nothing", "requests", "wholly"} { // "no requests" is rare
		if undone[kind] == 0 && !testing.Short() {
			t.Errorf("no undo was of the kind %s: %v", kind, undone)
		}
	}
}

type undoTrial struct{ *trial }

// undoAnswer is the answer of an undo.
type undoAnswer struct {
	Requests []trialRequest
	Stays    []stay
	Preview  *struct {
		ID             string
		FailedRequests int
	}
}

type stay struct{ Type, ID, What, SkuID, RelatedID, Why string }

func (w *undoTrial) undo(commit uint64) (u undoAnswer) {
	got := w.send("POST", fmt.Sprintf("/licensor/v1/log/%d/undo", commit), w.token, "")
	w.rt.Logf("undo of %d: %d %s", commit, got.status, got.body)
	if got.status != http.StatusOK || json.Unmarshal([]byte(got.body), &u) != nil {
		w.rt.Fatalf("undo of %d: %d %s", commit, got.status, got.body)
	}
	if (u.Preview == nil) != (len(u.Requests) == 0) || u.Preview != nil && u.Preview.FailedRequests > 0 {
		w.rt.Fatalf("%d requests with the preview %+v", len(u.Requests), u.Preview)
	}
	return u
}

func (w *undoTrial) apply(u undoAnswer) {
	got := w.send("POST", "/licensor/v1/previews/"+u.Preview.ID+"/apply", w.token, "")
	if got.status != http.StatusOK {
		w.rt.Fatalf("apply: %d %s", got.status, got.body)
	}
}

// change makes one change, alone or several together.
func (w *undoTrial) change() {
	if rapid.IntRange(0, 15).Draw(w.rt, "import") == 0 {
		w.imported()
		return
	}
	if rapid.IntRange(0, 3).Draw(w.rt, "together") > 0 {
		w.alone(w.request("0"))
		return
	}
	var requests []trialRequest
	for i := range rapid.IntRange(2, 4).Draw(w.rt, "requests") {
		requests = append(requests, w.request(fmt.Sprint(i)))
	}
	for len(requests) > 0 {
		body, err := json.Marshal(map[string]any{"requests": requests})
		w.must(err)
		got := w.send("POST", "/licensor/v1/previews", w.token, string(body))
		var p struct {
			ID        string
			Responses []struct{ Status int }
		}
		if got.status != http.StatusOK || json.Unmarshal([]byte(got.body), &p) != nil {
			w.rt.Logf("not possible together: %s", got.body)
			return
		}
		fits := slices.IndexFunc(p.Responses, func(r struct{ Status int }) bool { return r.Status >= 400 })
		if fits < 0 {
			got := w.send("POST", "/licensor/v1/previews/"+p.ID+"/apply", w.token, "")
			w.rt.Logf("together: %s: %d", body, got.status)
			return
		}
		requests = slices.Delete(requests, fits, fits+1)
	}
}

// imported imports a group with a license and a member, and a member of another group.
func (w *undoTrial) imported() {
	w.made++
	id := idOf('b', fmt.Sprint("im", w.made))
	text := strings.Join([]string{
		fmt.Sprintf(`{"group":{"id":%q,"displayName":"imported","mailNickname":"imported%d","mailEnabled":false,"securityEnabled":true}}`, id, w.made),
		fmt.Sprintf(`{"member":{"group":%q,"member":%q}}`, id, w.user()),
		fmt.Sprintf(`{"member":{"group":%q,"member":%q}}`, w.group(), w.user()),
		fmt.Sprintf(`{"user":{"usageLocation":"DE","userPrincipalName":"imported%d@contoso.example","displayName":"i","mailNickname":"i","accountEnabled":true}}`, w.made),
		fmt.Sprintf(`{"license":{"group":%q,"skuId":%q}}`, id, trialSKU),
		fmt.Sprintf(`{"license":{"group":%q,"skuId":%q}}`, w.group(), trialSKU),
	}, "\n")
	got := w.do("POST", "/licensor/v1/import", w.token, text, "Content-Type: "+own.LinesType)
	w.rt.Logf("import: %d %s", got.status, got.body)
}

// request makes up a request, of more kinds than trial.
func (w *undoTrial) request(id string) trialRequest {
	if rapid.Bool().Draw(w.rt, "of trial") {
		return w.trial.request(id)
	}
	pick := func(what string, of ...any) any { return rapid.SampledFrom(of).Draw(w.rt, what) }
	user, group := w.user(), w.group()
	r := trialRequest{ID: id, Method: "PATCH"}
	switch rapid.SampledFrom([]string{
		"properties", "properties", "manager", "group properties", "rule", "rule", "nest", "unnest", "owner", "bind", "restore",
		"change seats", "delete seats", "more settings", "team", "password", "prices", "role", "dynamic", "purge",
	}).Draw(w.rt, "more kinds") {
	case "properties":
		r.URL, r.Body = "/users/"+user, map[string]any{
			"department": pick("department", "Sales", "IT", nil), "accountEnabled": pick("enabled", true, false),
			"businessPhones": pick("phones", []string{}, []string{"+49 30 1"}), "displayName": pick("name", "Ann", "Bob"),
			"onPremisesExtensionAttributes": map[string]any{
				"extensionAttribute1": pick("ea1", "a", "b", nil), "extensionAttribute2": pick("ea2", "c", nil),
			},
			"employeeOrgData": pick("org", nil, map[string]any{"division": "East"}),
		}
	case "manager":
		r.URL, r.Body = "/users/"+user, map[string]any{"manager@odata.bind": "https://graph.microsoft.com/v1.0/users/" + w.user()}
	case "group properties":
		r.URL, r.Body = "/groups/"+group, map[string]any{"description": pick("description", "x", "y", nil), "displayName": pick("name", "Red", "Blue")}
	case "rule":
		r.URL, r.Body = "/groups/"+idOf('b', "moving"), map[string]any{
			"membershipRule": pick("rule", `user.department -eq "Sales"`, `user.usageLocation -eq "DE"`, `user.department -eq "IT"`),
		}
	case "dynamic":
		r.URL, r.Body = "/groups/"+group, map[string]any{
			"groupTypes": []string{"DynamicMembership"}, "membershipRule": `user.usageLocation -eq "US"`, "membershipRuleProcessingState": "On",
		}
		if rapid.Bool().Draw(w.rt, "static") {
			r.Body = map[string]any{"groupTypes": []string{}, "membershipRule": nil, "membershipRuleProcessingState": nil}
		}
	case "nest":
		r.Method, r.URL = "POST", "/groups/"+group+"/members/$ref"
		r.Body = map[string]any{"@odata.id": "https://graph.microsoft.com/v1.0/groups/" + w.group()}
	case "unnest":
		r.Method, r.URL = "DELETE", "/groups/"+group+"/members/"+w.group()+"/$ref"
	case "owner":
		r.URL, r.Body = "/groups/"+group, map[string]any{"owners@odata.bind": []string{"https://graph.microsoft.com/v1.0/users/" + user}}
	case "bind":
		r.URL, r.Body = "/groups/"+group, map[string]any{"description": "bound", "members@odata.bind": []string{"https://graph.microsoft.com/v1.0/users/" + user}}
	case "restore":
		r.Method, r.URL = "POST", "/directory/deletedItems/"+pick("deleted", user, user, idOf('b', "team")).(string)+"/restore"
	case "purge":
		r.Method, r.URL = "DELETE", "/directory/deletedItems/"+user
	case "team":
		r.Method, r.URL = "DELETE", "/groups/"+idOf('b', "team")
	case "change seats", "delete seats":
		all := w.tenant.Image().Subscriptions
		if len(all) == 0 { // earlier requests have deleted them
			return w.request(id)
		}
		r.URL = "/licensor/v1/subscriptions/" + rapid.SampledFrom(all).Draw(w.rt, "subscription").ID.String()
		r.Body = map[string]any{"totalLicenses": pick("seats", 1, 2, 3), "status": pick("status", "Enabled", "Suspended")}
		if rapid.Bool().Draw(w.rt, "delete") {
			r.Method, r.Body = "DELETE", nil
		}
	case "more settings":
		r.URL, r.Body = "/licensor/v1/settings", map[string]any{
			"groupBundles": pick("bundles", "together", "independent"), "auditDays": pick("days", 30, 40), "memberOfRules": pick("memberOf", "followed", "frozen"),
		}
	case "password":
		r.URL, r.Body = "/users/"+user, map[string]any{"jobTitle": "Chief", "passwordProfile": map[string]any{"password": "Secret-4321"}}
	case "prices":
		r.Method, r.URL = "PUT", "/licensor/v1/prices"
		r.Body = map[string]any{"prices": []any{map[string]any{"skuId": e3, "amount": pick("amount", "1", "2"), "currency": "EUR", "period": "month", "validFrom": "2026-01-01"}}}
	case "role":
		r.Method, r.URL = "POST", "/roleManagement/directory/roleAssignments"
		r.Body = map[string]any{"principalId": user, "roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10", "directoryScopeId": "/"}
	}
	return r
}

// list returns the objects of a list.
func (w *undoTrial) list(path string) (all []map[string]any) {
	for path != "" {
		var page struct {
			Next  string `json:"@odata.nextLink"`
			Value []map[string]any
		}
		got := w.send("GET", path, w.token, "")
		if got.status != http.StatusOK || json.Unmarshal([]byte(got.body), &page) != nil {
			w.rt.Fatalf("%s: %d %s", path, got.status, got.body)
		}
		all = append(all, page.Value...)
		path = strings.TrimPrefix(page.Next, w.server.URL)
	}
	return all
}

const (
	undoUserProperties  = "accountEnabled,businessPhones,department,displayName,employeeOrgData,jobTitle,mail,onPremisesExtensionAttributes,proxyAddresses,usageLocation,userPrincipalName"
	undoGroupProperties = "description,displayName,groupTypes,mailEnabled,membershipRule,membershipRuleProcessingState,securityEnabled,visibility"
)

// shown returns what Graph shows, without times, by "type id property".
func (w *undoTrial) shown() map[string]string {
	all := map[string]string{}
	set := func(value any, key ...string) {
		text, err := json.Marshal(value)
		w.must(err)
		all[strings.Join(key, " ")] = string(text)
	}
	query := url.QueryEscape("id," + undoUserProperties + ",assignedLicenses,licenseAssignmentStates")
	for _, u := range w.list("/v1.0/users?$expand=" + url.QueryEscape("manager($select=id)") + "&$select=" + query) {
		id := u["id"].(string)
		for _, name := range strings.Split(undoUserProperties, ",") {
			set(u[name], "user", id, name)
		}
		if manager, ok := u["manager"].(map[string]any); ok {
			set(manager["id"], "user", id, "manager")
		}
		for source, text := range w.licensesShown(u) {
			all["user "+id+" assignedLicenses "+source] = text
		}
	}
	for _, g := range w.list("/v1.0/groups?$select=" + url.QueryEscape("id,assignedLicenses,"+undoGroupProperties)) {
		id := g["id"].(string)
		for _, name := range strings.Split(undoGroupProperties, ",") {
			set(g[name], "group", id, name)
		}
		for _, l := range g["assignedLicenses"].([]any) {
			set(l, "group", id, "assignedLicenses", l.(map[string]any)["skuId"].(string))
		}
		for _, relation := range []string{"members", "owners"} {
			for _, o := range w.list("/v1.0/groups/" + id + "/" + relation + "?$select=id") {
				set(true, "group", id, relation, o["id"].(string))
			}
		}
	}
	for _, kind := range []string{"user", "group"} {
		for _, o := range w.list("/v1.0/directory/deletedItems/microsoft.graph." + kind + "?$select=id") {
			set(true, kind, o["id"].(string), "deletedDateTime")
		}
	}
	for _, s := range w.list("/licensor/v1/subscriptions") {
		for _, name := range []string{"isTrial", "skuId", "status", "totalLicenses", "nextLifecycleDateTime"} {
			set(s[name], "subscription", s["id"].(string), name)
		}
	}
	for _, s := range w.list("/v1.0/subscribedSkus") {
		set([]any{s["consumedUnits"], s["prepaidUnits"], s["capabilityStatus"]}, "sku", s["skuId"].(string))
	}
	var settings map[string]any
	w.must(json.Unmarshal([]byte(w.send("GET", "/licensor/v1/settings", w.token, "").body), &settings))
	for name, value := range settings {
		set(value, "tenant", w.tenant.ID().String(), name)
	}
	for _, p := range w.list("/licensor/v1/prices") {
		set(p["amount"], "tenant", w.tenant.ID().String(), "prices", p["skuId"].(string))
	}
	for _, r := range w.list("/v1.0/roleManagement/directory/roleAssignments") {
		set(true, "user", r["principalId"].(string), "directoryRoles", r["roleDefinitionId"].(string))
	}
	return all
}

// licensesShown returns what is shown of a user's licenses, without times: by SKU what the user
// holds, and by SKU and source the states. Whether they are Disabled follows from the SKU.
func (w *undoTrial) licensesShown(user map[string]any) map[string]string {
	all := map[string]string{}
	for _, l := range user["assignedLicenses"].([]any) {
		l := l.(map[string]any)
		all[l["skuId"].(string)] = fmt.Sprint("holds without ", l["disabledPlans"])
	}
	for _, s := range user["licenseAssignmentStates"].([]any) {
		s := s.(map[string]any)
		all[fmt.Sprint(s["skuId"], " ", s["assignedByGroup"])] = fmt.Sprint(strings.Replace(s["state"].(string), "Disabled", "Active", 1), s["error"], s["disabledPlans"])
	}
	return all
}

// compare compares what is shown after an undo with what was before the commit, as far as later
// changes did not touch it.
func (w *undoTrial) compare(before, after, found, now map[string]string, u undoAnswer, later bool) {
	keys := map[string]bool{}
	for _, state := range []map[string]string{before, after, found, now} {
		for key := range state {
			keys[key] = true
		}
	}
	var needless []stay
	different := map[stay]bool{}
	for key := range keys {
		want := before[key]
		if before[key] == after[key] {
			want = found[key] // the commit did not change it
		}
		// What is of all users or sources together may have changed for several reasons.
		isSum := strings.HasPrefix(key, "sku ") || strings.Contains(key, " assignedLicenses ") && strings.Count(key, " ") == 3
		if now[key] == want || later && isSum {
			continue
		}
		said := false
		for _, s := range u.Stays {
			if s.covers(key) {
				said, different[s] = true, true
			}
		}
		if !said {
			w.rt.Fatalf("%s is %s, was %s before the commit, %s after it and %s before the undo, and the undo does not say that this stays: %+v",
				key, now[key], before[key], after[key], found[key], u.Stays)
		}
	}
	for _, s := range u.Stays {
		if !different[s] && !later && slices.Contains([]string{"assignedLicenses", "members", "owners", "manager", "department", "membershipRule"}, s.What) {
			needless = append(needless, s)
		}
	}
	if len(needless) > 0 {
		w.rt.Fatalf("the undo says that these stay different, and they do not: %+v", needless)
	}
}

// covers reports whether a difference of what is shown is one that stays.
func (s stay) covers(key string) bool {
	parts := append(strings.SplitN(key, " ", 4), "", "", "")
	kind, id, property, rest := parts[0], parts[1], parts[2], parts[3]
	whole := s.What == "id" || s.What == "deletedDateTime"
	switch kind {
	case "sku":
		return s.SkuID == id
	case "subscription":
		return s.Type == kind && (s.ID == id && (whole || s.What == property) || whole)
	}
	related := rest == "" || s.SkuID != "" && strings.HasPrefix(rest, s.SkuID) || rest == s.RelatedID || property == "prices"
	return whole && (s.ID == id || s.ID == rest) || s.ID == id && s.What == property && related
}

package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"licensor/internal/graph/wire"
)

// rivals is how many ask at once for what only one can have.
const rivals = 32

// atOnce sends requests that all wait for each other first, and returns how often each status came,
// with an answer of each.
func (w *world) atOnce(
	t *testing.T, method string, path, body func(i int) string,
) (statuses map[int]int, example map[int]answer) {
	t.Helper()
	token, start := w.appToken(everyPermission()...), make(chan struct{})
	answers := make([]answer, rivals)
	var group sync.WaitGroup
	for i := range rivals {
		group.Go(func() {
			<-start
			answers[i] = w.sendAs(t, method, path(i), body(i), http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {wire.JSONType}})
		})
	}
	close(start)
	group.Wait()
	statuses, example = map[int]int{}, map[int]answer{}
	for _, got := range answers {
		statuses[got.status]++
		example[got.status] = got
	}
	return statuses, example
}

func always(text string) func(int) string { return func(int) string { return text } }

// wantOneWinner checks that one was served, and that all others were refused with a message.
func wantOneWinner(t *testing.T, served int, message string, statuses map[int]int, example map[int]answer) {
	t.Helper()
	if statuses[served] != 1 || statuses[http.StatusBadRequest] != rivals-1 {
		t.Errorf("answers %v, want one %d and %d times 400: %v", statuses, served, rivals-1, example)
	}
	if got := example[http.StatusBadRequest]; !strings.Contains(got.body, message) {
		t.Errorf("the others are told %s, want %q", got.body, message)
	}
}

// L44: of 32 users who want the last seat at once one gets it.
func TestTheLastSeatGoesToOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveQuickly(nil)
	w.create("/licensor/v1/subscriptions", `{"skuId":"`+e3+`","totalLicenses":1}`)
	users := make([]string, rivals)
	for i := range users {
		users[i] = w.create("/v1.0/users", person(fmt.Sprintf("user%d", i), w.domain(), "x"))
	}
	for _, round := range []string{"addLicenses", "removeLicenses", "addLicenses"} {
		body := `{"addLicenses":[{"skuId":"` + e3 + `"}],"removeLicenses":[]}`
		if round == "removeLicenses" { // by those who do not have it, and one who does
			body = `{"addLicenses":[],"removeLicenses":["` + e3 + `"]}`
		}
		statuses, example := w.atOnce(t, "POST", func(i int) string { return "/v1.0/users/" + users[i] + "/assignLicense" }, always(body))
		message := "does not have any available licenses"
		if round == "removeLicenses" {
			message = "does not have a corresponding license"
		}
		wantOneWinner(t, http.StatusOK, message, statuses, example)
		want := 1
		if round == "removeLicenses" {
			want = 0
		}
		w.wantConsumed(t, want)
	}
}

func (w *world) wantConsumed(t *testing.T, want int) {
	t.Helper()
	got := w.do("GET", "/v1.0/subscribedSkus", w.appToken(allPermissions...), "")
	var list struct{ Value []struct{ ConsumedUnits int } }
	err := json.Unmarshal([]byte(got.body), &list)
	if err != nil || len(list.Value) != 1 || list.Value[0].ConsumedUnits != want {
		t.Errorf("%s; want %d seats in use", got.body, want)
	}
}

// A group's license with one seat goes to one of its members, though 32 are added at once.
func TestTheLastSeatOfAGroupGoesToOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveQuickly(nil)
	w.create("/licensor/v1/subscriptions", `{"skuId":"`+e3+`","totalLicenses":1}`)
	group := w.create("/v1.0/groups", `{"displayName":"Red","mailEnabled":false,"mailNickname":"red","securityEnabled":true}`)
	w.request("POST", "/v1.0/groups/"+group+"/assignLicense", `{"addLicenses":[{"skuId":"`+e3+`"}],"removeLicenses":[]}`)
	users := make([]string, rivals)
	for i := range users {
		users[i] = w.create("/v1.0/users", person(fmt.Sprintf("user%d", i), w.domain(), "x"))
	}
	statuses, example := w.atOnce(t, "POST", always("/v1.0/groups/"+group+"/members/$ref"), func(i int) string {
		return `{"@odata.id":"https://graph.microsoft.com/v1.0/users/` + users[i] + `"}`
	})
	if statuses[http.StatusNoContent] != rivals {
		t.Errorf("answers %v: %v", statuses, example)
	}
	w.wantConsumed(t, 1)
	got := w.do("GET", "/v1.0/groups/"+group+"/membersWithLicenseErrors?$select=id&$top=999", w.appToken(allPermissions...), "")
	if n := strings.Count(got.body, `"id":`); n != rivals-1 {
		t.Errorf("%d members are in error, want %d: %s", n, rivals-1, got.body)
	}
}

// Of 32 who want to make the same thing at once one makes it.
func TestOneOfManyMakesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveQuickly(nil)
	ann := w.create("/v1.0/users", person("ann", w.domain(), "x"))
	red := w.create("/v1.0/groups", `{"displayName":"Red","mailEnabled":false,"mailNickname":"red","securityEnabled":true}`)
	client := w.create("/v1.0/applications", `{"displayName":"Client"}`)
	appID := w.appIDOf(client)
	principal := w.create("/v1.0/servicePrincipals", `{"appId":"`+appID+`"}`)
	other := w.appIDOf(w.create("/v1.0/applications", `{"displayName":"Other"}`))
	graphID := w.graphID(t)
	const userReadAll = "df021288-bdef-4463-88db-98f22de89214"
	for name, test := range map[string]struct {
		path    string
		body    func(int) string
		served  int
		message string
	}{
		"userPrincipalName": {"/v1.0/users", func(i int) string {
			return person("same", strings.Repeat("contoso.example", 1), fmt.Sprintf("x%d", i))
		}, http.StatusCreated, "Another object with the same value for property userPrincipalName already exists."},
		"userPrincipalName in other letters": {"/v1.0/users", func(i int) string {
			return person([]string{"ALIKE", "alike", "Alike"}[i%3], w.domain(), fmt.Sprintf("x%d", i))
		}, http.StatusCreated, "Another object with the same value for property userPrincipalName already exists."},
		"member":            {"/v1.0/groups/" + red + "/members/$ref", always(`{"@odata.id":"x/users/` + ann + `"}`), http.StatusNoContent, "already exist"},
		"owner":             {"/v1.0/groups/" + red + "/owners/$ref", always(`{"@odata.id":"x/users/` + ann + `"}`), http.StatusNoContent, "already exist"},
		"service principal": {"/v1.0/servicePrincipals", always(`{"appId":"` + other + `"}`), http.StatusCreated, ""},
		"permission of an application": {
			"/v1.0/servicePrincipals/" + principal + "/appRoleAssignments",
			always(`{"principalId":"` + principal + `","resourceId":"` + graphID + `","appRoleId":"` + userReadAll + `"}`), http.StatusCreated, "",
		},
		"federated credential": {
			"/v1.0/applications/" + client + "/federatedIdentityCredentials",
			always(`{"name":"build","issuer":"https://issuer.example","subject":"repo","audiences":["api://AzureADTokenExchange"]}`), http.StatusCreated, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			statuses, example := w.atOnce(t, "POST", always(test.path), test.body)
			losers := rivals - statuses[test.served]
			if statuses[test.served] != 1 || losers != statuses[http.StatusBadRequest]+statuses[http.StatusConflict] {
				t.Errorf("answers %v, want one %d and refusals: %v", statuses, test.served, example)
			}
			for status, got := range example {
				if status != test.served && !strings.Contains(got.body, test.message) {
					t.Errorf("the others are told %s, want %q", got.body, test.message)
				}
			}
		})
	}
}

func (w *world) appIDOf(object string) string {
	w.t.Helper()
	got := w.do("GET", "/v1.0/applications/"+object, w.appToken(everyPermission()...), "")
	var app struct{ AppID string }
	w.must(json.Unmarshal([]byte(got.body), &app))
	return app.AppID
}

func (w *world) graphID(t *testing.T) string {
	t.Helper()
	got := w.do("GET", "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')", w.appToken(everyPermission()...), "")
	var principal struct{ ID string }
	if err := json.Unmarshal([]byte(got.body), &principal); err != nil || got.status != http.StatusOK {
		t.Fatalf("Graph's service principal: %d %s", got.status, got.body)
	}
	return principal.ID
}

// P7: of 32 who change what they have all read, one does, and the others are told that it is no
// longer as they know it.
func TestOneOfManyChangesWhatAllHaveRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveQuickly(nil)
	ann := w.create("/v1.0/users", person("ann", w.domain(), "x"))
	read := w.do("GET", "/v1.0/users/"+ann, w.appToken(allPermissions...), "", "Accept: application/json;odata.metadata=full")
	var user struct {
		ETag string `json:"@odata.etag"`
	}
	if err := json.Unmarshal([]byte(read.body), &user); err != nil || user.ETag == "" {
		t.Fatalf("no ETag: %s", read.body)
	}
	token, start := w.appToken(everyPermission()...), make(chan struct{})
	statuses := make(chan int, rivals)
	for i := range rivals {
		go func() {
			<-start
			got := w.sendAs(t, "PATCH", "/v1.0/users/"+ann, fmt.Sprintf(`{"jobTitle":"%d"}`, i), http.Header{
				"Authorization": {"Bearer " + token}, "Content-Type": {wire.JSONType}, "If-Match": {user.ETag},
			})
			statuses <- got.status
		}()
	}
	close(start)
	count := map[int]int{}
	for range rivals {
		count[<-statuses]++
	}
	if count[http.StatusNoContent] != 1 || count[http.StatusPreconditionFailed] != rivals-1 {
		t.Errorf("answers %v", count)
	}
}

// Of 32 who delete the same at once one does; the others find nothing.
func TestOneOfManyDeletesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveQuickly(nil)
	ann := w.create("/v1.0/users", person("ann", w.domain(), "x"))
	statuses, example := w.atOnce(t, "DELETE", always("/v1.0/users/"+ann), always(""))
	if statuses[http.StatusNoContent] != 1 || statuses[http.StatusNotFound] != rivals-1 {
		t.Errorf("deletions are answered %v: %v", statuses, example)
	}
	statuses, example = w.atOnce(t, "POST", always("/v1.0/directory/deletedItems/"+ann+"/restore"), always(""))
	if statuses[http.StatusOK] != 1 || statuses[http.StatusNotFound] != rivals-1 {
		t.Errorf("restorations are answered %v: %v", statuses, example)
	}
}

package graph

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/own"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// manyAssigned is a world in which so many users have a role of an application, and the address of
// its service principal.
func manyAssigned(t *testing.T, n int) (w *world, token, principal string) {
	w = newWorld(t)
	token = w.appToken(allPermissions...)
	var rows strings.Builder
	for i := range n {
		fmt.Fprintf(&rows, `{"user":{"id":"a0000000-0000-4000-8000-%012d","displayName":"User %d","userPrincipalName":"u%d@contoso.example","mailNickname":"u%d","accountEnabled":true,"usageLocation":"DE"}}`+"\n", i, i, i, i)
	}
	if got := w.do("POST", "/licensor/v1/import", token, rows.String(), "Content-Type: "+own.LinesType); !strings.Contains(got.body, `"refused":0`) {
		t.Fatal(got.body)
	}
	app := directory.Client{Application: directory.Application{ID: uuid.New(), AppID: uuid.New(), DisplayName: "Shop"}}
	app.Principal = directory.ServicePrincipal{ID: uuid.New(), AppID: app.AppID, DisplayName: "Shop"}
	w.must(errorOf(w.tenant.Do(t.Context(), "system", tenant.SetClient{Client: app})))
	var all sync.WaitGroup // at once, so that many are in one transaction
	for part := range 32 {
		all.Go(func() {
			for i := part; i < n; i += 32 {
				user := uuid.MustParse(fmt.Sprintf("a0000000-0000-4000-8000-%012d", i))
				link := directory.Link{Relation: directory.RelationHasRole, From: user, To: app.Principal.ID}
				if err := errorOf(w.tenant.Do(t.Context(), "system", tenant.AddLink{Link: link})); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	return w, token, "/v1.0/servicePrincipals/" + app.Principal.ID.String()
}

type assignmentsPage struct {
	Next  string `json:"@odata.nextLink"`
	Count int    `json:"@odata.count"`
	Value []struct{ ID, PrincipalID, AppRoleID string }
}

func (w *world) pageOf(path, token string) (page assignmentsPage) {
	w.t.Helper()
	got := w.do("GET", strings.TrimPrefix(path, w.server.URL), token, "", "ConsistencyLevel: eventual")
	if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != 200 {
		w.t.Fatalf("%s: %d %s", path, got.status, got.body)
	}
	return page
}

// Following the links shows each assignment once, also those at Microsoft Graph, from either side;
// what a principal has at other resources comes before what it has at Microsoft Graph.
func TestFollowingAssignmentsShowsEachOnce(t *testing.T) {
	t.Parallel()
	w, token, principal := manyAssigned(t, 23)
	shop := strings.TrimPrefix(principal, "/v1.0/servicePrincipals/")
	graph := w.graphID(t)
	assigned := 0
	for i, permission := range identity.ApplicationPermissions[:7] {
		got := w.do("POST", principal+"/appRoleAssignments", token, `{"principalId":"`+shop+`","resourceId":"`+graph+`","appRoleId":"`+permission.ID.String()+`"}`)
		if got.status != 201 {
			t.Fatalf("%d: %s", i, got.body)
		}
		assigned++
	}
	w.do("POST", principal+"/appRoleAssignments", token, `{"principalId":"`+shop+`","resourceId":"`+shop+`","appRoleId":"00000000-0000-0000-0000-000000000000"}`)
	for path, want := range map[string]int{
		principal + "/appRoleAssignedTo":                                     24,
		principal + "/appRoleAssignments":                                    assigned + 1,
		"/v1.0/servicePrincipals/" + graph + "/appRoleAssignedTo":            assigned,
		principal + "/appRoleAssignedTo?$filter=principalType%20eq%20'User'": 23,
	} {
		seen, joint := map[string]bool{}, "?"
		if strings.Contains(path, "?") {
			joint = "&"
		}
		page := w.pageOf(path+joint+"$top=3&$count=true", token)
		if page.Count != want {
			t.Errorf("%s: counts %d, want %d", path, page.Count, want)
		}
		for shown := 0; ; page = w.pageOf(page.Next, token) {
			for _, a := range page.Value {
				if seen[a.ID] {
					t.Errorf("%s: %s twice", path, a.ID)
				}
				seen[a.ID] = true
				shown++
			}
			if page.Next == "" {
				if shown != want {
					t.Errorf("%s: shows %d, want %d", path, shown, want)
				}
				break
			}
		}
	}
}

// A token of the order of before begins the list again.
func TestOldTokensOfAssignmentsBeginAgain(t *testing.T) {
	t.Parallel()
	w, token, principal := manyAssigned(t, 5)
	page := w.pageOf(principal+"/appRoleAssignedTo?$top=2", token)
	address, skip, _ := strings.Cut(page.Next, "$skiptoken=")
	b, err := base64.RawURLEncoding.DecodeString(skip)
	w.must(err)
	clear(b[:8]) // the number of the order
	again := w.pageOf(address+"$skiptoken="+base64.RawURLEncoding.EncodeToString(b), token)
	if again.Value[0] != page.Value[0] {
		t.Errorf("the page begins with %v, want %v", again.Value[0], page.Value[0])
	}
}

// A page of assignments, and what an expansion shows of them, cost what they show, however many
// there are. The test does not run next to others, since it counts allocations.
func TestPagesOfAssignmentsCostThePage(t *testing.T) {
	const many = 10_000 / slowness
	cost := func(n int) (costs []float64) {
		w, token, principal := manyAssigned(t, n)
		next := w.pageOf(principal+"/appRoleAssignedTo?$top=20", token).Next
		for _, path := range []string{
			principal + "/appRoleAssignedTo?$top=20", strings.TrimPrefix(next, w.server.URL), principal + "?$select=id&$expand=appRoleAssignedTo",
		} {
			costs = append(costs, testing.AllocsPerRun(5, func() {
				if got := w.send("GET", path, token, ""); got.status != 200 || strings.Count(got.body, `"appRoleId"`) != 20 {
					t.Fatalf("%s: %d %.300s", path, got.status, got.body)
				}
			}))
		}
		return costs
	}
	few, all := cost(100), cost(many)
	for i := range few {
		if all[i] > few[i]*1.5 {
			t.Errorf("request %d: %v allocations with %d assignments, %v with 100", i, all[i], many, few[i])
		}
	}
}

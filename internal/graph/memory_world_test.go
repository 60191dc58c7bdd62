package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/graph/own"
	"licensor/internal/identity"
	"licensor/internal/signins"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// heavy is a tenant in which much of everything belongs to a few objects.
type heavy struct {
	*world
	token string
	links []string  // of rounds of changes that everything has happened since
	big   []program // applications with documents as large as they can be
	hub   program   // an application with links of all kinds
	unit  string
	then  time.Time // when everyone had one product less; the last snapshot before is of that day
}

// program are the ids of an application and of its service principal.
type program struct{ ID, AppID, Principal string }

// How much of everything there is. A tenant can have more users, which takes longer than there is
// time for here; what a request takes is compared with what may be taken next to the image, so the
// objects that one request can reach are as many and as large as they can be.
const (
	heavyUsers  = 20_000
	heavyGroups = 2_000 // with one user in all of them
	heavyLinks  = 1_000 // of each kind, at one object
	largeUsers  = 26
	goneUsers   = 16 // the first of the large users that are deleted
	largeApps   = 8
	boss        = "a0000000-0000-4000-8000-000000019999" // the manager of many
	outerGroup  = "c0000000-0000-4000-8000-00000000000e" // has nobodysID, the group of everyone, in it
	secondGroup = "c0000000-0000-4000-8000-00000000000d" // of everyone, too
)

var heavyPermissions = append(slices.Clone(allPermissions), "User.RevokeSessions.All", "Policy.ReadWrite.Authorization")

func newHeavy(t *testing.T) *heavy {
	h := &heavy{world: newWorld(t)}
	h.once = true
	h.token = h.appToken(heavyPermissions...)
	for _, set := range []string{"users", "groups", "applications", "servicePrincipals", "directory/administrativeUnits"} {
		var round struct {
			Link string `json:"@odata.deltaLink"`
		}
		h.get("/v1.0/"+set+"/delta?$deltatoken=latest", &round)
		h.links = append(h.links, strings.TrimPrefix(round.Link, h.server.URL))
	}
	for _, part := range []func(){h.people, h.license, h.past, h.applications, h.relate, h.large, h.seen} {
		start := time.Now()
		part()
		t.Log(time.Since(start))
	}
	return h
}

func manyGroup(i int) string { return fmt.Sprintf("b0000000-0000-4000-8000-%012d", i) }

func (h *heavy) people() {
	rows := []string{}
	add := func(format string, args ...any) { rows = append(rows, fmt.Sprintf(format, args...)) }
	send := func() {
		h.ask("POST", "/licensor/v1/import", strings.Join(rows, "\n"), "Content-Type: "+own.LinesType)
		rows = rows[:0]
	}
	for i := range heavyUsers {
		add(`{"user":{"id":"%s","displayName":"Name %04x Smith%d","userPrincipalName":"u%d@contoso.example","mailNickname":"u%d","accountEnabled":true,"usageLocation":"%s"}}`,
			manyID(i), uint32(i)*2654435761>>16, i%1000, i, i, [...]string{"DE", "FR"}[i%2])
		if len(rows) == 5000 {
			send()
		}
	}
	for _, id := range []string{nobodysID, outerGroup, secondGroup} {
		add(`{"group":{"id":"%s","displayName":"All","mailEnabled":false,"mailNickname":"all%s","securityEnabled":true}}`, id, id)
	}
	add(`{"member":{"group":"%s","member":"%s"}}`, outerGroup, nobodysID)
	for i := range heavyGroups {
		add(`{"group":{"id":"%s","displayName":"Group %d","mailEnabled":false,"mailNickname":"g%d","securityEnabled":true}}`, manyGroup(i), i, i)
		add(`{"member":{"group":"%s","member":"%s"}}`, manyGroup(i), manyID(0))
		add(`{"member":{"group":"%s","member":"%s"}}`, manyGroup(i), nobodysID)
	}
	send()
	for i := range heavyUsers {
		add(`{"member":{"group":"%s","member":"%s"}}`, nobodysID, manyID(i))
		add(`{"member":{"group":"%s","member":"%s"}}`, secondGroup, manyID(i))
	}
	send()
}

// license gives everyone a product through many groups, and one that there are too few seats of,
// so that everyone is in error.
func (h *heavy) license() {
	h.ask("POST", "/licensor/v1/subscriptions", fmt.Sprintf(`{"skuId":"%s","totalLicenses":%d}`, e3, heavyUsers))
	h.ask("POST", "/licensor/v1/subscriptions", `{"skuId":"`+visio+`","totalLicenses":1}`)
	h.ask("POST", "/v1.0/groups/"+nobodysID+"/assignLicense", `{"addLicenses":[{"skuId":"`+e3+`"},{"skuId":"`+visio+`"}],"removeLicenses":[]}`)
	h.batches(200, func(i int) string {
		return step20("POST", "/groups/"+manyGroup(i)+"/assignLicense", `{"addLicenses":[{"skuId":"`+visio+`"}],"removeLicenses":[]}`)
	})
}

// past makes the tenant have a snapshot of the next day, from which its state of that day is read,
// and gives everyone one more product a day later.
func (h *heavy) past() {
	day := func() {
		h.clock.Add(24 * 60 * 60)
		h.token = h.appToken(heavyPermissions...)
	}
	day()
	h.ask("PATCH", "/v1.0/users/"+boss, `{"jobTitle":"Boss"}`)
	h.awaitSnapshot()
	h.then = h.now()
	day()
	h.ask("POST", "/licensor/v1/subscriptions", fmt.Sprintf(`{"skuId":"%s","totalLicenses":%d}`, ems, heavyUsers))
	h.ask("POST", "/v1.0/groups/"+secondGroup+"/assignLicense", `{"addLicenses":[{"skuId":"`+ems+`"}],"removeLicenses":[]}`)
	h.awaitSnapshot()
}

// awaitSnapshot waits for the snapshot of the day.
func (h *heavy) awaitSnapshot() {
	today := h.now().UTC().Format(time.DateOnly)
	for range 6000 {
		list, err := h.store.Manifests(h.t.Context(), h.tenant.ID())
		h.must(err)
		if slices.ContainsFunc(list, func(m store.Manifest) bool { return m.Name == today }) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.t.Fatalf("there is no snapshot of %s", today)
}

// seen reports a sign-in of many users, whose texts are as long as they can be.
func (h *heavy) seen() {
	long := strings.Repeat("€", 200)
	begin := h.now().Add(-time.Hour)
	for i := largeUsers; i < heavyUsers/4; i++ {
		id := uuid.MustParse(fmt.Sprintf("e0000000-0000-4000-8000-%012d", i))
		user, err := h.tenant.Image().LiveUser(manyID(i))
		h.must(err)
		h.signIns.Report(signins.SignIn{
			Tenant: h.tenant.ID(), At: begin.Add(time.Duration(i) * 10 * time.Millisecond), ID: id,
			Kind: signins.KindInteractive, ObjectID: uuid.MustParse(manyID(i)), UserSerial: tenant.UserSerial(user),
			Name: long, DisplayName: long,
			AppID: h.app.AppID, AppName: long, Agent: long, Correlation: id, Browser: true,
		})
	}
}

const ems = "efccb6f7-5641-4e0e-bd10-b4976e1bf68e"

const visio = "c5928f49-12ba-48f7-ada3-0d743a3601d5" // VISIOCLIENT

// applications makes some whose documents are as large as they can be: with lists of as many
// elements as they can have, and texts as long.
func (h *heavy) applications() {
	h.hub = h.application(`{"displayName":"Hub","appRoles":` + manyRoles(heavyLinks+1, 0, 10) + `}`)
	for range largeApps {
		h.big = append(h.big, h.application(largeApplication()))
	}
}

func (h *heavy) application(body string) (a program) {
	h.decode(h.ask("POST", "/v1.0/applications", body), &a)
	a.Principal = h.made("/v1.0/servicePrincipals", `{"appId":"`+a.AppID+`"}`)
	return a
}

// largeApplication are properties of an application that take nearly as many bytes as an object
// may.
func largeApplication() string {
	return `{"displayName":"Large","appRoles":` + manyRoles(1200, 1, 1024) + `}`
}

// manyRoles are roles for an application, with descriptions of some length.
func manyRoles(n, mark, length int) string {
	roles := make([]string, n)
	for i := range roles {
		roles[i] = fmt.Sprintf(`{"allowedMemberTypes":["User","Application"],"description":"%s","displayName":"n","id":"%s","value":"v%d"}`, strings.Repeat("d", length), roleOf(mark, i), i)
	}
	return "[" + strings.Join(roles, ",") + "]"
}

func roleOf(mark, i int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012d", mark+1, i) }

// relate makes links of every kind, most of them at the first user and at the first large
// application.
func (h *heavy) relate() {
	user, app := manyID(0), h.hub
	var graphs struct{ ID string }
	h.get("/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?$select=id", &graphs)
	reference := func(id string) string { return `{"@odata.id":"` + h.server.URL + `/v1.0/directoryObjects/` + id + `"}` }
	h.batches(heavyLinks, func(i int) string { return step20("PUT", "/users/"+manyID(i)+"/manager/$ref", reference(boss)) })
	h.batches(heavyLinks, func(i int) string { return step20("POST", "/groups/"+manyGroup(i)+"/owners/$ref", reference(user)) })
	h.batches(4, func(i int) string { return step20("POST", "/users/"+user+"/sponsors/$ref", reference(manyID(i+2))) })
	h.batches(99, func(i int) string { return step20("POST", "/groups/"+nobodysID+"/owners/$ref", reference(manyID(i))) })
	h.batches(98, func(i int) string {
		return step20("POST", "/applications/"+app.ID+"/owners/$ref", reference(manyID(i)))
	})
	h.batches(98, func(i int) string {
		return step20("POST", "/servicePrincipals/"+app.Principal+"/owners/$ref", reference(manyID(i)))
	})
	h.batches(heavyLinks, func(i int) string {
		return step20("POST", "/servicePrincipals/"+app.Principal+"/appRoleAssignedTo", given(manyID(i), app.Principal, 0, 0))
	})
	h.batches(heavyLinks, func(i int) string {
		return step20("POST", "/users/"+user+"/appRoleAssignments", given(user, app.Principal, 0, i+1))
	})
	h.batches(200, func(i int) string {
		return step20("POST", "/groups/"+nobodysID+"/appRoleAssignments", given(nobodysID, app.Principal, 0, i+1))
	})
	h.batches(200, func(i int) string {
		return step20("POST", "/servicePrincipals/"+app.Principal+"/appRoleAssignments", given(app.Principal, app.Principal, 0, i))
	})
	h.batches(heavyLinks, func(i int) string {
		return step20("POST", "/groups/"+manyGroup(i)+"/members/$ref", reference(app.Principal))
	})
	h.batches(heavyLinks, func(i int) string {
		return step20("POST", "/groups/"+manyGroup(i)+"/owners/$ref", reference(app.Principal))
	})
	h.batches(heavyLinks, func(i int) string {
		return step20("POST", "/oauth2PermissionGrants", fmt.Sprintf(`{"clientId":"%s","consentType":"Principal","principalId":"%s","resourceId":"%s","scope":"%s"}`,
			app.Principal, manyID(i), graphs.ID, "User.Read.All Group.Read.All Directory.Read.All"))
	})
	h.unit = h.made("/v1.0/directory/administrativeUnits", `{"displayName":"Unit"}`)
	h.batches(heavyLinks, func(i int) string {
		return step20("POST", "/directory/administrativeUnits/"+h.unit+"/members/$ref", reference(manyID(i)))
	})
	h.batches(300, func(i int) string { return step20("POST", "/directory/administrativeUnits", `{"displayName":"Unit"}`) })
	h.batches(300, func(i int) string {
		return step20("POST", "/roleManagement/directory/roleAssignments", `{"principalId":"`+manyID(i+5000)+`","roleDefinitionId":"4d6ac14f-3453-41d0-bef9-a3e0c569773a","directoryScopeId":"/"}`)
	})
	creator := h.userToken(uuid.MustParse(user), allPermissions, []uuid.UUID{identity.GlobalAdministrator.ID}, false)
	h.send("POST", "/v1.0/applications", creator, `{"displayName":"Created"}`)
	h.ask("POST", "/v1.0/applications/"+app.ID+"/federatedIdentityCredentials",
		`{"name":"one","issuer":"https://token.actions.example","subject":"repo:red","audiences":["api://AzureADTokenExchange"]}`)
	h.ask("PUT", "/v1.0/users/"+user+"/manager/$ref", reference(manyID(1)))
}

// given is an app role assignment, of a role that manyRoles has made.
func given(principal, resource string, mark, role int) string {
	return fmt.Sprintf(`{"principalId":"%s","resourceId":"%s","appRoleId":"%s"}`, principal, resource, roleOf(mark, role))
}

// large makes documents as large as they can be, of the first users, which are first in lists, and
// of some that are deleted.
func (h *heavy) large() {
	body := largeUser()
	for i := range largeUsers {
		h.ask("PATCH", "/v1.0/users/"+manyID(i), body)
	}
	for i := range largeUsers - goneUsers {
		h.ask("DELETE", "/v1.0/users/"+manyID(goneUsers+i), "")
		h.ask("DELETE", "/v1.0/applications/"+h.made("/v1.0/applications", `{"displayName":"Gone"}`), "")
		h.ask("DELETE", "/v1.0/directory/administrativeUnits/"+h.made("/v1.0/directory/administrativeUnits", `{"displayName":"Gone"}`), "")
		h.ask("DELETE", "/v1.0/groups/"+h.made("/v1.0/groups", fmt.Sprintf(`{"displayName":"Gone","mailNickname":"gone%d","mailEnabled":true,"securityEnabled":false,"groupTypes":["Unified"]}`, i)), "")
	}
}

// largeUser are properties of a user that take nearly as many bytes as an object may.
func largeUser() string {
	return `{"interests":` + texts(1000, 900, `"`) + `,"skills":` + texts(1000, 900, `"`) + `}`
}

// texts is a list of texts of so many characters.
func texts(n, length int, quote string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(quote+strings.Repeat("x", length)+quote+",", n), ",") + "]"
}

func (h *heavy) made(path, body string) string {
	var object struct{ ID string }
	h.decode(h.ask("POST", path, body), &object)
	return object.ID
}

// ask sends a request that must succeed.
func (h *heavy) ask(method, path, body string, headers ...string) string {
	h.t.Helper()
	got := h.send(method, path, h.token, body, headers...)
	if got.status >= 300 || strings.Contains(got.body, `"refused":`) && !strings.Contains(got.body, `"refused":0`) {
		h.t.Fatalf("%s %s: %d %.500s", method, path, got.status, got.body)
	}
	return got.body
}

func (h *heavy) get(path string, into any) { h.t.Helper(); h.decode(h.ask("GET", path, ""), into) }

func (h *heavy) decode(text string, into any) {
	h.t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		h.t.Fatalf("%.200s: %v", text, err)
	}
}

// step20 is a request of a batch, without its id.
func step20(method, url, body string) string {
	return fmt.Sprintf(`"method":"%s","url":"%s","headers":{"Content-Type":"application/json"},"body":%s`, method, url, body)
}

// batches sends n requests in batches. They need not succeed: some are there already.
func (h *heavy) batches(n int, step func(i int) string) {
	h.t.Helper()
	for first := 0; first < n; first += maxSteps {
		var steps []string
		for i := first; i < min(n, first+maxSteps); i++ {
			steps = append(steps, fmt.Sprintf(`{"id":"%d",%s}`, i, step(i)))
		}
		got := h.send("POST", "/v1.0/$batch", h.token, `{"requests":[`+strings.Join(steps, ",")+`]}`)
		if got.status != http.StatusOK || first == 0 && !strings.Contains(got.body, `"status":2`) {
			h.t.Fatalf("%s: %d %.700s", steps[0], got.status, got.body)
		}
	}
}

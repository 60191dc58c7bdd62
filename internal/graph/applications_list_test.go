package graph

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/tenant"
)

// withApplications is a world with n applications whose properties differ, most with a service
// principal.
func withApplications(t *testing.T, n int) (w *world, token string) {
	w = newWorld(t)
	token = w.appToken(allPermissions...)
	for i := range n {
		body := fmt.Sprintf(`{"displayName":"%s %d","tags":["t%d","All"],"identifierUris":["api://robot-%d"],"isFallbackPublicClient":%t`,
			[]string{"Red", "blue", "Älpha"}[i%3], i, i%4, i, i%2 == 0)
		if i%2 == 0 {
			body += fmt.Sprintf(`,"description":"Robot of team %d","serviceManagementReference":"S%d","web":{"homePageUrl":"https://home.example/%d","redirectUris":["https://web.example/%d"]},
				"requiredResourceAccess":[{"resourceAppId":"00000003-0000-0000-c000-000000000000","resourceAccess":[]}]`, i%4, i%4, i%4, i%4)
		}
		if i%3 == 0 {
			body += fmt.Sprintf(`,"info":{"logoUrl":"https://logo.example","termsOfServiceUrl":"https://terms.example/%d"},"spa":{"redirectUris":["https://spa.example/%d"]},"publicClient":{"redirectUris":["http://localhost/%d","app://b"]}`, i%2, i%2, i%2)
		}
		var made struct{ AppID string }
		got := w.do("POST", "/v1.0/applications", token, body+"}")
		got.want(t, 201)
		w.must(json.Unmarshal([]byte(got.body), &made))
		if i%5 == 4 {
			continue
		}
		body = fmt.Sprintf(`{"appId":%q,"accountEnabled":%t,"tags":["p%d"],"alternativeNames":["N%d","x"]`, made.AppID, i%4 != 0, i%3, i%2)
		if i%2 == 1 {
			body += fmt.Sprintf(`,"description":"Acts for %d","homepage":"https://home.example/%d"`, i%4, i%4)
		}
		w.do("POST", "/v1.0/servicePrincipals", token, body+"}").want(t, 201)
	}
	return w, token
}

// objectsOf are all objects of a set with all their properties.
func (w *world) objectsOf(path, token string) []map[string]any {
	w.t.Helper()
	var page struct{ Value []map[string]any }
	w.must(json.Unmarshal([]byte(w.do("GET", path+"?$top=999", token, "").body), &page))
	return page.Value
}

func TestListsOfApplicationsAreOrderedAndSearched(t *testing.T) {
	t.Parallel()
	w, token := withApplications(t, 6)
	for _, c := range []struct {
		query, want string
	}{
		{"applications?$orderby=displayName", "Blue 1,blue 4,Red 0,Red 3,Test,Älpha 2,Älpha 5"},
		{"applications?$orderby=displayName desc&$top=2", "Älpha 5,Älpha 2"},
		{"applications?$orderby=createdDateTime desc&$count=true&$top=1", "Älpha 5"},
		{`applications?$search="displayName:4"`, "blue 4"},
		{`applications?$search="description:team" AND "displayName:red"`, "Red 0"},
		{`servicePrincipals?$search="displayName:GRAPH"`, "Microsoft Graph"},
		{`servicePrincipals?$filter=startsWith(displayName,'m')`, "Microsoft Graph"},
		{`servicePrincipals?$filter=servicePrincipalNames/any(n:n eq 'https://graph.microsoft.com')`, "Microsoft Graph"},
		{`servicePrincipals?$filter=appId eq 00000003-0000-0000-C000-000000000000`, "Microsoft Graph"},
		{`servicePrincipals?$filter=appOwnerOrganizationId eq f8cdef31-a31e-4b4a-93e4-5f571e91255a&$count=true`, "Microsoft Graph"},
		{`servicePrincipals?$filter=displayName ne 'Test' and tags/any(t:t eq 'p0')&$orderby=displayName&$count=true`, "Red 0,Red 3"},
	} {
		path, query, _ := strings.Cut(c.query, "?")
		values, err := url.ParseQuery(strings.ReplaceAll(query, "+", "%2B"))
		w.must(err)
		got := w.do("GET", "/v1.0/"+path+"?"+values.Encode(), token, "", "ConsistencyLevel: eventual")
		var page struct {
			Value []struct{ DisplayName string }
		}
		w.must(json.Unmarshal([]byte(got.body), &page))
		var names []string
		for _, v := range page.Value {
			names = append(names, v.DisplayName)
		}
		if found := strings.Join(names, ","); !strings.EqualFold(found, c.want) {
			t.Errorf("%s: %q, want %q: %.300s", c.query, found, c.want, got.body)
		}
	}
	w.do("GET", "/v1.0/applications/$count", token, "", "ConsistencyLevel: eventual").want(t, 200)
	w.do("GET", "/v1.0/applications?$expand=owners", token, "").want(t, 200)
}

// TestPagesOfApplicationsWhileOthersWrite goes through lists while applications are renamed,
// deleted and registered: those that are there all the while are shown once.
func TestPagesOfApplicationsWhileOthersWrite(t *testing.T) {
	t.Parallel()
	w, token := withApplications(t, 20)
	stay := map[string][]string{}
	for _, set := range []string{"applications", "servicePrincipals"} {
		for _, object := range w.objectsOf("/v1.0/"+set, token) {
			stay[set] = append(stay[set], object["id"].(string))
		}
	}
	var stop atomic.Bool
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; !stop.Load(); i++ {
			id := stay["applications"][1+i*7%20]
			w.do("PATCH", "/v1.0/applications/"+id, token, fmt.Sprintf(`{"displayName":"%c %d","tags":["All"]}`, 'A'+rune(i*5%26), i))
			var made struct{ ID, AppID string }
			w.must(json.Unmarshal([]byte(w.do("POST", "/v1.0/applications", token, `{"displayName":"New","tags":["All"]}`).body), &made))
			w.do("POST", "/v1.0/servicePrincipals", token, `{"appId":"`+made.AppID+`"}`)
			w.do("DELETE", "/v1.0/applications/"+made.ID, token, "")
		}
	})
	for _, query := range []string{"", "&$orderby=displayName", "&$orderby=displayName%20desc", "&$filter=displayName%20ne%20'x'&$count=true"} {
		for set, ids := range stay {
			for _, top := range []int{3, 7} {
				seen := w.follow(fmt.Sprintf("/v1.0/%s?$select=id&$top=%d%s", set, top, query), token)
				for _, id := range ids {
					if seen[id] != 1 {
						t.Errorf("$top=%d%s shows %s %d times", top, query, id, seen[id])
					}
				}
			}
		}
	}
	stop.Store(true)
	writer.Wait()
}

// TestOldTokensOfApplicationsStayGood resumes lists of the version before, whose tokens name the
// last object by id.
func TestOldTokensOfApplicationsStayGood(t *testing.T) {
	t.Parallel()
	w, token := withApplications(t, 4)
	for set, of := range map[string]func(directory.Client) uuid.UUID{
		"applications":      func(c directory.Client) uuid.UUID { return c.ID },
		"servicePrincipals": func(c directory.Client) uuid.UUID { return c.Principal.ID },
	} {
		clients := w.tenant.Image().Clients()
		last := of(clients[2])
		first := w.do("GET", "/v1.0/"+set+"?$top=1", token, "")
		var page struct {
			Next string `json:"@odata.nextLink"`
		}
		w.must(json.Unmarshal([]byte(first.body), &page))
		link, text, _ := strings.Cut(strings.TrimPrefix(page.Next, w.server.URL), "$skiptoken=")
		now, err := base64.RawURLEncoding.DecodeString(text)
		w.must(err)
		old := binary.BigEndian.AppendUint64(nil, 1+uint64(clients[2].CreatedDateTime.Unix()))
		old = append(append(old, now[8:16]...), last[:]...)
		got := w.do("GET", strings.Replace(link, "$top=1", "$top=1&$select=id", 1)+"$skiptoken="+base64.RawURLEncoding.EncodeToString(old), token, "")
		got.want(t, 200)
		if !strings.Contains(got.body, `"id":"`+of(clients[3]).String()+`"`) {
			t.Errorf("%s after %s: %s", set, last, got.body)
		}
		w.must(errorOf(w.tenant.Do(t.Context(), "system", tenant.DeleteApplication{AppID: clients[2].AppID})))
		w.must(errorOf(w.tenant.Do(t.Context(), "system", tenant.PurgeApplication{ID: clients[2].ID})))
		w.do("GET", link+"$skiptoken="+base64.RawURLEncoding.EncodeToString(old), token, "").want(t, 400)
		w, token = withApplications(t, 4)
	}
}

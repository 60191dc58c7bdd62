package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"licensor/internal/graph/own"
	"licensor/internal/graph/wire"
)

// withMany is a world with n users with names that many have, half of them in France, a third
// licensed.
func withMany(t testing.TB, n int) (w *world, token string) {
	w = newWorld(t)
	token = w.appToken(allPermissions...)
	send := func(path, kind, body string) {
		got := w.do("POST", path, token, body, "Content-Type: "+kind)
		if got.status >= 300 || strings.Contains(got.body, `"refused":`) && !strings.Contains(got.body, `"refused":0`) {
			t.Fatalf("%d %.500s", got.status, got.body)
		}
	}
	send("/licensor/v1/import", own.LinesType, `{"group":{"id":"`+nobodysID+`","displayName":"All","mailEnabled":false,"mailNickname":"all","securityEnabled":true}}`)
	const chunk = 5000
	for first := 0; first < n; first += chunk {
		var rows strings.Builder
		for i := first; i < min(n, first+chunk); i++ {
			fmt.Fprintf(&rows, `{"user":{"id":"%s","displayName":"Name %04x Smith%d","userPrincipalName":"u%d@contoso.example","mailNickname":"u%d","accountEnabled":true,"usageLocation":"%s"}}`+"\n",
				manyID(i), uint32(i)*2654435761>>16, i%1000, i, i, [...]string{"DE", "FR"}[i%2])
			if i%3 == 0 {
				fmt.Fprintf(&rows, `{"member":{"group":"%s","member":"%s"}}`+"\n", nobodysID, manyID(i))
			}
		}
		send("/licensor/v1/import", own.LinesType, rows.String())
	}
	send("/licensor/v1/subscriptions", wire.JSONType, fmt.Sprintf(`{"skuId":"%s","totalLicenses":%d}`, e3, n))
	send("/v1.0/groups/"+nobodysID+"/assignLicense", wire.JSONType, `{"addLicenses":[{"skuId":"`+e3+`"}],"removeLicenses":[]}`)
	return w, token
}

func manyID(i int) string { return fmt.Sprintf("a0000000-0000-4000-8000-%012d", i) }

// TestNobodyIsLostOrTwiceInListsWhileOthersWrite goes through lists in several orders while users
// are renamed, deleted, restored and created all the while. Anyone who was there from the beginning
// to the end is shown once.
func TestNobodyIsLostOrTwiceInListsWhileOthersWrite(t *testing.T) {
	t.Parallel()
	const n = 60
	w, token := withMany(t, n)
	var stop atomic.Bool
	var writers sync.WaitGroup
	for worker := range 2 {
		writers.Go(func() {
			for i := 0; !stop.Load(); i++ {
				w.disturb(token, worker, i, n)
			}
		})
	}
	licensed := "&$count=true&$filter=" + url.QueryEscape("assignedLicenses/any(x:x/skuId eq "+e3+") or usageLocation eq 'FR'")
	for query, want := range map[string]func(int) bool{
		"&$orderby=displayName":                        func(int) bool { return true },
		"&$orderby=displayName%20desc":                 func(int) bool { return true },
		"&$orderby=mail&$count=true":                   func(int) bool { return true },
		"&$orderby=createdDateTime%20desc&$count=true": func(int) bool { return true },
		"&$orderby=displayName" + licensed:             func(i int) bool { return i%3 == 0 || i%2 == 1 },
		licensed:                                       func(i int) bool { return i%3 == 0 || i%2 == 1 },
		"&$filter=startsWith(userPrincipalName,'U')":   func(int) bool { return true },
		"&$filter=usageLocation%20eq%20'FR'%20and%20startsWith(userPrincipalName,'u')": func(i int) bool { return i%2 == 1 },
	} {
		for _, top := range []int{4, 11} {
			seen := w.follow(fmt.Sprintf("/v1.0/users?$select=id&$top=%d%s", top, query), token)
			for i := range n {
				if times := seen[manyID(i)]; times != 1 && i%10 != 9 && want(i) || times > 1 || times > 0 && !want(i) {
					t.Errorf("$top=%d%s shows user %d %d times", top, query, i, times)
				}
			}
		}
	}
	stop.Store(true)
	writers.Wait()
}

// disturb renames a user; every tenth is deleted and restored instead. From time to time there is a
// new one.
func (w *world) disturb(token string, worker, i, n int) {
	user := (i*7 + worker*n/2) % n
	path := "/v1.0/users/" + manyID(user)
	if user%10 == 9 {
		w.do("DELETE", path, token, "")
		w.do("POST", "/v1.0/directory/deletedItems/"+manyID(user)+"/restore", token, "")
		return
	}
	name := string(rune('A' + (i*5+worker)%26))
	got := w.do("PATCH", path, token, fmt.Sprintf(`{"displayName":"%s","mail":"%s%d@contoso.example"}`, name, name, user))
	if got.status != http.StatusNoContent {
		w.t.Errorf("rename: %d %s", got.status, got.body)
	}
	if i%50 == 49 {
		w.do("POST", "/v1.0/users", token, fmt.Sprintf(`{"accountEnabled":true,"displayName":"New","mailNickname":"n","userPrincipalName":"n%d-%d@contoso.example","passwordProfile":{"password":"Tulip-5-tree!"}}`, worker, i))
	}
}

// follow reads all pages and returns how often each id is shown.
func (w *world) follow(link, token string) map[string]int {
	seen := map[string]int{}
	for link != "" {
		got := w.do("GET", strings.TrimPrefix(link, w.server.URL), token, "", "ConsistencyLevel: eventual")
		var page struct {
			NextLink string `json:"@odata.nextLink"`
			Value    []struct{ ID string }
		}
		if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != http.StatusOK {
			w.t.Errorf("%s: %d %s", link, got.status, got.body)
			return seen
		}
		for _, user := range page.Value {
			seen[user.ID]++
		}
		link = page.NextLink
	}
	return seen
}

// TestWhatStartsAlikeComesInOrder: without $orderby, a filter on the start of a name answers in the
// order of that name, which is what its index can give page by page.
func TestWhatStartsAlikeComesInOrder(t *testing.T) {
	t.Parallel()
	w, token := withMany(t, 12)
	var names []string
	for link := "/v1.0/users?$select=displayName&$top=3&$filter=startsWith(displayName,'name')"; link != ""; {
		got := w.do("GET", strings.TrimPrefix(link, w.server.URL), token, "")
		var page struct {
			NextLink string `json:"@odata.nextLink"`
			Value    []struct{ DisplayName string }
		}
		if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", link, got.status, got.body)
		}
		for _, user := range page.Value {
			names = append(names, user.DisplayName)
		}
		link = page.NextLink
	}
	if len(names) != 12 || !slices.IsSorted(names) {
		t.Errorf("the names are %q", names)
	}
}

// TestSkipTokensAreOfOneList: a token of one list is refused by every other.
func TestSkipTokensAreOfOneList(t *testing.T) {
	t.Parallel()
	w, token := withMany(t, 5)
	var answer struct {
		NextLink string `json:"@odata.nextLink"`
	}
	got := w.do("GET", "/v1.0/users?$orderby=displayName&$top=2", token, "")
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
		t.Fatal(err)
	}
	_, skip, _ := strings.Cut(answer.NextLink, "$skiptoken=")
	for query, status := range map[string]int{
		"$orderby=displayName":                    200,
		"$orderby=displayName&$top=1&$count=true": 200,
		"$top=2":                      400,
		"$orderby=displayName%20desc": 400,
		"$orderby=userPrincipalName":  400,
		"$orderby=displayName&$search=%22displayName:a%22&$count=true":  400,
		"$orderby=displayName&$filter=startsWith(mail,'a')&$count=true": 400,
		"$filter=startsWith(displayName,'a')":                           400,
	} {
		got := w.do("GET", "/v1.0/users?"+query+"&$skiptoken="+skip, token, "", "ConsistencyLevel: eventual")
		if got.status != status {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
	for _, broken := range []string{skip[:len(skip)-4], skip + "AAAA", skip[:22], "x", skip[:24] + "f" + skip[25:]} {
		if got := w.do("GET", "/v1.0/users?$orderby=displayName&$skiptoken="+broken, token, ""); got.status >= 500 {
			t.Errorf("%s: %d %s", broken, got.status, got.body)
		}
	}
}

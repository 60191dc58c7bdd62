package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"licensor/internal/graph/own"
	"licensor/internal/graph/wire"
)

// TestTheYoungestOfManyMembersIsInError is a group of many members with a seat too few: exactly the
// youngest has none (docs/spec/licensing.md L52).
func TestTheYoungestOfManyMembersIsInError(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	const members, chunk = 100_000 / slowness, 10_000 / slowness
	w := newWorld(t)
	token := w.appToken(allPermissions...)
	send := func(path, kind, body string) string {
		got := w.do("POST", path, token, body, "Content-Type: "+kind)
		if got.status >= http.StatusMultipleChoices {
			t.Fatalf("%s: %d %s", path, got.status, got.body)
		}
		return got.body
	}
	send("/licensor/v1/import", own.LinesType, `{"group":{"id":"`+nobodysID+`","displayName":"All","mailEnabled":false,"mailNickname":"all","securityEnabled":true}}`)
	for first := 0; first < members; first += chunk {
		var rows strings.Builder
		for n := first; n < first+chunk; n++ {
			id := fmt.Sprintf("a0000000-0000-4000-8000-%012d", n)
			fmt.Fprintf(&rows, `{"user":{"id":"%s","displayName":"User %d","userPrincipalName":"u%d@contoso.example","mailNickname":"u%d","accountEnabled":true,"usageLocation":"DE"}}`+"\n", id, n, n, n)
			fmt.Fprintf(&rows, `{"member":{"group":"%s","member":"%s"}}`+"\n", nobodysID, id)
		}
		if got := send("/licensor/v1/import", own.LinesType, rows.String()); !strings.Contains(got, `"refused":0`) {
			t.Fatal(got)
		}
	}
	send("/licensor/v1/subscriptions", wire.JSONType, fmt.Sprintf(`{"skuId":"%s","totalLicenses":%d}`, e3, members-1))
	send("/v1.0/groups/"+nobodysID+"/assignLicense", wire.JSONType, `{"addLicenses":[{"skuId":"`+e3+`"}],"removeLicenses":[]}`)
	var answer struct {
		Value []struct{ UserPrincipalName string }
	}
	got := w.do("GET", "/v1.0/groups/"+nobodysID+"/membersWithLicenseErrors?$select=userPrincipalName", token, "")
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Value) != 1 || answer.Value[0].UserPrincipalName != fmt.Sprintf("u%d@contoso.example", members-1) {
		t.Errorf("in error are %v", answer.Value)
	}
	if got := w.do("GET", "/v1.0/subscribedSkus", token, ""); !strings.Contains(got.body, fmt.Sprintf(`"consumedUnits":%d,`, members-1)) {
		t.Errorf("consumed: %.300s", got.body)
	}
}

// TestFollowingEveryNextLinkShowsEachUserOnce pages through users in pages of several sizes, with a
// condition and without.
func TestFollowingEveryNextLinkShowsEachUserOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(allPermissions...)
	var rows strings.Builder
	for n := range 25 {
		location := [...]string{"DE", "FR"}[n%2]
		fmt.Fprintf(&rows, `{"user":{"displayName":"User %02d","userPrincipalName":"u%02d@contoso.example","mailNickname":"u%d","accountEnabled":true,"usageLocation":"%s"}}`+"\n", n, n, n, location)
	}
	if got := w.do("POST", "/licensor/v1/import", token, rows.String(), "Content-Type: "+own.LinesType); !strings.Contains(got.body, `"refused":0`) {
		t.Fatal(got.body)
	}
	for query, want := range map[string]int{"": 25, "&$filter=usageLocation%20eq%20'FR'": 12, "&$filter=usageLocation%20eq%20'US'": 0} {
		for _, top := range []int{1, 4, 5, 25, 999} {
			seen := map[string]bool{}
			for link := fmt.Sprintf("/v1.0/users?$select=displayName&$top=%d%s", top, query); link != ""; {
				got := w.do("GET", strings.TrimPrefix(link, w.server.URL), token, "")
				var page struct {
					NextLink string `json:"@odata.nextLink"`
					Value    []struct{ DisplayName string }
				}
				if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != http.StatusOK {
					t.Fatalf("%s: %d %s", link, got.status, got.body)
				}
				if page.NextLink != "" && len(page.Value) != top {
					t.Fatalf("%s: %d users and another page", link, len(page.Value))
				}
				for _, u := range page.Value {
					if seen[u.DisplayName] {
						t.Fatalf("%s: %s again", link, u.DisplayName)
					}
					seen[u.DisplayName] = true
				}
				link = page.NextLink
			}
			if len(seen) != want {
				t.Errorf("pages of %d%s: %d users, want %d", top, query, len(seen), want)
			}
		}
	}
}

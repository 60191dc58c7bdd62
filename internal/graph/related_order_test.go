package graph

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestMixedListsAreInOneOrder goes through the members of a group, users and groups with names that
// interleave, in several orders and pages, and compares with their names in order.
func TestMixedListsAreInOneOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(allPermissions...)
	team := groupID(99)
	lines := []string{`{"group":{"id":"` + team + `","displayName":"Team","mailEnabled":false,"mailNickname":"team","securityEnabled":true}}`}
	var users, all []string
	for i := range 36 {
		name := fmt.Sprintf("%c%02d", "aBcDeF"[i*7%6], i*29%36)
		if all = append(all, name); i%3 == 0 {
			lines = append(lines, `{"group":{"id":"`+groupID(i)+`","displayName":"`+name+`","mailEnabled":false,"mailNickname":"g","securityEnabled":true}}`,
				`{"member":{"group":"`+team+`","member":"`+groupID(i)+`"}}`)
			continue
		}
		users = append(users, name)
		lines = append(lines, `{"user":{"id":"`+manyID(i)+`","displayName":"`+name+`","userPrincipalName":"`+name+`@contoso.example","mailNickname":"u","accountEnabled":true}}`,
			`{"member":{"group":"`+team+`","member":"`+manyID(i)+`"}}`)
	}
	w.imports(lines...)
	byName := func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }
	slices.SortFunc(all, byName)
	slices.SortFunc(users, byName)
	list := "/v1.0/groups/" + team + "/members"
	for _, top := range []int{1, 5, 36, 999} {
		query := fmt.Sprintf("?$select=displayName&$count=true&$top=%d&$orderby=", top)
		w.wantNames(list+query+"displayName", token, all)
		w.wantNames(list+query+"displayName%20desc", token, reversed(all))
		w.wantNames(list+"/microsoft.graph.user"+query+"displayName%20desc", token, reversed(users))
		// of kinds without the property, the place is that of null
		names := w.namesOf(list+query+"userPrincipalName%20desc", token)
		if len(names) != len(all) || !slices.Equal(names[:len(users)], reversed(users)) {
			t.Errorf("by userPrincipalName, %d a page: %q", top, names)
		}
	}
}

func reversed(names []string) []string {
	list := slices.Clone(names)
	slices.Reverse(list)
	return list
}

func (w *world) wantNames(link, token string, want []string) {
	w.t.Helper()
	if names := w.namesOf(link, token); !slices.Equal(names, want) {
		w.t.Errorf("%s: %q, want %q", link, names, want)
	}
}

// namesOf are the names on all pages of a list.
func (w *world) namesOf(link, token string) (names []string) {
	w.t.Helper()
	for link != "" {
		got := w.do("GET", strings.TrimPrefix(link, w.server.URL), token, "", "ConsistencyLevel: eventual")
		var page struct {
			Next  string `json:"@odata.nextLink"`
			Value []struct{ DisplayName string }
		}
		w.must(json.Unmarshal([]byte(got.body), &page))
		if got.status != 200 {
			w.t.Fatalf("%s: %d %s", link, got.status, got.body)
		}
		for _, object := range page.Value {
			names = append(names, object.DisplayName)
		}
		link = page.Next
	}
	return names
}

package graph

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
)

// TestObjectsInAnswersAreAsOfOneCommit changes properties together, of which one is in columns,
// another only in the document, and a third is a license, and looks that no answer has one without
// the others, or an object that its filter is not true of.
func TestObjectsInAnswersAreAsOfOneCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(allPermissions...)
	var ids []string
	for i := range 5 {
		body := fmt.Sprintf(`{"accountEnabled":true,"displayName":"u%d","mailNickname":"u%d","userPrincipalName":"u%d@contoso.example","department":"0","aboutMe":"0","passwordProfile":{"password":"Pa55word!Pa55"}}`, i, i, i)
		got := w.do("POST", "/v1.0/users", token, body, "Content-Type: application/json")
		var user struct{ ID string }
		if err := json.Unmarshal([]byte(got.body), &user); err != nil || got.status != 201 {
			t.Fatal(got.status, got.body)
		}
		ids = append(ids, user.ID)
	}
	done := make(chan struct{})
	var writers, readers sync.WaitGroup
	for n, id := range ids {
		writers.Go(func() {
			for i := range 60 {
				text := fmt.Sprint(i*7%4, "-", n)
				if got := w.do("PATCH", "/v1.0/users/"+id, token, fmt.Sprintf(`{"department":%q,"aboutMe":%q}`, text, text), "Content-Type: application/json"); got.status != 204 {
					t.Error(got.status, got.body)
				}
			}
		})
	}
	for _, path := range []string{
		"/v1.0/users?$select=id,department,aboutMe&$filter=startsWith(department,'1')",
		"/v1.0/users?$select=id,department,aboutMe&$filter=startsWith(department,'1')&$orderby=displayName&$count=true",
		"/v1.0/users?$select=id,department,aboutMe",
		"/v1.0/users/" + ids[0] + "?$select=id,department,aboutMe",
	} {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					wantTogether(t, path, w.do("GET", path, token, "", "ConsistencyLevel: eventual"))
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}

func wantTogether(t *testing.T, path string, got answer) {
	t.Helper()
	type pair struct{ Department, AboutMe string }
	var list struct {
		Value []pair
		pair
	}
	if err := json.Unmarshal([]byte(got.body), &list); err != nil || got.status != 200 {
		t.Errorf("%s: %d %s", path, got.status, got.body)
		return
	}
	for _, p := range append(list.Value, list.pair) {
		if p.Department != p.AboutMe {
			t.Errorf("%s: an object has the department %q and aboutMe %q", path, p.Department, p.AboutMe)
		}
	}
	if len(path) > len("/v1.0/users?$select=id,department,aboutMe") && path[11] == '?' {
		for _, p := range list.Value {
			if p.Department == "" || p.Department[0] != '1' {
				t.Errorf("%s: found the department %q", path, p.Department)
			}
		}
	}
}

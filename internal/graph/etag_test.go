package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"licensor/internal/graph/wire"
)

// Of many who have read the same state only one may change it, also when they come at the same
// moment.
func TestOneOfManyWithTheSameETagSucceeds(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	token := w.appToken(allPermissions...)
	read := w.do("GET", "/v1.0/users/"+ann, token, "", "Accept: application/json;odata.metadata=full")
	var user struct {
		ETag string `json:"@odata.etag"`
	}
	w.must(json.Unmarshal([]byte(read.body), &user))
	var done, refused atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			switch got := w.do("PATCH", "/v1.0/users/"+ann, token, fmt.Sprintf(`{"jobTitle":"Head of %d"}`, i), "If-Match: "+user.ETag); got.status {
			case http.StatusNoContent:
				done.Add(1)
			case http.StatusPreconditionFailed:
				refused.Add(1)
			}
		})
	}
	all.Wait()
	if done.Load() != 1 || refused.Load() != 7 {
		t.Errorf("%d succeeded, %d were refused", done.Load(), refused.Load())
	}
}

func TestListsOfETags(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]bool{
		`W/"a"`: true, `"a"`: true, `*`: true, `"b", W/"a"`: true,
		`"b"`: false, `"aa"`: false, `a`: false, ``: false,
	} {
		if got := wire.Lists(list, `W/"a"`); got != want {
			t.Errorf("%s: %v", list, got)
		}
	}
}

// With odata.metadata=full each object has its type, address and ETag (P5); that they are there is
// what the contract is compared for.
func TestFullMetadataEverywhere(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	token := w.appToken(allPermissions...)
	red := idOf('b', "red")
	w.imports(`{"group":{"id":"`+red+`","displayName":"Red","mailEnabled":false,"mailNickname":"red","securityEnabled":true}}`,
		`{"member":{"group":"`+red+`","member":"`+ann+`"}}`, `{"subscription":{"skuId":"`+e3+`","totalLicenses":5}}`)
	w.do("POST", "/v1.0/groups/"+red+"/assignLicense", token, `{"addLicenses":[{"skuId":"`+e3+`"}],"removeLicenses":[]}`)
	for _, path := range []string{
		"/users", "/groups", "/users/" + ann, "/groups/" + red, "/groups/" + red + "/members", "/users/" + ann + "/memberOf", "/users/" + ann + "/transitiveMemberOf",
		"/groups/" + red + "/members/microsoft.graph.user?$count=true", "/subscribedSkus", "/organization", "/directory/subscriptions", "/domains", "/applications", "/servicePrincipals", "/users/" + ann + "/licenseDetails",
		"/directoryObjects/" + ann, "/directoryObjects/" + red, "/users/delta", "/groups/delta", "/users/" + ann + "?$expand=memberOf",
	} {
		got := w.do("GET", "/v1.0"+path, token, "", "Accept: application/json;odata.metadata=full", "ConsistencyLevel: eventual")
		if got.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

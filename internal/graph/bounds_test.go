package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"licensor/internal/graph/wire"
)

// Values take more memory than they take in a body, so they are counted.
func TestABodyHasNoMoreValuesThanItMay(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	token := w.appToken(allPermissions...)
	zeros := func(n int) string { return strings.TrimSuffix(strings.Repeat("0,", n), ",") }
	for _, c := range []struct{ method, path, body string }{
		{"PATCH", "/v1.0/users/" + ann, `{"interests":[` + zeros(2_000_000) + `]}`},
		{"POST", "/v1.0/directoryObjects/getByIds", `{"ids":[` + zeros(2_000_000) + `]}`},
		{"POST", "/v1.0/$batch", `{"requests":[` + strings.Repeat("{},", 1_000_000) + `{}]}`},
		{"PUT", "/licensor/v1/catalog", `{"products":[` + strings.Repeat("{},", 1_000_000) + `{}]}`},
		{"POST", "/v1.0/users/" + ann + "/revokeSignInSessions", `{"a":[` + strings.Repeat("[],", 1_000_000) + `[]]}`},
	} {
		got := w.send(c.method, c.path, token, c.body)
		if got.status != http.StatusBadRequest || !strings.Contains(got.body, "more than 100000 values") {
			t.Errorf("%s %s: %d %.300s", c.method, c.path, got.status, got.body)
		}
	}
	text := `{"aboutMe":"` + strings.Repeat(`,[{\"`, 1000) + `","interests":["` + strings.Repeat(`","`, 10) + `"]}` // nothing in a text is a value
	if n := wire.Values([]byte(strings.Repeat(" ", wire.MaxBodyValues) + text)); n != 14 {
		t.Errorf("%d values", n)
	}
}

// An action answers with no more ids than the real service does.
func TestAnActionAnswersWithSoManyIDs(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	token := w.appToken(allPermissions...)
	join := func(from, to int) {
		var lines []string
		for i := from; i < to; i++ {
			id := fmt.Sprintf("b0000000-0000-4000-8000-%012d", i)
			lines = append(lines,
				fmt.Sprintf(`{"group":{"id":"%s","displayName":"Group %d","mailEnabled":false,"mailNickname":"g%d","securityEnabled":true}}`, id, i, i),
				fmt.Sprintf(`{"member":{"group":"%s","member":"%s"}}`, id, ann))
		}
		w.imports(lines...)
	}
	ask := func() answer {
		return w.send("POST", "/v1.0/users/"+ann+"/getMemberObjects", token, `{"securityEnabledOnly":false}`)
	}
	join(0, maxMemberships)
	if got := ask(); got.status != http.StatusOK || strings.Count(got.body, `"b0000000-`) != maxMemberships {
		t.Errorf("%d %.300s", got.status, got.body)
	}
	join(maxMemberships, maxMemberships+1)
	if got := ask(); got.status != http.StatusForbidden || !strings.Contains(got.body, "Directory_ResultSizeLimitExceeded") {
		t.Errorf("%d %.300s", got.status, got.body)
	}
}

// Of very many reasons the first are listed, and all are counted.
func TestReasonsStopAtAThousand(t *testing.T) {
	t.Parallel()
	const products = 1003
	w, ann := withAnn(t)
	token := w.appToken(allPermissions...)
	must := func(method, path, body string) {
		t.Helper()
		if got := w.send(method, path, token, body); got.status >= http.StatusMultipleChoices {
			t.Fatalf("%s: %d %.300s", path, got.status, got.body)
		}
	}
	const plan = "20000000-0000-4000-8000-000000000000"
	var list, licenses, bought []string
	for i := range products {
		id := fmt.Sprintf("10000000-0000-4000-8000-%012d", i)
		list = append(list, fmt.Sprintf(`{"skuId":"%s","skuPartNumber":"P%d","servicePlanIds":["%s"]}`, id, i, plan))
		licenses = append(licenses, `{"skuId":"`+id+`"}`)
		bought = append(bought, `{"subscription":{"skuId":"`+id+`","totalLicenses":0}}`)
	}
	must("PUT", "/licensor/v1/catalog", `{"products":[`+strings.Join(list, ",")+`],"servicePlans":[{"servicePlanId":"`+plan+`","servicePlanName":"PLAN"}]}`)
	w.imports(bought...)
	for i, some := range [][]string{licenses[:500], licenses[500:]} {
		id := fmt.Sprintf("b0000000-0000-4000-8000-%012d", i)
		w.imports(fmt.Sprintf(`{"group":{"id":"%s","displayName":"Group %d","mailEnabled":false,"mailNickname":"g%d","securityEnabled":true}}`, id, i, i),
			fmt.Sprintf(`{"member":{"group":"%s","member":"%s"}}`, id, ann))
		must("POST", "/v1.0/groups/"+id+"/assignLicense", `{"addLicenses":[`+strings.Join(some, ",")+`],"removeLicenses":[]}`)
	}
	type explained struct {
		Reasons []struct{ GroupDisplayName, Error string }
		Count   int `json:"reasons@odata.count"`
	}
	var one explained
	w.must(json.Unmarshal([]byte(w.do("GET", "/licensor/v1/users/"+ann+"/explain", token, "").body), &one))
	var all struct{ Value []explained }
	w.must(json.Unmarshal([]byte(w.do("GET", "/licensor/v1/licenseErrors", token, "").body), &all))
	for _, e := range append(all.Value, one) {
		if len(e.Reasons) != 1000 || e.Count != products || e.Reasons[0].GroupDisplayName != "Group 0" ||
			e.Reasons[0].Error == "None" {
			t.Errorf("%d reasons of %d", len(e.Reasons), e.Count)
		}
	}
	if len(all.Value) != 1 {
		t.Errorf("%d users are in error", len(all.Value))
	}
}

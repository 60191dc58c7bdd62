package graph

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"licensor/internal/graph/problem"
	"licensor/internal/turns"
)

// A tenant that asks for the most expensive things that it can, all the time, is not felt by
// another one. The bounds are generous: how long the other one waits is measured in bench.
func TestANeighborIsServedBesideExpensiveRequests(t *testing.T) {
	t.Parallel()
	const bound = 15 * time.Second
	w, token := withMany(t, 20_000)
	other := w.second("fabrikam.example")
	own := other.appToken(allPermissions...)
	ann := other.create("/v1.0/users", `{"accountEnabled":true,"displayName":"Ann","mailNickname":"ann","userPrincipalName":"ann@fabrikam.example","passwordProfile":{"password":"Secret-123!"}}`)

	var terms []string
	for i := range 40 {
		terms = append(terms, fmt.Sprintf("endsWith(userPrincipalName,'x%d')", i))
	}
	filter := "/v1.0/users?$count=true&$orderby=displayName&$filter=" + url.PathEscape("not("+strings.Join(terms, " or ")+")")
	members := "/v1.0/groups/" + nobodysID + "/members/microsoft.graph.user?$top=999&$count=true&$orderby=displayName&$filter=" + url.PathEscape(terms[0]+" or accountEnabled eq true")
	expensive := []string{filter, members, "/v1.0/users/delta?$deltatoken=latest", "/v1.0/users?$top=999&$select=id,assignedPlans,licenseAssignmentStates&$expand=memberOf", "/licensor/v1/licenseErrors"}

	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for n := range 16 {
		wait.Go(func() {
			for i := n; ctx.Err() == nil; i++ {
				w.do("GET", expensive[i%len(expensive)], token, "", "ConsistencyLevel: eventual")
			}
		})
	}
	defer wait.Wait()
	defer stop()
	for i := range 10 {
		for _, r := range []struct{ method, path, body string }{
			{"GET", "/v1.0/users/" + ann, ""},
			{"GET", "/v1.0/users?$top=100", ""},
			{"PATCH", "/v1.0/users/" + ann, fmt.Sprintf(`{"jobTitle":"Number %d"}`, i)},
		} {
			begin := time.Now()
			got := other.do(r.method, r.path, own, r.body)
			if took := time.Since(begin); got.status >= 300 || took > bound {
				t.Errorf("%s %s is answered %d after %s", r.method, r.path, got.status, took)
			}
		}
	}
}

// What takes more than its budget ends with the part that is expensive.
func TestTooMuchWorkIsRefused(t *testing.T) {
	t.Parallel()
	p, ok := problem.Of(fmt.Errorf("list: %w", &turns.TooMuch{Doing: "$expand"}))
	if !ok || p.Status != http.StatusBadRequest || !strings.Contains(p.Message, "$expand") || !strings.Contains(p.Message, "10s") {
		t.Errorf("it is %+v", p)
	}
}

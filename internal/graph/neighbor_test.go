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
	type asked struct{ method, path, body string }
	expensive := []asked{{"GET", filter, ""}, {"GET", members, ""}, {"POST", "/v1.0/$batch", refusedBatch()}}
	for _, path := range []string{
		"/v1.0/users/delta?$deltatoken=latest", "/v1.0/groups/delta", "/licensor/v1/licenseErrors", "/v1.0/groups?$top=999&$expand=members",
		"/v1.0/users?$top=999&$select=id,assignedPlans,licenseAssignmentStates&$expand=memberOf",
	} {
		expensive = append(expensive, asked{"GET", path, ""})
	}

	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for n := range 16 {
		wait.Go(func() {
			for i := n; ctx.Err() == nil; i++ {
				r := expensive[i%len(expensive)]
				w.do(r.method, r.path, token, r.body, "ConsistencyLevel: eventual")
			}
		})
	}
	defer wait.Wait()
	defer stop()
	for i := range 10 {
		for _, r := range []asked{
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

// refusedBatch is a batch of lists that are all refused: cheap by itself, but much at once.
func refusedBatch() string {
	var steps []string
	for i := range maxSteps {
		steps = append(steps, fmt.Sprintf(`{"id":"%d","method":"GET","url":"/users?$filter=nonsense eq %d"}`, i, i))
	}
	return `{"requests":[` + strings.Join(steps, ",") + `]}`
}

// The requests of a batch are worked on as others are: each has a turn of its tenant, and gives it
// back.
func TestTheRequestsOfABatchTakeTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(allPermissions...)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 20 {
				got := w.do("POST", "/v1.0/$batch", token, refusedBatch())
				if got.status != http.StatusOK || strings.Count(got.body, `"status":400`) != maxSteps {
					t.Errorf("the batch is answered %d %.300s", got.status, got.body)
				}
			}
		})
	}
	wait.Wait()
}

// What takes more than its budget ends with the part that is expensive.
func TestTooMuchWorkIsRefused(t *testing.T) {
	t.Parallel()
	p, ok := problem.Of(fmt.Errorf("list: %w", &turns.TooMuchError{Doing: "$expand"}))
	if !ok || p.Status != http.StatusBadRequest || !strings.Contains(p.Message, "$expand") ||
		!strings.Contains(p.Message, "10s") {
		t.Errorf("it is %+v", p)
	}
}

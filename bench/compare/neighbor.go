package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"licensor/bench/load"
)

// greedy is how many callers ask the most expensive filters at once, and pause the time between two
// reads in the other tenant.
const (
	greedy = 16
	pause  = 50 * time.Millisecond
)

// asked counts the expensive requests of this run, so that all are different.
var asked atomic.Int64

// expensive returns one of several requests that take long: filters that compare several text
// columns of each of a million users, for the total and for the order; large pages of documents;
// the largest group's members; and a batch of such requests.
func expensive(l *licensor) []byte {
	n := asked.Add(1)
	filter := fmt.Sprintf("/users?$top=100&$count=true&$orderby=displayName&$filter="+
		url.PathEscape("endsWith(mail,'%[1]d.example') or endsWith(userPrincipalName,'%[1]d@%[2]s') or "+
			"proxyAddresses/any(p:startsWith(p,'smtp:%[1]dx')) or not(endsWith(mail,'%[1]d.test'))"), n, domain)
	documents := "/users?$top=999&$select=id,displayName,proxyAddresses,businessPhones,assignedLicenses,licenseAssignmentStates,assignedPlans"
	members := fmt.Sprintf("/groups/%s/members/microsoft.graph.user?$top=999&$count=true&$orderby=displayName&$filter=", groupID(0)) +
		url.PathEscape(fmt.Sprintf("endsWith(mail,'%d.example') or not(endsWith(mail,'%d.test'))", n, n))
	switch n % 4 {
	case 0:
		return load.Request("GET", l.Address, "/v1.0"+documents, l.Token, "")
	case 1:
		return load.Request("GET", l.Address, "/v1.0"+members, l.Token, "")
	case 2:
		var steps []string
		for i, address := range []string{filter, documents, members, filter, documents, members} {
			steps = append(steps, fmt.Sprintf(`{"id":"%d","method":"GET","url":%q,"headers":{"ConsistencyLevel":"eventual"}}`, i, address))
		}
		return load.Request("POST", l.Address, "/v1.0/$batch", l.Token, `{"requests":[`+strings.Join(steps, ",")+`]}`)
	}
	return load.Request("GET", l.Address, "/v1.0"+filter, l.Token, "")
}

// neighborUsers is the number of users of the other tenant, besides its administrator.
const neighborUsers = 200

// strain is the set of requests that all greedy callers send.
type strain struct {
	name    string // of its rows
	title   string // in the report
	request func(*licensor) []byte
}

// strains are the most expensive requests, and requests that are cheap but use the processors when
// many callers send them without a pause.
var strains = []strain{
	{"neighbor", "the most expensive requests", expensive},
	{"neighbor-batches", "batches of 20 lists that are refused", refusedBatch},
	{"neighbor-expansions", "pages of 999 groups with members, or users with memberships", expansion},
	{"neighbor-batched", "batches of 20 pages of 999 users with memberships", batchedExpansions},
	{"neighbor-ours", "`getByIds` of 1,000, transitive members, license errors, `delta`", several},
}

func refusedBatch(l *licensor) []byte {
	return batchOf(l, func(n int) string { return fmt.Sprintf("/users?$filter=nonsense eq %d", n) })
}

func batchedExpansions(l *licensor) []byte {
	return batchOf(l, func(int) string { return "/users?$top=999&$expand=memberOf" })
}

// batchOf is a batch of 20 reads.
func batchOf(l *licensor, address func(n int) string) []byte {
	var steps []string
	for i := range 20 {
		steps = append(steps, fmt.Sprintf(`{"id":"%d","method":"GET","url":%q}`, i, address(i)))
	}
	return load.Request("POST", l.Address, "/v1.0/$batch", l.Token, `{"requests":[`+strings.Join(steps, ",")+`]}`)
}

func expansion(l *licensor) []byte {
	path := "/v1.0/groups?$top=999&$expand=members"
	if asked.Add(1)%2 == 0 {
		path = "/v1.0/users?$top=999&$expand=memberOf"
	}
	return load.Request("GET", l.Address, path, l.Token, "")
}

func several(l *licensor) []byte {
	switch asked.Add(1) % 4 {
	case 0:
		var ids []string
		for i := range 1000 {
			ids = append(ids, `"`+personID(i)+`"`)
		}
		return load.Request("POST", l.Address, "/v1.0/directoryObjects/getByIds", l.Token, `{"ids":[`+strings.Join(ids, ",")+`]}`)
	case 1:
		return load.Request("GET", l.Address, "/v1.0/groups/"+groupID(0)+"/transitiveMembers?$top=999", l.Token, "")
	case 2:
		return load.Request("GET", l.Address, "/licensor/v1/licenseErrors", l.Token, "")
	}
	return load.Request("GET", l.Address, "/v1.0/groups/delta", l.Token, "")
}

// neighbors measures reads of one user, pages of 100, changes in a tenant, and whether the server
// is ready, while another tenant sends as many expensive requests as it may. A request's time
// begins when it is due, so that a late one delays those behind it.
func (c *comparison) neighbors(ctx context.Context) error {
	for _, l := range c.versions {
		for _, s := range strains {
			if !c.wanted(s.name) {
				continue
			}
			if err := c.neighbor(ctx, l, s); err != nil {
				return fmt.Errorf("%s, %s: %w", s.name, l.name, err)
			}
		}
	}
	return nil
}

func (c *comparison) neighbor(ctx context.Context, l *licensor, s strain) error {
	if err := l.renew(ctx); err != nil {
		return err
	}
	token, err := l.tokenFor(ctx, l.other)
	if err != nil {
		return err
	}
	if err := l.populate(ctx, token); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop()
	for range greedy {
		wait.Go(func() {
			caller := load.Connection{Address: l.Address}
			defer caller.Close()
			for ctx.Err() == nil {
				// The version before refuses work that takes too long; refused callers retry.
				_, _ = caller.Ask(ctx, s.request(l))
			}
		})
	}
	time.Sleep(time.Second) // until all callers are busy
	for _, row := range []struct {
		name    string
		request func(n int) []byte
	}{
		{s.name, func(int) []byte { return load.Request("GET", l.Address, "/v1.0/users/admin@other.example", token, "") }},
		{s.name + "-list", func(int) []byte { return load.Request("GET", l.Address, "/v1.0/users?$top=100", token, "") }},
		{s.name + "-change", func(n int) []byte {
			return load.Request("PATCH", l.Address, fmt.Sprintf("/v1.0/users/neighbor%d@other.example", n%neighborUsers), token,
				fmt.Sprintf(`{"officeLocation":"Desk %d-%d"}`, c.began.UnixNano(), n))
		}},
		{s.name + "-ready", func(int) []byte { return load.Request("GET", l.Address, "/readyz", token, "") }},
	} {
		o, err := c.beside(ctx, l, row.request)
		if err != nil {
			return err
		}
		c.add(row.name, l.name, o)
	}
	return nil
}

// `beside` sends a request every 50 ms.
func (c *comparison) beside(ctx context.Context, l *licensor, request func(n int) []byte) (*load.Outcome, error) {
	reader := load.Connection{Address: l.Address}
	defer reader.Close()
	o := &load.Outcome{Callers: 1, Answers: map[int]load.Size{}}
	for due, until := time.Now(), time.Now().Add(2*c.time); due.Before(until); due = due.Add(pause) {
		time.Sleep(time.Until(due))
		if _, err := reader.Ask(ctx, request(len(o.Times))); err != nil {
			return load.Failed(err)
		}
		o.Times = append(o.Times, time.Since(due))
	}
	slices.Sort(o.Times)
	return o, nil
}

// populate gives the other tenant some users. Users that exist already are refused one by one,
// which is harmless.
func (l *licensor) populate(ctx context.Context, token string) error {
	var rows strings.Builder
	for n := range neighborUsers {
		fmt.Fprintf(&rows, `{"user":{"displayName":"Neighbor `+
			`%[1]d","userPrincipalName":"neighbor%[1]d@other.example","mailNickname":"neighbor%[1]d","accountEnabled":true}}`+"\n", n)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+l.Address+"/licensor/v1/import", strings.NewReader(rows.String()))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/x-ndjson")
	return send(request, nil)
}

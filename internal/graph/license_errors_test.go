package graph

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// failedUser is a user as Graph shows it, for comparison with our lists of errors.
type failedUser struct {
	ID, DisplayName, Department, UsageLocation string

	LicenseAssignmentStates []failedState
}

type failedState struct {
	SKUID               string
	AssignedByGroup     string
	Error               string
	LastUpdatedDateTime time.Time
}

// clause is a filter, and which errors it selects.
type clause struct {
	text  string
	holds func(*failedUser, *failedState) bool
}

// errorsWorld has users with errors of several kinds, from several groups, at several times.
func errorsWorld(t *testing.T) (w *world, token string) {
	w = newWorld(t)
	token = w.appToken(allPermissions...)
	var rows []string
	for i, name := range []string{"ann", "bob", "cid", "dan", "eve", "Fay", "gus", "hal", "ida", "joe"} {
		id := idOf('a', strings.ToLower(name))
		rows = append(rows, fmt.Sprintf(`{"user":{"id":"%s","displayName":"%s","userPrincipalName":"%s@contoso.example",`+
			`"mailNickname":"%s","accountEnabled":true,"usageLocation":"%s","department":%s}}`,
			id, name, name, name, []string{"DE", "US"}[i%2], []string{`"Sales"`, `"sales"`, `"Legal"`, "null"}[i%4]))
	}
	var members []string // after their groups
	for group, names := range map[string]string{"red": "ann bob cid dan eve", "blue": "eve fay gus hal", "gold": "ann cid fay hal"} {
		rows = append(rows, fmt.Sprintf(`{"group":{"id":"%s","displayName":"%s","mailEnabled":false,"mailNickname":"%s","securityEnabled":true}}`,
			idOf('b', group), group, group))
		for member := range strings.FieldsSeq(names) {
			members = append(members, fmt.Sprintf(`{"member":{"group":"%s","member":"%s"}}`, idOf('b', group), idOf('a', member)))
		}
	}
	rows = append(rows, members...)
	for sku, seats := range map[string]int{"ENTERPRISEPACK": 2, "STANDARDPACK": 9, "VISIOCLIENT": 1} {
		rows = append(rows, fmt.Sprintf(`{"subscription":{"skuId":"%s","totalLicenses":%d}}`, catalogNames()["sku:"+sku], seats))
	}
	got := w.do("POST", "/licensor/v1/import", token, strings.Join(rows, "\n"), "Content-Type: application/x-ndjson")
	got.want(t, 200)
	if !strings.Contains(got.body, `"refused":0`) {
		t.Fatal(got.body)
	}
	for _, give := range [][2]string{{"red", "ENTERPRISEPACK"}, {"blue", "STANDARDPACK"}, {"gold", "VISIOCLIENT"}, {"gold", "STANDARDPACK"}} {
		w.do("POST", "/v1.0/groups/"+idOf('b', give[0])+"/assignLicense", token,
			`{"addLicenses":[{"skuId":"`+catalogNames()["sku:"+give[1]]+`"}],"removeLicenses":[]}`).want(t, 202)
		w.clock.Add(60)
	}
	return w, token
}

func (w *world) failedUsers(token string) (failed []*failedUser) {
	var list struct{ Value []*failedUser }
	got := w.do("GET", "/v1.0/users?$top=999&$select=id,displayName,department,usageLocation,licenseAssignmentStates", token, "")
	w.must(json.Unmarshal([]byte(got.body), &list))
	return list.Value
}

// drawClause draws a filter over the errors there are.
func drawClause(t *rapid.T, depth int, users []*failedUser) clause {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth > 0 && kind < 5 {
		a := drawClause(t, depth-1, users)
		if kind == 0 {
			return clause{"not (" + a.text + ")", func(u *failedUser, s *failedState) bool { return !a.holds(u, s) }}
		}
		b := drawClause(t, depth-1, users)
		if kind < 3 {
			both := func(u *failedUser, s *failedState) bool { return a.holds(u, s) && b.holds(u, s) }
			return clause{"(" + a.text + ") and (" + b.text + ")", both}
		}
		either := func(u *failedUser, s *failedState) bool { return a.holds(u, s) || b.holds(u, s) }
		return clause{"(" + a.text + ") or (" + b.text + ")", either}
	}
	u := rapid.SampledFrom(users).Draw(t, "user")
	var s failedState
	if len(u.LicenseAssignmentStates) > 0 {
		s = rapid.SampledFrom(u.LicenseAssignmentStates).Draw(t, "state")
	}
	return atom(t, u, &s)
}

// atom draws a comparison with what a user has.
func atom(t *rapid.T, u *failedUser, s *failedState) clause {
	of := map[string]func(*failedUser, *failedState) string{
		"error":         func(_ *failedUser, s *failedState) string { return s.Error },
		"skuId":         func(_ *failedUser, s *failedState) string { return s.SKUID },
		"group":         func(_ *failedUser, s *failedState) string { return s.AssignedByGroup },
		"department":    func(u *failedUser, _ *failedState) string { return strings.ToLower(u.Department) },
		"usageLocation": func(u *failedUser, _ *failedState) string { return u.UsageLocation },
	}
	name := rapid.SampledFrom([]string{"error", "skuId", "group", "department", "usageLocation", "since"}).Draw(t, "property")
	if name == "since" {
		at := s.LastUpdatedDateTime
		op := rapid.SampledFrom([]string{"eq", "lt", "le", "gt", "ge"}).Draw(t, "operator")
		return clause{"since " + op + " " + at.Format(time.RFC3339), func(_ *failedUser, s *failedState) bool {
			order := s.LastUpdatedDateTime.Compare(at)
			return strings.Contains(map[int]string{-1: "lt le", 0: "eq le ge", 1: "gt ge"}[order], op)
		}}
	}
	if s.Error == "" && (name == "error" || name == "skuId") { // there is no state
		name = "group"
	}
	value := of[name](u, s)
	text := "'" + value + "'"
	if value == "" {
		text = "null"
	}
	equal := func(u *failedUser, s *failedState) bool { return of[name](u, s) == value }
	switch rapid.IntRange(0, 2).Draw(t, "operator") {
	case 0:
		return clause{name + " ne " + text, func(u *failedUser, s *failedState) bool { return !equal(u, s) }}
	case 1:
		return clause{name + " in (" + text + ")", equal}
	}
	return clause{name + " eq " + text, equal}
}

// TestErrorsByFilterAreThoseThatGraphShows compares lists of errors, by filters and in orders, page
// by page, with the states that Graph shows of the users.
func TestErrorsByFilterAreThoseThatGraphShows(t *testing.T) {
	t.Parallel()
	w, token := errorsWorld(t)
	users := w.failedUsers(token)
	if all := selectedBy(clause{holds: func(*failedUser, *failedState) bool { return true }}, users, ""); len(all) < 5 {
		t.Fatalf("only %d users are in error: %v", len(all), all)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := drawClause(t, 3, users)
		order := rapid.SampledFrom([]string{"", "since", "since desc", "displayName", "displayName desc"}).Draw(t, "order")
		want := selectedBy(c, users, order)
		query := url.Values{"$filter": {c.text}, "$count": {"true"}, "$top": {fmt.Sprint(rapid.IntRange(1, 4).Draw(t, "top"))}}
		if order != "" {
			query.Set("$orderby", order)
		}
		var got []string
		for link := "/licensor/v1/licenseErrors?" + query.Encode(); link != ""; {
			page := w.errorsAt(t, link, token)
			if page.Count != nil && *page.Count != len(want) {
				t.Fatalf("%s: %d users are counted, want %d", c.text, *page.Count, len(want))
			}
			for _, u := range page.Value {
				got = append(got, fmt.Sprint(u.ID, " ", len(u.Reasons)))
			}
			link = strings.TrimPrefix(page.Next, w.server.URL)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s by %s:\n%v, want\n%v", c.text, order, got, want)
		}
		w.wantSummary(t, c, users, token)
	})
}

// selectedBy returns the users with an error that a filter selects, each with their number.
func selectedBy(c clause, users []*failedUser, order string) (want []string) {
	type row struct {
		text, name string
		since      time.Time
	}
	var rows []row
	for _, u := range users {
		r, n := row{name: strings.ToLower(u.DisplayName)}, 0
		for i := range u.LicenseAssignmentStates {
			s := &u.LicenseAssignmentStates[i]
			if s.Error == "None" || !c.holds(u, s) {
				continue
			}
			if n++; n == 1 || s.LastUpdatedDateTime.Before(r.since) {
				r.since = s.LastUpdatedDateTime
			}
		}
		if r.text = fmt.Sprint(u.ID, " ", n); n > 0 {
			rows = append(rows, r)
		}
	}
	by, _, _ := strings.Cut(order, " ")
	slices.SortStableFunc(rows, func(a, b row) int {
		switch by {
		case "since":
			return a.since.Compare(b.since)
		case "displayName":
			return cmp.Compare(a.name, b.name)
		}
		return 0
	})
	if strings.HasSuffix(order, " desc") {
		slices.Reverse(rows)
	}
	for _, r := range rows {
		want = append(want, r.text)
	}
	return want
}

type errorsPage struct {
	Count *int   `json:"@odata.count"`
	Next  string `json:"@odata.nextLink"`
	Value []struct {
		ID      string
		Reasons []json.RawMessage
	}
}

func (w *world) errorsAt(t *rapid.T, link, token string) (page errorsPage) {
	got := w.do("GET", link, token, "")
	if got.status != 200 {
		t.Fatalf("%s: %d %s", link, got.status, got.body)
	}
	w.must(json.Unmarshal([]byte(got.body), &page))
	return page
}

// wantSummary compares the numbers of users by error with those that Graph shows.
func (w *world) wantSummary(t *rapid.T, c clause, users []*failedUser, token string) {
	got := w.do("GET", "/licensor/v1/licenseErrors/summary?$filter="+url.QueryEscape(c.text), token, "")
	var summary struct {
		Users   int
		ByError []struct {
			Error string
			Users int
		}
	}
	w.must(json.Unmarshal([]byte(got.body), &summary))
	if all := len(selectedBy(c, users, "")); summary.Users != all {
		t.Fatalf("%s: %d users in sum, want %d", c.text, summary.Users, all)
	}
	for _, by := range summary.ByError {
		one := clause{holds: func(u *failedUser, s *failedState) bool { return s.Error == by.Error && c.holds(u, s) }}
		if n := len(selectedBy(one, users, "")); n != by.Users {
			t.Fatalf("%s: %d users with %s, want %d", c.text, by.Users, by.Error, n)
		}
	}
}

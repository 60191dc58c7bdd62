package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestL85L86L88DriftIsWhatGraphShows compares drift of random tenants with what a client finds that
// reads users, groups and products of Graph and compares them itself. A clean-up of it takes no
// plan from anyone whose account is enabled.
func TestL85L86L88DriftIsWhatGraphShows(t *testing.T) {
	t.Parallel()
	found := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		w := newSwapTrial(t, rt)
		w.imports(`{"subscription":{"skuId":"` + w.sku("SHAREPOINTENTERPRISE") + `","totalLicenses":4}}`)
		w.alone(w.all("/groups/"+w.group(), "ENTERPRISEPACK"))
		for range rapid.IntRange(4, 16).Draw(rt, "earlier changes") {
			switch rapid.IntRange(0, 9).Draw(rt, "kind of change") {
			case 0:
				w.alone(w.disabled())
			case 1:
				w.clock.Add(int64(rapid.IntRange(10, 40).Draw(rt, "hours")) * 3600)
				w.token = w.appToken(allPermissions...)
			case 2:
				w.alone(w.all("/users/"+w.user(), "SHAREPOINTENTERPRISE"))
			case 3:
				w.alone(w.all("/users/"+w.user(), "ENTERPRISEPACK"))
			case 4:
				w.suspend()
			case 5, 6:
				w.alone(trialRequest{ID: "0", Method: "POST", URL: "/groups/" + w.group() + "/members/$ref", Body: map[string]any{
					"@odata.id": "https://graph.microsoft.com/v1.0/users/" + w.user(),
				}})
			default:
				w.alone(w.change())
			}
		}
		w.clock.Add(int64(rapid.SampledFrom([]int{0, 12, 48}).Draw(rt, "hours at the end")) * 3600)
		w.token = w.appToken(allPermissions...)
		want := w.naiveDrift()
		for _, row := range want {
			kind, _, _ := strings.Cut(row, " ")
			found[kind]++
		}
		rows, kinds := w.drift("")
		if !slices.Equal(rows, want) {
			rt.Fatalf("drift is\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
		}
		for kind, n := range kinds {
			if count := len(ofKind(want, kind)); n != count {
				rt.Fatalf("%d rows are of kind %s, want %d", n, kind, count)
			}
		}
		kind := rapid.SampledFrom([]string{"covered", "duplicate", "disabledAccount", "emptyGroup", "stuck"}).Draw(rt, "cleaned up")
		if rows, _ := w.drift("kind eq '" + kind + "'"); !slices.Equal(rows, ofKind(want, kind)) {
			rt.Fatalf("drift of kind %s is\n%s", kind, strings.Join(rows, "\n"))
		}
		found["cleaned up"] += w.cleanUp(kind, len(ofKind(want, kind)))
	})
	// Some runs have nothing covered or stuck, which are rare; scenario 118 has both.
	for _, kind := range []string{"duplicate", "disabledAccount", "emptyGroup", "noLocation", "unassigned", "cleaned up"} {
		if found[kind] == 0 && !testing.Short() {
			t.Errorf("nothing is %s: %v", kind, found)
		}
	}
}

func ofKind(rows []string, kind string) []string {
	return slices.DeleteFunc(slices.Clone(rows), func(row string) bool { return !strings.HasPrefix(row, kind+" ") })
}

// disabled disables the account of a user, or takes its location.
func (w *swapTrial) disabled() trialRequest {
	body := map[string]any{"accountEnabled": rapid.Bool().Draw(w.rt, "enabled")}
	if rapid.Bool().Draw(w.rt, "location") {
		body = map[string]any{"usageLocation": nil}
	}
	return trialRequest{ID: "0", Method: "PATCH", URL: "/users/" + w.user(), Body: body}
}

// suspend suspends all subscriptions of a product, or enables them again.
func (w *swapTrial) suspend() {
	product := rapid.SampledFrom([]string{"ENTERPRISEPACK", "SHAREPOINTENTERPRISE", "STANDARDPACK"}).Draw(w.rt, "suspended")
	status := rapid.SampledFrom([]string{"Suspended", "Suspended", "Enabled"}).Draw(w.rt, "status")
	var list struct {
		Value []struct{ ID, SkuPartNumber string }
	}
	w.read("/v1.0/directory/subscriptions?$select=id,skuPartNumber", &list)
	for _, s := range list.Value {
		if s.SkuPartNumber == product {
			w.alone(trialRequest{
				ID: "0", Method: "PATCH", URL: "/licensor/v1/subscriptions/" + s.ID, Body: map[string]any{"status": status},
			})
		}
	}
}

// all assigns all plans of a product to a user or a group.
func (w *swapTrial) all(place, product string) trialRequest {
	return trialRequest{ID: "0", Method: "POST", URL: place + "/assignLicense", Body: map[string]any{
		"addLicenses": []any{map[string]any{"skuId": w.sku(product)}}, "removeLicenses": []any{},
	}}
}

// drift reads all pages of drift, with days=1. Rows are texts: kind, user or group, product, source
// and seats.
func (w *swapTrial) drift(filter string) (rows []string, kinds map[string]int) {
	query := url.Values{"days": {"1"}, "$top": {fmt.Sprint(rapid.IntRange(1, 5).Draw(w.rt, "page"))}, "$count": {"true"}}
	if filter != "" {
		query.Set("$filter", filter)
	}
	count := -1
	for next := "/licensor/v1/drift?" + query.Encode(); next != ""; {
		var page struct {
			Next  string `json:"@odata.nextLink"`
			Count *int   `json:"@odata.count"`
			Kinds []struct {
				Kind, Status string
				Rows         int
			}
			Value []struct {
				Kind                           string
				User                           *struct{ UserPrincipalName string }
				SkuPartNumber, AssignedByGroup string
				Seats                          int
			}
		}
		got := w.send("GET", next, w.token, "")
		if got.status != http.StatusOK {
			w.rt.Fatalf("%s: %d %s", next, got.status, got.body)
		}
		w.must(json.Unmarshal([]byte(got.body), &page))
		if page.Count != nil {
			count, kinds = *page.Count, map[string]int{}
			for _, k := range page.Kinds {
				if k.Status == "known" {
					kinds[k.Kind] = k.Rows
				}
			}
		}
		for _, row := range page.Value {
			user := "-"
			if row.User != nil {
				user = row.User.UserPrincipalName
			}
			rows = append(rows, driftText(row.Kind, user, row.SkuPartNumber, row.AssignedByGroup, row.Seats))
		}
		next = strings.TrimPrefix(page.Next, w.server.URL)
	}
	if count != len(rows) {
		w.rt.Fatalf("%d rows, and their number is %d", len(rows), count)
	}
	slices.Sort(rows)
	return rows, kinds
}

func driftText(kind, user, product, group string, seats int) string {
	return fmt.Sprintf("%s %s %s %q %d", kind, user, product, group, seats)
}

// graphUser is a user as a client reads it.
type graphUser struct {
	UserPrincipalName, UsageLocation string
	AccountEnabled                   bool
	LicenseAssignmentStates          []graphState
}

type graphState struct {
	SkuID, AssignedByGroup, State, Error string
	DisabledPlans                        []string
	LastUpdatedDateTime                  time.Time
}

func (s *graphState) held() bool { return s.State != "Error" }

// works reports whether the license gives its plans, which those of suspended products do not.
func (s *graphState) works() bool { return s.held() && s.State != "Disabled" }

// naiveDrift finds the rows by reading Graph.
func (w *swapTrial) naiveDrift() (rows []string) {
	var skus struct {
		Value []struct {
			SkuID, SkuPartNumber string
			ConsumedUnits        int
			PrepaidUnits         struct{ Enabled, Warning int }
			ServicePlans         []struct{ ServicePlanID string }
		}
	}
	w.read("/v1.0/subscribedSkus", &skus)
	names, plans, order := map[string]string{}, map[string][]string{}, map[string]int{}
	for i, s := range skus.Value {
		names[s.SkuID], order[s.SkuID] = s.SkuPartNumber, i
		for _, p := range s.ServicePlans {
			plans[s.SkuID] = append(plans[s.SkuID], p.ServicePlanID)
		}
		if free := s.PrepaidUnits.Enabled + s.PrepaidUnits.Warning - s.ConsumedUnits; free > 0 {
			rows = append(rows, driftText("unassigned", "-", s.SkuPartNumber, "", free))
		}
	}
	duplicates := func(s, other *graphState) bool {
		mine, others := plans[s.SkuID], plans[other.SkuID]
		return s.SkuID != other.SkuID && containsAll(others, mine) &&
			(len(others) > len(mine) || !s.works() || order[other.SkuID] < order[s.SkuID])
	}
	var users struct{ Value []graphUser }
	w.read("/v1.0/users?$select=userPrincipalName,usageLocation,accountEnabled,licenseAssignmentStates", &users)
	for _, u := range users.Value {
		rows = append(rows, w.naiveUser(&u, names, duplicates)...)
	}
	var groups struct {
		Value []struct {
			ID               string
			AssignedLicenses []struct{ SkuID string }
		}
	}
	w.read("/v1.0/groups?$select=id,assignedLicenses", &groups)
	for _, g := range groups.Value {
		var members struct{ Value []any }
		w.read("/v1.0/groups/"+g.ID+"/members", &members)
		for _, l := range g.AssignedLicenses {
			if len(members.Value) == 0 {
				rows = append(rows, driftText("emptyGroup", "-", names[l.SkuID], g.ID, 0))
			}
		}
	}
	slices.Sort(rows)
	return rows
}

func (w *swapTrial) naiveUser(
	u *graphUser, names map[string]string, duplicates func(s, other *graphState) bool,
) (rows []string) {
	states := u.LicenseAssignmentStates
	first := func(i int) (seats int) { // the first source of a product has the seat
		for _, s := range states[:i] {
			if s.held() && s.SkuID == states[i].SkuID {
				return 0
			}
		}
		return 1
	}
	for i := range states {
		s := &states[i]
		add := func(kind string, seats int) {
			rows = append(rows, driftText(kind, u.UserPrincipalName, names[s.SkuID], s.AssignedByGroup, seats))
		}
		if s.Error != "None" && s.LastUpdatedDateTime.Before(w.now().AddDate(0, 0, -1)) {
			add("stuck", 0)
		}
		if !s.held() {
			continue
		}
		if s.AssignedByGroup == "" && slices.ContainsFunc(states, func(o graphState) bool {
			return o.works() && o.AssignedByGroup != "" && o.SkuID == s.SkuID &&
				containsAll(s.DisabledPlans, o.DisabledPlans)
		}) {
			add("covered", 0)
		}
		if slices.ContainsFunc(states, func(o graphState) bool { return o.works() && duplicates(s, &o) }) {
			add("duplicate", first(i))
		}
		if !u.AccountEnabled {
			add("disabledAccount", first(i))
		}
		if u.UsageLocation == "" {
			add("noLocation", 0)
		}
	}
	return rows
}

func containsAll(list, some []string) bool {
	return !slices.ContainsFunc(some, func(one string) bool { return !slices.Contains(list, one) })
}

func (w *swapTrial) read(path string, into any) {
	got := w.send("GET", strings.ReplaceAll(path, " ", "%20"), w.token, "")
	if got.status != http.StatusOK {
		w.rt.Fatalf("%s: %d %s", path, got.status, got.body)
	}
	w.must(json.Unmarshal([]byte(got.body), into))
}

// cleanUp cleans up the rows of a kind, and checks who loses what. It returns the number of
// licenses that are removed.
func (w *swapTrial) cleanUp(kind string, rows int) (removed int) {
	var answer struct {
		Requests []struct {
			Body struct{ RemoveLicenses []string }
		}
		Skipped []struct {
			Kind, Reason, Text string
			Rows               int
		}
		Left    int
		Preview *struct {
			ID             string
			FailedRequests int
		}
	}
	before, seq := w.plans(), w.tenant.Image().Seq
	got := w.send("POST", "/licensor/v1/drift/cleanups", w.token, `{"filter":"kind eq '`+kind+`'","days":1}`)
	w.rt.Logf("clean up %s: %d %s", kind, got.status, got.body)
	if got.status != http.StatusOK || w.tenant.Image().Seq != seq {
		w.rt.Fatalf("clean up %s: %d %s", kind, got.status, got.body)
	}
	w.must(json.Unmarshal([]byte(got.body), &answer))
	skipped := 0
	for _, s := range answer.Skipped {
		if skipped += s.Rows; s.Kind != kind || s.Reason == "" || s.Text == "" || s.Reason == "other" {
			w.rt.Fatalf("skipped: %+v", s)
		}
	}
	for _, r := range answer.Requests {
		removed += len(r.Body.RemoveLicenses)
	}
	if removed+skipped != rows || answer.Left != 0 || (answer.Preview == nil) != (removed == 0) {
		w.rt.Fatalf("of %d rows, %d are removed, %d skipped and %d left", rows, removed, skipped, answer.Left)
	}
	if answer.Preview == nil {
		return 0
	}
	got = w.send("POST", "/licensor/v1/previews/"+answer.Preview.ID+"/apply", w.token, "")
	if got.status != http.StatusOK || w.tenant.Image().Seq != seq+1 {
		w.rt.Fatalf("apply: %d %s", got.status, got.body)
	}
	after := w.plans()
	if kind != "disabledAccount" && !slices.EqualFunc(sortedPlans(before), sortedPlans(after), slices.Equal[[]string]) {
		w.rt.Fatalf("users had %v, and have %v", before, after)
	}
	return removed
}

// sortedPlans returns the plans of users by name.
func sortedPlans(all map[string][]string) (lists [][]string) {
	for _, name := range trialUsers {
		lists = append(lists, slices.Compact(all[name+"@contoso.example"]))
	}
	return lists
}

// A user is inactive who was not seen in any way, on a page of the list and in its sum.
func TestL87DriftReadsSignInsOfManyUsers(t *testing.T) {
	t.Parallel()
	const users = 2700
	w := newWorld(t)
	lines := []string{`{"subscription":{"skuId":"` + e3 + `","totalLicenses":` + fmt.Sprint(users) + `}}`}
	lines = append(lines, fmt.Sprintf(`{"group":{"id":%q,"displayName":"all","mailNickname":"all","mailEnabled":false,`+
		`"securityEnabled":true}}`, idOf('b', "all")))
	inactive := map[string]bool{}
	for i := range users {
		upn := fmt.Sprintf("user%d@contoso.example", i)
		// All have last signed in on a page long ago, and every third has been seen without one since.
		seen := `"lastSignInDateTime":"2025-06-01T08:00:00Z"`
		if i%3 == 0 {
			seen += `,"lastNonInteractiveSignInDateTime":"2026-01-30T08:00:00Z"`
		} else {
			inactive[upn] = true
		}
		lines = append(lines, fmt.Sprintf(`{"user":{"userPrincipalName":%q,"displayName":"User","mailNickname":"user%d",`+
			`"accountEnabled":true,"usageLocation":"DE","signInActivity":{%s}}}`, upn, i, seen),
			fmt.Sprintf(`{"member":{"group":%q,"member":%q}}`, idOf('b', "all"), upn))
	}
	w.imports(lines...)
	token := w.appToken(allPermissions...)
	got := w.do("POST", "/v1.0/groups/"+idOf('b', "all")+"/assignLicense", token,
		`{"addLicenses":[{"skuId":"`+e3+`"}],"removeLicenses":[]}`)
	if got.status != http.StatusAccepted {
		t.Fatalf("assignLicense: %d %s", got.status, got.body)
	}
	next := "/licensor/v1/drift?$top=999&$count=true&$filter=" + url.QueryEscape("kind eq 'inactive'")
	for pages := 0; next != ""; pages++ {
		var page struct {
			Next  string `json:"@odata.nextLink"`
			Count *int   `json:"@odata.count"`
			Value []struct {
				User struct{ UserPrincipalName string }
			}
		}
		got := w.do("GET", next, token, "")
		if got.status != http.StatusOK || json.Unmarshal([]byte(got.body), &page) != nil {
			t.Fatalf("drift: %d %s", got.status, got.body)
		}
		if pages == 0 && (page.Count == nil || *page.Count != len(inactive)) {
			t.Errorf("the number of rows is %v, want %d", page.Count, len(inactive))
		}
		for _, row := range page.Value {
			if !inactive[row.User.UserPrincipalName] {
				t.Fatalf("%s is inactive, or a duplicate", row.User.UserPrincipalName)
			}
			delete(inactive, row.User.UserPrincipalName)
		}
		next = strings.TrimPrefix(page.Next, w.server.URL)
	}
	if len(inactive) > 0 {
		t.Errorf("%d users are missing", len(inactive))
	}
}

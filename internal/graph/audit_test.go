package graph

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// auditAnswer is a page of the audit log.
type auditAnswer struct {
	Next  string `json:"@odata.nextLink"`
	Value []struct {
		ID                  string
		ActivityDisplayName string
		TargetResources     []struct {
			ID, DisplayName    string
			ModifiedProperties []struct{ OldValue, NewValue string }
		}
	}
}

func (w *world) audit(path string) (page auditAnswer) {
	w.t.Helper()
	got := w.do("GET", strings.TrimPrefix(path, w.server.URL), w.appToken(allPermissions...), "")
	if got.status != 200 {
		w.t.Fatalf("%s: %d %s", path, got.status, got.body)
	}
	w.must(json.Unmarshal([]byte(got.body), &page))
	return page
}

// largeGroup imports a group with as many members, and seats for all of them.
func (w *world) largeGroup(members int) (group string) {
	w.t.Helper()
	names, group := catalogNames(), idOf('b', "all")
	rows := []string{
		fmt.Sprintf(`{"subscription":{"skuId":"%s","totalLicenses":%d}}`, names["sku:EMS"], members),
		fmt.Sprintf(`{"group":{"id":"%s","displayName":"all","mailEnabled":false,"mailNickname":"all","securityEnabled":true}}`, group),
	}
	for i := range members {
		id := fmt.Sprintf("a0000000-0000-4000-8000-%012d", i)
		rows = append(rows, fmt.Sprintf(`{"user":{"id":"%s","displayName":"User %d","userPrincipalName":"u%d@contoso.example","mailNickname":"u%d",`+
			`"accountEnabled":true,"usageLocation":"DE"}}`, id, i, i, i),
			fmt.Sprintf(`{"member":{"group":"%s","member":"%s"}}`, group, id))
	}
	got := w.do("POST", "/licensor/v1/import", w.appToken(allPermissions...), strings.Join(rows, "\n"), "Content-Type: application/x-ndjson")
	if got.status != 200 || !strings.Contains(got.body, `"refused":0`) {
		w.t.Fatalf("import: %d %s", got.status, got.body)
	}
	got = w.do("POST", "/v1.0/groups/"+group+"/assignLicense", w.appToken(allPermissions...),
		fmt.Sprintf(`{"addLicenses":[{"skuId":"%s"}],"removeLicenses":[]}`, names["sku:EMS"]))
	if got.status != 202 {
		w.t.Fatalf("license: %d %s", got.status, got.body)
	}
	return group
}

// TestU5U23PagesHaveEachEntryOnce reads the two entries of each of many users in pages, while there
// are other changes (docs/spec/audit.md U5, U23, scenarios 8 and 10).
func TestU5U23PagesHaveEachEntryOnce(t *testing.T) {
	t.Parallel()
	const members = 1250
	w := newWorld(t)
	group := w.largeGroup(members)
	for _, order := range []string{"", "&$orderby=activityDateTime"} {
		seen, users, pages := map[string]bool{}, map[string]int{}, 0
		filter := url.QueryEscape("activityDisplayName eq 'Update user' or activityDisplayName eq 'Change user license'")
		for next := "/v1.0/auditLogs/directoryAudits?$filter=" + filter + order; next != ""; pages++ {
			page := w.audit(next)
			for _, e := range page.Value {
				if seen[e.ID] {
					t.Errorf("%s is on two pages", e.ID)
				}
				seen[e.ID] = true
				users[e.TargetResources[0].ID]++
			}
			got := w.do("PATCH", "/v1.0/users/a0000000-0000-4000-8000-000000000000", w.appToken(allPermissions...),
				fmt.Sprintf(`{"jobTitle":"%s %d"}`, order, pages))
			if got.status != 204 {
				t.Fatal(got.body)
			}
			next = page.Next
		}
		others := len(seen) - 2*members
		if pages != 3 || len(users) != members || order == "" && others != 0 || order != "" && others != 3 {
			t.Errorf("%d entries of %d users on %d pages, of %d users", len(seen), len(users), pages, members)
		}
	}
	one := url.QueryEscape("targetResources/any(t:t/id eq 'a0000000-0000-4000-8000-000000000777')")
	page := w.audit("/v1.0/auditLogs/directoryAudits?$filter=" + one)
	if len(page.Value) != 2 || page.Value[1].ActivityDisplayName != "Change user license" ||
		page.Value[0].TargetResources[0].DisplayName != "User 777" {
		t.Errorf("the entries of one user are %v", page.Value)
	}
	page = w.audit("/v1.0/auditLogs/directoryAudits?$filter=" + url.QueryEscape("targetResources/any(t:t/id eq '"+group+"')"))
	if len(page.Value) != 3 {
		t.Errorf("the entries of the group are %v", page.Value)
	}
}

// TestU5LargeEntriesAreOnSeveralPages reads changes of large values.
func TestU5LargeEntriesAreOnSeveralPages(t *testing.T) {
	t.Parallel()
	const changes, size = 5, 600_000
	w := newWorld(t)
	w.largeGroup(1)
	for i := range changes {
		got := w.send("PATCH", "/v1.0/users/a0000000-0000-4000-8000-000000000000", w.appToken(allPermissions...),
			`{"skills":`+texts(size/1000, 1000+i, `"`)+`}`)
		if got.status != 204 {
			t.Fatal(got.body)
		}
	}
	seen, pages := map[string]bool{}, 0
	filter := url.QueryEscape("activityDisplayName eq 'Update user' and targetResources/any(t:t/id eq 'a0000000-0000-4000-8000-000000000000')")
	for next := "/v1.0/auditLogs/directoryAudits?$filter=" + filter; next != ""; pages++ {
		page, bytes := w.audit(next), 0
		for _, e := range page.Value {
			seen[e.ID] = true
			for _, p := range e.TargetResources[0].ModifiedProperties {
				bytes += len(p.OldValue) + len(p.NewValue)
			}
		}
		if bytes > 6<<20 || len(page.Value) == 0 {
			t.Errorf("page %d has %d entries of %d bytes", pages, len(page.Value), bytes)
		}
		next = page.Next
	}
	if len(seen) != changes+1 || pages < 2 { // the import gave a license, too
		t.Errorf("%d entries on %d pages", len(seen), pages)
	}
}

package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"pgregory.net/rapid"
)

// TestL78ARemedyClearsAsManyAsItsPreview compares the numbers of a summary of random tenants with
// previews of the change sets.
func TestL78ARemedyClearsAsManyAsItsPreview(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		w := newShortTrial(t, rt)
		for range rapid.IntRange(3, 7).Draw(rt, "changes") {
			w.alone(w.change())
		}
		if rapid.Bool().Draw(rt, "one more seat") {
			w.imports(`{"subscription":{"skuId":"` + e3 + `","totalLicenses":1}}`)
		}
		var summary struct {
			Users    int
			Remedies []struct {
				Kind, Text string
				Users      int
				Exact      bool
				ChangeSet  *struct{ Requests []trialRequest }
			}
		}
		got := w.send("GET", "/licensor/v1/licenseErrors/summary", w.token, "")
		if got.status != http.StatusOK || json.Unmarshal([]byte(got.body), &summary) != nil {
			rt.Fatalf("the summary: %d %s", got.status, got.body)
		}
		for _, m := range summary.Remedies {
			if m.Exact != (m.ChangeSet != nil) {
				rt.Fatalf("%s: exact: %v", m.Text, m.Exact)
			}
			if !m.Exact {
				continue
			}
			kinds[m.Kind]++
			if shown := w.preview(m.ChangeSet.Requests); shown.Users["clear"] != m.Users {
				rt.Fatalf("%q clears %d, and the preview shows %d", m.Text, m.Users, shown.Users["clear"])
			}
		}
	})
	if testing.Short() {
		return
	}
	for _, kind := range []string{"freeSeats", "reprocess", "disablePlan"} {
		if kinds[kind] == 0 {
			t.Errorf("there was no remedy of the kind %s: %v", kind, kinds)
		}
	}
}

// newShortTrial returns a trial with groups of all users and few seats.
func newShortTrial(t *testing.T, rt *rapid.T) *swapTrial {
	w := &swapTrial{newTrial(t, rt)}
	var lines []string
	for _, name := range swapProducts {
		if name != "ENTERPRISEPACK" { // it has two
			lines = append(lines, fmt.Sprintf(`{"subscription":{"skuId":%q,"totalLicenses":%d}}`,
				w.sku(name), rapid.IntRange(1, 3).Draw(rt, "seats")))
		}
	}
	for _, group := range trialGroups {
		for _, user := range trialUsers {
			lines = append(lines, fmt.Sprintf(`{"member":{"group":%q,"member":%q}}`, idOf('b', group), idOf('a', user)))
		}
	}
	w.imports(lines...)
	return w
}

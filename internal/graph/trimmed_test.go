package graph

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"licensor/internal/engine"
)

// TestTokensFromBeforeTheLogBegins: what was trimmed is answered as Graph does, and callers that
// begin again get all there is.
func TestTokensFromBeforeTheLogBegins(t *testing.T) {
	t.Parallel()
	w, token := withMany(t, 12)
	var first struct {
		Next  string `json:"@odata.nextLink"`
		Delta string `json:"@odata.deltaLink"`
	}
	read := func(link string) {
		t.Helper()
		got := w.do("GET", strings.TrimPrefix(link, w.server.URL), token, "", "ConsistencyLevel: eventual")
		if err := json.Unmarshal([]byte(got.body), &first); err != nil || got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", link, got.status, got.body)
		}
	}
	read("/v1.0/users?$orderby=displayName&$top=4")
	ordered := first.Next
	read("/v1.0/users/delta?$deltatoken=latest")
	changes := first.Delta
	trim := func(pass time.Duration) {
		t.Helper()
		for i := range 12 {
			w.disturb(token, 0, i, 12)
		}
		w.clock.Add(int64(pass / time.Second))
		token = w.appToken(allPermissions...)
		what := engine.Trimming{Keep: 7 * 24 * time.Hour, Load: true}
		if _, err := w.tenants.Trim(t.Context(), w.tenant.ID(), what); err != nil {
			t.Fatal(err)
		}
	}
	trim(time.Hour)
	if seen := w.follow(ordered, token); len(seen) != 8 {
		t.Errorf("after an hour the other pages show %d users, want 8", len(seen))
	}
	trim(2 * 24 * time.Hour)
	got := w.do("GET", strings.TrimPrefix(ordered, w.server.URL), token, "", "ConsistencyLevel: eventual")
	if got.status != http.StatusBadRequest || !strings.Contains(got.body, `"code":"Directory_ExpiredPageToken"`) {
		t.Errorf("a page from two days ago: %d %s", got.status, got.body)
	}
	read(changes)
	changes = first.Delta
	trim(8 * 24 * time.Hour)
	got = w.do("GET", strings.TrimPrefix(changes, w.server.URL), token, "")
	again := got.header.Get("Location")
	if got.status != http.StatusGone || !strings.Contains(again, "/v1.0/users/delta") {
		t.Fatalf("changes from before the log: %d %q %s", got.status, again, got.body)
	}
	read(again)
	if seen := w.follow("/v1.0/users?$orderby=displayName&$top=4", token); len(seen) < 10 {
		t.Errorf("a new list shows %d users", len(seen))
	}
}

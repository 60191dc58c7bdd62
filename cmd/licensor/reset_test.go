package main

import (
	"net/http"
	"testing"
	"time"

	"licensor/internal/server"
)

// TestTheDemoIsReset wants a reset to take less than tests would notice.
func TestTheDemoIsReset(t *testing.T) {
	runDemo(t, func(_ string, login server.Login) {
		c := newClient(t, login)
		ask := func(method, path, body, want string) string {
			t.Helper()
			status, answer := c.send(method, path, body, c.tokens[""], false)
			if status != want {
				t.Fatalf("%s %s: %s %s", method, path, status, answer)
			}
			return answer
		}
		before := ask(http.MethodGet, "/licensor/v1/export", "", "200")
		best := time.Hour
		for range 5 {
			ask(http.MethodPost, "/licensor/v1/reprocess", `{"all":true}`, "200")
			ask(http.MethodDelete, "/v1.0/groups/"+c.known["g"], "", "400") // it has licenses
			ask(http.MethodPatch, "/v1.0/groups/"+c.known["g"], `{"displayName":"Others"}`, "204")
			ask(http.MethodDelete, "/v1.0/users/"+c.known["u"], "", "204")
			begun := time.Now()
			ask(http.MethodPost, "/licensor/v1/development/reset", "", "204")
			best = min(best, time.Since(begun))
			if after := ask(http.MethodGet, "/licensor/v1/export", "", "200"); after != before {
				t.Fatalf("after a reset the demo has\n%s\nand had\n%s", after, before)
			}
		}
		t.Logf("a reset takes %s", best)
		if best > 100*time.Millisecond {
			t.Errorf("a reset takes %s", best)
		}
	})
}

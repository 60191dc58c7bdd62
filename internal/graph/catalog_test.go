package graph

import (
	"net/http"
	"testing"

	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
)

// A large catalog is sent while it is written, in the form in which it can be set again.
func TestTheCatalogIsSentWhileItIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.once = true
	token, path := w.appToken(allPermissions...), route.Own+"/catalog"
	get := func() string {
		t.Helper()
		got := w.do("GET", path, token, "")
		if got.status != http.StatusOK || len(got.body) < wire.StreamFrom || got.header.Get("Content-Length") != "" {
			t.Fatalf("get the catalog: %d %v, %d bytes", got.status, got.header, len(got.body))
		}
		return got.body
	}
	first := get()
	if got := w.do("PUT", path, token, first); got.status >= 300 {
		t.Fatalf("set the catalog: %d %.300s", got.status, got.body)
	}
	if second := get(); second != first {
		t.Errorf("what was set again differs: %d and %d bytes", len(first), len(second))
	}
}

package graph

import (
	"context"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/memory"
)

// within serves the world again, with requests that have so much memory and no more.
func (w *world) within(b *memory.Budget, find func(context.Context, uuid.UUID) (*engine.Tenant, error)) {
	config := w.config()
	config.Tenant, config.Memory = find, b
	config.Random, config.PasswordCost = counting{}, cheapPasswords
	w.server = newServer(w.t, New(config))
}

const budgeted = 8 << 20

// largeBody takes more memory than every request has, and can be packed.
var largeBody = `{"interests":["` + strings.Repeat(strings.Repeat("x", 1000)+`","`, 99) + `x"]}`

// A body takes memory before it is read: one of a length that is not known as it turns out to be
// longer, so that packed ones that are small take little.
func TestBodiesTakeMemoryAsTheyGrow(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	w.within(memory.New(budgeted, func() int64 { return memory.Small }), w.tenants.Tenant)
	token, path := w.appToken(allPermissions...), "/v1.0/users/"+ann
	for name, body := range map[string]string{"small": `{"jobTitle":"Head"}`, "large": largeBody} {
		want := map[string]int{"small": http.StatusNoContent, "large": http.StatusServiceUnavailable}[name]
		if got := w.send("PATCH", path, token, body); got.status != want {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
		got := w.send("PATCH", path, token, compressed(body), "Content-Encoding: gzip")
		told := got.header.Get("Retry-After") != "" && strings.Contains(got.body, "little memory")
		if got.status != want || want == http.StatusServiceUnavailable && !told {
			t.Errorf("%s, compressed: %d %v %s", name, got.status, got.header, got.body)
		}
	}
}

// What a tenant's other requests have no memory left for is refused with 429, what those of all
// have none left for with 503, and both come back.
func TestRequestsWithoutMemoryAreRefused(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	b := memory.New(budgeted, func() int64 { return math.MaxInt64 })
	w.within(b, w.tenants.Tenant)
	token, path := w.appToken(allPermissions...), "/v1.0/users/"+ann
	for _, c := range []struct {
		who  []uuid.UUID // has its part of the memory
		want int
		code string
	}{
		{[]uuid.UUID{w.tenant.ID()}, http.StatusTooManyRequests, "MemoryLimitExceeded"},
		{[]uuid.UUID{{1}, {2}, {3}}, http.StatusServiceUnavailable, "ServiceUnavailable"},
	} {
		var shares []*memory.Share
		for _, id := range c.who {
			ctx, share, err := b.Begin(t.Context(), id, uuid.Nil)
			w.must(err)
			w.must(share.More(ctx, 1<<40))
			w.must(share.More(ctx, 1<<40))
			shares = append(shares, share)
		}
		got := w.send("PATCH", path, token, strings.Replace(largeBody, "xxx", strings.Repeat("x", 700_000), 1))
		if got.status != c.want || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, c.code) {
			t.Errorf("without memory: %d %v %s", got.status, got.header, got.body)
		}
		if got := w.send("PATCH", path, token, `{"jobTitle":"Head"}`); got.status != http.StatusNoContent {
			t.Errorf("a small request beside large ones: %d %s", got.status, got.body)
		}
		for _, share := range shares {
			share.End()
		}
		if got := w.send("PATCH", path, token, largeBody); got.status != http.StatusNoContent {
			t.Errorf("with memory again: %d %s", got.status, got.body)
		}
	}
	wantUnused(t, b)
}

// A caller whose requests have all the memory that it may have is refused with 429, and another one
// of the tenant is served.
func TestACallerLeavesMemoryToOthersOfItsTenant(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	b := memory.New(budgeted, func() int64 { return math.MaxInt64 })
	w.within(b, w.tenants.Tenant)
	caller := w.app.Principal.ID
	ctx, share, err := b.Begin(t.Context(), w.tenant.ID(), caller)
	w.must(err)
	w.must(share.More(ctx, 1<<40))
	for b.Stats().Used < budgeted*17/64 { // with what is small, nearly up to what a caller may have
		_, small, err := b.Begin(t.Context(), w.tenant.ID(), caller)
		w.must(err)
		defer small.End()
	}
	got := w.send("PATCH", "/v1.0/users/"+ann, w.appToken(allPermissions...), largeBody)
	if got.status != http.StatusTooManyRequests || !strings.Contains(got.body, "one caller may have") {
		t.Errorf("the caller itself: %d %s", got.status, got.body)
	}
	user := w.userToken(uuid.MustParse(ann), allPermissions, []uuid.UUID{uuid.MustParse("62e90394-69f5-4237-9190-012177145e10")}, false)
	if got := w.send("PATCH", "/v1.0/users/"+ann, user, largeBody); got.status != http.StatusNoContent {
		t.Errorf("another caller: %d %s", got.status, got.body)
	}
	share.End()
}

// However a request ends, its memory comes back.
func TestMemoryComesBack(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	b := memory.New(budgeted, func() int64 { return math.MaxInt64 })
	w.within(b, func(context.Context, uuid.UUID) (*engine.Tenant, error) { panic("a fault in a handler") })
	token := w.appToken(allPermissions...)
	if got := w.send("GET", "/v1.0/users", token, ""); got.status != http.StatusInternalServerError {
		t.Errorf("a fault is answered %d", got.status)
	}
	wantUnused(t, b)

	w.within(b, w.tenants.Tenant)
	c, err := net.Dial("tcp", w.server.Listener.Addr().String())
	w.must(err)
	_, err = c.Write([]byte("PATCH /v1.0/users/" + ann + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token +
		"\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{" + strings.Repeat(" ", 50_000)))
	w.must(err)
	for b.Stats().Used <= memory.Small {
		time.Sleep(time.Millisecond)
	}
	w.must(c.Close()) // in the middle of its body
	wantUnused(t, b)
}

func wantUnused(t *testing.T, b *memory.Budget) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); b.Stats().Used != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no request is under way, and they have %d bytes", b.Stats().Used)
		}
	}
}

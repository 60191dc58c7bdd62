package graph

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"licensor/internal/signins"
	"licensor/internal/store"
)

// brokenSignIns is a store that cannot store sign-ins at first.
type brokenSignIns struct {
	store.Store
	repaired atomic.Bool
}

func (b *brokenSignIns) AddSignIns(ctx context.Context, list []store.SignIn, seen []store.Activity) error {
	if !b.repaired.Load() {
		return store.ErrUnavailable
	}
	return b.Store.AddSignIns(ctx, list, seen)
}

// TestU35AnImportThatCouldNotStoreTimesIsSentAgain: the users are there, and the times follow.
func TestU35AnImportThatCouldNotStoreTimesIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broken := &brokenSignIns{Store: w.store}
	w.signIns = signins.NewRecorder(broken, newLog(w))
	w.server = newServer(t, New(w.config()))
	lines := strings.ReplaceAll(peopleLines(1, 1200), `,"accountEnabled"`, `,"signInActivity":{"lastSignInDateTime":"2025-06-01T08:00:00Z"},"accountEnabled"`)
	if status, answer := w.importLines("?id=x", lines); status < http.StatusInternalServerError {
		t.Fatalf("%d %+v", status, answer)
	}
	broken.repaired.Store(true)
	status, answer := w.importLines("?id=x", lines)
	if status != http.StatusOK || answer.Skipped == 0 || answer.Refused != 0 {
		t.Fatalf("sent again: %d %+v", status, answer)
	}
	got := w.do(http.MethodGet, "/v1.0/users/$count?$filter=signInActivity/lastSignInDateTime%20eq%202025-06-01T08:00:00Z",
		w.appToken(allPermissions...), "", "ConsistencyLevel: eventual")
	if got.body != "1200" {
		t.Errorf("%s users were seen", got.body)
	}
}

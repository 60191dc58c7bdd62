package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/store"
)

// failingAppends is a store one of whose appends fails, after a while in which more is executed.
type failingAppends struct {
	store.Store
	left    atomic.Int64 // until the one that fails; 0 and below: none does
	unknown bool         // it is carried out, and its answer lost
}

func (f *failingAppends) Append(
	ctx context.Context, id uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	if f.left.Add(-1) != 0 {
		return f.Store.Append(ctx, id, at, commits, objects)
	}
	time.Sleep(200 * time.Millisecond)
	if !f.unknown {
		return errors.New("the disk is gone")
	}
	return fmt.Errorf("%w, after: %w", store.ErrUnknown, f.Store.Append(ctx, id, at, commits, objects))
}

// An import of which one commit fails keeps all lines before that commit and none after it, says
// so, and continues there when it is sent again, whatever was executed meanwhile.
func TestAnImportKeepsNothingAfterACommitThatFailed(t *testing.T) {
	t.Parallel()
	const lines = 6000
	for at := range 5 {
		for _, pieces := range []int{1, 3} {
			w := newWorld(t)
			f := &failingAppends{Store: w.store}
			serveFrom(t, w, f, pieces)
			count := func() string {
				return w.do(http.MethodGet, "/v1.0/users/$count?$filter=startsWith(displayName,'P')", w.appToken(allPermissions...), "",
					"ConsistencyLevel: eventual").body
			}
			count()
			f.left.Store(int64(at + 1))
			status, answer := w.importLines("?id=x", peopleLines(1, lines))
			if f.left.Load() > 0 { // the commits were larger
				continue
			}
			through := 0
			if status != http.StatusServiceUnavailable {
				t.Fatalf("commit %d, %d pieces: %d %+v", at, pieces, status, answer)
			} else if at > 0 {
				if _, err := fmt.Sscanf(textAfter(answer.Error.Message, "Lines up to "), "%d were", &through); err != nil {
					t.Fatalf("%s: %v", answer.Error.Message, err)
				}
			}
			if got := count(); got != fmt.Sprint(through) || through < 1000*at {
				t.Errorf("commit %d, %d pieces: %s users, and lines up to %d are said to be imported", at, pieces, got, through)
			}
			status, answer = w.importLines("?id=x", peopleLines(1, lines))
			all := count() == fmt.Sprint(lines)
			if status != http.StatusOK || answer.Skipped != through || answer.Refused != 0 || !all {
				t.Errorf("sent again: %d, skipped %d of %d, refused %d; %s users",
					status, answer.Skipped, through, answer.Refused, count())
			}
		}
	}
}

// An import whose answer from the store is lost, and that finds its commit in the log, continues.
func TestAnImportContinuesAfterALostAnswerOfTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &failingAppends{Store: w.store, unknown: true}
	serveFrom(t, w, f, 1)
	f.left.Store(3)
	status, answer := w.importLines("", peopleLines(1, 6000))
	if status == http.StatusOK && (answer.Rows != 6000 || answer.Refused != 0) {
		t.Errorf("%d %+v", status, answer)
	}
	through := answer.Rows
	if status != http.StatusOK { // what waited meanwhile was refused
		if _, err := fmt.Sscanf(textAfter(answer.Error.Message, "Lines up to "), "%d were", &through); err != nil {
			t.Fatalf("%d %+v: %v", status, answer, err)
		}
	}
	got := w.do(http.MethodGet, "/v1.0/users/$count?$filter=startsWith(displayName,'P')", w.appToken(allPermissions...), "", "ConsistencyLevel: eventual")
	if got.body != fmt.Sprint(through) {
		t.Errorf("%s users, and %d lines are said to be imported", got.body, through)
	}
}

// serveFrom serves the tenant of a world from another store, with so many pieces of an import in
// one commit.
func serveFrom(t *testing.T, w *world, from store.Store, pieces int) {
	t.Helper()
	tenants, err := engine.Open(t.Context(), from, engine.Options{Now: w.now, NewID: numbered(), Log: newLog(w)})
	w.must(err)
	t.Cleanup(func() { _ = tenants.Close(context.Background()) })
	config := w.config()
	config.Tenant, config.ImportPieces = tenants.Tenant, pieces
	w.server = newServer(t, New(config))
}

// textAfter returns what follows a part of a text.
func textAfter(text, part string) string {
	_, rest, _ := strings.Cut(text, part)
	return rest
}

package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/database"
	"licensor/internal/store"
)

// slowly is a database that answers a try only when told to.
type slowly struct {
	tries   atomic.Int64
	answers chan error
}

func (*slowly) Intact() error { return nil }
func (*slowly) Damage() error { return nil }

func (s *slowly) Ping(ctx context.Context) error {
	s.tries.Add(1)
	select {
	case err := <-s.answers:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Readiness is answered while the database is busy, by the try before, and turns when that takes
// too long. Many who ask make one try.
func TestReadinessWaitsForNobody(t *testing.T) {
	t.Parallel()
	var passed atomic.Int64
	begin := time.Now()
	now := func() time.Time { return begin.Add(time.Duration(passed.Load())) }
	slow := &slowly{answers: make(chan error)}
	r := newReadiness(slow, now, slog.Default())
	ask := func(wantStatus int, wantText string) {
		t.Helper()
		answer := httptest.NewRecorder()
		r.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
		if answer.Code != wantStatus || !strings.Contains(answer.Body.String(), wantText) {
			t.Errorf("answers %d %q, want %d with %q", answer.Code, answer.Body, wantStatus, wantText)
		}
	}
	settle := func(err error) {
		slow.answers <- err
		for {
			r.mu.Lock()
			ended := r.done == nil
			r.mu.Unlock()
			if ended {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}
	ask(http.StatusOK, "ok")
	if n := slow.tries.Load(); n != 0 {
		t.Errorf("%d tries right after opening", n)
	}
	passed.Add(int64(2 * time.Second))
	for range 3 {
		ask(http.StatusOK, "ok")
	}
	if n := slow.tries.Load(); n != 1 {
		t.Errorf("%d tries at once", n)
	}
	passed.Add(int64(12 * time.Second))
	ask(http.StatusServiceUnavailable, "has not answered for 12s")
	settle(errors.Join(store.ErrFull, errors.New("/var/lib/secret/path")))
	ask(http.StatusServiceUnavailable, "no room left")
	passed.Add(int64(2 * time.Second))
	ask(http.StatusServiceUnavailable, "no room left") // until the next try has ended
	settle(nil)
	ask(http.StatusOK, "ok")
}

// A change for which there was no room counts until one succeeds, or for 30 seconds, even while
// there is room for what a try writes.
func TestReadinessKnowsOfRefusedChanges(t *testing.T) {
	t.Parallel()
	at := time.Now()
	r := newReadiness(&slowly{answers: make(chan error)}, func() time.Time { return at }, slog.Default())
	want := func(part string) {
		t.Helper()
		r.ended = at // no try is due
		if why := r.why(); part == "" && why != "" || !strings.Contains(why, part) {
			t.Errorf("it says %q, want %q", why, part)
		}
	}
	want("")
	r.appended(fmt.Errorf("append: %w", store.ErrFull))
	at = at.Add(29 * time.Second)
	want("no room left")
	r.appended(store.ErrConflict)
	want("no room left")
	r.appended(nil)
	want("")
	r.appended(store.ErrUnavailable) // tries notice for how long that is so
	want("")
	r.appended(store.ErrFull)
	at = at.Add(30 * time.Second)
	want("")
}

// unwritable is a database that takes only what is tried.
type unwritable struct {
	database.Store
	full atomic.Bool
}

func (u *unwritable) Append(
	ctx context.Context, tenant uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	if u.full.Load() {
		return fmt.Errorf("append: %w", store.ErrFull)
	}
	return u.Store.Append(ctx, tenant, at, commits, objects)
}

// Every change passes by the readiness.
func TestChangesTellWhetherTheServerIsReady(t *testing.T) {
	t.Parallel()
	db, err := database.OpenMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	full := &unwritable{Store: db}
	settings, err := Options{Memory: true}.validated()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{settings: settings, now: time.Now, store: full}
	if err := s.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	founding := Founding{Name: "A", Domain: "a.example", Country: "DE", Admin: "admin"}
	full.full.Store(true)
	if _, err := s.Found(t.Context(), founding); err == nil {
		t.Fatal("a tenant was founded without room")
	}
	ask := func(want int) {
		t.Helper()
		answer := httptest.NewRecorder()
		s.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
		if answer.Code != want {
			t.Errorf("it answers %d %s, want %d", answer.Code, answer.Body, want)
		}
	}
	ask(http.StatusServiceUnavailable)
	full.full.Store(false)
	founding.Domain = "b.example"
	if _, err := s.Found(t.Context(), founding); err != nil {
		t.Fatal(err)
	}
	ask(http.StatusOK)
}

func TestReadinessNoticesThatTheDatabaseIsGone(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "licensor.db")
	s, err := Open(t.Context(), Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	ask := func(want int) string {
		t.Helper()
		answer, err := http.Get(server.URL + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != want {
			t.Errorf("answers %d %q, %v, want %d", answer.StatusCode, text, err, want)
		}
		return string(text)
	}
	ask(http.StatusOK)
	if err := os.Rename(data, data+".away"); err != nil {
		t.Fatal(err)
	}
	text := ask(http.StatusServiceUnavailable)
	if !strings.Contains(text, "deleted, replaced or cut") || strings.Contains(text, filepath.Dir(data)) {
		t.Errorf("it says %q", text)
	}
	if err := os.Rename(data+".away", data); err != nil {
		t.Fatal(err)
	}
	ask(http.StatusOK)
}

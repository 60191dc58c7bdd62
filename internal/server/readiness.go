package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"licensor/internal/database"
	"licensor/internal/store"
)

// Times of readiness.
const (
	watchEvery = time.Second           // interval of checks of the database's files
	probeAfter = time.Second           // the result of a younger try is the response
	probeWait  = 50 * time.Millisecond // how long a response waits for a try
	probeBound = 10 * time.Second      // a try that takes longer means that the database does not respond
	// refusedFor is how long a change for which there was no room counts, unless one succeeds. It must
	// end by itself: a server that is not ready may get no changes.
	refusedFor = 30 * time.Second
)

// pinged is a database that can be checked: a database.Store.
type pinged interface {
	Intact() error
	Ping(ctx context.Context) error
	Damage() error
}

var _ pinged = database.Store(nil)

// readiness reports whether requests can be served. Callers never wait for other requests: a try to
// read and write the database runs in the background, and until it ends the result of the previous
// one counts.
type readiness struct {
	store pinged
	now   func() time.Time
	log   *slog.Logger

	mu    sync.Mutex
	harm  error     // the first damage
	err   error     // of the last try
	ended time.Time // when the last try ended
	began time.Time // when the current try began
	done  chan struct{}

	full time.Time // when there was no room for a change, unless one has succeeded since
}

func newReadiness(db pinged, now func() time.Time, log *slog.Logger) *readiness {
	return &readiness{store: db, now: now, log: log, ended: now()} // opening has just written to it
}

// appending is a database whose changes tell whether there is room: what a try writes needs less.
type appending struct {
	database.Store
	ready *readiness
}

// Append implements store.Store.
func (a appending) Append(
	ctx context.Context, tenant uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	err := a.Store.Append(ctx, tenant, at, commits, objects)
	a.ready.appended(err)
	return err
}

func (r *readiness) appended(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.full = time.Time{}
	case errors.Is(err, store.ErrFull):
		r.full = r.now()
	}
}

// watch checks the database's files until the context ends, and logs once when they are damaged or
// missing, or correct again.
func (r *readiness) watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	whole := true
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := r.store.Damage(); err != nil {
			r.damaged(err)
		}
		err := r.store.Intact()
		if err != nil && whole {
			r.log.Error("the database's files were changed by another program", "error", err)
		} else if err == nil && !whole {
			r.log.Info("the database's files are intact again")
		}
		whole = err == nil
	}
}

// damaged notes and logs that the database is damaged. It stays so until a restart: what was met
// once may be met again.
func (r *readiness) damaged(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.harm == nil {
		r.harm = err
		r.log.Error("the database is damaged", "error", err)
	}
}

// ServeHTTP responds whether the database can be read and written.
func (r *readiness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if why := r.why(); why != "" {
		http.Error(w, "not ready: "+why+"; see the server log", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// why returns why requests cannot be served, in words for any reader; "" if they can be served.
func (r *readiness) why() string {
	if r.store.Intact() != nil {
		return "the database's file or its log was deleted, replaced or cut while in use"
	}
	if err := r.store.Damage(); err != nil {
		r.damaged(err)
	}
	if done := r.try(); done != nil {
		select {
		case <-done:
		case <-time.After(probeWait):
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done != nil {
		if takes := r.now().Sub(r.began); takes > probeBound {
			return fmt.Sprintf("the database has not answered for %s", takes.Round(time.Second))
		}
	}
	switch {
	case r.harm != nil:
		return "the database is damaged"
	case errors.Is(r.err, store.ErrFull), r.err == nil && r.now().Sub(r.full) < refusedFor:
		return "there is no room left on the database's disk"
	case r.err != nil:
		return "the database cannot be read and written"
	}
	return ""
}

// try begins a try, unless one is recent enough or still running, and returns a channel that is
// closed at its end.
func (r *readiness) try() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done != nil || r.now().Sub(r.ended) < probeAfter {
		return r.done
	}
	r.began, r.done = r.now(), make(chan struct{})
	go r.probe(r.done)
	return r.done
}

func (r *readiness) probe(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := r.store.Ping(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && r.err == nil {
		r.log.Error("not ready", "error", err)
	}
	r.err, r.ended, r.done = err, r.now(), nil
	close(done)
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// entry is a tenant that is loaded, or is being loaded or dropped.
type entry struct {
	id    uuid.UUID
	ready chan struct{} // closed when loading has ended, with or without an error
	// Set before ready is closed.
	tenant *Tenant
	err    error

	// The mutex of Tenants guards what follows.
	gone  chan struct{} // not nil while it is being dropped, and closed afterwards
	pins  int           // the number of callers that use it, or wait for it
	used  uint64        // when it was last used
	bytes int64
}

// LoadStats are figures about the memory of tenants.
type LoadStats struct {
	Loaded    int           // tenants
	Bytes     int64         // of memory, as far as known
	Loads     int           // in total
	Drops     int           // in total, because there was no memory for others
	LoadingIn time.Duration // the duration of all loads
}

// LoadStats returns the figures so far.
func (all *Tenants) LoadStats() LoadStats {
	all.mu.Lock()
	defer all.mu.Unlock()
	s := all.stats
	s.Bytes = all.bytes
	for _, e := range all.entries {
		if e.tenant != nil {
			s.Loaded++
		}
	}
	return s
}

// Tenant returns a tenant by its id, and loads it if necessary. It stays loaded until Release is
// called. The error is store.ErrNotFound if there is no such tenant, and a
// *tenant.CommandError of kind ProblemUnavailable if there is no memory for it.
func (all *Tenants) Tenant(ctx context.Context, id uuid.UUID) (*Tenant, error) {
	for {
		e, gone, err := all.enter(id)
		if err != nil {
			return nil, err
		}
		if gone != nil {
			if err := wait(ctx, gone); err != nil {
				return nil, err
			}
			continue
		}
		if err := wait(ctx, e.ready); err != nil {
			all.release(e)
			return nil, err
		}
		if e.err != nil {
			all.release(e)
			return nil, e.err
		}
		return e.tenant, nil
	}
}

func wait(ctx context.Context, until <-chan struct{}) error {
	select {
	case <-until:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enter returns the entry of a tenant and pins it. If there is none, it starts loading. If the
// tenant is being dropped, it returns a channel that is closed afterwards.
func (all *Tenants) enter(id uuid.UUID) (e *entry, gone <-chan struct{}, err error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.closed {
		return nil, nil, errClosing
	}
	e, ok := all.entries[id]
	switch {
	case !ok:
		e = &entry{id: id, ready: make(chan struct{})}
		all.entries[id] = e
		all.tasks.Go(func() { all.load(e) })
	case e.gone != nil:
		return nil, e.gone, nil
	}
	e.pins++
	all.uses++
	e.used = all.uses
	return e, nil, nil
}

// Release ends a use of a tenant that Tenants.Tenant has returned.
func (t *Tenant) Release() {
	if t.release != nil {
		t.release()
	}
}

func (all *Tenants) release(e *entry) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if e.pins--; e.pins == 0 {
		all.wake()
	}
}

// wake wakes callers that wait for room. The caller holds mu.
func (all *Tenants) wake() {
	close(all.freed)
	all.freed = make(chan struct{})
}

// load loads a tenant and wakes the callers that wait for it. It does not end with their contexts.
func (all *Tenants) load(e *entry) {
	began := time.Now()
	t, err := all.open(e)
	all.options.reportDamage(err)
	all.mu.Lock()
	defer all.mu.Unlock()
	if e.tenant, e.err = t, err; err != nil {
		delete(all.entries, e.id) // the next one tries again
		all.bytes -= e.bytes
		all.wake()
	} else {
		all.stats.Loads++
		all.stats.LoadingIn += time.Since(began)
	}
	close(e.ready)
}

// open reads a tenant from the store, once there is room for it.
func (all *Tenants) open(e *entry) (t *Tenant, err error) {
	ctx := all.ctx
	defer func() {
		if p := recover(); p != nil { // other tenants can still be used
			t, err = nil, fmt.Errorf("load tenant %s: panic: %v", e.id, p)
			all.options.Log.Error("loading a tenant panicked", "tenant", e.id, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	place, err := all.store.Place(ctx, e.id)
	if err != nil {
		return nil, err
	}
	if place.Seq == 0 {
		return nil, fmt.Errorf("tenant %s, whose creation was cut off before its first commit: %w",
			e.id, store.ErrNotFound)
	}
	if t, err = all.newTenant(e.id); err != nil {
		return nil, err
	}
	t.release = func() { all.release(e) }
	last, err := t.lastHead(ctx)
	if err != nil {
		return nil, all.notLoaded(ctx, e.id, err)
	}
	if err := all.makeRoom(ctx, e, last.need()); err != nil {
		return nil, err
	}
	if err := all.recoverInTurn(ctx, t, last); err != nil {
		return nil, all.notLoaded(ctx, e.id, err)
	}
	if err := all.weigh(e, t.size()); err != nil {
		return nil, err
	}
	return t, all.begin(ctx, t)
}

// notLoaded logs and returns the error of a tenant that cannot be read.
func (all *Tenants) notLoaded(ctx context.Context, id uuid.UUID, err error) error {
	if ctx.Err() != nil {
		return errClosing
	}
	all.options.Log.Error("a tenant could not be loaded", "tenant", id, "error", err)
	return err
}

// recoverInTurn reads a tenant, as recoverImage does. It waits until fewer than Options.Loading
// others are being read.
func (all *Tenants) recoverInTurn(ctx context.Context, t *Tenant, last *savedHead) (err error) {
	select {
	case all.loading <- struct{}{}:
		defer func() { <-all.loading }()
		if !last.isLarge() {
			return recoverImage(ctx, t, last)
		}
		defer last.expect()()
		turns.Attentively(func() {
			turns.Patiently(func() { err = recoverImage(ctx, t, last) })
		})
		return err
	case <-ctx.Done():
		return errClosing
	}
}

// begin starts the work of a tenant that was read.
func (all *Tenants) begin(ctx context.Context, t *Tenant) error {
	others, err := all.names.settleAll(ctx, t)
	if err != nil {
		return err
	}
	all.reportDuplicates(t, others)
	t.start()
	if t.Image().Principals.Len() == 0 {
		if _, err := t.Do(ctx, "system", tenant.Migrate{}); err != nil {
			return errors.Join(fmt.Errorf("migrate the applications of tenant %s: %w", t.id, err),
				t.close(context.WithoutCancel(ctx)))
		}
	}
	if t.snapshots.due {
		t.snapshots.begin(t)
	}
	if err := t.EvaluateRules(ctx); err != nil { // the full hours since were missed
		all.options.Log.Error("rules of dynamic groups could not be evaluated; it is tried again in an hour",
			"tenant", t.id, "error", err)
	}
	return nil
}

// weigh records the memory of a loaded tenant. It does not wait for others: two tenants that have
// room and need more would wait for each other.
func (all *Tenants) weigh(e *entry, bytes int64) error {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.options.Memory > 0 && bytes > all.options.Memory {
		return all.tooLarge(e, bytes)
	}
	all.bytes += bytes - e.bytes
	e.bytes = bytes
	return nil
}

func (all *Tenants) tooLarge(e *entry, bytes int64) error {
	all.options.Log.Error("a tenant needs more memory than all tenants may take: set --memory so that it fits",
		"tenant", e.id, "needs", bytes, "memory", all.options.Memory)
	return ErrNeverRoom
}

// roomTime is how long a tenant waits until others are dropped or no longer used.
const roomTime = 5 * time.Second

// makeRoom reserves a total of so many bytes for a tenant, and drops others if necessary, the least
// recently used ones first.
func (all *Tenants) makeRoom(ctx context.Context, e *entry, bytes int64) error {
	late := time.NewTimer(roomTime)
	defer late.Stop()
	for {
		freed, ok := all.reserve(e, bytes)
		if ok {
			return nil
		}
		if bytes > all.options.Memory {
			return all.tooLarge(e, bytes)
		}
		select {
		case <-freed:
		case <-late.C:
			return ErrNoRoom
		case <-ctx.Done():
			return errClosing
		}
	}
}

// The errors of tenants that are not loaded for lack of memory.
var (
	ErrNeverRoom = unavailable("The tenant needs more memory than the server may use. Ask the administrator of the " +
		"server: its log says what to set.")
	ErrNoRoom = unavailable("The server has no memory for another tenant now. Try again in a moment.")
)

// reserve sets the memory of a tenant if there is room for it. Otherwise it drops an earlier image
// that is not used, or else an unused tenant, if there is one, and returns a channel that is closed
// when there may be room.
func (all *Tenants) reserve(e *entry, bytes int64) (freed <-chan struct{}, ok bool) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.options.Memory == 0 || all.bytes-e.bytes+bytes <= all.options.Memory {
		all.bytes += bytes - e.bytes
		e.bytes = bytes
		return nil, true
	}
	freed = all.freed
	if bytes > all.options.Memory || all.earlier.drop(func(*earlierImage) bool { return true }) {
		return freed, false
	}
	if idle := all.idle(); idle != nil {
		all.drop(idle)
	}
	return freed, false
}

// idle returns the least recently used tenant that is not in use. The caller holds mu.
func (all *Tenants) idle() (oldest *entry) {
	for _, e := range all.entries {
		if e.pins == 0 && e.gone == nil && e.tenant != nil && (oldest == nil || e.used < oldest.used) {
			oldest = e
		}
	}
	return oldest
}

// drop closes a tenant in the background. The caller holds mu.
func (all *Tenants) drop(e *entry) {
	e.gone = make(chan struct{})
	all.stats.Drops++
	all.tasks.Go(func() {
		if err := e.tenant.close(context.WithoutCancel(all.ctx)); err != nil {
			all.options.Log.Error("no snapshot could be taken of a tenant that is dropped; loading it will take longer",
				"tenant", e.id, "error", err)
		}
		all.documents.purge(e.id)
		all.mu.Lock()
		defer all.mu.Unlock()
		delete(all.entries, e.id)
		all.bytes -= e.bytes
		close(e.gone)
		all.wake()
	})
}

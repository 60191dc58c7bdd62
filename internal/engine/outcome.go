package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"licensor/internal/store"
	"licensor/internal/tenant"
)

// The waiting times of the writer before it asks the store again.
const (
	readTime  = 10 * time.Second
	fenceTime = 5 * time.Second
	firstWait = 10 * time.Millisecond
	longWait  = time.Second
)

// append makes a batch durable. It does not end with a caller's context, since others wait for the
// same transaction. Further commands are executed ahead meanwhile. After an error other than
// store.ErrUnknown, nothing of the batch is in the log, and never will be.
func (t *Tenant) append(f *fold, further *ahead) error {
	if len(f.commits) == 0 {
		return nil
	}
	rows := make([]store.Object, 0, len(f.order))
	for _, key := range f.order {
		rows = append(rows, f.rows[key])
	}
	img := t.Image()
	at := store.Place{Seq: img.Seq, Chain: img.Chain, Epoch: t.epoch}
	err := t.store.Append(context.Background(), t.id, at, f.commits, rows)
	if errors.Is(err, store.ErrUnknown) {
		further.end()
		err = t.findOut(f, err)
	}
	if !errors.Is(err, store.ErrConflict) {
		t.logFailure(err)
	}
	return err
}

// findOut finds out whether a batch is in the log after the store's response was lost. Until then
// nothing can be decided, so other commands are refused, and the callers of the batch wait as long
// as they can. It returns nil if the batch is in the log, store.ErrConflict if it never will be,
// and the given error if the tenant is closed before.
func (t *Tenant) findOut(f *fold, lost error) error {
	t.options.Log.Warn("lost the response to a commit; checking its outcome", "tenant", t.id, "error", lost)
	for wait := firstWait; ; wait = min(2*wait, longWait) {
		in, err := t.inLog(f)
		if err == nil {
			t.options.Log.Info("determined the outcome of the commit", "tenant", t.id, "made", in)
			if in {
				return nil
			}
			return store.ErrConflict
		}
		if !t.refuseFor(wait) {
			return lost
		}
	}
}

// inLog reports whether a batch is in the log. If it is not, it ensures that it never will be.
func (t *Tenant) inLog(f *fold) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), fenceTime)
	defer cancel()
	place, err := t.store.Fence(ctx, t.id)
	if err != nil {
		return false, err
	}
	t.epoch = place.Epoch
	last := &f.commits[len(f.commits)-1]
	if place.Seq <= last.Seq {
		return place.Seq == last.Seq && place.Chain == last.Chain, nil
	}
	var there store.Chain
	err = t.store.Commits(ctx, t.id, last.Seq-1, func(c store.Commit) error {
		there = c.Chain
		return errEnough
	})
	if !errors.Is(err, errEnough) {
		return false, err
	}
	return there == last.Chain, nil
}

// refuseFor refuses all commands for a while, and reports whether the tenant is still open.
func (t *Tenant) refuseFor(wait time.Duration) bool {
	until := time.NewTimer(wait)
	defer until.Stop()
	for {
		select {
		case <-t.queue.ready:
			t.queue.refuse(errFindingOut)
		case <-t.closing:
			return false
		case <-until.C:
			return true
		}
	}
}

// catchUp brings the image to the end of the log, to which another process has appended. A log that
// is not the one that the image has come from, since it was restored or a failover has lost its
// end, is read again.
func (t *Tenant) catchUp() error {
	err := t.options.reportDamage(t.readOn())
	if err != nil {
		t.logFailure(err)
	}
	return err
}

func (t *Tenant) readOn() error {
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	was, read := t.Image(), 0
	img, place, err := t.follow(ctx, was, func(c store.Commit) { read += len(c.Effects) + commitWeight })
	if branched := new(tenant.BranchedError); errors.As(err, &branched) {
		t.options.Log.Error("the tenant's log has diverged; later commits are lost",
			"tenant", t.id, "had", was.Seq, "ends", branched.End)
		return t.reload(ctx)
	}
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("tenant %s is missing: %w: %s", t.id, store.ErrDamaged, repair)
	}
	if err != nil {
		return err
	}
	t.epoch = place.Epoch
	t.image.Store(img)
	t.purgeCaches()
	t.resettle(ctx)
	t.snapshots.note(t, was, read)
	return nil
}

// reload reads the tenant as at a start.
func (t *Tenant) reload(ctx context.Context) error {
	t.snapshots.taking.Lock() // no snapshot of the dropped image is taken after this
	defer t.snapshots.taking.Unlock()
	if err := recoverImage(ctx, t, nil); err != nil {
		return err
	}
	t.purgeCaches()
	t.earlier.forget(t.id)
	t.resettle(ctx)
	return nil
}

// resettle settles the names of an image after others have changed it.
func (t *Tenant) resettle(ctx context.Context) {
	if _, err := t.names.settleAll(ctx, t); err != nil {
		t.options.Log.Error("names could not be settled; the next load of the tenant does it", "tenant", t.id, "error", err)
	}
}

func (t *Tenant) purgeCaches() {
	t.documents.purge(t.id)
	t.changes.Purge()
	t.sets.Purge()
}

// follow applies the commits after an image up to the end of the log, which it also returns. It
// calls note with each commit.
func (t *Tenant) follow(
	ctx context.Context, img *tenant.Image, note func(store.Commit),
) (*tenant.Image, store.Place, error) {
	for {
		end, err := t.store.Place(ctx, t.id)
		switch {
		case err != nil:
			return nil, end, err
		case img.Seq > end.Seq, img.Seq == end.Seq && img.Chain != end.Chain:
			return nil, end, &tenant.BranchedError{End: end.Seq, Mine: img.Seq}
		case img.Seq == end.Seq:
			return img, end, nil
		}
		before, replay := img.Seq, img.Replay()
		err = t.store.Commits(ctx, t.id, before, func(c store.Commit) error {
			note(c)
			return replay.Apply(c)
		})
		if err != nil {
			return nil, end, err
		}
		switch img = replay.Image(); {
		case img.Seq == before:
			return nil, end, fmt.Errorf("commit %d is missing: %w", before+1, store.ErrDamaged)
		case img.Seq == end.Seq && img.Chain == end.Chain:
			return img, end, nil
		}
	}
}

// logFailure logs when commits can no longer be made durable, and afterwards how many batches
// failed. Otherwise each batch would be a line.
func (t *Tenant) logFailure(err error) {
	switch {
	case err == nil && t.failed > 0:
		t.options.Log.Info("commits can be made durable again", "tenant", t.id, "failed", t.failed)
		t.failed = 0
	case err != nil && t.failed == 0:
		t.options.Log.Error("commits could not be made durable, and further ones are not logged until one succeeds",
			"tenant", t.id, "error", err)
		t.failed++
	case err != nil:
		t.failed++
	}
}

// notDurable returns the error for callers. The store's error names files, and is for the log only.
func notDurable(err error) *tenant.CommandError {
	switch {
	case errors.Is(err, store.ErrUnknown):
		return errUnknown
	case errors.Is(err, store.ErrFull):
		return unavailable("The server has no room left on its disk, so nothing was changed. Ask its administrator " +
			"to make room.")
	case errors.Is(err, store.ErrFrozen) && strings.Contains(err.Error(), store.FrozenAsMoved):
		return unavailable("The tenant was moved to another database, so nothing was changed. Use the server of that " +
			"database, or ask the administrator of this one: its log says which it is.")
	case errors.Is(err, store.ErrFrozen):
		return unavailable("The tenant is being moved to another database, so nothing was changed. Try again later, " +
			"or ask the administrator of the server.")
	case errors.Is(err, store.ErrConflict):
		return unavailable("Too many concurrent changes; nothing was changed. Try again.")
	}
	return unavailable("The change could not be made durable, so nothing was changed. Try again later, or ask the " +
		"administrator of the server: its log says why.")
}

var (
	errUnknown = &tenant.CommandError{
		Kind:    tenant.ProblemUnknown,
		Message: tenant.UnknownText,
	}
	errFindingOut = unavailable("The server is still determining the outcome of an earlier change. Nothing was " +
		"changed. Try again in a moment.")
)

func unavailable(message string) *tenant.CommandError {
	return &tenant.CommandError{Kind: tenant.ProblemUnavailable, Message: message}
}

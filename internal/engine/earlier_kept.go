package engine

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/tenant"
)

const (
	// maxEarlier and maxEarlierOfTenant limit the earlier images that are in memory.
	maxEarlier, maxEarlierOfTenant = 16, 4
	// earlierKept is how long one that is not used is kept: its next page comes soon.
	earlierKept = 5 * time.Minute
	// earlierTime is how long reading one may take.
	earlierTime = time.Minute
)

// earlierImages are images as of earlier commits that requests use, or have used. They take memory
// of the tenants that are loaded.
type earlierImages struct {
	all     *Tenants
	reading chan struct{} // one at a time

	// The mutex of Tenants guards what follows.
	list []*earlierImage // the most recently used last
}

// earlierImage is an image as of an earlier commit, or one that is being read.
type earlierImage struct {
	entry // only its id and its bytes
	seq   uint64
	ready chan struct{}
	// Set before ready is closed.
	img *tenant.Image
	err error
	// The mutex of Tenants guards what follows.
	uses int
	idle *time.Timer
}

// get returns the image as of a commit, and reads it if necessary. It is kept until release is
// called, and for a while.
func (e *earlierImages) get(ctx context.Context, t *Tenant, seq uint64) (*tenant.Image, func(), error) {
	i, err := e.enter(t, seq)
	if err != nil {
		return nil, nil, err
	}
	if err := wait(ctx, i.ready); err != nil {
		e.leave(i)
		return nil, nil, err
	}
	if i.err != nil {
		e.leave(i)
		return nil, nil, i.err
	}
	return i.img, func() { e.leave(i) }, nil
}

// enter returns the image as of a commit for one more use. If it is not there, reading it begins.
func (e *earlierImages) enter(t *Tenant, seq uint64) (*earlierImage, error) {
	e.all.mu.Lock()
	defer e.all.mu.Unlock()
	if e.all.closed {
		return nil, errClosing
	}
	at := slices.IndexFunc(e.list, func(i *earlierImage) bool { return i.id == t.id && i.seq == seq })
	if at < 0 {
		if !e.makePlace(t.id) {
			return nil, errEarlierInUse
		}
		i := &earlierImage{entry: entry{id: t.id}, seq: seq, ready: make(chan struct{})}
		e.list = append(e.list, i)
		at = len(e.list) - 1
		i.uses++ // of the reading
		e.all.tasks.Go(func() { e.read(t, i) })
	}
	i := e.list[at]
	e.list = append(slices.Delete(e.list, at, at+1), i)
	i.uses++
	if i.idle != nil {
		i.idle.Stop()
	}
	return i, nil
}

var errEarlierInUse = unavailable("Other requests use as many earlier states of the tenant as there may be at once. " +
	"Try again in a moment.")

// makePlace drops images until there is a place for another one of a tenant. The caller holds the
// mutex.
func (e *earlierImages) makePlace(id uuid.UUID) bool {
	ofTenant := func(i *earlierImage) bool { return i.id == id }
	for e.count(ofTenant) >= maxEarlierOfTenant {
		if !e.drop(ofTenant) {
			return false
		}
	}
	for len(e.list) >= maxEarlier {
		if !e.drop(func(*earlierImage) bool { return true }) {
			return false
		}
	}
	return true
}

func (e *earlierImages) count(is func(*earlierImage) bool) (n int) {
	for _, i := range e.list {
		if is(i) {
			n++
		}
	}
	return n
}

// drop drops the least recently used image that fulfills a condition and is not in use, if there is
// one. The caller holds the mutex.
func (e *earlierImages) drop(is func(*earlierImage) bool) bool {
	at := slices.IndexFunc(e.list, func(i *earlierImage) bool { return i.uses == 0 && is(i) })
	if at < 0 {
		return false
	}
	e.all.bytes -= e.list[at].bytes
	e.list = slices.Delete(e.list, at, at+1)
	e.all.wake()
	return true
}

// read reads an image. It does not end with the request that began it.
func (e *earlierImages) read(t *Tenant, i *earlierImage) {
	ctx, cancel := context.WithTimeout(e.all.ctx, earlierTime)
	defer cancel()
	defer e.leave(i)
	defer close(i.ready)
	defer func() {
		if p := recover(); p != nil { // other images can still be read
			i.img, i.err = nil, fmt.Errorf("read tenant %s as of commit %d: panic: %v", i.id, i.seq, p)
			t.options.Log.Error("reading an earlier state of a tenant panicked", "tenant", i.id, "panic", p,
				"stack", string(debug.Stack()))
		}
	}()
	select {
	case e.reading <- struct{}{}:
		defer func() { <-e.reading }()
		i.img, i.err = t.readEarlier(ctx, i.seq, func(bytes int64) error {
			return e.all.makeRoom(ctx, &i.entry, bytes)
		})
	case <-ctx.Done():
		i.err = ctx.Err()
	}
	switch {
	case i.err == nil:
	case e.all.ctx.Err() != nil:
		i.err = errClosing
	case ctx.Err() != nil:
		i.err = errEarlierTime
	}
}

// give returns the memory that makeRoom has reserved.
func (e *earlierImages) give(room *entry) {
	e.all.mu.Lock()
	defer e.all.mu.Unlock()
	e.all.bytes -= room.bytes
	e.all.wake()
}

var errEarlierTime = unavailable("Reading what the tenant was then takes too long now. Try again later.")

// leave ends a use of an image. One that could not be read is dropped.
func (e *earlierImages) leave(i *earlierImage) {
	e.all.mu.Lock()
	defer e.all.mu.Unlock()
	if i.uses--; i.uses > 0 {
		return
	}
	dropThis := func(other *earlierImage) bool { return other == i }
	if i.img == nil || i.err != nil {
		e.drop(dropThis)
		return
	}
	e.all.wake()
	i.idle = time.AfterFunc(earlierKept, func() {
		e.all.mu.Lock()
		defer e.all.mu.Unlock()
		e.drop(dropThis)
	})
}

// forget drops the images of a tenant whose log has become another one.
func (e *earlierImages) forget(id uuid.UUID) {
	e.all.mu.Lock()
	defer e.all.mu.Unlock()
	for _, i := range e.list {
		if i.id == id {
			i.seq = 0 // no longer found; dropped when it is no longer used
		}
	}
	for e.drop(func(i *earlierImage) bool { return i.id == id }) {
	}
}

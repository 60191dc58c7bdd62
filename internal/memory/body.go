package memory

import (
	"io"
	"time"
)

// A client that sends its body slowly, or not at all, keeps the share of its request. When other
// requests wait for memory, it gives way: its body ends with an error, and the request with it.

// A body comes slowly if nothing came for a moment, or less than slowRate in all.
const (
	moment   = time.Second
	slowRate = 64 << 10 // bytes a second
)

// body is a body that its client sends.
type body struct {
	io.ReadCloser
	share *Share
	end   func() // ends the current read

	// The budget's mutex guards these.
	waited  time.Duration // for the client, until the current read
	since   time.Time     // when the current read began
	bytes   int64
	gaveWay bool
}

// Body returns a body that gives way to other requests when they wait for memory that this share
// has, and the body comes slowly. End must make a read return that waits for the client. Then
// reading fails with a *FullError.
func (s *Share) Body(of io.ReadCloser, end func()) io.ReadCloser {
	if s == nil {
		return of
	}
	return &body{ReadCloser: of, share: s, end: end}
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.begin() {
		return 0, &FullError{CauseTenant, 0}
	}
	n, err := b.ReadCloser.Read(p)
	if b.arrived(n) {
		return 0, &FullError{CauseTenant, 0}
	}
	return n, err
}

func (b *body) begin() (gaveWay bool) {
	of := b.share.of
	of.mu.Lock()
	defer of.mu.Unlock()
	if b.since = time.Now(); !b.gaveWay {
		of.bodies[b] = struct{}{}
	}
	return b.gaveWay
}

func (b *body) arrived(n int) (gaveWay bool) {
	of := b.share.of
	of.mu.Lock()
	defer of.mu.Unlock()
	delete(of.bodies, b)
	b.waited += time.Since(b.since)
	b.bytes += int64(n)
	return b.gaveWay
}

// late returns how much longer the server has waited for the body than it may take.
func (b *body) late(now time.Time) time.Duration {
	stalled := now.Sub(b.since) - moment
	return max(stalled, stalled+b.waited-time.Duration(b.bytes)*time.Second/slowRate)
}

// reclaim ends bodies that are late, the latest first, until the requests that have given way have
// as much memory as a waiting one needs.
func (b *Budget) reclaim(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.done() {
		return
	}
	for leaving := b.leaving(w); leaving < w.bytes; {
		latest := b.latest(w)
		if latest == nil {
			return
		}
		latest.gaveWay = true
		delete(b.bodies, latest)
		latest.end()
		b.refused[CauseTenant]++
		leaving += latest.share.bytes
		b.gone[latest.share] = struct{}{}
	}
}

// leaving returns the memory of the requests that have given way and are not over yet.
func (b *Budget) leaving(w *waiter) (bytes int64) {
	for s := range b.gone {
		if w.canUse(s) {
			bytes += s.bytes
		}
	}
	return bytes
}

func (b *Budget) latest(w *waiter) *body {
	now := time.Now()
	var latest *body
	for other := range b.bodies {
		if late := other.late(now); late > 0 && w.canUse(other.share) && (latest == nil || late > latest.late(now)) {
			latest = other
		}
	}
	return latest
}

// canUse reports whether the request could begin with the memory of another.
func (w *waiter) canUse(other *Share) bool {
	return other != w.share && other.bytes > 0 && w.waitsFor(other)
}

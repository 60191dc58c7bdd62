package audit

import (
	"context"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/trail"
	"licensor/internal/turns"
)

// Log is the log of a tenant.
type Log interface {
	// First and Last are engine.Tenant.FirstCommits and LastCommits.
	FirstCommits(ctx context.Context, after, upTo uint64) ([]store.Commit, error)
	LastCommits(ctx context.Context, after, upTo uint64) ([]store.Commit, error)
	// CommitsAt is engine.Tenant.CommitsAt.
	CommitsAt(ctx context.Context, seqs []uint64) ([]store.Commit, error)
	// FirstSince is engine.Tenant.FirstSince.
	FirstSince(ctx context.Context, t time.Time) (uint64, error)
}

// Place is the place of an entry.
type Place struct {
	Commit uint64
	N      int
}

// Query describes a page of entries.
type Query struct {
	Condition  *Condition
	Descending bool
	UpTo       uint64    // the last commit
	Since      time.Time // entries before it are not found (U6)
	From       *Place    // the first entry that the page may have; nil: the first of all
	Limit      int
}

// Page is a page of entries.
type Page struct {
	Entries []Entry
	// Next is where the next page begins; nil if there is none. A page may have fewer entries than
	// its limit, or none, although there is a next one: it reads a bounded part of the log.
	Next *Place
}

const (
	// maxRead is how many commits are read for one page at most.
	maxRead = 20_000
	// maxBytes is how large the entries of one page are at most, plus one entry.
	maxBytes = 2 << 20
)

// Read returns a page of the entries of a tenant.
func (q *Query) Read(ctx context.Context, log Log, img *tenant.Image) (Page, error) {
	r := &reader{Query: q, log: log, world: &World{Image: img}, named: namedUsers(q.Condition, img)}
	r.objects, r.few = q.Condition.concerned(img)
	r.world.Purged = newPurged(ctx, log, img.Seq).id
	if err := r.bound(ctx); err != nil {
		return Page{}, err
	}
	err := r.read(ctx)
	return r.page, err
}

// reader reads one page.
type reader struct {
	*Query
	log         Log
	world       *World
	named       *roaring.Bitmap // see matching
	few         bool            // only commits that concern one of the objects have entries of the page
	objects     []trail.Object
	first, last uint64 // commits that may have entries of the page
	from        Place
	page        Page
	bytes       int // of the entries of the page
}

// bound finds the commits to read.
func (r *reader) bound(ctx context.Context) (err error) {
	since, until := r.Condition.bounds()
	if since.Before(r.Since) {
		since = r.Since
	}
	if r.first, err = r.log.FirstSince(ctx, since); err != nil {
		return err
	}
	r.last = r.UpTo
	if !until.IsZero() {
		after, err := r.log.FirstSince(ctx, until.Add(time.Nanosecond))
		if err != nil {
			return err
		}
		r.last = min(r.last, after-1)
	}
	r.from = Place{Commit: r.first}
	if r.Descending {
		r.from = Place{Commit: r.last}
	}
	switch {
	case r.From == nil:
	case r.Descending && r.From.Commit <= r.last, !r.Descending && r.From.Commit >= r.first:
		r.from = *r.From
	}
	return nil
}

func (r *reader) read(ctx context.Context) error {
	at, read := r.from.Commit, 0
	work := turns.Of(ctx)
	work.Doing("reading the audit log")
	for at >= r.first && at <= r.last {
		if read >= maxRead {
			r.page.Next = &Place{Commit: at}
			return nil
		}
		commits, err := r.some(ctx, at)
		if err != nil {
			return err
		}
		for _, c := range commits {
			if err := work.Pace(); err != nil {
				return err
			}
			if full, err := r.take(c); full || err != nil {
				return err
			}
		}
		if read += len(commits); len(commits) == 0 {
			return nil
		}
		if at = commits[len(commits)-1].Seq + 1; r.Descending {
			at -= 2
		}
	}
	return nil
}

// some returns the next commits from one on, in the order of the page; none if there are no more.
func (r *reader) some(ctx context.Context, at uint64) ([]store.Commit, error) {
	switch {
	case r.few:
		return r.concerning(ctx, at)
	case !r.Descending:
		return r.log.FirstCommits(ctx, at-1, r.last)
	}
	commits, err := r.log.LastCommits(ctx, r.first-1, at)
	for i, j := 0, len(commits)-1; i < j; i, j = i+1, j-1 {
		commits[i], commits[j] = commits[j], commits[i]
	}
	return commits, err
}

// concerning is some for the commits that concern the objects.
func (r *reader) concerning(ctx context.Context, at uint64) ([]store.Commit, error) {
	low, high := at, r.last
	if r.Descending {
		low, high = r.first, at
	}
	for {
		seqs := r.world.Image.Trail.Commits(r.objects, low, high, r.Descending, store.MaxCommitsAt)
		commits, err := r.log.CommitsAt(ctx, seqs)
		if err != nil || len(seqs) == 0 || len(commits) > 0 {
			return commits, err
		}
		if last := seqs[len(seqs)-1]; r.Descending { // all of them were trimmed
			high = last - 1
		} else {
			low = last + 1
		}
	}
}

// take adds the entries of a commit. It returns true if the page is full.
func (r *reader) take(commit store.Commit) (full bool, err error) {
	bare := begun(commit)
	if r.Condition.of(&known{commit: bare}) == no {
		return false, nil
	}
	c, err := Read(commit, r.world)
	if err != nil {
		return false, err
	}
	from := 0
	if c.Seq == r.from.Commit {
		from = r.from.N
	}
	c.matching(r.Condition, from, r.named, func(e Entry) bool {
		if len(r.page.Entries) == r.Limit || r.bytes >= maxBytes {
			full, r.page.Next = true, &Place{c.Seq, e.N}
			return false
		}
		r.page.Entries = append(r.page.Entries, e)
		r.bytes += e.size()
		return true
	})
	return full, r.world.Err()
}

// Find returns an entry by its id; false if there is none.
func Find(ctx context.Context, log Log, img *tenant.Image, id string, since time.Time) (Entry, bool, error) {
	_, seq, _, ok := ParseID(id)
	if !ok || seq == 0 || seq > img.Seq {
		return Entry{}, false, nil
	}
	q := Query{Condition: Text(FieldID, OpEqual, id), UpTo: seq, From: &Place{Commit: seq}, Since: since, Limit: 1}
	page, err := q.Read(ctx, log, img)
	if err != nil || len(page.Entries) == 0 {
		return Entry{}, false, err
	}
	return page.Entries[0], true, nil
}

package history

import (
	"context"

	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/trail"
	"licensor/internal/turns"
)

// Log is the log of a tenant (engine.Tenant).
type Log interface {
	LastCommits(ctx context.Context, after, upTo uint64) ([]store.Commit, error)
	CommitsAt(ctx context.Context, seqs []uint64) ([]store.Commit, error)
}

// Query describes a page of entries, the newest first.
type Query struct {
	From    uint64         // the first commit that the page may have
	Least   uint64         // the last one, the oldest
	Objects []trail.Object // if there are any, only commits that concern one of them
	Limit   int
	// Is reports whether a commit may be on the page, before it is decoded; nil: every one.
	Is func(store.Commit) bool
	// Has reports whether an entry is on the page; nil: every one.
	Has func(*Entry) bool
}

// maxRead is how many commits are read for one page at most.
const maxRead = 20_000

// Read returns a page of the entries of a tenant, and the commit from which the next page
// continues; 0 if there is none. A page may have fewer entries than its limit, or none, although
// there is a next one.
func (q *Query) Read(ctx context.Context, log Log, img *tenant.Image) (page []*Entry, next uint64, err error) {
	work := turns.Of(ctx)
	work.Doing("reading the log")
	at, read := min(q.From, img.Seq), 0
	for least := max(q.Least, 1); at >= least; {
		if read >= maxRead {
			return page, at, nil
		}
		commits, reached, err := q.some(ctx, log, img, at, least)
		if err != nil {
			return nil, 0, err
		}
		for _, c := range commits {
			if err := work.Pace(); err != nil {
				return nil, 0, err
			}
			if q.Is != nil && !q.Is(c) {
				continue
			}
			e, err := Read(c, img.Licensing)
			if err != nil {
				return nil, 0, err
			}
			if q.Has != nil && !q.Has(e) {
				continue
			}
			if len(page) == q.Limit {
				return page, c.Seq, nil
			}
			page = append(page, e)
		}
		if read += max(len(commits), 1); reached <= least {
			break
		}
		at = reached - 1
	}
	return page, 0, nil
}

// some returns the next commits from one on, descending, and how far they reach: all commits from
// there on that are wanted are among them.
func (q *Query) some(
	ctx context.Context, log Log, img *tenant.Image, at, least uint64,
) (commits []store.Commit, reached uint64, err error) {
	if len(q.Objects) == 0 {
		list, err := log.LastCommits(ctx, least-1, at)
		if err != nil || len(list) == 0 {
			return nil, least, err
		}
		for i := len(list) - 1; i >= 0; i-- {
			commits = append(commits, list[i])
		}
		return commits, list[0].Seq, nil
	}
	seqs := img.Trail.Commits(q.Objects, least, at, true, store.MaxCommitsAt)
	if len(seqs) == 0 {
		return nil, least, nil
	}
	commits, err = log.CommitsAt(ctx, seqs)
	reached = seqs[len(seqs)-1]
	if len(commits) > 0 && len(commits) < len(seqs) { // as many as fit, or later ones than were trimmed
		reached = commits[len(commits)-1].Seq
	}
	return commits, reached, err
}

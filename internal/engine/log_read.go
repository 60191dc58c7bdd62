package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"licensor/internal/memory"
	"licensor/internal/store"
	"licensor/internal/turns"
)

// The maximum number of commits that FirstCommits and LastCommits return, and of bytes of their
// effects, plus one commit.
const (
	readCommits = 256
	readBytes   = 1 << 20
)

// FirstCommits returns the first of the commits after one and up to another, in order: at least one
// if there is one. Commits that were trimmed are omitted.
func (t *Tenant) FirstCommits(ctx context.Context, after, upTo uint64) ([]store.Commit, error) {
	return t.commits(ctx, after, upTo, func(list []store.Commit, size int) ([]store.Commit, int, error) {
		if len(list) == readCommits || size > readBytes {
			return list, size, errEnough
		}
		return list, size, nil
	})
}

// LastCommits is FirstCommits for the last of the commits, which are in order, too.
func (t *Tenant) LastCommits(ctx context.Context, after, upTo uint64) ([]store.Commit, error) {
	if upTo > readCommits {
		after = max(after, upTo-readCommits)
	}
	return t.commits(ctx, after, upTo, func(list []store.Commit, size int) ([]store.Commit, int, error) {
		for len(list) > 1 && size > readBytes {
			size -= len(list[0].Effects)
			list[0] = store.Commit{} // the list would keep its effects
			list = list[1:]
		}
		return list, size, nil
	})
}

// commits reads commits; keep is called after each and returns those to keep, with their size.
func (t *Tenant) commits(
	ctx context.Context, after, upTo uint64, keep func([]store.Commit, int) ([]store.Commit, int, error),
) (list []store.Commit, err error) {
	if after >= upTo {
		return nil, nil
	}
	if err := turns.Of(ctx).Yield(); err != nil {
		return nil, err
	}
	size, largest := 0, 0
	for range mostReads {
		reader := t.readers.begin(t.id, after)
		list, size = nil, 0
		err = t.store.Commits(ctx, t.id, after, func(c store.Commit) (err error) {
			if c.Seq > upTo {
				return errEnough
			}
			size, largest = size+len(c.Effects), max(largest, len(c.Effects))
			list, size, err = keep(append(list, c), size)
			return err
		})
		reader.end()
		if !errors.Is(err, store.ErrTrimmed) {
			break
		}
		floors, err := t.store.Floors(ctx, t.id)
		if err != nil {
			return nil, err
		}
		if after = max(after, floors.Log-1); after >= upTo {
			return nil, nil
		}
	}
	if err != nil && !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("read the log of tenant %s: %w", t.id, err)
	}
	return list, memory.Of(ctx).Least(ctx, int64(size)+decodedSize*int64(largest))
}

// CommitsAt returns the commits with some numbers, which ascend or descend, in that order: at least
// one if there is one. It omits commits that were trimmed.
func (t *Tenant) CommitsAt(ctx context.Context, seqs []uint64) ([]store.Commit, error) {
	if len(seqs) == 0 {
		return nil, nil
	}
	if err := turns.Of(ctx).Yield(); err != nil {
		return nil, err
	}
	reader := t.readers.begin(t.id, min(seqs[0], seqs[len(seqs)-1])-1)
	defer reader.end()
	list, err := t.store.CommitsAt(ctx, t.id, seqs[:min(len(seqs), store.MaxCommitsAt)], readBytes)
	if err != nil {
		return nil, fmt.Errorf("read the log of tenant %s: %w", t.id, err)
	}
	size, largest := 0, 0
	for i := range list {
		size, largest = size+len(list[i].Effects), max(largest, len(list[i].Effects))
	}
	return list, memory.Of(ctx).Least(ctx, int64(size)+decodedSize*int64(largest))
}

// FirstSince returns the first commit that is not before a time and was not trimmed; one after the
// last if there is none. Times never decrease along the log.
func (t *Tenant) FirstSince(ctx context.Context, at time.Time) (uint64, error) {
	for {
		floors, err := t.store.Floors(ctx, t.id)
		if err != nil {
			return 0, err
		}
		seq, err := firstSince(ctx, t.store, t.id, at, max(floors.Log, 1), t.Image().Seq+1)
		if !errors.Is(err, store.ErrTrimmed) {
			return seq, err
		}
	}
}

// firstSince returns the first commit from low on and below high that is not before a time; high if
// all are. Times never decrease along the log.
func firstSince(ctx context.Context, log store.Log, id uuid.UUID, at time.Time, low, high uint64) (uint64, error) {
	middle := low // when a log is trimmed, most often nothing is old enough
	for low < high {
		c, err := readCommit(ctx, log, id, middle)
		if err != nil {
			return 0, err
		}
		if c.At.Before(at) {
			low = middle + 1
		} else {
			high = middle
		}
		middle = low + (high-low)/2
	}
	return low, nil
}

// readCommit reads one commit of the log.
func readCommit(ctx context.Context, log store.Log, id uuid.UUID, seq uint64) (found store.Commit, err error) {
	err = log.Commits(ctx, id, seq-1, func(c store.Commit) error {
		found = c
		return errEnough
	})
	switch {
	case err == nil || found.Seq != seq && errors.Is(err, errEnough):
		return found, fmt.Errorf("commit %d of tenant %s is missing: %w", seq, id, store.ErrDamaged)
	case errors.Is(err, errEnough):
		return found, nil
	}
	return found, err
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// FirstSince returns the first commit that is not before a time and was not trimmed; one after the
// last if there is none. Times never decrease along the log.
func (t *Tenant) FirstSince(ctx context.Context, at time.Time) (uint64, error) {
	for {
		floors, err := t.store.Floors(ctx, t.id)
		if err != nil {
			return 0, err
		}
		seq, err := t.firstSince(ctx, at, max(floors.Log, 1), t.Image().Seq+1)
		if !errors.Is(err, store.ErrTrimmed) {
			return seq, err
		}
	}
}

// firstSince is FirstSince between two commits.
func (t *Tenant) firstSince(ctx context.Context, at time.Time, low, high uint64) (uint64, error) {
	for low < high {
		middle := low + (high-low)/2
		var found time.Time
		err := t.store.Commits(ctx, t.id, middle-1, func(c store.Commit) error {
			found = c.At
			return errEnough
		})
		if !errors.Is(err, errEnough) {
			if err == nil {
				err = fmt.Errorf("commit %d of tenant %s is missing: %w", middle, t.id, store.ErrDamaged)
			}
			return 0, err
		}
		if found.Before(at) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

package copying

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"licensor/internal/store"
)

// What is written at once.
const (
	commitsAtOnce = 1000
	commitBytes   = 8 << 20
)

// readTarget reads the log that the target has of a tenant that is not published: from an earlier
// copy, which may have been killed.
func (c *copier) readTarget(ctx context.Context) error {
	c.begin, c.last = 0, store.Commit{}
	floors, err := c.to.Floors(ctx, c.id)
	if err != nil {
		return err
	}
	return c.to.Commits(ctx, c.id, max(floors.Log, 1)-1, func(commit store.Commit) error {
		if err := c.continues(commit); err != nil {
			return fmt.Errorf("the target: %w", err)
		}
		if c.begin == 0 {
			c.begin = commit.Seq
		}
		c.last = commit
		return nil
	})
}

// continues returns an error unless a commit continues the chain of the target's last one.
// Commits of early formats have no chain.
func (c *copier) continues(commit store.Commit) error {
	linked := c.last.Seq > 0 || commit.Seq == 1
	if linked && commit.Chain != (store.Chain{}) && commit.Chain != commit.Link(c.last.Chain) {
		return fmt.Errorf("commit %d does not continue the chain of the log: %w", commit.Seq, errOther)
	}
	return nil
}

// errOther says that the target has the tenant with a different log.
var errOther = errors.New("the target has other content; remove it with `licensor copy --discard`")

// isOf returns an error unless the target's log is the beginning of a view's. It returns false
// when that is no longer known, since the view's log was trimmed beyond it.
func (c *copier) isOf(v store.View, place store.Place, floors store.Floors) (bool, error) {
	switch {
	case c.last.Seq == 0:
		return true, nil
	case c.last.Seq+1 < max(floors.Log, 1):
		return false, nil
	case c.last.Seq > place.Seq || c.last.Seq == place.Seq && c.last.Chain != place.Chain:
		return false, errOther
	case c.last.Seq < floors.Log: // the next commit continues this one, or not
		return true, nil
	}
	same := false
	err := v.Commits(c.last.Seq-1, func(commit store.Commit) error {
		same = commit.Sum() == c.last.Sum() && commit.Chain == c.last.Chain
		return errEnough
	})
	switch {
	case !errors.Is(err, errEnough):
		return false, err
	case !same:
		return false, errOther
	}
	return true, nil
}

// copyCommits appends the commits that the target lacks.
func (c *copier) copyCommits(ctx context.Context, v store.View, floors store.Floors) error {
	after := c.last.Seq
	if after == 0 {
		after = max(floors.Log, 1) - 1
	}
	var batch []store.Commit
	bytes := 0
	err := v.Commits(after, func(commit store.Commit) error {
		if len(batch) == 0 {
			if err := c.continues(commit); err != nil {
				return err
			}
		}
		batch = append(batch, commit)
		if bytes += len(commit.Effects); len(batch) < commitsAtOnce && bytes < commitBytes {
			return nil
		}
		err := c.putCommits(ctx, batch)
		batch, bytes = nil, 0
		return err
	})
	if err != nil {
		return err
	}
	return c.putCommits(ctx, batch)
}

// putCommits writes commits and reads them back.
func (c *copier) putCommits(ctx context.Context, commits []store.Commit) error {
	if len(commits) == 0 {
		return nil
	}
	if err := c.to.Fill(ctx, c.id, commits, nil); err != nil {
		return err
	}
	read := 0
	err := c.to.Commits(ctx, c.id, commits[0].Seq-1, func(got store.Commit) error {
		if read == len(commits) {
			return errEnough
		}
		want := commits[read]
		if got.Chain != want.Chain || got.Sum() != want.Sum() || !slices.Equal(got.Effects, want.Effects) {
			return fmt.Errorf("commit %d differs when read back: %w", want.Seq, store.ErrDamaged)
		}
		read++
		return c.follow(got)
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if read < len(commits) {
		return fmt.Errorf("only %d of %d commits were read back: %w", read, len(commits), store.ErrDamaged)
	}
	return nil
}

// follow takes a commit that the target has.
func (c *copier) follow(commit store.Commit) error {
	if err := c.continues(commit); err != nil {
		return err
	}
	if c.begin == 0 {
		c.begin = commit.Seq
	}
	c.last = commit
	c.done.Commits++
	return nil
}

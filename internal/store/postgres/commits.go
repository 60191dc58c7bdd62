package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

const (
	commitsAtOnce = 1000
	bytesAtOnce   = 8 << 20
)

// someCommits reads at most a thousand commits, and no more once their effects have so many bytes
// in total: they are all kept in memory, since yield may take long and use the store. Commits are
// dense: reading a range of them keeps a database that has no statistics of the table yet from
// sorting all that follow.
const someCommits = `SELECT seq, at, actor, operation, format, chain, effects, sum FROM (
		SELECT *, sum(octet_length(effects)) OVER (ORDER BY seq) - octet_length(effects) AS before FROM (
			SELECT seq, at, actor, operation, format, chain, effects, sum
			FROM licensor.commits WHERE tenant = $1 AND seq > $2 AND seq <= $3 ORDER BY seq
		) AS next
	) AS sized WHERE before < $4 ORDER BY seq`

// Commits implements store.Store.
func (s *Store) Commits(ctx context.Context, tenant uuid.UUID, after uint64, yield func(store.Commit) error) error {
	return s.allCommits(tenant, after, yield, func(after uint64) (readCommits, error) {
		return read(ctx, s, tenant, "read commits", func(r reading) (readCommits, error) {
			return s.someCommits(r, tenant, after)
		})
	})
}

// readCommits are commits that were read together, and the damage of the next one, if any, with its
// number.
type readCommits struct {
	commits []store.Commit
	damage  error
	damaged uint64
}

// errNext ends the reading of rows at one that is damaged.
var errNext = errors.New("the next row is damaged")

// allCommits hands over the commits that some returns, until there are no more. A damaged commit
// does not hide those before it.
func (s *Store) allCommits(
	tenant uuid.UUID, after uint64, yield func(store.Commit) error, some func(after uint64) (readCommits, error),
) error {
	for {
		found, err := some(min(after, math.MaxInt64))
		if err != nil {
			return err
		}
		for _, c := range found.commits {
			if c.Seq != after+1 {
				return s.damaged(fmt.Sprintf("commit %d of tenant %s is missing", after+1, tenant))
			}
			if err := yield(c); err != nil {
				return err
			}
			after = c.Seq
		}
		switch {
		case found.damage != nil && found.damaged != after+1:
			return s.damaged(fmt.Sprintf("commit %d of tenant %s is missing", after+1, tenant))
		case found.damage != nil || len(found.commits) == 0:
			return found.damage
		}
	}
}

func (s *Store) someCommits(r reading, tenant uuid.UUID, after uint64) (found readCommits, err error) {
	last := min(after, math.MaxInt64-commitsAtOnce) + commitsAtOnce
	args := []any{tenant, int64(after), int64(last), bytesAtOnce}
	err = r.rows(someCommits, args, func(row pgx.CollectableRow) error {
		c, err := s.scanCommit(row)
		if errors.Is(err, store.ErrDamaged) {
			found.damage, found.damaged = err, c.Seq
			return errNext
		}
		found.commits = append(found.commits, c)
		return err
	})
	if errors.Is(err, errNext) {
		err = nil
	}
	if err != nil || len(found.commits) > 0 && found.commits[0].Seq == after+1 {
		return found, err
	}
	floors, err := r.floors(tenant)
	switch {
	case err != nil:
	case after+1 < floors.Log:
		err = callersError{fmt.Errorf("commit %d of tenant %s: %w", after+1, tenant, store.ErrTrimmed)}
	case len(found.commits) == 0 && found.damage == nil:
		err = s.noCommitsAfter(r, tenant, last)
	}
	return found, err
}

// noCommitsAfter returns an error when there are commits after one that is not there.
func (s *Store) noCommitsAfter(r reading, tenant uuid.UUID, seq uint64) error {
	var more bool
	err := r.row(r.ctx, "SELECT EXISTS (SELECT FROM licensor.commits WHERE tenant = $1 AND seq > $2)",
		tenant, int64(seq)).Scan(&more)
	if err == nil && more {
		err = s.damaged(fmt.Sprintf("commit %d of tenant %s is missing", seq, tenant))
	}
	return err
}

// commitsAt looks up each commit by its key (see docs/scaling.md, Plans).
const commitsAt = `SELECT seq, at, actor, operation, format, chain, effects, sum FROM (
		SELECT c.*, n, sum(octet_length(effects)) OVER (ORDER BY n) - octet_length(effects) AS before
		FROM unnest($2::bigint[]) WITH ORDINALITY AS given (number, n), LATERAL (
			SELECT seq, at, actor, operation, format, chain, effects, sum
			FROM licensor.commits WHERE tenant = $1 AND seq = given.number OFFSET 0
		) AS c
	) AS sized WHERE before < $3 ORDER BY n`

// CommitsAt implements store.Store.
func (s *Store) CommitsAt(ctx context.Context, tenant uuid.UUID, seqs []uint64, most int) ([]store.Commit, error) {
	if err := store.CheckCommitsAt(seqs); err != nil {
		return nil, err
	}
	numbers := make([]int64, len(seqs))
	for i, seq := range seqs {
		numbers[i] = int64(min(seq, math.MaxInt64))
	}
	return read(ctx, s, tenant, "read commits", func(r reading) (list []store.Commit, err error) {
		err = r.rows(commitsAt, []any{tenant, numbers, int64(most)}, func(row pgx.CollectableRow) error {
			c, err := s.scanCommit(row)
			list = append(list, c)
			return err
		})
		if err == nil && len(list) == 0 {
			_, err = r.floors(tenant)
		}
		return list, err
	})
}

func (s *Store) scanCommit(row pgx.CollectableRow) (c store.Commit, err error) {
	var at, sum int64
	var chain []byte
	if err := row.Scan(&c.Seq, &at, &c.Actor, &c.Operation, &c.Format, &chain, &c.Effects, &sum); err != nil {
		return c, err
	}
	c.At = time.UnixMilli(at).UTC()
	copy(c.Chain[:], chain)
	if c.Sum() != sum {
		return c, s.damaged(fmt.Sprintf("commit %d has another checksum", c.Seq))
	}
	return c, nil
}

package postgres

import (
	"context"
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
	return s.allCommits(tenant, after, yield, func(after uint64) ([]store.Commit, error) {
		return read(ctx, s, tenant, "read commits", func(r reading) ([]store.Commit, error) {
			return s.someCommits(r, tenant, after)
		})
	})
}

// allCommits hands over the commits that some returns, until there are no more.
func (s *Store) allCommits(
	tenant uuid.UUID, after uint64, yield func(store.Commit) error, some func(after uint64) ([]store.Commit, error),
) error {
	for {
		commits, err := some(min(after, math.MaxInt64))
		if err != nil || len(commits) == 0 {
			return err
		}
		for _, c := range commits {
			if c.Seq != after+1 {
				return s.damaged(fmt.Sprintf("commit %d of tenant %s is missing", after+1, tenant))
			}
			if err := yield(c); err != nil {
				return err
			}
			after = c.Seq
		}
	}
}

func (s *Store) someCommits(r reading, tenant uuid.UUID, after uint64) (commits []store.Commit, err error) {
	last := min(after, math.MaxInt64-commitsAtOnce) + commitsAtOnce
	args := []any{tenant, int64(after), int64(last), bytesAtOnce}
	err = r.rows(someCommits, args, func(row pgx.CollectableRow) error {
		c, err := s.scanCommit(row)
		commits = append(commits, c)
		return err
	})
	if err != nil || len(commits) > 0 && commits[0].Seq == after+1 {
		return commits, err
	}
	floors, err := r.floors(tenant)
	switch {
	case err != nil:
	case after+1 < floors.Log:
		err = callersError{fmt.Errorf("commit %d of tenant %s: %w", after+1, tenant, store.ErrTrimmed)}
	case len(commits) == 0:
		err = s.noCommitsAfter(r, tenant, last)
	}
	return commits, err
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

package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// CreateTenant implements store.Store.
func (s *Store) CreateTenant(ctx context.Context, tenant uuid.UUID) error {
	return s.fail("create a tenant", s.write(ctx, func(tx *sql.Tx) error {
		made, err := tx.Exec("INSERT INTO tenant (id, seq) VALUES (?, 0) ON CONFLICT DO NOTHING", tenant[:])
		if err != nil {
			return err
		}
		if n, err := made.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return fmt.Errorf("tenant %s: %w", tenant, store.ErrExists)
		}
		return nil
	}))
}

// Tenants implements store.Store.
func (s *Store) Tenants(ctx context.Context) ([]uuid.UUID, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT id FROM tenant ORDER BY number")
	if err != nil {
		return nil, s.fail("list tenants", err)
	}
	defer rows.Close()
	var tenants []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, s.fail("list tenants", err)
		}
		tenants = append(tenants, id)
	}
	return tenants, s.fail("list tenants", rows.Err())
}

const findTenant = "SELECT number FROM tenant WHERE id = ?"

// tenant returns the number of a tenant.
func (s *Store) tenant(ctx context.Context, tenant uuid.UUID) (int64, error) {
	if number, ok := s.number.Load(tenant); ok {
		return number.(int64), nil
	}
	var number int64
	err := s.loads.QueryRowContext(ctx, findTenant, tenant[:]).Scan(&number)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("tenant %s: %w", tenant, store.ErrNotFound)
	} else if err != nil {
		return 0, s.fail("find tenant "+tenant.String(), err)
	}
	s.number.Store(tenant, number)
	return number, nil
}

// readCommits reads commitsAtOnce commits.
const readCommits = `SELECT seq, at, actor, operation, format, effects, chain, sum FROM commits
	WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT 1000`

const commitsAtOnce = 1000

// querier reads: it is a database, or a transaction.
type querier interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
}

const findPlace = "SELECT seq, chain, epoch FROM tenant WHERE id = ?"

// Place implements store.Store.
func (s *Store) Place(ctx context.Context, tenant uuid.UUID) (store.Place, error) {
	return s.placeOf(tenant, s.loads.QueryRowContext(ctx, findPlace, tenant[:]))
}

// Fence implements store.Store.
func (s *Store) Fence(ctx context.Context, tenant uuid.UUID) (place store.Place, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		place, err = s.placeOf(tenant,
			tx.QueryRow("UPDATE tenant SET epoch = epoch + 1 WHERE id = ? RETURNING seq, chain, epoch", tenant[:]))
		return err
	})
	return place, s.fail("fence tenant "+tenant.String(), err)
}

func (s *Store) placeOf(tenant uuid.UUID, row *sql.Row) (place store.Place, err error) {
	var chain []byte
	err = row.Scan(&place.Seq, &chain, &place.Epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return place, fmt.Errorf("tenant %s: %w", tenant, store.ErrNotFound)
	}
	copy(place.Chain[:], chain)
	return place, s.fail("find where the log of tenant "+tenant.String()+" ends", err)
}

// Commits implements store.Store. No read is open for more than a thousand commits, since SQLite
// cannot merge its log during a read.
func (s *Store) Commits(ctx context.Context, tenant uuid.UUID, after uint64, yield func(store.Commit) error) error {
	number, err := s.tenant(ctx, tenant)
	if err != nil || after >= math.MaxInt64 {
		return err
	}
	some := func(after uint64) (uint64, error) {
		turn, err := s.lines.Begin(ctx, tenant)
		if err != nil {
			return after, err
		}
		defer turn.End()
		return s.someCommits(ctx, s.loads, number, after, yield)
	}
	return s.allCommits(after, some, func(seq uint64) error { return s.keeps(ctx, s.loads, tenant, seq) })
}

// allCommits calls some, which returns the sequence number of the last commit that it has handed
// over, until there are no more. Whether a missing commit was trimmed, keeps says.
func (s *Store) allCommits(
	after uint64, some func(after uint64) (uint64, error), keeps func(seq uint64) error,
) error {
	for {
		last, err := some(after)
		switch {
		case errors.Is(err, errGap):
			if err := keeps(last + 1); err != nil {
				return err
			}
			return s.damaged(fmt.Sprintf("commit %d is missing", last+1))
		case err != nil:
			return err
		case last < after+commitsAtOnce: // there are no more
			return keeps(last + 1)
		}
		after = last
	}
}

const readCommitsAt = `SELECT seq, at, actor, operation, format, effects, chain, sum FROM commits
	WHERE tenant = ? AND seq IN (SELECT value FROM json_each(?)) ORDER BY seq`

// CommitsAt implements store.Store.
func (s *Store) CommitsAt(ctx context.Context, tenant uuid.UUID, seqs []uint64, most int) ([]store.Commit, error) {
	number, err := s.tenant(ctx, tenant)
	if err == nil {
		err = store.CheckCommitsAt(seqs)
	}
	if err != nil || len(seqs) == 0 {
		return nil, err
	}
	turn, err := s.lines.Begin(ctx, tenant)
	if err != nil {
		return nil, err
	}
	defer turn.End()
	text, names := readCommitsAt, make([]int64, len(seqs))
	for i, seq := range seqs {
		names[i] = int64(min(seq, math.MaxInt64))
	}
	if names[0] > names[len(names)-1] {
		text += " DESC"
	}
	given, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	rows, err := s.reader.QueryContext(ctx, text, number, string(given))
	if err != nil {
		return nil, s.fail("read commits", err)
	}
	defer rows.Close()
	var list []store.Commit
	for size := 0; size < most && rows.Next(); {
		c, err := s.scanCommit(rows)
		if err != nil {
			return nil, err
		}
		list, size = append(list, c), size+len(c.Effects)
	}
	return list, s.fail("read commits", rows.Err())
}

// errGap means that the next commit does not follow the previous one.
var errGap = errors.New("a commit is missing")

// someCommits returns the sequence number of the last commit that it has passed on, or after if
// there was none.
func (s *Store) someCommits(
	ctx context.Context, from querier, number int64, after uint64, yield func(store.Commit) error,
) (uint64, error) {
	rows, err := from.QueryContext(ctx, readCommits, number, int64(after))
	if err != nil {
		return after, s.fail("read commits", err)
	}
	defer rows.Close()
	for rows.Next() {
		c, err := s.scanCommit(rows)
		if err != nil {
			return after, err
		}
		if c.Seq != after+1 {
			return after, errGap
		}
		if err := yield(c); err != nil {
			return after, err
		}
		after = c.Seq
	}
	return after, s.fail("read commits", rows.Err())
}

func (s *Store) scanCommit(rows *sql.Rows) (store.Commit, error) {
	var c store.Commit
	var at, sum int64
	var chain sql.RawBytes
	if err := rows.Scan(&c.Seq, &at, &c.Actor, &c.Operation, &c.Format, &c.Effects, &chain, &sum); err != nil {
		return c, s.fail("read commits", err)
	}
	c.At = time.UnixMilli(at).UTC()
	copy(c.Chain[:], chain)
	if c.Sum() != sum {
		return c, s.damaged(fmt.Sprintf("commit %d has another checksum", c.Seq))
	}
	return c, nil
}

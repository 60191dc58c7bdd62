package sqlite

import (
	"context"
	"database/sql"
	"math"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// View implements store.Store, with a transaction of a reader's: the log that SQLite writes ahead
// grows until it ends.
func (s *Store) View(ctx context.Context, tenant uuid.UUID, do func(v store.View) error) error {
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return err
	}
	turn, err := s.lines.Begin(ctx, tenant)
	if err != nil {
		return err
	}
	defer turn.End()
	tx, err := s.reader.BeginTx(ctx, nil)
	if err != nil {
		return s.fail("begin a view of tenant "+tenant.String(), err)
	}
	defer tx.Rollback()
	v := view{s, ctx, tx, tenant, number}
	if _, err := v.Place(); err != nil { // the first read decides what is seen
		return err
	}
	return do(v)
}

type view struct {
	s      *Store
	ctx    context.Context
	tx     *sql.Tx
	tenant uuid.UUID
	number int64
}

// Place implements store.View.
func (v view) Place() (store.Place, error) {
	return v.s.placeOf(v.tenant, v.tx.QueryRowContext(v.ctx, findPlace, v.tenant[:]))
}

// Floors implements store.View.
func (v view) Floors() (store.Floors, error) { return v.s.floors(v.ctx, v.tx, v.tenant) }

// Manifests implements store.View.
func (v view) Manifests() ([]store.Manifest, error) { return v.s.manifests(v.ctx, v.tx, v.number) }

// Claims implements store.View.
func (v view) Claims() ([]store.Claim, error) { return v.s.claimsOf(v.ctx, v.tx, v.tenant) }

// Count implements store.View.
func (v view) Count() (commits, rows int64, err error) {
	err = v.tx.QueryRowContext(v.ctx, "SELECT (SELECT count(*) FROM commits WHERE tenant = ?1), "+
		"(SELECT count(*) FROM object WHERE tenant = ?1)", v.number).Scan(&commits, &rows)
	return commits, rows, v.s.fail("count rows", err)
}

// Commits implements store.View.
func (v view) Commits(after uint64, yield func(store.Commit) error) error {
	if after >= math.MaxInt64 {
		return nil
	}
	some := func(after uint64) (uint64, error) { return v.s.someCommits(v.ctx, v.tx, v.number, after, yield) }
	return v.s.allCommits(after, some, func(seq uint64) error { return v.s.keeps(v.ctx, v.tx, v.tenant, seq) })
}

const (
	rowsAfter  = selected + behind
	marksAfter = "SELECT kind, ordinal, seq, sum FROM object WHERE tenant = ?1 AND " + behind
	behind     = "(kind, ordinal) > (?2, ?3) ORDER BY kind, ordinal LIMIT ?4"
)

// Rows implements store.View.
func (v view) Rows(after store.RowKey, limit, bytes int) (found []store.Object, err error) {
	rows, err := v.tx.QueryContext(v.ctx, rowsAfter, v.number, int64(after.Kind), int64(after.Ordinal), int64(limit))
	if err != nil {
		return nil, v.s.fail("read rows", err)
	}
	defer rows.Close()
	for bytes > 0 && rows.Next() {
		o, err := v.s.scanObject(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, o)
		bytes -= len(o.Document)
	}
	return found, v.s.fail("read rows", rows.Err())
}

// Marks implements store.View.
func (v view) Marks(after store.RowKey, limit int) (marks []store.Mark, err error) {
	rows, err := v.tx.QueryContext(v.ctx, marksAfter, v.number, int64(after.Kind), int64(after.Ordinal), int64(limit))
	if err != nil {
		return nil, v.s.fail("read the marks of rows", err)
	}
	defer rows.Close()
	for rows.Next() {
		var m store.Mark
		if err := rows.Scan(&m.Kind, &m.Ordinal, &m.Seq, &m.Sum); err != nil {
			return nil, v.s.fail("read the marks of rows", err)
		}
		marks = append(marks, m)
	}
	return marks, v.s.fail("read the marks of rows", rows.Err())
}

package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

// The database ends a transaction that is idle for this long: one of a program that has disappeared
// must not keep it from removing what is replaced, or hold a lock. SET LOCAL ends with the
// transaction, so a pooler can hand the connection on to others.
const (
	beginIdle = "; SET LOCAL idle_in_transaction_session_timeout = '2s'"
	beginView = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" + beginIdle
	beginStep = "BEGIN" + beginIdle

	// awakeEvery is how often a view that its caller does not use shows that the program is there.
	awakeEvery = 500 * time.Millisecond
)

// View implements store.Store, with a transaction that sees one moment: what is replaced or removed
// meanwhile is kept until it ends. It is not begun again when the connection is lost.
func (s *Store) View(ctx context.Context, tenant uuid.UUID, do func(v store.View) error) error {
	turn, err := s.lines.Begin(ctx, tenant)
	if err != nil {
		return s.fail("begin a view", err)
	}
	defer turn.End()
	_, err = readOnce(ctx, s, func(r reading) (struct{}, error) {
		tx, err := r.BeginTx(r.ctx, pgx.TxOptions{BeginQuery: beginView})
		if err != nil {
			return struct{}{}, err
		}
		defer func() {
			// Nothing was written: the response is not needed, only that it is not waited for.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), readWait)
			defer cancel()
			_ = tx.Rollback(ctx)
		}()
		v := &view{s: s, r: r, tenant: tenant}
		if _, err := v.Place(); err != nil { // the first statement decides what is seen
			return struct{}{}, callersError{err}
		}
		defer v.keepAwake()()
		return struct{}{}, viewError(do(v))
	})
	var own viewersError
	if errors.As(err, &own) {
		return own.error
	}
	return s.fail("read a view", err)
}

// viewersError is an error of the callback.
type viewersError struct{ error }

func (e viewersError) Unwrap() error { return e.error }

func viewError(err error) error {
	if err == nil {
		return nil
	}
	return callersError{viewersError{err}}
}

// view reads within a transaction. The time for an answer counts only while it is waited for.
type view struct {
	s      *Store
	r      reading
	using  sync.Mutex // held while the connection is used
	tenant uuid.UUID
	kinds  []kindEnd // nil: not known yet
}

// keepAwake uses the connection from time to time until the returned function is called: a caller
// may do something else for long, such as write what it has read. If that fails, so does the next
// read.
func (v *view) keepAwake() (end func()) {
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(awakeEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
			}
			if !v.using.TryLock() {
				continue
			}
			ctx, cancel := context.WithTimeout(v.r.ctx, readWait)
			_ = v.r.Ping(ctx)
			cancel()
			v.using.Unlock()
		}
	})
	return func() {
		close(ended)
		running.Wait()
	}
}

func viewed[T any](v *view, doing string, do func(r reading) (T, error)) (T, error) {
	v.using.Lock()
	defer v.using.Unlock()
	v.r.timer.Reset(readWait)
	defer v.r.timer.Stop()
	value, err := do(v.r)
	if err != nil {
		var nothing T
		if cause := context.Cause(v.r.ctx); cause != nil {
			err = cause
		}
		return nothing, v.s.fail(doing, err)
	}
	return value, nil
}

// Place implements store.View.
func (v *view) Place() (store.Place, error) {
	return viewed(v, "find where a log ends", func(r reading) (store.Place, error) {
		return scanPlace(v.tenant, r.row(r.ctx, findPlace, v.tenant))
	})
}

// Floors implements store.View.
func (v *view) Floors() (store.Floors, error) {
	return viewed(v, "find the floors of a tenant", func(r reading) (store.Floors, error) {
		return r.floors(v.tenant)
	})
}

// Manifests implements store.View.
func (v *view) Manifests() ([]store.Manifest, error) {
	return viewed(v, "read manifests", func(r reading) ([]store.Manifest, error) { return r.manifests(v.tenant) })
}

// Claims implements store.View.
func (v *view) Claims() ([]store.Claim, error) {
	return viewed(v, "read claims", func(r reading) ([]store.Claim, error) {
		return r.claims(r.ctx, claimsOf, v.tenant)
	})
}

// countWait is how long counting may take: it goes through all rows.
const countWait = 5 * time.Minute

// Count implements store.View.
func (v *view) Count() (commits, rows int64, err error) {
	_, err = viewed(v, "count rows", func(r reading) (struct{}, error) {
		r.timer.Reset(countWait)
		return struct{}{}, r.row(r.ctx, "SELECT (SELECT count(*) FROM licensor.commits WHERE tenant = $1), "+
			"(SELECT count(*) FROM licensor.object WHERE tenant = $1 AND NOT purged)", v.tenant).Scan(&commits, &rows)
	})
	return commits, rows, err
}

// Commits implements store.View.
func (v *view) Commits(after uint64, yield func(store.Commit) error) error {
	return v.s.allCommits(v.tenant, after, yield, func(after uint64) (readCommits, error) {
		return viewed(v, "read commits", func(r reading) (readCommits, error) {
			return v.s.someCommits(r, v.tenant, after)
		})
	})
}

// Rows are read by ranges of ordinals. They are dense, so a range has about as many rows, and no
// plan for it is bad: a database that knows nothing of a new table yet may put all rows behind a
// key in order to find the first of them.
const (
	lastOrdinals = "SELECT kind, max(ordinal) FROM licensor.object WHERE tenant = $1 AND NOT purged " +
		"GROUP BY kind ORDER BY kind"

	// rowsBetween ends once the documents have so many bytes together.
	rowsBetween = `SELECT kind, ordinal, id, deleted, document, sum, seq FROM (
			SELECT *, sum(octet_length(document)) OVER (ORDER BY ordinal) - octet_length(document) AS before FROM (
				SELECT kind, ordinal, id, deleted, document, sum, seq FROM licensor.object` + between + `
			) AS next
		) AS sized WHERE before < $5 ORDER BY ordinal`
	marksBetween = "SELECT kind, ordinal, seq, sum FROM licensor.object" + between
	between      = " WHERE tenant = $1 AND kind = $2 AND ordinal > $3 AND ordinal <= $4 AND NOT purged ORDER BY ordinal"

	// rangeSize is how many ordinals a range has at most, longRange where many rows were purged.
	rangeSize = 4096
	longRange = 1 << 20
)

// kindEnd is the last ordinal of a kind.
type kindEnd struct {
	kind    store.Kind
	ordinal int64
}

// ends returns the kinds that there are, in order.
func (v *view) ends() ([]kindEnd, error) {
	if v.kinds != nil {
		return v.kinds, nil
	}
	kinds, err := viewed(v, "find the last rows", func(r reading) (list []kindEnd, err error) {
		r.timer.Reset(countWait)
		err = r.rows(lastOrdinals, []any{v.tenant}, func(row pgx.CollectableRow) error {
			var end kindEnd
			err := row.Scan(&end.kind, &end.ordinal)
			list = append(list, end)
			return err
		})
		return list, err
	})
	if err == nil && kinds == nil {
		kinds = []kindEnd{}
	}
	v.kinds = kinds
	return kinds, err
}

// ranges hands the ranges after a key to read, of at most as many ordinals as it wants, until it
// wants none.
func (v *view) ranges(
	after store.RowKey, want int, read func(kind store.Kind, from, to int64) (more int, err error),
) error {
	kinds, err := v.ends()
	if err != nil {
		return err
	}
	for _, end := range kinds {
		if end.kind < after.Kind {
			continue
		}
		from := int64(-1)
		if end.kind == after.Kind {
			from = int64(after.Ordinal)
		}
		for size := int64(min(want, rangeSize)); from < end.ordinal; {
			to := min(from+size, end.ordinal)
			left, err := read(end.kind, from, to)
			if err != nil || left <= 0 {
				return err
			}
			if from = to; left == want { // what was there is purged
				size = min(2*size, longRange)
			} else {
				want, size = left, int64(min(left, rangeSize))
			}
		}
	}
	return nil
}

// Rows implements store.View.
func (v *view) Rows(after store.RowKey, limit, bytes int) (found []store.Object, err error) {
	err = v.ranges(after, limit, func(kind store.Kind, from, to int64) (int, error) {
		list, err := v.rowsBetween(kind, from, to, bytes)
		found = append(found, list...)
		for i := range list {
			bytes -= len(list[i].Document)
		}
		if bytes <= 0 {
			return 0, err
		}
		return limit - len(found), err
	})
	return found[:min(len(found), limit)], err
}

func (v *view) rowsBetween(kind store.Kind, from, to int64, bytes int) ([]store.Object, error) {
	args := []any{v.tenant, int16(kind), from, to, bytes}
	return viewed(v, "read rows", func(r reading) (list []store.Object, err error) {
		err = r.rows(rowsBetween, args, func(row pgx.CollectableRow) error {
			var o store.Object
			var deleted *int64
			var sum int64
			err := row.Scan(&o.Kind, &o.Ordinal, (*[16]byte)(&o.ID), &deleted, &o.Document, &sum, &o.Seq)
			if err != nil {
				return err
			}
			err = v.s.checkObject(&o, deleted, sum)
			list = append(list, o)
			return err
		})
		return list, err
	})
}

// Marks implements store.View.
func (v *view) Marks(after store.RowKey, limit int) (marks []store.Mark, err error) {
	err = v.ranges(after, limit, func(kind store.Kind, from, to int64) (int, error) {
		args := []any{v.tenant, int16(kind), from, to}
		_, err := viewed(v, "read the marks of rows", func(r reading) (struct{}, error) {
			return struct{}{}, r.rows(marksBetween, args, func(row pgx.CollectableRow) error {
				var m store.Mark
				err := row.Scan(&m.Kind, &m.Ordinal, &m.Seq, &m.Sum)
				marks = append(marks, m)
				return err
			})
		})
		return limit - len(marks), err
	})
	return marks[:min(len(marks), limit)], err
}

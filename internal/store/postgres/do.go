package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"licensor/internal/store"
)

// How long is waited: for a connection, for the answer to a change, for the next rows of a read.
const (
	connectWait = 5 * time.Second
	writeWait   = 10 * time.Second
	readWait    = 5 * time.Second
	// hangUp is when the connection of a change without an answer is given up. Until then it counts
	// among those of the pool: a database that answers nothing, such as one that waits for its
	// standby, has no more of them to keep than that.
	hangUp = 60 * time.Second
	// tries is how often is tried what may be repeated.
	tries = 5
)

// conn is a connection on which something is done.
type conn struct {
	*pgxpool.Conn
	line *line
	mode pgx.QueryExecMode
}

// fewRows is how many rows are written and read well with any plan.
const fewRows = 100

// planned has statements about many rows be planned as the tables are now. A plan that was kept may
// be of a time when they had few rows, and then goes through all of them for each.
func (c conn) planned(rows int) conn {
	if rows > fewRows {
		c.mode = pgx.QueryExecModeCacheDescribe
	}
	return c
}

// acquire takes a connection from the pool, or makes one. Nothing has been sent when it fails.
func (s *Store) acquire(ctx context.Context) (conn, error) {
	soon, cancel := context.WithTimeout(ctx, connectWait)
	defer cancel()
	c, err := s.pool.Acquire(soon)
	switch {
	case err == nil:
		l := lineOf(c.Conn())
		l.warned = false
		return conn{c, l, l.mode}, nil
	case ctx.Err() != nil:
		return conn{}, callersError{ctx.Err()}
	case s.life.Err() != nil:
		return conn{}, unsentError{errClosed}
	}
	s.hosts.forget()
	if soon.Err() != nil {
		err = fmt.Errorf("no connection within %s (%d of %d are in use): %w",
			connectWait, s.pool.Stat().AcquiredConns(), s.pool.Stat().MaxConns(), err)
	}
	return conn{}, unsentError{err}
}

var errClosed = fmt.Errorf("the store was closed: %w", store.ErrUnavailable)

// exec carries out a statement and returns how many rows it was about.
func (c conn) exec(ctx context.Context, text string, args ...any) (int64, error) {
	tag, err := c.Exec(ctx, text, append([]any{c.mode}, args...)...)
	return tag.RowsAffected(), err
}

func (c conn) row(ctx context.Context, text string, args ...any) pgx.Row {
	return c.QueryRow(ctx, text, append([]any{c.mode}, args...)...)
}

// write carries out a change. Once it has a connection it continues when ctx is done. With
// store.ErrUnknown the outcome is unknown; after any other error nothing was changed. Errors
// that do returns of its own accord are among the latter.
func (s *Store) write(ctx context.Context, doing string, do func(ctx context.Context, c conn) error) error {
	begin := time.Now()
	for try := 1; ; try++ {
		err := s.writeOnce(ctx, do)
		again := repeatable(err) || unsent(err) && ctx.Err() == nil && s.life.Err() == nil
		if !again || try == tries || time.Since(begin) > writeWait/2 {
			return s.fail(doing, s.outcome(err))
		}
		select {
		case <-ctx.Done():
			return s.fail(doing, err)
		case <-time.After(pause(try)):
		}
	}
}

// pause is how long to wait after so many tries.
func pause(try int) time.Duration {
	return time.Duration(1+rand.IntN(10<<try)) * time.Millisecond
}

func (s *Store) writeOnce(ctx context.Context, do func(ctx context.Context, c conn) error) error {
	c, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	s.underWay.Go(func() {
		defer c.Release()
		ctx, cancel := context.WithTimeout(s.life, hangUp)
		defer cancel()
		err := do(ctx, c)
		if err == nil && c.line.warned {
			err = fmt.Errorf("the server has warned, as it does when a wait for a standby was canceled: %w",
				store.ErrUnknown)
		}
		s.lookAt(err)
		done <- err
	})
	late := time.NewTimer(writeWait)
	defer late.Stop()
	select {
	case err := <-done:
		return err
	case <-late.C:
		return fmt.Errorf("no answer within %s: %w", writeWait, store.ErrUnknown)
	}
}

// outcome makes store.ErrUnknown of an error after which a change may have been made or not.
func (s *Store) outcome(err error) error {
	if err == nil || refused(err) || unsent(err) || isCallers(err) {
		return err
	}
	for _, kind := range known {
		if errors.Is(err, kind) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", store.ErrUnknown, err)
}

// lookAt notices that the server is no longer the one to talk to.
func (s *Store) lookAt(err error) {
	switch {
	case codeOf(err) == codeReadOnly:
		s.hosts.forget()
		s.pool.Reset()
	case err != nil && !refused(err) && !isCallers(err):
		s.hosts.forget()
	}
}

// reading is a connection that is read from. It has a deadline for the next rows, not for all.
type reading struct {
	conn
	ctx   context.Context
	timer *time.Timer
}

// read reads something of a tenant, in its turn. What was begun is begun again when the connection
// is lost.
func read[T any](
	ctx context.Context, s *Store, tenant uuid.UUID, doing string, do func(r reading) (T, error),
) (T, error) {
	var nothing T
	turn, err := s.lines.Begin(ctx, tenant)
	if err != nil {
		return nothing, s.fail(doing, err)
	}
	defer turn.End()
	begin := time.Now()
	for try := 1; ; try++ {
		value, err := readOnce(ctx, s, do)
		if err == nil {
			return value, nil
		}
		lost := !refused(err) && !isCallers(err) && !errors.Is(err, errSlow) && s.life.Err() == nil
		if ctx.Err() != nil {
			return nothing, s.fail(doing, ctx.Err())
		} else if !lost || try == tries || time.Since(begin) > readWait/2 {
			return nothing, s.fail(doing, err)
		}
	}
}

var errSlow = errors.New("no answer within " + readWait.String())

func readOnce[T any](ctx context.Context, s *Store, do func(r reading) (T, error)) (T, error) {
	var nothing T
	c, err := s.acquire(ctx)
	if err != nil {
		return nothing, err
	}
	defer c.Release()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.life, func() { cancel(errClosed) })()
	r := reading{c, ctx, time.AfterFunc(readWait, func() { cancel(errSlow) })}
	defer r.timer.Stop()
	value, err := do(r)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	s.lookAt(err)
	return value, err
}

// rows hands each row of a query to scan, until that has enough. It must not end long before the
// query does, since all rows are read in any case.
func (r reading) rows(text string, args []any, scan func(row pgx.CollectableRow) error) error {
	rows, err := r.Query(r.ctx, text, append([]any{r.mode}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for n := 0; rows.Next(); n++ {
		if n%1000 == 999 {
			r.timer.Reset(readWait)
		}
		if err := scan(rows); err != nil {
			return callersError{err}
		}
	}
	return rows.Err()
}

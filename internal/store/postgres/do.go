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

// The maximum waiting times: for a connection, for the response to a change, for the next rows of a
// read.
const (
	connectWait = 5 * time.Second
	writeWait   = 10 * time.Second
	readWait    = 5 * time.Second
	// keptPlace is how long the connection of a change without a response still counts as one of the
	// pool's. A database that does not respond, such as one that waits for its standby, does not
	// notice that it was closed, and has no more open connections than the pool allows.
	keptPlace = 50 * time.Second
	// tries is how often a repeatable operation is tried.
	tries = 5
)

// conn is a connection in use.
type conn struct {
	*pgxpool.Conn
	line *line
	mode pgx.QueryExecMode
}

// fewRows is the number of rows up to which any plan is good enough.
const fewRows = 100

// planned makes statements about many rows be planned for the tables as they are now. A cached plan
// may be from a time when they had few rows, and would then scan all rows for each one.
func (c conn) planned(rows int) conn {
	if rows > fewRows {
		c.mode = pgx.QueryExecModeCacheDescribe
	}
	return c
}

// acquire takes a connection from the pool, or opens one. If it fails, nothing was sent.
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

// exec executes a statement and returns the number of affected rows.
func (c conn) exec(ctx context.Context, text string, args ...any) (int64, error) {
	tag, err := c.Exec(ctx, text, c.args(args)...)
	return tag.RowsAffected(), err
}

func (c conn) row(ctx context.Context, text string, args ...any) pgx.Row {
	return c.QueryRow(ctx, text, c.args(args)...)
}

// args returns the arguments of a statement as pgx takes them. A uuid.UUID would be written as text
// and parsed again, because it can be a value of database/sql.
func (c conn) args(values []any) []any {
	args := append(make([]any, 0, len(values)+1), c.mode)
	for _, value := range values {
		if id, ok := value.(uuid.UUID); ok {
			value = [16]byte(id)
		}
		args = append(args, value)
	}
	return args
}

// write executes a change. Once it has a connection it continues even if ctx ends. If it returns
// store.ErrUnknown, the outcome is unknown; after any other error nothing was changed, including
// errors that do returns itself.
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

// pause returns how long to wait after a number of tries.
func pause(try int) time.Duration {
	return time.Duration(1+rand.IntN(10<<try)) * time.Millisecond
}

func (s *Store) writeOnce(ctx context.Context, do func(ctx context.Context, c conn) error) error {
	c, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	s.underWay.Add(1)
	defer s.underWay.Done()
	ctx, cancel := context.WithTimeout(s.life, writeWait)
	defer cancel()
	err = do(ctx, c)
	if err == nil && c.line.warned {
		err = fmt.Errorf("the server has warned, as it does when a wait for a standby was canceled: %w",
			store.ErrUnknown)
	}
	s.noteFailure(err)
	if err == nil || refused(err) || isCallers(err) || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		c.Release()
		return err
	}
	s.underWay.Go(func() { s.keepPlace(c) })
	return fmt.Errorf("no answer within %s: %w", writeWait, store.ErrUnknown)
}

// keepPlace releases a connection that was closed without a response after keptPlace, or when the
// store is closed.
func (s *Store) keepPlace(c conn) {
	defer c.Release()
	select {
	case <-time.After(keptPlace):
	case <-s.life.Done():
	}
}

// outcome turns an error after which a change may or may not have been made into store.ErrUnknown.
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

// noteFailure detects that another host may now be the primary.
func (s *Store) noteFailure(err error) {
	switch {
	case codeOf(err) == codeReadOnly:
		s.hosts.forget()
		s.pool.Reset()
	case err != nil && !refused(err) && !isCallers(err):
		s.hosts.forget()
	}
}

// reading is a connection for reading. The deadline applies to the next rows, not to all.
type reading struct {
	conn
	ctx   context.Context
	timer *time.Timer
}

// read reads data of a tenant, in its turn. If the connection is lost, it starts again.
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
	s.noteFailure(err)
	return value, err
}

// rows passes each row of a query to scan, until scan has enough. Queries should not return many
// more rows than scan takes, since all are read anyway.
func (r reading) rows(text string, args []any, scan func(row pgx.CollectableRow) error) error {
	rows, err := r.Query(r.ctx, text, r.args(args)...)
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

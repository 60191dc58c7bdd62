package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// Only this program merges the log into the file, never SQLite by itself while it commits: the file
// gets no write that -ack does not have. So if a crash interrupts it, -ack says up to which write
// the log is needed. When all of the log is merged, -ack says that the file is complete without it,
// before the next write overwrites the log from its beginning.

const (
	// mergeAfter is the number of pages from which a log is merged.
	mergeAfter = 4000
	// mergeAgain is how many more pages it has when that is done again, because a reader still needs
	// it.
	mergeAgain = 1000
)

// merge merges the log if it is long. What cannot be merged, such as when the disk is full, stays
// in the log.
func (s *Store) merge(ctx context.Context, conn *sql.Conn) {
	if s.acknowledged == nil { // in memory, or while it is opened
		return
	}
	pages, _, err := checkpoint(ctx, conn, "NOOP")
	switch {
	case err != nil:
		return
	case pages < mergeAfter:
		s.mergeAt = mergeAfter
	case pages >= s.mergeAt:
		s.mergeAt = pages + mergeAgain
		_ = s.mergeLog(ctx, conn, "PASSIVE")
	}
}

// mergeLog merges all of a log that is not empty, and notes before and after it whether the file
// needs the log.
func (s *Store) mergeLog(ctx context.Context, conn *sql.Conn, mode string) error {
	if s.acknowledged == nil {
		return mergeAll(ctx, conn, mode)
	}
	if err := s.noteDurably(true); err != nil {
		return err
	}
	if err := mergeAll(ctx, conn, mode); err != nil {
		return err
	}
	return s.noteDurably(false)
}

// errLogInUse means that a reader needs the log.
var errLogInUse = errors.New("the log is in use")

// emptyLog merges the log into the file and truncates it.
func (s *Store) emptyLog(ctx context.Context) error {
	conn, err := s.writer.Conn(ctx) // nothing is written in between
	if err != nil {
		return err
	}
	defer conn.Close()
	s.guard.expect(true)
	defer s.guard.expect(false)
	if pages, _, err := checkpoint(ctx, conn, "NOOP"); err != nil {
		return err
	} else if pages > 0 {
		if err := s.mergeLog(ctx, conn, "FULL"); err != nil {
			return err
		}
	}
	return mergeAll(ctx, conn, "TRUNCATE")
}

func mergeAll(ctx context.Context, conn *sql.Conn, mode string) error {
	pages, merged, err := checkpoint(ctx, conn, mode)
	if err == nil && merged < pages {
		return errLogInUse
	}
	return err
}

// checkpoint returns how many pages the log has and how many of them are merged.
func checkpoint(ctx context.Context, conn *sql.Conn, mode string) (pages, merged int, err error) {
	var busy int
	err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &merged)
	if err == nil && busy != 0 {
		err = errLogInUse
	}
	return pages, merged, err
}

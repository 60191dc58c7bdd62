package sqlite

import (
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"licensor/internal/store"
)

// fail returns an error that says what failed and, if the file or the disk is the cause, how to fix
// it. If the files were changed while they are in use, that is the cause, whatever SQLite reports.
func (s *Store) fail(doing string, err error) error {
	var e *sqlite.Error
	if err == nil {
		return nil
	} else if isMisread(err) {
		return s.damaged(doing + ": " + err.Error())
	} else if !errors.As(err, &e) {
		return s.noted(fmt.Errorf("database %s: %s: %w", s.path, doing, err))
	}
	if why := s.changedInUse(); why != nil {
		return fmt.Errorf("database %s: %s: %w (%w)", s.path, doing, why, err)
	}
	remedy, kind := classify(e.Code())
	if kind == nil {
		return fmt.Errorf("database %s: %s: %w", s.path, doing, err)
	}
	return s.noted(fmt.Errorf("database %s: %s: %w: %s (%w)", s.path, doing, kind, remedy, err))
}

// isMisread reports whether a value is not of the type that its column has: SQLite checks neither
// when it reads. The errors of database/sql about that have no type of their own.
func isMisread(err error) bool { return strings.Contains(err.Error(), "sql: Scan error on column") }

func (s *Store) noted(err error) error {
	if errors.Is(err, store.ErrDamaged) {
		s.NoteDamage(err)
	}
	return err
}

// NoteDamage says that the database is damaged, as those that read what is in it may find. From
// then on closing it does not merge the log into the file.
func (s *Store) NoteDamage(err error) { s.damage.CompareAndSwap(nil, &err) }

// Damage returns the first error that has said that the database is damaged, since it was opened.
func (s *Store) Damage() error {
	if err := s.damage.Load(); err != nil {
		return *err
	}
	return nil
}

// classify maps SQLite's result codes (https://sqlite.org/rescode.html) to a remedy and a kind of
// error.
func classify(code int) (remedy string, kind error) {
	switch {
	case isFull(code):
		return "make room; nothing was lost and nothing need be restarted", store.ErrFull
	case code&0xff == codes.SQLITE_CORRUPT, code&0xff == codes.SQLITE_NOTADB:
		return repair, store.ErrDamaged
	case code == codes.SQLITE_IOERR_SHORT_READ:
		return "the file is shorter than it should be, as after a copy that was cut short: " + repair, store.ErrDamaged
	case code&0xff == codes.SQLITE_IOERR, code&0xff == codes.SQLITE_CANTOPEN:
		return "look in the system's log for faults of the disk", store.ErrUnavailable
	case code&0xff == codes.SQLITE_READONLY, code&0xff == codes.SQLITE_PERM:
		return "let the user who runs this write to the file and its folder", store.ErrUnavailable
	case code&0xff == codes.SQLITE_BUSY:
		return "another program has the file open, such as a backup: wait for it to end", store.ErrUnavailable
	}
	return "", nil
}

func isFull(code int) bool {
	return code&0xff == codes.SQLITE_FULL || code == codes.SQLITE_IOERR_SHMSIZE
}

const repair = "stop the program, keep a copy of the file and its log, and restore a backup; without one, sqlite3's " +
	".recover saves what is readable"

// damaged says that what is in the file is not what was written, although SQLite finds nothing
// wrong with it.
func (s *Store) damaged(what string) error {
	if why := s.changedInUse(); why != nil {
		return fmt.Errorf("database %s: %s: %w", s.path, what, why)
	}
	return s.noted(fmt.Errorf("database %s: %s: %w: %s", s.path, what, store.ErrDamaged, repair))
}

package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"licensor/internal/store"
)

// journalLimit is the size to which SQLite truncates the log if it was larger.
const journalLimit = 64 << 20

// guard remembers the files that SQLite has open, to detect when their names lead to others. SQLite
// continues to write to files that were deleted or replaced, and that data is lost when the process
// ends.
type guard struct {
	mu       sync.Mutex
	log      os.FileInfo // the write-ahead log when the database was opened
	size     int64       // of the database; it never shrinks
	logSize  int64
	emptying bool // SQLite is truncating the log
}

// guardFiles starts watching the files.
func (s *Store) guardFiles() (err error) {
	s.guard.log, err = os.Stat(s.path + "-wal")
	if err != nil {
		return fmt.Errorf("look at the log: %w", err)
	}
	return s.Intact()
}

// Intact returns store.ErrUnavailable unless the database and its log are still the files that this
// process has opened, and complete. Nothing must be written then. It takes microseconds and does
// not wait.
func (s *Store) Intact() error {
	if s.file == nil { // in memory
		return nil
	}
	s.guard.mu.Lock()
	defer s.guard.mu.Unlock()
	own, err := s.file.Stat()
	if err != nil {
		return fmt.Errorf("look at the database's file: %w: %w", store.ErrUnavailable, err)
	}
	now, err := sameFile(s.path, own)
	if err != nil {
		return err
	}
	log, err := sameFile(s.path+"-wal", s.guard.log)
	if err != nil {
		return err
	}
	if now.Size() < s.guard.size {
		return changed(s.path, fmt.Sprintf("was cut from %d bytes to %d", s.guard.size, now.Size()))
	}
	if log.Size() < s.guard.logSize && log.Size() < journalLimit && !s.guard.emptying {
		return changed(s.path+"-wal", fmt.Sprintf("was cut from %d bytes to %d", s.guard.logSize, log.Size()))
	}
	s.guard.size, s.guard.logSize = now.Size(), log.Size()
	return nil
}

// changedInUse is Intact for operations that have failed, possibly before the files are watched.
func (s *Store) changedInUse() error {
	if s.guard.log == nil {
		return nil
	}
	return s.Intact()
}

func (g *guard) expect(emptying bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.emptying, g.logSize = emptying, 0
}

func sameFile(path string, as os.FileInfo) (os.FileInfo, error) {
	now, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, changed(path, "was deleted or renamed")
	case err != nil:
		return nil, fmt.Errorf("look at %s: %w: %w", path, store.ErrUnavailable, err)
	case !os.SameFile(now, as):
		return nil, changed(path, "was replaced by another file")
	}
	return now, nil
}

func changed(path, how string) error {
	return fmt.Errorf("%w: %s %s while it is in use, so nothing more is written: stop this program, put the "+
		"database and its log back together, or restore a backup, and start it again",
		store.ErrUnavailable, path, how)
}

package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
	"modernc.org/sqlite"

	"licensor/internal/fold"
	"licensor/internal/store"
	"licensor/internal/turns"
)

// readers is how many reads can run at the same time, half of them of one tenant; more of them
// wait, and each tenant in turn gets its next one. Each connection caches 2 MB of the file, which
// is of use only until the file changes.
const readers = 8

const (
	writing = "_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=synchronous(full)&_pragma=cell_size_check(1)" +
		"&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(0)&_pragma=journal_size_limit(67108864)" // see journalLimit
	reading = "_pragma=busy_timeout(10000)&_pragma=query_only(1)&_pragma=cell_size_check(1)&_pragma=cache_size(-2048)"

	// Of a file, not even closing writes anything by a reader; see closeDatabase.
	readOnly = "&mode=ro"
)

// Store is a store.Store in a SQLite file.
type Store struct {
	path   string
	lock   *os.File
	file   *os.File // the database itself; closed after SQLite's, whose locks would go with it
	guard  guard
	writer *sql.DB // one connection
	reader *sql.DB
	loads  prepared // the reader, for what loads tenants
	say    statements
	lines  *turns.Turns // turns of the readers
	number sync.Map     // of tenants: uuid.UUID -> int64; tenants are never removed

	logged         uint64   // transactions in the log, when the database was opened
	logOfOldSchema bool     // it cannot be known for sure whether it belongs to the file
	usesLog        bool     // the database is in the mode of write-ahead logging
	log            passage  // through the log
	hollow         int64    // a page that was lost, as it seems, from within the file
	refused        bool     // not opened
	added          []string // files that did not exist before
	made           []string // the file, those that this program adds to it, and its lock, if they did not exist before
	damage         atomic.Pointer[error]

	acceptLoss   bool
	loss         Lost
	acknowledged *os.File

	page, pageSize int64 // of the lineage
	session        uuid.UUID
	line           lineage // guarded by the writer's connection, like what follows
	claimed        bool
	mergeAt        int // how many pages the log has when it is next merged
}

var _ store.Store = (*Store)(nil)

// Open opens the file at path, which it makes when there is none, and brings it to the schema of
// this program. The folder must exist. The file is this process's until Close. When acknowledged
// writes are missing it returns ErrLost.
func Open(ctx context.Context, path string) (*Store, error) {
	return openStore(ctx, path, false)
}

// OpenDespiteLoss is Open for a database of which acknowledged writes are missing and will not come
// back.
func OpenDespiteLoss(ctx context.Context, path string) (*Store, error) {
	return openStore(ctx, path, true)
}

func openStore(ctx context.Context, path string, acceptLoss bool) (*Store, error) {
	path, err := locate(path)
	if err != nil {
		return nil, err
	}
	unlocked := isAbsent(path + ".lock")
	lock, err := lockFile(path)
	if err != nil {
		return nil, err
	}
	s := &Store{
		path: path, lock: lock, acceptLoss: acceptLoss, lines: turns.New(readers, readers/2),
		session: uuid.New(), added: addable(path),
	}
	if isAbsent(path) && len(s.added) == len(addableSuffixes) && isAbsent(path+acknowledgedSuffix) {
		s.made = []string{path + acknowledgedSuffix, path}
		if unlocked {
			s.made = append(s.made, path+".lock")
		}
	}
	if err := s.open(ctx); err != nil {
		s.refused = true
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// open does what needs the lock. No file of the database may be opened or closed by other means
// than SQLite's once SQLite has it: closing any descriptor drops all of this process's POSIX locks.
func (s *Store) open(ctx context.Context) error {
	if err := Remains(s.path); err != nil {
		return err
	}
	var err error
	if s.file, err = openFile(s.path); err != nil {
		return err
	}
	if err := s.examineFiles(); err != nil {
		return err
	}
	s.reader = connect(s.path, reading+readOnly, readers)
	s.writer = connect(s.path, writing, 1)
	for _, check := range []func(context.Context) error{s.checkHoles, s.checkOldLog, s.checkAcknowledged} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	var mode string
	if err := s.writer.QueryRowContext(ctx, "PRAGMA journal_mode=WAL").Scan(&mode); err != nil {
		return s.fail("switch to write-ahead logging", err)
	}
	if mode != "wal" {
		return fmt.Errorf("the file system of %s does not allow write-ahead logging (SQLite's journal mode stayed "+
			"%q): use a disk of this machine", s.path, mode)
	}
	if err := s.readLineage(ctx); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return s.fail("prepare", err)
	}
	if err := s.guardFiles(); err != nil {
		return err
	}
	if err := s.noteFrom(); err != nil || s.loss == (Lost{}) {
		return err
	}
	return s.acceptLost(ctx)
}

// Close waits for running operations and releases the file.
func (s *Store) Close() error {
	errs := []error{s.closeDatabase()}
	if s.lock == nil { // in memory
		return errors.Join(errs...)
	}
	if s.file != nil {
		errs = append(errs, unlockDatabase(s.file))
	}
	for _, file := range []*os.File{s.acknowledged, s.file} {
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	if s.refused {
		errs = append(errs, s.removeAdded())
	}
	return errors.Join(append(errs, unlock(s.lock), s.lock.Close())...)
}

// addableSuffixes end the names of files that SQLite may add.
var addableSuffixes = []string{"-wal", "-shm"}

// addable returns the files next to a database that do not exist and that SQLite may add.
func addable(path string) (absent []string) {
	for _, suffix := range addableSuffixes {
		if isAbsent(path + suffix) {
			absent = append(absent, path+suffix)
		}
	}
	return absent
}

func isAbsent(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// CloseUnused is Close after what the database was opened for has failed. A file that opening it
// has made is removed if no tenant is in it.
func (s *Store) CloseUnused(ctx context.Context) error {
	ids, err := s.Tenants(ctx)
	if err == nil && len(ids) == 0 && s.made != nil {
		s.refused = true
	}
	return s.Close()
}

// removeAdded removes the files that SQLite has created next to a database that was not opened. A
// log that is not empty stays, unless the database itself was made, which is removed, too. Its lock
// is the last of its files: the database is this process's until then.
func (s *Store) removeAdded() error {
	for _, path := range slices.Concat(s.added, s.made) {
		if s.made == nil && strings.HasSuffix(path, "-wal") && hasContent(path) {
			return nil
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("leave the files as they were: %w", err)
		}
	}
	return nil
}

// closeDatabase closes the connections to the database. The last one of a writer merges the log
// into the file and removes it. That must not happen when the file is not the one that the log is
// for, or is damaged: an administrator may put both together again. A reader that is last leaves
// both as they are. The same applies when the log cannot be merged, such as when the disk is
// full.
func (s *Store) closeDatabase() error {
	order := []*sql.DB{s.reader, s.writer}
	isOpen := s.reader != nil && s.writer != nil
	if isOpen && (s.mustKeepLog() || !s.refused && s.emptyLog(context.Background()) != nil) {
		slices.Reverse(order)
		var tables int // so that there is a connection which has the log open
		_ = s.reader.QueryRow("SELECT count(*) FROM sqlite_schema").Scan(&tables)
	}
	var errs []error
	for _, db := range order {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

func (s *Store) mustKeepLog() bool {
	unclaimed := !s.claimed && s.line.sessions[0].id == s.session
	was := !slices.Contains(s.added, s.path+"-wal")
	return s.refused && was || unclaimed || s.Damage() != nil || s.changedInUse() != nil
}

// locate returns the path of the file itself, so that two names for it are one store, and says what
// is wrong with the place.
func locate(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no folder %s for the database: create it, or choose another place", folder)
	} else if err != nil {
		return "", fmt.Errorf("the database's folder: %w", err)
	} else if !info.IsDir() {
		return "", fmt.Errorf("%s is not a folder, so the database cannot be in it: choose another place", folder)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file: name the database's file, such as %s", path, filepath.Join(path, "licensor.db"))
	}
	return path, nil
}

// folding is the driver with the function fold, which schema and documents do not need: any other
// SQLite can read the file.
var folding = sync.OnceValue(func() *sqlite.Driver {
	// Where it exists, fdatasync is as durable as fsync and takes half the time; elsewhere this
	// changes nothing.
	_, _ = sqlite.Fdatasync(true)
	d := &sqlite.Driver{}
	d.MustRegisterFunction("fold",
		&sqlite.FunctionImpl{NArgs: 1, Deterministic: true, VolatileArgs: true, Scalar: foldValue})
	d.MustRegisterFunction("founding", &sqlite.FunctionImpl{NArgs: 1, VolatileArgs: true, Scalar: founding})
	return d
})

// foldValue is fold.Text in SQL. Its argument is only lent, so the answer must not share its
// memory.
func foldValue(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	if text, ok := args[0].(string); ok {
		return strings.Clone(fold.Text(text)), nil
	}
	return nil, nil
}

type connector struct{ name string }

func (c connector) Connect(context.Context) (driver.Conn, error) { return folding().Open(c.name) }
func (c connector) Driver() driver.Driver                        { return folding() }

func connect(path, settings string, connections int) *sql.DB {
	db := sql.OpenDB(connector{address(path, settings)})
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
}

// address returns the URI of a database.
func address(path, settings string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive's letter on Windows
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: settings}).String()
}

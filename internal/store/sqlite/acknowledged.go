package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
)

// ErrLost means that the database lacks acknowledged writes.
var ErrLost = errors.New("acknowledged changes are missing")

// acknowledgedSuffix names a small file next to the database with the number of acknowledged
// writes, as text. It is written after each write, once that is durable. It is never synced, so it
// is never ahead of the database, whatever happens to the machine; and it survives the end of the
// process. SQLite itself does not notice if its log is missing or ends early: it continues without
// it.
const acknowledgedSuffix = "-ack"

const acknowledgedForm = "%020d %08x\n"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func acknowledgedText(writes uint64) []byte {
	return fmt.Appendf(nil, acknowledgedForm, writes, crc32.Checksum(fmt.Appendf(nil, "%020d", writes), castagnoli))
}

// readAcknowledged returns the number of acknowledged writes; 0 if there is no file or it cannot be
// read: then nothing is checked.
func readAcknowledged(path string) (uint64, error) {
	file, err := os.Open(path + acknowledgedSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, fmt.Errorf("read how much was acknowledged: %w", err)
	}
	defer file.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(file, 64))
	if err != nil {
		return 0, fmt.Errorf("read how much was acknowledged: %w", err)
	}
	var writes uint64
	var sum uint32
	if _, err := fmt.Sscanf(string(text), acknowledgedForm, &writes, &sum); err != nil ||
		string(acknowledgedText(writes)) != string(text) {
		return 0, nil
	}
	return writes, nil
}

// Remains returns ErrLost if there is no database at path, or an empty file, but the files next to
// it show that there was one. SQLite would remove the log if a new database were created.
func Remains(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Size() > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	acknowledged, err := readAcknowledged(path)
	if err != nil {
		return err
	}
	log, err := os.Stat(path + "-wal")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look at the log: %w", err)
	}
	if acknowledged == 0 && (log == nil || log.Size() == 0) {
		return nil
	}
	return fmt.Errorf("database %[1]s: %[2]w: the file is missing or empty, and %[1]s-wal or %[1]s-ack next to it "+
		"are those of a database with "+
		"acknowledged changes: restore the file and its log together; to start with an empty "+
		"database, move these files away",
		path, ErrLost)
}

// checkAcknowledged returns ErrLost when the database has fewer writes than were acknowledged. It
// is called before anything is changed, so that a missing log can be restored.
func (s *Store) checkAcknowledged(ctx context.Context) error {
	if info, err := s.file.Stat(); err != nil || info.Size() == 0 { // new
		return err
	}
	acknowledged, err := readAcknowledged(s.path)
	if err != nil {
		return err
	}
	if s.writes, err = writesIn(ctx, s.found()); err != nil {
		return s.fail("read how much was written", err)
	}
	if s.writes >= acknowledged {
		return nil
	}
	if s.acceptLoss {
		s.loss = Lost{Acknowledged: acknowledged, Present: s.writes}
		s.loss.Kept, err = s.keepLog()
		return err
	}
	return fmt.Errorf("database %s: %w: the last %d of %d writes are not in it, because its log %s-wal is missing, "+
		"cut short or damaged, or because an older copy "+
		"of the database was put in its place: restore the file and its log together, or start `licensor serve` "+
		"once with --allow-data-loss to continue without them",
		s.path, ErrLost, acknowledged-s.writes, acknowledged, s.path)
}

// Lost tells which acknowledged writes are missing from a database that was opened anyway.
type Lost struct {
	Acknowledged, Present uint64
	Kept                  string // a copy of the log as it was found; empty if there was none
}

// Lost returns what is missing; zero when nothing is, or when it is not known.
func (s *Store) Lost() Lost { return s.loss }

// found returns the database to ask about what was found. With a log it is a reader, which changes
// nothing; without one there may be a transaction to undo.
func (s *Store) found() *sql.DB {
	if hasLog(s.path) {
		return s.reader
	}
	return s.writer
}

// writesIn returns 0 for databases that do not count yet.
func writesIn(ctx context.Context, db *sql.DB) (writes uint64, err error) {
	var counts bool
	err = db.QueryRowContext(ctx,
		"SELECT count(*) > 0 FROM pragma_table_info('probe') WHERE name = 'writes'").Scan(&counts)
	if err != nil || !counts {
		return 0, err
	}
	err = db.QueryRowContext(ctx, "SELECT writes FROM probe").Scan(&writes)
	return writes, err
}

// keepLog copies a log that may contain the missing writes, before SQLite continues without the
// parts that it cannot read. It returns the name of the copy, which may exist already.
func (s *Store) keepLog() (name string, err error) {
	log, err := os.Open(s.path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("keep the log: %w", err)
	}
	defer log.Close() // it is only read
	info, err := log.Stat()
	if err != nil || info.Size() == 0 {
		return "", err
	}
	name = s.path + "-wal.damaged"
	kept, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return name, nil // the first copy is the one that matters
	} else if err != nil {
		return "", fmt.Errorf("keep the log: %w", err)
	}
	_, err = io.Copy(kept, log)
	if err := errors.Join(err, kept.Sync(), kept.Close()); err != nil {
		return "", fmt.Errorf("keep the log: %w", err)
	}
	return name, nil
}

// noteFrom creates the file, or continues the existing one.
func (s *Store) noteFrom() (err error) {
	s.acknowledged, err = os.OpenFile(s.path+acknowledgedSuffix, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("note what is acknowledged: %w", err)
	}
	if _, err := s.acknowledged.WriteAt(acknowledgedText(s.writes), 0); err != nil {
		return fmt.Errorf("note what is acknowledged: %w", err)
	}
	return nil
}

// acknowledge records a durable write. If it fails, the write has still happened, and the next call
// records both.
func (s *Store) acknowledge() {
	if s.acknowledged == nil { // in memory
		return
	}
	_, _ = s.acknowledged.WriteAt(acknowledgedText(s.writes), 0)
}

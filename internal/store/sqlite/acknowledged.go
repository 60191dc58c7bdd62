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
	"strconv"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// ErrLost means that the database lacks acknowledged writes.
var ErrLost = errors.New("acknowledged changes are missing")

// acknowledgedSuffix names a small file next to the database with the last acknowledged write, as
// text: its number, its session, and whether the database needs its log. It is written after each
// write, once that is durable, and synced only after the first one of a session. So it is never
// ahead of the database, whatever happens to the machine; and it survives the end of the process.
// SQLite itself does not notice if its log is missing or ends early: it continues without it.
const acknowledgedSuffix = "-ack"

// needsLog is the word for a database that may be incomplete without its log: if a crash interrupts
// merging it (merge.go), the file has some pages of the last write and older ones of others. The
// log must then have that write.
const needsLog = "log"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// acknowledged is what the file has.
type acknowledged struct {
	moment
	logged bool // the database needs its log
}

// text returns the content of the file. Without a session it is as before schema 9.
func (a acknowledged) text() []byte {
	text := fmt.Appendf(nil, "%020d", a.count)
	if a.session != uuid.Nil {
		text = fmt.Appendf(text, " %s", a.session)
	}
	if a.logged {
		text = fmt.Appendf(text, " %s", needsLog)
	}
	return fmt.Appendf(text, " %08x\n", crc32.Checksum(text, castagnoli))
}

// readAcknowledged returns the last acknowledged write; the number 0 if there is no file or it
// cannot be read: then nothing is checked.
func readAcknowledged(path string) (last acknowledged, err error) {
	file, err := os.Open(path + acknowledgedSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return last, nil
	} else if err != nil {
		return last, fmt.Errorf("read how much was acknowledged: %w", err)
	}
	defer file.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(file, 128))
	if err != nil {
		return last, fmt.Errorf("read how much was acknowledged: %w", err)
	}
	fields := strings.Fields(string(text))
	if len(fields) > 2 {
		last.session, _ = uuid.Parse(fields[1])
		last.logged = fields[2] == needsLog
	}
	if len(fields) > 0 {
		last.count, _ = strconv.ParseUint(fields[0], 10, 64)
	}
	if string(last.text()) != string(text) {
		return acknowledged{}, nil
	}
	return last, nil
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
	if acknowledged.count == 0 && (log == nil || log.Size() == 0) {
		return nil
	}
	return fmt.Errorf("database %[1]s: %[2]w: the file is missing or empty, and %[1]s-wal or %[1]s-ack next to it "+
		"are those of a database with "+
		"acknowledged changes: restore the file and its log together; to start with an empty "+
		"database, move these files away",
		path, ErrLost)
}

// checkAcknowledged returns ErrLost when the database lacks the write that was acknowledged last,
// or the one by which a session has claimed the file, or the log that the last session needs. It is
// called before anything is changed, so that a missing log can be restored.
func (s *Store) checkAcknowledged(ctx context.Context) error {
	if info, err := s.file.Stat(); err != nil || info.Size() == 0 { // new
		return err
	}
	last, err := readAcknowledged(s.path)
	if err != nil {
		return err
	}
	line, page, err := s.lineageOf(ctx, s.found())
	if err != nil {
		return err
	}
	lacks := !line.has(last.moment)
	unmerged := last.logged && last.session == line.sessions[0].id && s.usesLog && !s.log.has(last.moment)
	if page != 0 {
		in, err := s.lineageInFile(page)
		if err != nil {
			return err
		}
		if in.claimed != nil && !line.has(in.claimed.now()) {
			lacks, last.count = true, max(last.count, in.claimed.count)
		}
	}
	if !lacks && !unmerged {
		return nil
	}
	if s.acceptLoss {
		s.loss = Lost{Acknowledged: last.count, Present: line.count, LogOnly: !lacks}
		s.loss.Kept, err = s.keepLog()
		return err
	}
	if !lacks {
		return s.lostLog()
	}
	return s.lostSince(last.count, line.count)
}

func (s *Store) lostLog() error {
	return fmt.Errorf("database %[1]s: %[2]w: its log %[1]s-wal is missing or damaged, and the file may be incomplete "+
		"without it, as %[1]s-ack says: restore the log, or start `licensor serve` once with --allow-data-loss to "+
		"continue without it, and then run `licensor verify`", s.path, ErrLost)
}

func (s *Store) lostSince(acknowledged, present uint64) error {
	what := fmt.Sprintf("write %d, the last one that is known, is not in it, but other writes", acknowledged)
	if acknowledged > present {
		what = fmt.Sprintf("the last %d of %d writes are not in it", acknowledged-present, acknowledged)
	}
	return fmt.Errorf("database %s: %w: %s, because its log %s-wal is missing, cut short or damaged, or because an "+
		"older or another copy of the database was put in its place, next to the %s-ack of this one: restore the file "+
		"and its log together, with their -ack, or start `licensor serve` once with --allow-data-loss to continue "+
		"without them", s.path, ErrLost, what, s.path, s.path)
}

// acceptLost begins a session, so that what is missing no longer belongs to the database. A full
// disk delays that until something is written.
func (s *Store) acceptLost(ctx context.Context) error {
	err := s.fail("continue without what is missing", s.write(ctx, func(*sql.Tx) error { return nil }))
	if errors.Is(err, store.ErrFull) {
		return nil
	}
	return err
}

// Lost tells which acknowledged writes are missing from a database that was opened anyway.
type Lost struct {
	Acknowledged, Present uint64
	LogOnly               bool   // every acknowledged write is there, but maybe not all pages of the last ones
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

// lineageOf returns where a database is, and the page that says so. Databases of older schemas have
// no such page, and only a number of writes.
func (s *Store) lineageOf(ctx context.Context, db *sql.DB) (line lineage, page int64, err error) {
	const doing = "read how much was written"
	err = db.QueryRowContext(ctx, "SELECT rootpage FROM sqlite_schema WHERE name = 'lineage'").Scan(&page)
	if errors.Is(err, sql.ErrNoRows) {
		line.count, err = writesIn(ctx, db)
		return line, 0, s.fail(doing, err)
	} else if err != nil {
		return line, 0, s.fail(doing, err)
	}
	var record []byte
	if err := db.QueryRowContext(ctx, "SELECT record FROM lineage").Scan(&record); err != nil {
		return line, page, s.fail(doing, err)
	}
	line, ok := parseRecord(record)
	if !ok {
		return line, page, s.damaged(doing + ": page " + strconv.FormatInt(page, 10) + " has a wrong checksum")
	}
	return line, page, nil
}

// readLineage reads where the database is before this session.
func (s *Store) readLineage(ctx context.Context) (err error) {
	if s.line, s.page, err = s.lineageOf(ctx, s.writer); err != nil {
		return err
	}
	return s.fail("read the size of a page", s.writer.QueryRowContext(ctx, "PRAGMA page_size").Scan(&s.pageSize))
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
	return s.note(s.logged > 0)
}

// note writes the file.
func (s *Store) note(logged bool) error {
	text := acknowledged{s.line.now(), logged}.text()
	_, err := s.acknowledged.WriteAt(text, 0)
	if err == nil {
		err = s.acknowledged.Truncate(int64(len(text)))
	}
	if err != nil {
		return fmt.Errorf("note what is acknowledged: %w", err)
	}
	return nil
}

// noteDurably is note, and also survives a failure of the machine.
func (s *Store) noteDurably(logged bool) error {
	if err := s.note(logged); err != nil {
		return err
	}
	if err := s.acknowledged.Sync(); err != nil {
		return fmt.Errorf("note what is acknowledged: %w", err)
	}
	return nil
}

// noteMerged is noteDurably(false) of what an existing file has, before it is continued.
func (s *Store) noteMerged() error {
	last, err := readAcknowledged(s.path)
	if err != nil || !last.logged {
		return err
	}
	last.logged = false
	file, err := os.OpenFile(s.path+acknowledgedSuffix, os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("note what is acknowledged: %w", err)
	}
	_, err = file.Write(last.text())
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
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
	_, _ = s.acknowledged.WriteAt(acknowledged{s.line.now(), true}.text(), 0)
}

package sqlite

import (
	"errors"
	"fmt"
	"io"

	"licensor/internal/store"
)

// A claim says in the file itself which session writes to the log that the file needs, while the
// file is as it was before that session. Without it, two copies of a file that were used separately
// could not be distinguished before their logs were merged into them, and a crash while that is
// done leaves the file in parts. So each session, after its first write is durable in the log and
// before anything of it is merged, writes its lineage into the file, past SQLite, which never uses
// these bytes: the log has a newer image of the page.

// claim writes the claim of this session, after its first write.
func (s *Store) claim() error {
	if s.claimed {
		return nil
	}
	in, err := s.lineageInFile(s.page)
	if err != nil {
		return err
	}
	if !in.valid {
		return fmt.Errorf("page %d of the file is not that of its lineage: %w", s.page, store.ErrDamaged)
	}
	if _, err := s.file.WriteAt(s.line.append(nil), s.page*s.pageSize-recordSize); err != nil {
		return fmt.Errorf("claim the file: %w", err)
	}
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("claim the file: %w", err)
	}
	s.acknowledge()
	if err := s.acknowledged.Sync(); err != nil {
		return fmt.Errorf("note what is acknowledged: %w", err)
	}
	s.claimed = true
	return nil
}

// ownState is what the file says about itself, without its log.
type ownState struct {
	valid   bool
	line    lineage
	claimed *lineage // nil when there is no claim, or a session was writing it when the machine failed
}

// lineageInFile reads the page of the lineage from the file.
func (s *Store) lineageInFile(page int64) (in ownState, err error) {
	data := make([]byte, s.pageSize)
	if _, err := s.file.ReadAt(data, (page-1)*s.pageSize); errors.Is(err, io.EOF) {
		return in, nil
	} else if err != nil {
		return in, fmt.Errorf("read the page of the lineage: %w", err)
	}
	record := recordIn(data)
	if in.line, in.valid = parseRecord(record); !in.valid {
		return in, nil
	}
	if claim, ok := parseLineage(record[:lineageSize]); ok {
		in.claimed = &claim
	}
	return in, nil
}

// checkLineage returns store.ErrDamaged unless the log continues from the file: it leads through
// the last write that was merged into the file, and through the first write of the session that has
// claimed the file. It may end before that one, on the way to it: then writes are missing
// (checkAcknowledged). It is called before SQLite opens the files.
func (s *Store) checkLineage(log *frames) error {
	if len(log.passed) == 0 {
		return s.foreignLog("it has changes that this program did not make")
	}
	in, err := s.lineageInFile(log.lineage)
	if err != nil {
		return err
	}
	first, last := log.passed[0].from, log.passed.last()
	switch {
	case !in.valid:
		return s.foreignLog(fmt.Sprintf("page %d of the file does not say which log it needs", log.lineage))
	case !log.passed.has(in.line.now()):
		return s.foreignLog(fmt.Sprintf("%d writes are in the file, and the log continues from write %d to %d, of "+
			"another time or of another copy of the database", in.line.count, first, last.count))
	case in.claimed != nil && !log.passed.has(in.claimed.now()) && !in.claimed.has(last):
		return s.foreignLog(fmt.Sprintf("the file was used with another log from write %d on, and this one leads to "+
			"write %d of another copy of the database", in.claimed.count, last.count))
	}
	return nil
}

func (s *Store) foreignLog(why string) error {
	return fmt.Errorf("database %[1]s: %[2]w: its log %[1]s-wal does not belong to it: %[3]s: restore the file and "+
		"its log together, or move the log away to do without it", s.path, store.ErrDamaged, why)
}

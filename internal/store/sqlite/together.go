package sqlite

import (
	"context"
	"fmt"

	"licensor/internal/store"
)

// checkLog returns store.ErrDamaged when the log does not continue from the file, as when one of
// them is from another time. SQLite would mix the pages of both. Each transaction counts writes,
// so what the file has without its log must be no more than what both have together, and with the
// transactions of the log no less. It is called before anything is changed.
func (s *Store) checkLog(ctx context.Context) error {
	if s.logged == 0 {
		return nil
	}
	both, err := writesIn(ctx, s.reader)
	if err != nil {
		return s.fail("read how much was written", err)
	}
	alone := connect(s.path, "immutable=1"+readOnly, 1) // SQLite takes no log to such a file
	defer alone.Close()                                 // it was only read
	file, err := writesIn(ctx, alone)
	if err != nil { // a crash while the log was being merged into the file
		return ctx.Err()
	}
	if file <= both && both <= file+s.logged {
		return nil
	}
	return fmt.Errorf("database %[1]s: %[2]w: its log %[1]s-wal does not belong to it: %[3]d writes are in the file, "+
		"and the log continues from write %[4]d to %[5]d: restore the file and its log together, or move the log "+
		"away to do without it",
		s.path, store.ErrDamaged, file, both-min(both, s.logged), both)
}

// checkHoles returns store.ErrDamaged when a part of the file takes no room on the disk that should
// have data, and the tables are not whole either. Only then is the file read through. An
// administrator who accepts losses can have the rest.
func (s *Store) checkHoles(ctx context.Context) error {
	if s.hollow == 0 {
		return nil
	}
	var first string
	err := s.found().QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&first)
	if err == nil && first == "ok" { // a page of zeros
		return nil
	}
	if err == nil {
		err = s.damaged(fmt.Sprintf("page %d is missing within the file: %s", s.hollow, first))
	} else {
		err = s.fail("look for missing pages", err)
	}
	if s.acceptLoss && s.Damage() != nil {
		return nil
	}
	return err
}

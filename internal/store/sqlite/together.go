package sqlite

import (
	"context"
	"errors"
	"fmt"
)

// checkOldLog returns store.ErrDamaged when the log of a database of an older schema does not
// continue from the file. Such a database has a number of writes, and no lineage: what the file has
// without its log must be no more than what both have together, and with the transactions of the
// log no less. It is called before anything is changed.
func (s *Store) checkOldLog(ctx context.Context) error {
	if !s.logOfOldSchema {
		return nil
	}
	both, err := writesIn(ctx, s.reader)
	if err != nil {
		return s.fail("read how much was written", err)
	}
	alone := connect(s.path, "immutable=1"+readOnly, 1) // SQLite takes no log to such a file
	defer alone.Close()                                 // it was only read
	file, err := writesIn(ctx, alone)
	if err != nil {
		return errors.Join(ctx.Err(), s.foreignLog(fmt.Sprintf("the file cannot be read without it (%v), so that "+
			"cannot be known; the version that wrote it may open it", err)))
	}
	if file <= both && both <= file+s.logged {
		return nil
	}
	return s.foreignLog(fmt.Sprintf("%d writes are in the file, and the log continues from write %d to %d",
		file, both-min(both, s.logged), both))
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

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// checkOldLog returns store.ErrDamaged when the log of a database of an older schema does not
// continue from the file. Such a database has a number of writes, and no lineage: what the file has
// without its log must be no more than what both have together, and with the transactions of the
// log no less; each tenant's last commit in the file must be in its log of changes; and the tables
// must be whole. It is called before anything is changed.
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
	if both < file || file+s.logged < both {
		return s.foreignLog(fmt.Sprintf("%d writes are in the file, and the log continues from write %d to %d",
			file, both-min(both, s.logged), both))
	}
	why, err := s.firstDifference(ctx, alone)
	if err != nil {
		return errors.Join(ctx.Err(), s.foreignLog(fmt.Sprintf("with it the tables cannot be read (%v)", err)))
	}
	if why != "" {
		return s.foreignLog(why)
	}
	return nil
}

// firstDifference says how the database with its log does not continue the file alone, if it does
// not. A log of another copy has some pages of each table, and the file others, so a commit that is
// missing or different, or a table that is not whole, shows that they do not belong together.
func (s *Store) firstDifference(ctx context.Context, alone *sql.DB) (why string, err error) {
	var whole string
	if err := s.reader.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&whole); err != nil {
		return "", s.fail("look at the tables", err)
	} else if whole != "ok" {
		return "with it the tables are not whole: " + whole, nil
	}
	const last = "SELECT t.id, t.seq, c.sum FROM tenant t JOIN commits c ON c.tenant = t.number AND c.seq = t.seq"
	rows, err := alone.QueryContext(ctx, last)
	if err != nil {
		return "", s.fail("read the last commits", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id []byte
		var seq, sum int64
		if err := rows.Scan(&id, &seq, &sum); err != nil {
			return "", s.fail("read the last commits", err)
		}
		var continued bool
		const has = "SELECT EXISTS (SELECT 1 FROM tenant t JOIN commits c ON c.tenant = t.number " +
			"WHERE t.id = ?1 AND t.seq >= ?2 AND c.seq = ?2 AND c.sum = ?3)"
		if err := s.reader.QueryRowContext(ctx, has, id, seq, sum).Scan(&continued); err != nil {
			return "", s.fail("look for the last commits", err)
		}
		if !continued {
			return fmt.Sprintf("commit %d of tenant %x is in the file, and not in the log", seq, id), nil
		}
	}
	return "", s.fail("read the last commits", rows.Err())
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

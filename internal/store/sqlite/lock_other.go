//go:build !linux

package sqlite

import "os"

// tryLockDatabase does nothing, so only the file next to the database is locked: other systems have
// no locks that are independent of SQLite's own.
func tryLockDatabase(*os.File) (bool, error) { return true, nil }

func unlockDatabase(*os.File) error { return nil }

//go:build !linux

package sqlite

import "os"

// tryLockDatabase does nothing, so only the file next to the database is locked: other systems have
// no lock that SQLite's own locks leave alone.
func tryLockDatabase(*os.File) (bool, error) { return true, nil }

func unlockDatabase(*os.File) error { return nil }

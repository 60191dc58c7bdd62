//go:build !linux

package sqlite

import "os"

// tryLockDatabase leaves it at the lock on the file beside the database: other systems have no lock
// that SQLite's own locks leave alone.
func tryLockDatabase(*os.File) (bool, error) { return true, nil }

func unlockDatabase(*os.File) error { return nil }

package sqlite

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// behindAll is the byte of the database file that is locked. SQLite locks some at 1 GB
// (https://sqlite.org/src/file/src/os.h), and no file is so large.
const behindAll = 1 << 62

// tryLockDatabase locks the database file and reports whether it has succeeded. The lock belongs to
// the open file: a lock of the process would be lost when SQLite closes any descriptor of the file.
// On file systems without such locks, only the file next to the database is locked.
func tryLockDatabase(file *os.File) (bool, error) {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: behindAll, Len: 1}
	err := unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, &lock)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		return false, nil
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOLCK),
		errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.ENOSYS):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return true, nil
}

// unlockDatabase unlocks the file at once: a process that is being started has a copy of every
// descriptor for a moment, and keeps the lock with it.
func unlockDatabase(file *os.File) error {
	lock := unix.Flock_t{Type: unix.F_UNLCK, Start: behindAll, Len: 1}
	err := unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, &lock)
	switch {
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOLCK),
		errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.ENOSYS):
		return nil // the file system has no such locks
	case err != nil:
		return fmt.Errorf("unlock %s: %w", file.Name(), err)
	}
	return nil
}

package sqlite

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// tryLock reports whether this process has locked the file. It locks a byte far behind the end of
// the file: on Windows others could not read locked bytes, and they need the number of the process.
func tryLock(file *os.File) (bool, error) {
	at := windows.Overlapped{OffsetHigh: 1}
	const how = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(file.Fd()), how, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return true, nil
}

// unlock unlocks the file, which Windows would do only with its last handle.
func unlock(file *os.File) error {
	at := windows.Overlapped{OffsetHigh: 1}
	if err := windows.UnlockFileEx(windows.Handle(file.Fd()), 0, 1, 0, &at); err != nil {
		return fmt.Errorf("unlock %s: %w", file.Name(), err)
	}
	return nil
}

func isReadOnly(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }

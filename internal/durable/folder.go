// Package durable makes changes of folders durable, checks folders before they are used, and knows
// which files are databases, so that no command replaces one.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
)

// SyncFolder makes the names in a folder durable: that a file was created, renamed or removed. On
// Windows, where folders cannot be synced, it does nothing.
func SyncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// CheckFolder returns an error unless a folder exists, which says what it is for.
func CheckFolder(path, what string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no folder %s for %s: create it, or choose another place", path, what)
	case err != nil:
		return fmt.Errorf("the folder for %s: %w", what, err)
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder, so nothing can be stored in it: choose another place", path)
	}
	return nil
}

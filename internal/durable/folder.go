// Package durable makes changes of folders durable.
package durable

import (
	"errors"
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

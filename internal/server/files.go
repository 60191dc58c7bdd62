package server

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"licensor/internal/durable"
)

// writeNew creates a file atomically. If several processes do so at the same time, one succeeds,
// and the others get fs.ErrExist.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	return drafted(path, data, mode, func(draft string) error {
		return errors.Join(os.Link(draft, path), os.Remove(draft))
	})
}

// ReplaceFile replaces a file atomically: concurrent readers get the old or the new content. A
// database is not replaced.
func ReplaceFile(path string, data []byte, mode fs.FileMode) error {
	if err := durable.Replaceable(path); err != nil {
		return err
	}
	return drafted(path, data, mode, func(draft string) error {
		err := os.Rename(draft, path)
		if err != nil {
			err = errors.Join(err, os.Remove(draft))
		}
		return err
	})
}

// drafted writes a temporary file in the folder of another file, and then calls finish to put it
// in place.
func drafted(path string, data []byte, mode fs.FileMode, finish func(draft string) error) error {
	draft, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // mode 0600
	if err != nil {
		return err
	}
	_, err = draft.Write(data)
	if err == nil {
		err = draft.Sync()
	}
	if err = errors.Join(err, draft.Close()); err == nil {
		err = os.Chmod(draft.Name(), mode)
	}
	if err != nil {
		return errors.Join(err, os.Remove(draft.Name()))
	}
	return finish(draft.Name())
}

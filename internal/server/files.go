package server

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// writeNew writes a file that is not there yet, whole or not at all. Of several that do so at once
// one wins, and the others are told fs.ErrExist.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	return drafted(path, data, mode, func(draft string) error {
		return errors.Join(os.Link(draft, path), os.Remove(draft))
	})
}

// ReplaceFile writes a file, whole or not at all: who reads it meanwhile has the old one or the
// new.
func ReplaceFile(path string, data []byte, mode fs.FileMode) error {
	return drafted(path, data, mode, func(draft string) error {
		err := os.Rename(draft, path)
		if err != nil {
			err = errors.Join(err, os.Remove(draft))
		}
		return err
	})
}

// drafted writes to a file beside another one, and then does with it what makes it the other one.
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

package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace writes a file that exists as a whole or not at all. A file that has the name is replaced,
// and keeps its permissions; a new one can be read by its owner only. Anything but a file, such as
// a pipe, is written to. A database is not replaced, which is checked before write is called.
func Replace(path string, write func(w io.Writer) error) error {
	if err := Replaceable(path); err != nil {
		return err
	}
	mode := fs.FileMode(0o600)
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a folder: name a file", path)
	case err == nil && !info.Mode().IsRegular():
		return writeInto(path, write)
	case err == nil:
		mode = info.Mode().Perm()
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return replace(path, mode, write)
}

func replace(path string, mode fs.FileMode, write func(w io.Writer) error) (err error) {
	draft, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = draft.Close() // has been closed if that has failed
			err = errors.Join(err, os.Remove(draft.Name()))
		}
	}()
	if err := write(draft); err != nil {
		return err
	}
	if err := errors.Join(draft.Sync(), draft.Chmod(mode), draft.Close()); err != nil {
		return err
	}
	if err := os.Rename(draft.Name(), path); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

func writeInto(path string, write func(w io.Writer) error) error {
	pipe, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(pipe), pipe.Close())
}

package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"syscall"

	"licensor/internal/durable"
	"licensor/internal/store"
)

// ToFile writes a backup to a file, which is written atomically: it gets its name when it was read
// back and compared. An existing file is replaced with force only; otherwise the error is
// fs.ErrExist.
func ToFile(ctx context.Context, path string, s store.Store, o Options, force bool) (*Contents, error) {
	return intoFile(path, force, func(w io.Writer) (*Contents, error) {
		return Write(ctx, w, s, o)
	}, func(r io.Reader) (*Contents, error) { return Check(ctx, r, o.Progress) })
}

// Fetch is ToFile for a backup that comes from elsewhere.
func Fetch(ctx context.Context, path string, from io.Reader, force bool, progress func(Progress)) (*Contents, error) {
	return intoFile(path, force, func(w io.Writer) (*Contents, error) {
		return Check(ctx, io.TeeReader(from, w), progress)
	}, func(r io.Reader) (*Contents, error) { return Check(ctx, r, progress) })
}

// MayReplace returns fs.ErrExist for a file that exists, unless force is set, and an error for a
// database. Call it before a database is opened, too (durable.Replaceable).
func MayReplace(path string, force bool) error {
	if err := durable.Replaceable(path); err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil && !force {
		return fmt.Errorf("the file %s is there: %w", path, fs.ErrExist)
	}
	return nil
}

// unfinished ends the name of a file that is being written.
const unfinished = ".new"

// intoFile writes a backup to a new file, and reads it back.
func intoFile(
	path string, force bool, write func(io.Writer) (*Contents, error), read func(io.Reader) (*Contents, error),
) (contents *Contents, err error) {
	if err := MayReplace(path, force); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*"+unfinished) // mode 0600
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(withRoom(err), file.Close(), os.Remove(file.Name()))
		}
	}()
	out := bufio.NewWriterSize(file, pieceSize)
	if contents, err = write(out); err != nil {
		return nil, err
	}
	if err := errors.Join(out.Flush(), file.Sync()); err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	found, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("read the backup back: %w", err)
	}
	if !reflect.DeepEqual(found, contents) {
		return nil, fmt.Errorf("read the backup back: what was read is not what was written")
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return nil, err
	}
	return contents, durable.SyncFolder(filepath.Dir(path))
}

// withRoom says what helps when a disk is full.
func withRoom(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: make room, or choose another place; the incomplete file was removed", err)
	}
	return err
}

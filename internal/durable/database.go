package durable

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Magic is how each SQLite file begins (https://sqlite.org/fileformat.html, section 1.3).
const Magic = "SQLite format 3\x00"

// ApplicationID marks a SQLite file as a database of this program: "Lics". It is at offset 68 of
// the file (https://sqlite.org/fileformat.html, section 1.3). Exports do not have it.
const ApplicationID = 0x4c696373

// companions end the names of the files next to a database. Each is needed to open it, or keeps
// another program away.
var companions = []string{"-wal", "-shm", "-journal", "-ack", "-wal.damaged", ".lock"}

// DatabaseError says that a file must not be replaced, because it is a database of this program or
// one of the files next to it.
type DatabaseError struct {
	Path     string
	Database string // differs from Path if that is a file next to it
}

// Error implements error.
func (e *DatabaseError) Error() string {
	if e.Path != e.Database {
		return fmt.Sprintf("%s belongs to the database %s, and is not replaced: name another file", e.Path, e.Database)
	}
	return fmt.Sprintf("%s is a database of licensor, and is not replaced: name another file", e.Path)
}

// Replaceable returns a *DatabaseError if the file at a path is a database, by any name it may
// have, or belongs to one. The databases that this process uses are given: they may not exist yet.
//
// It reads the first bytes of the file. That must not be an open database of this process unless it
// is given: closing any descriptor of it would drop SQLite's locks.
func Replaceable(path string, databases ...string) error {
	for _, used := range databases {
		if used == "" { // not a file
			continue
		}
		if isSame(path, used) {
			return &DatabaseError{path, path}
		}
		for _, suffix := range companions {
			if isSame(path, resolved(used)+suffix) {
				return &DatabaseError{path, used}
			}
		}
	}
	for _, place := range []string{path, resolved(path)} {
		database, err := ownerOf(place)
		if err != nil {
			return fmt.Errorf("it is not known whether the file can be replaced: %w", err)
		}
		if database == place {
			return &DatabaseError{path, path}
		} else if database != "" {
			return &DatabaseError{path, database}
		}
	}
	return nil
}

// ownerOf returns the database that a file is, or belongs to; "" if there is none.
func ownerOf(path string) (database string, err error) {
	if is, err := isDatabase(path); is || err != nil {
		return path, err
	}
	for _, suffix := range companions {
		at := len(path) - len(suffix)
		if at <= 0 || !strings.EqualFold(path[at:], suffix) { // some file systems ignore case
			continue
		}
		if is, err := isDatabase(path[:at]); is || err != nil {
			return path[:at], err
		}
	}
	return "", nil
}

// isDatabase reports whether there is a database at a path. One whose beginning is damaged still
// has the note of what was acknowledged.
func isDatabase(path string) (bool, error) {
	if note, err := os.Stat(path + "-ack"); err == nil && note.Mode().IsRegular() && note.Size() > 0 {
		return true, nil
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() { // opening a pipe would wait
		return false, nil
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer file.Close() // it is only read
	header := make([]byte, 72)
	if _, err := file.ReadAt(header, 0); errors.Is(err, io.EOF) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	is := string(header[:len(Magic)]) == Magic && binary.BigEndian.Uint32(header[68:]) == ApplicationID
	return is, nil
}

// resolved returns a path without symbolic links, as far as it exists.
func resolved(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(folder, filepath.Base(path))
	}
	return path
}

// isSame reports whether two paths name the same file, which may not exist yet.
func isSame(a, b string) bool {
	one, err := os.Stat(a)
	other, otherErr := os.Stat(b)
	if err == nil && otherErr == nil {
		return os.SameFile(one, other)
	}
	fullA, err := filepath.Abs(resolved(a))
	fullB, otherErr := filepath.Abs(resolved(b))
	return err == nil && otherErr == nil && fullA == fullB
}

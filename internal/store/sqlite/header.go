package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"licensor/internal/store"
)

// magic is how each SQLite file begins (https://sqlite.org/fileformat.html, section 1.3).
const magic = "SQLite format 3\x00"

// examine opens the file and looks at its first bytes before SQLite does, whose words for what it
// meets are few. A file that does not exist is made, for its owner only: the signing keys are in
// it. The file itself is locked, too, since it may have several names.
func examine(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrPermission) || isReadOnly(err) {
		return nil, fmt.Errorf("cannot write to the database: let the user who runs this (number %d) write there (%w)",
			os.Getuid(), err)
	} else if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if taken, err := tryLockDatabase(file); err != nil || !taken {
		if err == nil {
			err = fmt.Errorf("the database %s is in use by another process, which may know it by another name: "+
				"stop that first, or give this one a database of its own", path)
		}
		return nil, errors.Join(err, file.Close())
	}
	if err := examineHeader(path, file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func examineHeader(path string, file *os.File) error {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	header := make([]byte, 100)
	if _, err := io.ReadFull(file, header); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read the database's header: %w", err)
	}
	if string(header[:len(magic)]) != magic {
		return fmt.Errorf("%s is not a SQLite database, and is left as it is: choose another place, or restore the "+
			"file from a backup", path)
	}
	if want := wholeSize(header); info.Size() < want && !hasLog(path) {
		return fmt.Errorf("%s: %w: it has %d bytes and should have %d, as after a copy that was cut short: restore "+
			"it from a backup", path, store.ErrDamaged, info.Size(), want)
	}
	return nil
}

// wholeSize returns how large the header says the file is, or 0 when it does not say.
func wholeSize(header []byte) int64 {
	field := func(at int) int64 { return int64(binary.BigEndian.Uint32(header[at:])) }
	if field(24) != field(92) {
		return 0
	}
	size := int64(binary.BigEndian.Uint16(header[16:]))
	if size == 1 {
		size = 65536
	}
	return size * field(28)
}

// hasLog reports whether pages are in the write-ahead log still: then the file may be shorter than
// it will be.
func hasLog(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0
}

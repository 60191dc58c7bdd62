package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"licensor/internal/durable"
	"licensor/internal/store"
)

// leastPage is the size of the smallest page.
const leastPage = 512

// openFile opens the database's file. One that does not exist is made, for its owner only: the
// signing keys are in it. The file itself is locked, too, since it may have several names.
func openFile(path string) (*os.File, error) {
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
	return file, nil
}

// examineFiles returns store.ErrDamaged when pages of the database are neither in the file nor in
// its log, as far as that can be seen without reading the file through.
func (s *Store) examineFiles() error {
	info, err := s.file.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	header := make([]byte, 100)
	if _, err := s.file.ReadAt(header, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the database's header: %w", err)
	}
	if string(header[:len(durable.Magic)]) != durable.Magic {
		return fmt.Errorf("%s is not a SQLite database, and is left as it is: choose another place, or restore the "+
			"file from a backup", s.path)
	}
	s.pageSize, _ = whole(header)
	log, err := readLog(s.path)
	if err != nil {
		return err
	}
	// To use no log from then on, SQLite merges it, changes the header, and removes it
	// (https://sqlite.org/fileformat.html, section 1.3.3).
	s.log, s.usesLog = log.passed, header[18] == 2
	if s.logged = log.commits; s.logged == 0 && hasContent(s.path+"-journal") {
		return nil // SQLite will undo a transaction, such as an upgrade (migrate), which may have added pages
	}
	if err := s.examinePages(info.Size(), header, log); err != nil || s.logged == 0 {
		return err
	}
	s.pageSize = log.pageSize
	if schema := binary.BigEndian.Uint32(header[60:]); len(log.passed) > 0 || schema >= schemaOfLineage {
		return s.checkLineage(log)
	}
	s.logOfOldSchema = true
	return nil
}

// readLog reads the log of a database. One that does not exist has no frames.
func readLog(path string) (*frames, error) {
	log, err := os.Open(path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return &frames{}, nil
	} else if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	defer log.Close() // it is only read
	frames, err := readFrames(log)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return frames, nil
}

func (s *Store) examinePages(size int64, header []byte, log *frames) error {
	pageSize, pages := log.pageSize, log.pages
	if log.commits == 0 {
		if size < leastPage {
			return fmt.Errorf("%s: %w: it has %d bytes, less than one page, as after a copy that was cut short: "+
				"restore it from a backup", s.path, store.ErrDamaged, size)
		}
		if pageSize, pages = whole(header); pages == 0 {
			return nil
		}
	}
	if want := pageSize * pages; size < want && log.lacks(size/pageSize+1, pages, pageSize) != 0 {
		remedy := "restore it from a backup"
		if log.commits > 0 {
			remedy = fmt.Sprintf("its log %s-wal does not have the rest, or is not the one of this file; restore both "+
				"together, or move the log away to do without it", s.path)
		}
		return fmt.Errorf("%s: %w: it has %d bytes and should have %d, as after a copy that was cut short: %s",
			s.path, store.ErrDamaged, size, want, remedy)
	}
	holes(s.file, size, func(from, to int64) bool {
		s.hollow = log.lacks((from+pageSize-1)/pageSize+1, min(to/pageSize, pages), pageSize)
		return s.hollow == 0
	})
	return nil
}

// whole returns the size of a page and how many there are, as the header says; no page when it does
// not say.
func whole(header []byte) (size, pages int64) {
	field := func(at int) int64 { return int64(binary.BigEndian.Uint32(header[at:])) }
	size = int64(binary.BigEndian.Uint16(header[16:]))
	if size == 1 {
		size = 65536
	}
	if field(24) != field(92) || size < leastPage {
		return size, 0
	}
	return size, field(28)
}

// hasLog reports whether there is a log that is not empty.
func hasLog(path string) bool { return hasContent(path + "-wal") }

// hasContent reports whether there is a file that is not empty.
func hasContent(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}

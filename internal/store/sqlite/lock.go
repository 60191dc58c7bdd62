package sqlite

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// lockFile locks the database for this process. The lock is the operating system's, so it ends with
// the process, however that ends. The file stays, because removing it could take the lock from
// another process. It contains the number of the last process that had the lock.
func lockFile(path string) (*os.File, error) {
	name := path + ".lock"
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrPermission) || isReadOnly(err) {
		return nil, fmt.Errorf("cannot write in %s: let the user who runs this (number %d) write there, or choose "+
			"another place (%w)", filepath.Dir(path), os.Getuid(), err)
	} else if err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	taken, err := tryLock(file)
	if err == nil && !taken {
		err = inUse(path, file)
	} else if err == nil {
		err = sign(file)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// inUse returns an error that names the process that has the lock. The process may not have written
// its number yet.
func inUse(path string, file io.Reader) error {
	holder := "another process"
	text, _ := io.ReadAll(io.LimitReader(file, 32)) // the error is useful without the process
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && pid == os.Getpid() {
		holder = "this process itself"
	} else if err == nil {
		holder = fmt.Sprintf("process %d", pid)
	}
	return fmt.Errorf("the database %s is in use by %s: stop that first, or give this one a database of its own",
		path, holder)
}

func sign(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	if _, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	return nil
}

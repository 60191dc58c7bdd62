package sqlite

import (
	"os"

	"golang.org/x/sys/unix"
)

// holes visits the parts of a file that take no room on the disk and read as zeros, until the
// function returns false. On file systems that do not know there are none.
func holes(file *os.File, size int64, visit func(from, to int64) bool) {
	for at := int64(0); at < size; {
		from, err := file.Seek(at, unix.SEEK_HOLE)
		if err != nil || from >= size {
			return
		}
		if at, err = file.Seek(from, unix.SEEK_DATA); err != nil {
			at = size // there is nothing more
		}
		if !visit(from, at) {
			return
		}
	}
}

//go:build linux || darwin || freebsd

package durable

import "golang.org/x/sys/unix"

// Free returns how many bytes can still be written to the disk of a folder, and reports whether
// that is known.
func Free(folder string) (bytes int64, ok bool) {
	var disk unix.Statfs_t
	if err := unix.Statfs(folder, &disk); err != nil {
		return 0, false
	}
	return int64(disk.Bavail) * int64(disk.Bsize), true
}

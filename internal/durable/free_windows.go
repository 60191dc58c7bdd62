package durable

import "golang.org/x/sys/windows"

// Free returns how many bytes can still be written to the disk of a folder, and reports whether
// that is known.
func Free(folder string) (bytes int64, ok bool) {
	path, err := windows.UTF16PtrFromString(folder)
	if err != nil {
		return 0, false
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(path, &free, nil, nil); err != nil {
		return 0, false
	}
	return int64(free), true
}

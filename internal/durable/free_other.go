//go:build !linux && !darwin && !freebsd && !windows

package durable

// Free reports that it is not known how many bytes can still be written.
func Free(string) (bytes int64, ok bool) { return 0, false }

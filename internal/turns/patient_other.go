//go:build !linux

package turns

// Patiently does long work.
func Patiently(do func()) { do() }

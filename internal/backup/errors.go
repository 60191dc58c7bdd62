package backup

import "fmt"

// DamagedError says that a stream is not what was written.
type DamagedError struct {
	Piece  int   // counted from 1; 0 is the header
	Offset int64 // of the piece in the stream, in bytes
	Why    string
}

// Error implements error.
func (e *DamagedError) Error() string {
	if e.Piece == 0 {
		return fmt.Sprintf("the backup is damaged in its header, at byte %d: %s", e.Offset, e.Why)
	}
	return fmt.Sprintf("the backup is damaged in piece %d, which begins at byte %d: %s", e.Piece, e.Offset, e.Why)
}

// FormatError says that a stream is in a format that this program does not read.
type FormatError struct {
	Format, Known uint32
	Program       string // that wrote it
}

// Error implements error.
func (e *FormatError) Error() string {
	return fmt.Sprintf("the backup was written by Licensor %s in format %d, and this program reads formats up to %d: "+
		"run version %s or newer", e.Program, e.Format, e.Known, e.Program)
}

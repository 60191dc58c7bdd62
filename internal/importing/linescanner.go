package importing

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lineScanner reads the lines of a file as a bufio.Scanner does, but a line that is too long does
// not end it: it returns the first bytes, more than maxRow, and skips the others.
type lineScanner struct {
	source *bufio.Reader
	text   []byte // of the last line
	long   []byte // memory for lines that the source's buffer is too small for
	err    error
}

func newLineScanner(in io.Reader) *lineScanner {
	return &lineScanner{source: bufio.NewReaderSize(in, 64<<10)}
}

// Scan reads the next line. It returns false after the last one, and for an error.
func (l *lineScanner) Scan() bool {
	if l.err != nil {
		return false
	}
	text, err := l.source.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		text, err = l.whole(text)
	}
	if err != nil {
		l.err = err
		if !errors.Is(err, io.EOF) || len(text) == 0 {
			return false
		}
	}
	l.text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	return true
}

// whole reads the rest of a line, of which it keeps as much as shows that it is too long.
func (l *lineScanner) whole(begin []byte) ([]byte, error) {
	const most = maxRow + len("\r\n") + 1
	l.long = append(l.long[:0], begin...)
	for {
		part, err := l.source.ReadSlice('\n')
		l.long = append(l.long, part[:min(len(part), most-len(l.long))]...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return l.long, err
		}
	}
}

// Bytes returns the line, without its line break. It is valid until the next one is read.
func (l *lineScanner) Bytes() []byte { return l.text }

// Text returns the line, without its line break.
func (l *lineScanner) Text() string { return string(l.text) }

// Err returns the error of reading the file.
func (l *lineScanner) Err() error {
	if errors.Is(l.err, io.EOF) {
		return nil
	}
	return l.err
}

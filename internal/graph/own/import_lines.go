package own

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/tenant"
)

const (
	// MaxImport limits the size of the body of an import, both before and after decompression.
	MaxImport = 32 << 20
	// MaxLine limits one line of it, in bytes: longer objects could not be stored anyway.
	MaxLine = 2 << 20

	// Limits of a piece of an import: the number of lines that are not empty, for each piece that one
	// commit may have, and the number of bytes after which no line begins.
	pieceLines = 1000
	pieceBytes = 1 << 20

	// LinesType is the type of its body.
	LinesType = "application/x-ndjson"
)

// importSize returns the maximum memory of an import: a piece that is read and two that are
// committed, each four times as large as its lines.
func importSize(r *wire.Request) int64 {
	const times, most = 12, 12 * (pieceBytes + MaxLine)
	if r.HasLength() {
		return min(times*r.ContentLength, most)
	}
	return most
}

// importLines reads the lines of an import while they arrive.
type importLines struct {
	source *bufio.Reader
	number int64 // of the next line
	most   int   // lines of a piece
	last   int   // bytes of the previous piece
	count  int   // lines of the previous piece
}

// line is a non-empty line of a chunk, and its command or error.
type line struct {
	number int64
	text   []byte
	row    tenant.ImportRow
	err    error
}

// lines begins to read the body as lines. White space before the first non-empty line does not
// count.
func lines(r *wire.Request, first int64) (*importLines, error) {
	empty, err := r.Untyped(LinesType, MaxImport)
	if err != nil {
		return nil, err
	}
	if r.ContentLength == 0 || r.Body == nil || empty {
		return newLines(r, bufio.NewReader(http.NoBody), first), nil
	}
	if r.ContentLength <= MaxImport { // otherwise it is too large
		if err := wire.HasType(r.Header.Get("Content-Type"), LinesType); err != nil {
			return nil, err
		}
	}
	body, err := r.PlainBody(MaxImport)
	if err != nil {
		return nil, err
	}
	source := bufio.NewReaderSize(body, 64<<10)
	for {
		next, err := source.Peek(1)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, wire.BodyProblem(err, MaxImport)
		}
		if err != nil || len(bytes.TrimSpace(next)) > 0 {
			return newLines(r, source, first), nil
		}
		_, _ = source.Discard(1) // it is available
	}
}

func newLines(r *wire.Request, source *bufio.Reader, first int64) *importLines {
	return &importLines{source: source, number: first, most: pieceLines * r.ImportPieces}
}

// next returns the lines of the next piece that are not empty. An error comes with the lines before
// it; io.EOF is the end of the body.
func (l *importLines) next() (lines []line, err error) {
	// Pieces are similar, and those with short lines take little memory.
	text := make([]byte, 0, min(l.last+l.last/8+4096, pieceBytes+MaxLine))
	lines = make([]line, 0, min(l.count+l.count/4+16, l.most))
	defer func() { l.last, l.count = len(text), len(lines) }()
	for len(lines) < l.most && len(text) < pieceBytes && err == nil {
		begin, long := len(text), false
		if text, long, err = l.appendLine(text); err != nil && err != io.EOF {
			return lines, err // an incomplete line is ignored
		}
		one := line{number: l.number, text: bytes.TrimSpace(text[begin:])}
		if long {
			one.err = problem.Refuse("The line is longer than the %d MB allowed.", MaxLine>>20)
		}
		if long || len(one.text) > 0 {
			lines = append(lines, one)
		}
		l.number++
	}
	return lines, err
}

// appendLine appends the next line to a text. It skips a line that is too long.
func (l *importLines) appendLine(text []byte) (_ []byte, long bool, err error) {
	begin := len(text)
	for {
		part, err := l.source.ReadSlice('\n')
		if !long {
			text = append(text, part...)
		}
		if long = long || len(text)-begin > MaxLine; long {
			text = text[:begin]
		}
		if err != bufio.ErrBufferFull {
			return text, long, err
		}
	}
}

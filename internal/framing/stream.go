package framing

import (
	"bytes"
	"fmt"
	"net/http"
)

// stream follows the data that a client sends, and determines which part of it is valid.
type stream struct {
	most  int   // bytes of a head
	part  part  // the next part
	left  int64 // remaining bytes of the body, or of the chunk
	seen  int   // bytes of the line that were already searched
	ended int   // where the last searched line of the head ended
	trail int   // bytes of the trailers
}

type part int

const (
	inHead part = iota
	inBody
	inChunkSize
	inChunk
	afterChunk
	inTrailers
)

const (
	chunkLine    = 256     // bytes of the line with the size of a chunk, and its extensions
	chunkDigits  = 15      // so that any size fits in an int64
	mostTrailers = 4 << 10 // bytes
)

// clear returns how many bytes may be passed on, from the first, up to the end of a request. The
// others are passed to clear again: with more data, if they are the beginning of a part that must
// be complete, or when the next request is read.
func (s *stream) clear(b []byte) (n int, refusal *RefusalError) {
	for n < len(b) && (n == 0 || s.part != inHead) {
		m, refusal := s.next(b[n:])
		if refusal != nil || m == 0 {
			return n, refusal
		}
		n += m
	}
	return n, nil
}

func (s *stream) next(b []byte) (int, *RefusalError) {
	switch s.part {
	case inHead:
		return s.head(b)
	case inBody, inChunk:
		return s.body(b), nil
	case inChunkSize:
		return s.line(b, chunkLine, s.chunkSize)
	case afterChunk:
		return s.line(b, len(crlf), s.chunkEnd)
	default:
		return s.line(b, mostTrailers, s.trailer)
	}
}

// head clears the whole head of a request, once its last line has arrived.
func (s *stream) head(b []byte) (int, *RefusalError) {
	for {
		end, refusal := lineEnd(b, s.seen)
		switch {
		case refusal != nil:
			return 0, refusal
		case end == 0 && len(b) > s.most || end > s.most:
			return 0, &RefusalError{
				http.StatusRequestHeaderFieldsTooLarge,
				fmt.Sprintf("the headers have more than %d KB", s.most>>10),
			}
		case end == 0:
			s.seen = len(b)
			return 0, nil
		}
		empty := end-s.ended == len(crlf)
		s.seen, s.ended = end, end
		if empty {
			break
		}
	}
	end := s.ended
	s.seen, s.ended = 0, 0
	if end == len(crlf) {
		return end, nil // old clients send one after a body; net/http knows where it is allowed
	}
	var refusal *RefusalError
	s.left, refusal = bodyOf(b[:end])
	switch {
	case refusal != nil:
		return 0, refusal
	case s.left == chunked:
		s.part = inChunkSize
	case s.left > 0:
		s.part = inBody
	}
	return end, nil
}

// lineEnd returns the end of the first line that does not end before from, or 0 if it has not
// arrived yet. Lines end with CR and LF, and contain neither.
func lineEnd(b []byte, from int) (int, *RefusalError) {
	lf := bytes.IndexByte(b[from:], '\n')
	if lf < 0 {
		lf = len(b) - from
	}
	at := from + lf
	line := b[max(0, from-1):at]
	if cr := bytes.IndexByte(line, '\r'); cr >= 0 && cr < len(line)-1 {
		return 0, bad("there is a CR that is not followed by LF")
	}
	if at == len(b) {
		return 0, nil
	}
	if at == 0 || b[at-1] != '\r' {
		return 0, bad("a line ends with LF alone, not with CR and LF")
	}
	return at + 1, nil
}

// body clears the available part of a body, or of a chunk.
func (s *stream) body(b []byte) int {
	n := min(int64(len(b)), s.left)
	if s.left -= n; s.left > 0 {
		return int(n)
	}
	if s.part == inChunk {
		s.part = afterChunk
	} else {
		s.part = inHead
	}
	return int(n)
}

// line clears a line, once it is complete and valid.
func (s *stream) line(b []byte, most int, good func(line []byte) *RefusalError) (int, *RefusalError) {
	end, refusal := lineEnd(b, s.seen)
	switch {
	case refusal != nil:
		return 0, refusal
	case end == 0 && len(b) > most || end > most:
		return 0, bad("a line of a chunked body has more than %d bytes", most)
	case end == 0:
		s.seen = len(b)
		return 0, nil
	}
	s.seen = 0
	return end, good(b[:end-len(crlf)])
}

// chunkSize reads the line before a chunk (RFC 9112, 7.1): digits, and extensions, which are
// ignored.
func (s *stream) chunkSize(line []byte) *RefusalError {
	digits, extension, _ := bytes.Cut(line, []byte(";"))
	size, ok := hexadecimal(digits)
	if !ok || hasControl(extension) {
		return bad("the size of a chunk is %q, which is not a number in base 16", digits)
	}
	s.left, s.part = size, inChunk
	if size == 0 {
		s.part, s.trail = inTrailers, 0
	}
	return nil
}

func (s *stream) chunkEnd(line []byte) *RefusalError {
	if len(line) > 0 {
		return bad("a chunk is longer than its size says")
	}
	s.part = inChunkSize
	return nil
}

// trailer reads a line after the last chunk. Headers that determine how the request is read must
// come before the body.
func (s *stream) trailer(line []byte) *RefusalError {
	if len(line) == 0 {
		s.part = inHead
		return nil
	}
	if s.trail += len(line) + len(crlf); s.trail > mostTrailers {
		return bad("the trailers have more than %d KB", mostTrailers>>10)
	}
	name, value, refusal := field(line)
	if refusal != nil {
		return refusal
	}
	var h head
	if h.note(name, value); len(h.hosts)+len(h.lengths)+len(h.codings) > 0 {
		return bad("%s comes after the body", name)
	}
	return nil
}

func hexadecimal(text []byte) (n int64, ok bool) {
	if len(text) == 0 || len(text) > chunkDigits {
		return 0, false
	}
	for _, b := range text {
		digit := bytes.IndexByte([]byte("0123456789abcdef"), b|0x20)
		if digit < 0 || b < '0' {
			return 0, false
		}
		n = n<<4 | int64(digit)
	}
	return n, true
}

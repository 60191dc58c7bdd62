package framing

import (
	"bytes"
	"fmt"
	"net/http"
)

// stream reads along what a client sends, and knows which part of it is good.
type stream struct {
	most  int   // bytes of a head
	part  part  // what comes next
	left  int64 // bytes of the body, or of the chunk, that are to come
	seen  int   // bytes of the line that were looked at before
	ended int   // where the last line of the head ended, of those that were looked at
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
	chunkDigits  = 15      // so that any size is a number
	mostTrailers = 4 << 10 // bytes
)

// clear returns how many bytes may be handed on, from the first. The others are the beginning of a
// part that must be there as a whole, and are shown again with more behind them.
func (s *stream) clear(b []byte) (n int, refusal *RefusalError) {
	for n < len(b) {
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

// head clears the whole head of a request, once its last line is there.
func (s *stream) head(b []byte) (int, *RefusalError) {
	for {
		end, refusal := lineEnd(b, s.seen)
		switch {
		case refusal != nil:
			return 0, refusal
		case end == 0 && len(b) > s.most || end > s.most:
			return 0, &RefusalError{http.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("the headers have more than %d KB", s.most>>10)}
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
		return end, nil // old clients send one behind a body; net/http knows where it is allowed
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

// lineEnd is where the first line ends that does not end before from; 0: it is not there yet. Lines
// end with CR and LF, and have neither in them.
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

// body clears what is there of a body, or of a chunk.
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

// line clears a line, once it is there and good.
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

// chunkSize reads the line before a chunk (RFC 9112, 7.1): digits, and extensions, which nobody
// knows.
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

// trailer reads a line after the last chunk. What decides how the request is read must stand before
// the body.
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
		return bad("%s stands behind the body", name)
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

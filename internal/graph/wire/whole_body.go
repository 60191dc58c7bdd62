package wire

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"licensor/internal/memory"
	"licensor/internal/turns"
)

// parsing is the maximum ratio of the memory of a body during parsing to its length.
const parsing = 6

// growing is the maximum ratio of the memory of a body while it is read to the room for it.
const growing = 3

// wholeBody reads the body, and reserves memory for it each time that the reserved memory is not
// sufficient: a client that announces a long body holds little until it sends it.
func (r *Request) wholeBody(limit int64) ([]byte, error) {
	source, err := r.PlainBody(limit)
	if err != nil {
		return nil, err
	}
	room := int64(memory.Small / parsing)
	if r.HasLength() {
		room = min(room, r.ContentLength+1) // to detect the end
	}
	for body := (bytes.Buffer{}); ; room *= 2 {
		if err := r.Share.Least(r.Context(), growing*room); err != nil {
			return nil, err
		}
		_, err := io.CopyN(&body, source, room-int64(body.Len()))
		if err == io.EOF {
			return body.Bytes(), r.Share.Least(r.Context(), parsing*int64(body.Len()))
		} else if err != nil {
			return nil, BodyProblem(err, limit)
		}
	}
}

// HasLength reports whether the length of the body is known before it is read.
func (r *Request) HasLength() bool {
	return r.ContentLength >= 0 && r.Header.Get("Content-Encoding") == ""
}

// PlainBody returns the body without its Content-Encoding. Reading fails with *http.MaxBytesError
// if it is larger than limit, before or after decompression; BodyProblem converts that and other
// errors. A larger Content-Length is refused before anything is read.
func (r *Request) PlainBody(limit int64) (io.Reader, error) {
	if r.ContentLength > limit {
		return nil, BodyProblem(&http.MaxBytesError{Limit: limit}, limit)
	}
	body := r.Share.Body(r.Body, func() { _ = http.NewResponseController(r.W).SetReadDeadline(time.Unix(1, 0)) })
	source, err := plain(http.MaxBytesReader(r.W, resting{body, r.Work}, limit), r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, BodyProblem(err, limit)
	}
	return &atMost{source, limit, limit}, nil
}

// resting is a body while whose reading the work on the request rests.
type resting struct {
	io.ReadCloser
	work *turns.Work
}

func (b resting) Read(to []byte) (int, error) {
	b.work.Rest()
	return b.ReadCloser.Read(to)
}

// atMost reads no more than so many bytes, and fails if there are more.
type atMost struct {
	source      io.Reader
	limit, left int64
}

func (a *atMost) Read(to []byte) (n int, err error) {
	n, err = a.source.Read(to)
	if a.left -= int64(n); a.left < 0 {
		return 0, &http.MaxBytesError{Limit: a.limit}
	}
	return n, err
}

// Untyped reads a body without a type whose length is not known, and reports whether it was empty:
// then it needs no type. The first of its bytes that is not white space is an error. It does not
// read other bodies.
func (r *Request) Untyped(mediaType string, limit int64) (empty bool, err error) {
	if r.ContentLength >= 0 || r.Body == nil || r.Header.Get("Content-Type") != "" {
		return false, nil
	}
	body, err := r.PlainBody(limit)
	if err != nil {
		return false, err
	}
	some := make([]byte, 512)
	for {
		n, err := body.Read(some)
		switch {
		case len(bytes.TrimSpace(some[:n])) > 0:
			return false, HasType("", mediaType)
		case err == io.EOF:
			return true, nil
		case err != nil:
			return false, BodyProblem(err, limit)
		}
	}
}

package wire

import (
	"errors"
	"net/http"
)

// Answers are made in a buffer. Small ones are sent as a whole, with their length. Large ones are
// sent while they are made: whoever writes a list hands the buffer to more after each element, so
// no answer takes more memory than its largest element.

// StreamFrom is the size from which on an answer is sent while it is made.
const StreamFrom = 64 << 10

// ErrGone says that the caller does not take the answer any more.
var ErrGone = errors.New("the caller has gone")

// More sends what there is of an answer, once that is much, and returns the buffer to go on with.
// The last byte stays in it, by which writers know whether a comma comes next. The answer is one of
// JSON with the status 200. After an error, from here or from anywhere else, the connection is
// ended when something has been sent. A slow caller is waited for with no turn and no reader of the
// database held.
func (r *Request) More(b []byte) ([]byte, error) {
	if len(b) < StreamFrom {
		return b, nil
	}
	if err := r.failed(); err != nil {
		return b, err
	}
	r.beginStream()
	last := b[len(b)-1]
	if err := r.transmit(b[:len(b)-1]); err != nil {
		return b, err
	}
	if cap(b) > maxKept { // for an element that was very large
		b = make([]byte, 0, 2*StreamFrom)
	}
	return append(b[:0], last), nil
}

func (r *Request) beginStream() {
	if r.Streaming {
		return
	}
	h := r.contentHeaders(r.jsonType())
	if r.compresses() {
		r.z = newCompressor()
		h.Set("Content-Encoding", "gzip")
	}
	r.Streaming = true
	r.W.WriteHeader(http.StatusOK)
}

// StartAgain forgets the beginning of an answer that nobody has seen, because it is one of a batch,
// and says whether it is one.
func (r *Request) StartAgain() bool {
	a, ok := r.W.(interface{ StartAgain() bool })
	if !ok || !a.StartAgain() {
		return false
	}
	r.Streaming, r.sent = false, false
	return true
}

// transmit sends a part of the body.
func (r *Request) transmit(body []byte) error {
	if r.z == nil {
		return r.write(body)
	}
	r.compress(r.z, body)
	defer r.z.buffer.Reset()
	return r.write(r.z.buffer.Bytes())
}

func (r *Request) write(body []byte) error {
	if err := r.Context().Err(); err != nil || len(body) == 0 {
		return err
	}
	r.Work.Rest() // a caller may take the answer slowly
	if _, err := r.W.Write(body); err != nil {
		return ErrGone
	}
	return nil
}

// endStream sends the rest of an answer of which more has sent the beginning.
func (r *Request) endStream(body []byte) error {
	if err := r.transmit(body); err != nil {
		return err
	}
	r.giveBack(body)
	r.Charge.Work(r.Work.Spent(), r.Now, r.W.Header()) // what has come since the headers
	if r.z == nil {
		return nil
	}
	_ = r.z.Close()
	err := r.write(r.z.buffer.Bytes())
	r.z.giveBack()
	r.z = nil
	return err
}

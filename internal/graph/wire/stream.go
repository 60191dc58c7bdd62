package wire

import (
	"errors"
	"net/http"
)

// Responses are built in a buffer. Small ones are sent as a whole, with their length. Large ones
// are streamed: writers of lists pass the buffer to More after each element, so no response takes
// more memory than its largest element.

// StreamFrom is the size from which a response is streamed.
const StreamFrom = 64 << 10

// ErrGone means that the caller no longer accepts the response.
var ErrGone = errors.New("the caller has gone")

// More sends the buffered part of a response, once it is large, and returns the buffer to continue
// with. The last byte stays in it, because writers use it to decide whether a comma is next. The
// response is JSON with the status 200. After any later error, the connection is closed if
// something has been sent. While waiting for a slow caller, no turn and no reader of the database
// is held.
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

// StartAgain discards the beginning of a response in a batch, which was not sent yet, and reports
// whether the response is in a batch.
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
	r.Work.Rest() // a caller may read the response slowly
	if _, err := r.W.Write(body); err != nil {
		return ErrGone
	}
	return nil
}

// endStream sends the rest of a response whose beginning More has sent.
func (r *Request) endStream(body []byte) error {
	if err := r.transmit(body); err != nil {
		return err
	}
	r.giveBack(body)
	r.Charge.Work(r.Work.Spent(), r.Arrived, r.W.Header()) // the body since the headers
	if r.z == nil {
		return nil
	}
	_ = r.z.Close()
	err := r.write(r.z.buffer.Bytes())
	r.z.giveBack()
	r.z = nil
	return err
}

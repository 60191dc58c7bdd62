package wire

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// Long is a response that may take longer than a request may: for as long as its caller accepts
// data.
type Long struct {
	ContentType string
	Silence     time.Duration // within which the caller must accept each megabyte
	Most        time.Duration // for the whole response
}

// longPiece is how many bytes a caller must accept within Long.Silence.
const longPiece = 1 << 20

// SendLong answers with a body that write writes. The context of write does not have the deadline
// of requests. The response begins after a megabyte or at the end, and until then an error of write
// is the response; afterwards the connection is closed, so that the body does not look complete. No
// turn is held.
func (r *Request) SendLong(l Long, write func(ctx context.Context, w io.Writer) error) error {
	r.Work.Rest()
	body := &longBody{Long: l, r: r, control: http.NewResponseController(r.W)}
	if err := cmp.Or(body.extend(), body.control.SetReadDeadline(time.Time{})); err != nil {
		return fmt.Errorf("give a response more time: %w", err)
	}
	ctx, cancel := context.WithTimeout(r.Request.Context(), l.Most)
	defer cancel()
	w := bufio.NewWriterSize(body, longPiece)
	if err := write(ctx, w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := body.control.Flush(); err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return nil
}

// longBody is the body of a Long.
type longBody struct {
	Long
	r       *Request
	control *http.ResponseController
}

// extend gives the caller time for the next piece.
func (b *longBody) extend() error { return b.control.SetWriteDeadline(time.Now().Add(b.Silence)) }

// Write implements io.Writer.
func (b *longBody) Write(p []byte) (n int, err error) {
	if !b.r.Streaming {
		h := b.r.contentHeaders(b.ContentType)
		h.Set("Cache-Control", "no-store")
		b.r.Streaming = true
		b.r.W.WriteHeader(http.StatusOK)
	}
	for piece := range slices.Chunk(p, longPiece) {
		if err := b.extend(); err != nil {
			return n, fmt.Errorf("%w: %w", ErrGone, err)
		}
		m, err := b.r.W.Write(piece)
		if n += m; err != nil {
			return n, fmt.Errorf("%w: %w", ErrGone, err)
		}
	}
	return n, nil
}

package wire

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// worthCompressing is the size from which on an answer is compressed for those who take it so:
// smaller ones fit a packet as they are.
const worthCompressing = 1 << 10

// compressor is a writer of gzip with the buffer that it writes to. It has hundreds of kilobytes of
// tables, so it is used again.
type compressor struct {
	*gzip.Writer
	buffer bytes.Buffer
}

var compressors = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is a valid one
	return &compressor{Writer: z}
}}

// writeCompressed writes the answer's head and its body with gzip.
func (r *Request) writeCompressed(status int, body []byte) {
	z := newCompressor()
	r.compress(z, body)
	_ = z.Close()
	r.Work.Rest() // a caller may take the answer slowly
	h := r.W.Header()
	h.Set("Content-Encoding", "gzip")
	h.Set("Content-Length", strconv.Itoa(z.buffer.Len()))
	r.W.WriteHeader(status)
	_, _ = r.W.Write(z.buffer.Bytes())
	z.giveBack()
}

// compress adds to what a compressor has. That takes long, so the work has a turn meanwhile, even
// if it has rested before. What is ready is sent when the request's time is up, too.
func (r *Request) compress(z *compressor, body []byte) {
	for piece := range slices.Chunk(body, StreamFrom) {
		_ = r.Work.Yield()
		_, _ = z.Write(piece) // a buffer takes everything
	}
}

func newCompressor() *compressor {
	z := compressors.Get().(*compressor)
	z.buffer.Reset()
	z.Reset(&z.buffer)
	return z
}

func (z *compressor) giveBack() {
	if z.buffer.Cap() <= maxKept {
		compressors.Put(z)
	}
}

// compresses says whether the answer is sent compressed: when its caller takes it so, and there is
// memory for that.
func (r *Request) compresses() bool {
	return acceptsGzip(r.Header.Get("Accept-Encoding")) && r.Share.Try(compressorSize)
}

// compressorSize is what a compressor takes, in bytes.
const compressorSize = 1 << 20

// acceptsGzip reads an Accept-Encoding: gzip is among what is named, and not with a weight of 0.
func acceptsGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			value, _ := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
			return strings.Trim(value, "0.") != "" || value == ""
		}
	}
	return false
}

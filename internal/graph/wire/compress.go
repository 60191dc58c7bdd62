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

// worthCompressing is the size from which responses are compressed for callers that accept it:
// smaller ones fit in a packet uncompressed.
const worthCompressing = 1 << 10

// compressor is a gzip writer with its output buffer. It has hundreds of kilobytes of tables, so it
// is reused.
type compressor struct {
	*gzip.Writer
	buffer bytes.Buffer
}

var compressors = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is valid
	return &compressor{Writer: z}
}}

// writeCompressed writes the response's head and its body with gzip.
func (r *Request) writeCompressed(status int, body []byte) {
	z := newCompressor()
	r.compress(z, body)
	_ = z.Close()
	r.Work.Rest() // a caller may read the response slowly
	h := r.W.Header()
	h.Set("Content-Encoding", "gzip")
	h.Set("Content-Length", strconv.Itoa(z.buffer.Len()))
	r.W.WriteHeader(status)
	_, _ = r.W.Write(z.buffer.Bytes())
	z.giveBack()
}

// compress adds data to a compressor. That takes long, so the work has a turn meanwhile, even if it
// has rested before. The compressed data is also sent when the time of the request is over.
func (r *Request) compress(z *compressor, body []byte) {
	for piece := range slices.Chunk(body, StreamFrom) {
		_ = r.Work.Yield()
		_, _ = z.Write(piece) // writing to a buffer cannot fail
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

// compresses reports whether the response is sent compressed: if its caller accepts it, and there
// is memory for that.
func (r *Request) compresses() bool {
	return acceptsGzip(r.Header.Get("Accept-Encoding")) && r.Share.Try(compressorSize)
}

// compressorSize is the memory of a compressor, in bytes.
const compressorSize = 1 << 20

// acceptsGzip reports whether an Accept-Encoding header names gzip with a weight other than 0.
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

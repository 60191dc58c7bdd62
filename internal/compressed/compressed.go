// Package compressed compresses the parts of snapshots. A part that was stored before there was
// compression, or that does not become shorter, is as it was.
//
// Compressed parts are frames of Zstandard (RFC 8878), which begin with a number that no other part
// begins with.
package compressed

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// shortest is the length below which a part is not compressed: reading many tiny parts would take
// longer, and save nothing.
const shortest = 1 << 10

// magic begins each frame (RFC 8878 §3.1.1).
var magic = []byte{0x28, 0xB5, 0x2F, 0xFD}

// codec compresses and decompresses. It is made when it is first used, since it takes memory for
// each processor.
var codec = sync.OnceValue(func() (c struct {
	*zstd.Encoder
	*zstd.Decoder
},
) {
	var err error
	// The store keeps a checksum of each part. An encoder takes several megabytes, and snapshots can
	// wait for one.
	c.Encoder, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(1<<20),
		zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true), zstd.WithEncoderConcurrency(2))
	if err == nil {
		c.Decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0))
	}
	if err != nil { // the options are wrong
		panic(err)
	}
	return c
})

// Pack returns data in the form to store: compressed, or data itself if that is not longer.
func Pack(data []byte) []byte {
	if len(data) < shortest {
		return data
	}
	part := codec().EncodeAll(data, make([]byte, 0, len(data)/2))
	if len(part) >= len(data) {
		return data
	}
	return part
}

// Size returns the length of a part's data. It is 0 if the part is damaged.
func Size(part []byte) int {
	if !bytes.HasPrefix(part, magic) {
		return len(part)
	}
	var h zstd.Header
	if h.Decode(part) != nil {
		return 0
	}
	return int(h.FrameContentSize)
}

// Unpack returns the data of a part.
func Unpack(part []byte) ([]byte, error) {
	if !bytes.HasPrefix(part, magic) {
		return part, nil
	}
	return unpackTo(make([]byte, 0, min(Size(part), mostAtOnce)), part)
}

// mostAtOnce is how many bytes are allocated because a part says that it has so many.
const mostAtOnce = 64 << 20

func unpackTo(dst, part []byte) ([]byte, error) {
	data, err := codec().DecodeAll(part, dst)
	if err != nil {
		return nil, fmt.Errorf("decompress %d bytes: %w", len(part), err)
	}
	return data, nil
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Read calls read with the data of a part, which is overwritten after read has returned.
func Read(part []byte, read func(data []byte) error) error {
	if !bytes.HasPrefix(part, magic) {
		return read(part)
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	data, err := unpackTo((*buffer)[:0], part)
	if err != nil {
		return err
	}
	*buffer = data
	return read(data)
}

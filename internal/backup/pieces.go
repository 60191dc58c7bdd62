package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"
)

// The formats of streams that are written and read. The header is the same in all of them.
const (
	formatNow    = 1
	formatOldest = 1
)

// magic begins a stream. After it come the format (4 bytes), the length of the program's version (1
// byte), the version, and the SHA-256 of all that.
const magic = "licensor backup\n"

// A piece is its kind (1 byte), the length of its data (4 bytes), its sum (32 bytes), and its data:
// a record as CBOR, compressed with zstd. The sum is the SHA-256 of the sum before, the kind, the
// length, and the data; before the first piece it is that of the header. Numbers are big-endian.
const (
	pieceHead = 1 + 4 + sha256.Size
	// pieceSize is about how large a record is before it is compressed, and maxPiece how large one of
	// a single commit or part may be.
	pieceSize = 1 << 20
	maxPiece  = 1 << 30
)

// pieceWriter writes a stream piece by piece.
type pieceWriter struct {
	w          io.Writer
	sum        [sha256.Size]byte
	written    int64
	content    bytes.Buffer // of the current piece
	compressed []byte
}

// The encoder and decoder of pieces, which are safe for concurrent use.
var (
	zip = sync.OnceValue(func() *zstd.Encoder {
		// One piece at a time, so that backups made at the same time share the memory it takes.
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1),
			zstd.WithWindowSize(pieceSize), zstd.WithLowerEncoderMem(true)) // few pieces are longer
		if err != nil {
			panic(err) // the options are constants
		}
		return e
	})
	unzip = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPiece))
		if err != nil {
			panic(err)
		}
		return d
	})
)

func newPieceWriter(w io.Writer, program string) (*pieceWriter, error) {
	head := binary.BigEndian.AppendUint32([]byte(magic), formatNow)
	program = program[:min(len(program), 255)]
	head = append(head, byte(len(program)))
	head = append(head, program...)
	p := &pieceWriter{w: w, sum: sha256.Sum256(head)}
	return p, p.write(append(head, p.sum[:]...))
}

func (p *pieceWriter) write(data []byte) error {
	n, err := p.w.Write(data)
	p.written += int64(n)
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}

// add writes a piece.
func (p *pieceWriter) add(kind byte, record any) error { return p.addSized(kind, record, 0) }

// addSized is add of a record that takes about so many bytes.
func (p *pieceWriter) addSized(kind byte, record any, size int) error {
	p.content.Reset()
	p.content.Grow(size) // so that it is encoded in place
	if err := cbor.MarshalToBuffer(record, &p.content); err != nil {
		return fmt.Errorf("encode a piece of kind %c: %w", kind, err)
	}
	if n := p.content.Len(); n > maxPiece {
		return fmt.Errorf("a piece of kind %c has %d bytes, and %d are allowed", kind, n, maxPiece)
	}
	p.compressed = zip().EncodeAll(p.content.Bytes(), p.compressed[:0])
	data := p.compressed
	if p.content.Cap() > 2*pieceSize { // few pieces are that large
		p.content, p.compressed = bytes.Buffer{}, nil
	}
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(data)))
	p.sum = sumOf(p.sum, head, data)
	if err := p.write(append(head, p.sum[:]...)); err != nil {
		return err
	}
	return p.write(data)
}

// sumOf is the sum of a piece, after the one before.
func sumOf(before [sha256.Size]byte, head, data []byte) (sum [sha256.Size]byte) {
	hash := sha256.New()
	for _, part := range [][]byte{before[:], head, data} {
		_, _ = hash.Write(part) // a hash takes everything
	}
	return [sha256.Size]byte(hash.Sum(sum[:0]))
}

// pieceReader reads a stream piece by piece.
type pieceReader struct {
	r       io.Reader
	sum     [sha256.Size]byte
	piece   int   // its number
	begins  int64 // where it begins
	read    int64 // so far
	program string
}

// newPieceReader reads the header.
func newPieceReader(r io.Reader) (*pieceReader, error) {
	p := &pieceReader{r: bufio.NewReaderSize(r, 64<<10)}
	head, err := p.take(len(magic) + 5)
	if !bytes.HasPrefix(head, []byte(magic)) && (err == nil || errors.As(err, new(*DamagedError))) {
		return nil, errors.New("it is not a backup of Licensor: it does not begin with \"licensor backup\"")
	} else if err != nil {
		return nil, err
	}
	program, err := p.take(int(head[len(magic)+4]))
	if err != nil {
		return nil, err
	}
	sum, err := p.take(sha256.Size)
	if err != nil {
		return nil, err
	}
	p.program = string(program)
	if p.sum = sha256.Sum256(append(head, program...)); !bytes.Equal(sum, p.sum[:]) {
		return nil, p.damaged("checksum mismatch")
	}
	format := binary.BigEndian.Uint32(head[len(magic):])
	if format < formatOldest || format > formatNow {
		return nil, &FormatError{format, formatNow, p.program}
	}
	return p, nil
}

// take reads n bytes. It does not allocate by the claimed length.
func (p *pieceReader) take(n int) ([]byte, error) {
	var data bytes.Buffer
	got, err := io.CopyN(&data, p.r, int64(n))
	p.read += got
	if errors.Is(err, io.EOF) {
		return data.Bytes(), p.damaged(fmt.Sprintf("it was cut off at byte %d", p.read))
	} else if err != nil {
		return nil, fmt.Errorf("read the backup at byte %d: %w", p.read, err)
	}
	return data.Bytes(), nil
}

func (p *pieceReader) damaged(why string) error { return &DamagedError{p.piece, p.begins, why} }

// next returns the kind and the content of the next piece.
func (p *pieceReader) next() (kind byte, content []byte, err error) {
	p.piece, p.begins = p.piece+1, p.read
	head, err := p.take(pieceHead)
	if err != nil {
		return 0, nil, err
	}
	plain, sum := head[:5], head[5:]
	data, err := p.take(int(binary.BigEndian.Uint32(plain[1:])))
	if err != nil {
		return 0, nil, err
	}
	if p.sum = sumOf(p.sum, plain, data); !bytes.Equal(sum, p.sum[:]) {
		return 0, nil, p.damaged("checksum mismatch")
	}
	content, err = unzip().DecodeAll(data, nil)
	if err != nil {
		return 0, nil, p.damaged("it cannot be decompressed: " + err.Error())
	}
	return plain[0], content, nil
}

// end returns an error when something follows the last piece.
func (p *pieceReader) end() error {
	p.piece, p.begins = p.piece+1, p.read
	n, err := io.CopyN(io.Discard, p.r, 1)
	if n > 0 {
		return p.damaged("nothing should follow the end")
	} else if !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the backup at byte %d: %w", p.read, err)
	}
	return nil
}

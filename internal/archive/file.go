package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"

	"licensor/internal/durable"
	"licensor/internal/store"
)

// format is the format of files.
const format = 1

// magic begins each file.
const magic = "licensor log"

// header is the first record of a file. Field numbers are stored; never renumber.
type header struct {
	Magic  string    `cbor:"1,keyasint"`
	Format uint32    `cbor:"2,keyasint"`
	Tenant uuid.UUID `cbor:"3,keyasint"`
	First  uint64    `cbor:"4,keyasint"` // commit
	Last   uint64    `cbor:"5,keyasint"`
}

// record is a commit, or the end, which has only the number of commits.
type record struct {
	Seq       uint64 `cbor:"1,keyasint,omitempty"`
	At        int64  `cbor:"2,keyasint,omitempty"` // milliseconds since 1970
	Actor     string `cbor:"3,keyasint,omitempty"`
	Operation string `cbor:"4,keyasint,omitempty"`
	Format    uint32 `cbor:"5,keyasint,omitempty"`
	Chain     []byte `cbor:"6,keyasint,omitempty"`
	Effects   []byte `cbor:"7,keyasint,omitempty"`
	Commits   uint64 `cbor:"8,keyasint,omitempty"`
}

// write writes a file, which gets its name when it is durable.
func write(
	ctx context.Context, path string, tenant uuid.UUID, first, last uint64,
	read func(yield func(store.Commit) error) error,
) (err error) {
	draft, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, draft.Close(), os.Remove(draft.Name()))
		}
	}()
	if err := fill(ctx, draft, header{magic, format, tenant, first, last}, read); err != nil {
		return err
	}
	if err := draft.Sync(); err != nil {
		return err
	}
	if err := os.Rename(draft.Name(), path); err != nil {
		return err
	}
	folders := []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} // the tenant's may be new
	for _, folder := range folders {
		if err := durable.SyncFolder(folder); err != nil {
			return err
		}
	}
	return draft.Close()
}

func fill(ctx context.Context, w io.Writer, h header, read func(yield func(store.Commit) error) error) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	out := cbor.NewEncoder(z)
	if err := out.Encode(h); err != nil {
		return errors.Join(err, z.Close())
	}
	next := h.First
	err = read(func(c store.Commit) error {
		if c.Seq != next || c.Seq > h.Last {
			return fmt.Errorf("commit %d came in the place of %d", c.Seq, next)
		}
		next++
		if err := ctx.Err(); err != nil {
			return err
		}
		return out.Encode(record{
			Seq: c.Seq, At: c.At.UnixMilli(), Actor: c.Actor, Operation: c.Operation, Format: c.Format,
			Chain: c.Chain[:], Effects: c.Effects,
		})
	})
	if err == nil && next != h.Last+1 {
		err = fmt.Errorf("commits end at %d and not at %d: %w", next-1, h.Last, store.ErrDamaged)
	}
	if err == nil {
		err = out.Encode(record{Commits: h.Last - h.First + 1})
	}
	return errors.Join(err, z.Close())
}

// readFile hands the commits in a file to yield, and returns the last of them.
func readFile(path string, tenant uuid.UUID, yield func(store.Commit) error) (last store.Commit, err error) {
	file, err := os.Open(path)
	if err != nil {
		return last, err
	}
	defer file.Close() // it is only read
	seen := &reader{Reader: file}
	z, err := zstd.NewReader(seen, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return last, err
	}
	defer z.Close()
	content := &reader{Reader: z}
	in := decoding.NewDecoder(content)
	var h header
	switch err := in.Decode(&h); {
	case seen.failed != nil:
		return last, fmt.Errorf("read the archive %s: %w", path, seen.failed)
	case content.failed != nil:
		return last, damaged(path, "its beginning cannot be decompressed, since it is not what was written", err)
	case err != nil || h.Magic != magic:
		return last, damaged(path, "it does not begin as an archive does", err)
	}
	if h.Format != format {
		return last, fmt.Errorf("the archive %s is in format %d, and this version reads format %d: run the version "+
			"that wrote it or a newer one", path, h.Format, format)
	}
	if h.Tenant != tenant {
		return last, damaged(path, "it is of tenant "+h.Tenant.String(), nil)
	}
	for seq := h.First; ; seq++ {
		var r record
		switch err := in.Decode(&r); {
		case err == nil:
		case seen.failed != nil:
			return last, fmt.Errorf("read the archive %s: %w", path, seen.failed)
		case content.failed != nil:
			what := fmt.Sprintf("it cannot be decompressed from commit %d on, since it is not what was written", seq)
			return last, damaged(path, what, err)
		default:
			return last, damaged(path, fmt.Sprintf("it breaks off before commit %d", seq), err)
		}
		if r.Seq == 0 && seq == h.Last+1 && r.Commits == seq-h.First {
			return last, end(in, path)
		}
		c := r.commit()
		if r.Seq != seq || last.Seq > 0 && !follows(last, c) {
			return last, damaged(path, fmt.Sprintf("commit %d does not follow the one before", seq), nil)
		}
		if err := yield(c); err != nil {
			return last, err
		}
		last = c
	}
}

// reader remembers an error of reading, other than that the end comes early.
type reader struct {
	io.Reader
	failed error
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		r.failed = err
	}
	return n, err
}

// end returns an error unless there is nothing more.
func end(in *cbor.Decoder, path string) error {
	if err := in.Decode(new(record)); !errors.Is(err, io.EOF) {
		return damaged(path, "there is more after its end", err)
	}
	return nil
}

// decoding refuses what this version does not know.
var decoding = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
	}.DecMode()
	if err != nil {
		panic(err) // the options are constant
	}
	return mode
}()

func (r *record) commit() store.Commit {
	c := store.Commit{
		Seq: r.Seq, At: time.UnixMilli(r.At).UTC(), Actor: r.Actor, Operation: r.Operation, Format: r.Format,
		Effects: r.Effects,
	}
	copy(c.Chain[:], r.Chain)
	return c
}

// Remedy ends errors of an archive that is damaged.
const Remedy = ": restore it from a backup"

func damaged(path, what string, err error) error {
	if err == nil {
		return fmt.Errorf("the archive %s: %w: %s"+Remedy, path, store.ErrDamaged, what)
	}
	return fmt.Errorf("the archive %s: %w: %s (%w)"+Remedy, path, store.ErrDamaged, what, err)
}

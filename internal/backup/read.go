package backup

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// sink receives the records of a backup, piece by piece. A piece is checked before, and a tenant as
// a whole before done is called.
type sink interface {
	tenant(t tenantRecord) error
	parts(parts []store.Part) error
	manifest(m store.Manifest) error
	commits(commits []store.Commit) error
	rows(rows []store.Object) error
	claims(names []string) error
	done(t Tenant) error
	secrets(secrets []secretRecord) error
}

// nowhere is a sink that is used to verify only.
type nowhere struct{}

func (nowhere) tenant(tenantRecord) error     { return nil }
func (nowhere) parts([]store.Part) error      { return nil }
func (nowhere) manifest(store.Manifest) error { return nil }
func (nowhere) commits([]store.Commit) error  { return nil }
func (nowhere) rows([]store.Object) error     { return nil }
func (nowhere) claims([]string) error         { return nil }
func (nowhere) done(Tenant) error             { return nil }
func (nowhere) secrets([]secretRecord) error  { return nil }

// Check reads a backup from beginning to end and returns what is in it. Its error is a
// *DamagedError or *FormatError when that is what is wrong.
func Check(ctx context.Context, r io.Reader, progress func(Progress)) (*Contents, error) {
	return read(ctx, r, nowhere{}, "checking the backup", progress)
}

// read hands everything to a sink.
func read(ctx context.Context, r io.Reader, to sink, doing string, progress func(Progress)) (*Contents, error) {
	size := sizeOf(r)
	pieces, err := newPieceReader(r)
	if err != nil {
		return nil, err
	}
	in := &reader{pieces: pieces, to: to, seen: map[uuid.UUID]bool{}, progress: progress, doing: doing, size: size}
	in.contents.Program = pieces.program
	for !in.ended {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		kind, content, err := pieces.next()
		if err != nil {
			return nil, err
		}
		if err := in.piece(kind, content); err != nil {
			return nil, err
		}
	}
	if err := pieces.end(); err != nil {
		return nil, err
	}
	in.contents.Bytes = pieces.read
	return &in.contents, nil
}

type reader struct {
	pieces   *pieceReader
	to       sink
	contents Contents
	now      *tenantCheck // nil between tenants
	seen     map[uuid.UUID]bool
	index    []Tenant
	last     byte // the kind of the piece before
	ended    bool
	doing    string
	size     int64 // of the stream; 0 when it is not known
	read     int64 // and commits, so far
	progress func(Progress)
}

// sizeOf returns how large a stream is, if that can be known.
func sizeOf(r io.Reader) int64 {
	s, ok := r.(io.Seeker)
	if !ok {
		return 0
	}
	at, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	end, err := s.Seek(0, io.SeekEnd)
	if _, back := s.Seek(at, io.SeekStart); err != nil || back != nil {
		return 0
	}
	return end - at
}

// orders are the kinds of pieces that may follow each.
var orders = map[byte]string{
	0:            "TSIE",
	kindTenant:   "PMCRLD",
	kindParts:    "PM",
	kindManifest: "CRLD",
	kindCommits:  "CRLD",
	kindRows:     "RLD",
	kindClaims:   "LD",
	kindDone:     "TSIE",
	kindSecrets:  "IE",
	kindIndex:    "IE",
}

func (in *reader) piece(kind byte, content []byte) error {
	if !slices.Contains([]byte(orders[in.last]), kind) {
		return in.pieces.damaged(fmt.Sprintf("a piece of kind %q does not belong behind one of kind %q", kind, in.last))
	}
	in.last = kind
	switch kind {
	case kindTenant:
		return in.begin(content)
	case kindSecrets:
		return in.secrets(content)
	case kindIndex:
		list, err := decode[[]Tenant](in.pieces, content)
		in.index = append(in.index, list...)
		return err
	case kindEnd:
		return in.end(content)
	}
	return in.ofTenant(kind, content)
}

func (in *reader) begin(content []byte) error {
	t, err := decode[tenantRecord](in.pieces, content)
	if err != nil {
		return err
	}
	in.now = newTenantCheck(in.pieces, t)
	return in.to.tenant(t)
}

func (in *reader) secrets(content []byte) error {
	list, err := decode[[]secretRecord](in.pieces, content)
	if err != nil {
		return err
	}
	for _, s := range list {
		in.contents.Secrets = append(in.contents.Secrets, s.Name)
	}
	return in.to.secrets(list)
}

func (in *reader) end(content []byte) error {
	end, err := decode[endRecord](in.pieces, content)
	if err != nil {
		return err
	}
	in.contents.At, in.contents.claims = time.UnixMilli(end.At).UTC(), end.Claims
	if !reflect.DeepEqual(in.index, in.contents.Tenants) || end.Tenants != int64(len(in.index)) ||
		end.Secrets != int64(len(in.contents.Secrets)) {
		return in.pieces.damaged(fmt.Sprintf("its index has %d tenants and %d secrets, not the %d and %d before it",
			len(in.index), end.Secrets, len(in.contents.Tenants), len(in.contents.Secrets)))
	}
	in.ended = true
	return nil
}

// ofTenant takes a piece of the tenant that was begun.
func (in *reader) ofTenant(kind byte, content []byte) error {
	switch kind {
	case kindParts:
		return in.parts(content)
	case kindManifest:
		return in.manifest(content)
	case kindCommits:
		return in.commits(content)
	case kindRows:
		return in.rows(content)
	case kindClaims:
		return in.claims(content)
	}
	return in.done(content)
}

// advance counts so many rows, and reports progress.
func (in *reader) advance(n int) {
	in.read += int64(n)
	if in.progress == nil {
		return
	}
	part := -1.0
	if in.size > 0 {
		part = min(1, float64(in.pieces.read)/float64(in.size))
	}
	in.progress(Progress{in.doing, part, in.read})
}

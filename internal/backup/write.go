package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// Options say what is backed up.
type Options struct {
	Tenants        []uuid.UUID // nil: all
	WithoutSecrets bool
	Program        string           // the version of this program
	Now            func() time.Time // nil: time.Now
	Progress       func(Progress)   // may be nil
}

// Progress is the progress of an operation on tenants.
type Progress struct {
	Doing string
	Part  float64 // from 0 to 1; less than 0 when it is not known
	Rows  int64   // and commits, so far
}

// Contents are what is in a backup.
type Contents struct {
	Program string // that wrote it
	At      time.Time
	Tenants []Tenant
	Secrets []string // their names
	Format  uint32   // the newest format of the commits; 0 when there are none
	Bytes   int64

	claims []string // of the installation
}

// Write writes tenants of a store to a stream.
func Write(ctx context.Context, w io.Writer, s store.Store, o Options) (*Contents, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	pieces, err := newPieceWriter(w, cmp.Or(o.Program, "(devel)"))
	if err != nil {
		return nil, err
	}
	b := &writer{
		store: s, options: o, pieces: pieces,
		contents: Contents{Program: cmp.Or(o.Program, "(devel)"), At: o.Now().UTC().Truncate(time.Millisecond)},
	}
	if err := b.all(ctx); err != nil {
		return nil, err
	}
	b.contents.Bytes = pieces.written
	return &b.contents, nil
}

type writer struct {
	store        store.Store
	options      Options
	pieces       *pieceWriter
	contents     Contents
	written      int64 // commits and rows, of all tenants
	done, total  int64 // those of the current tenant
	nth, tenants int   // the index of the current tenant, and the number of tenants
}

func (b *writer) all(ctx context.Context) error {
	claims, err := b.store.ClaimsOf(ctx, uuid.Nil)
	if err != nil {
		return err
	}
	for _, c := range claims {
		b.contents.claims = append(b.contents.claims, c.Name)
	}
	slices.Sort(b.contents.claims)
	ids := b.options.Tenants
	if ids == nil {
		if ids, err = b.store.Tenants(ctx); err != nil {
			return err
		}
	}
	for i, id := range ids {
		b.done, b.total, b.nth, b.tenants = 0, 0, i, len(ids)
		err := b.store.View(ctx, id, func(v store.View) error { return b.tenant(ctx, id, v) })
		if errors.Is(err, errUnpublished) && b.options.Tenants == nil {
			continue
		}
		if err != nil {
			return fmt.Errorf("back up tenant %s: %w", id, err)
		}
	}
	if !b.options.WithoutSecrets {
		if err := b.secrets(ctx); err != nil {
			return err
		}
	}
	return b.end()
}

// errUnpublished means that a tenant has no commit: it is being restored or copied, or its creation
// was cut off.
var errUnpublished = fmt.Errorf("it has no commit: %w", store.ErrNotFound)

func (b *writer) tenant(ctx context.Context, id uuid.UUID, v store.View) error {
	place, err := v.Place()
	if err != nil {
		return err
	}
	if place.Seq == 0 {
		return errUnpublished
	}
	floors, err := v.Floors()
	if err != nil {
		return err
	}
	commits, rows, err := v.Count()
	if err != nil {
		return err
	}
	t := &tenantWriter{writer: b, view: v, id: id, commits: newDigest(), rows: newDigest()}
	t.Tenant = Tenant{ID: id, Seq: place.Seq, Chain: place.Chain, LogFloor: max(floors.Log, 1)}
	b.total = commits + rows
	if err := b.pieces.add(kindTenant, tenantRecord{ID: id, LogFloor: t.LogFloor}); err != nil {
		return err
	}
	for _, write := range []func(context.Context) error{t.snapshot, t.writeCommits, t.writeRows, t.writeClaims} {
		if err := write(ctx); err != nil {
			return err
		}
	}
	t.Commits, t.CommitSum = t.commits.n, t.commits.sum()
	t.Rows, t.RowSum = t.rows.n, t.rows.sum()
	b.contents.Tenants = append(b.contents.Tenants, t.Tenant)
	return b.pieces.add(kindDone, t.Tenant)
}

// secrets writes the installation's secrets as they are stored.
func (b *writer) secrets(ctx context.Context) error {
	names, err := b.store.SecretNames(ctx)
	names = slices.DeleteFunc(names, func(name string) bool { return name == store.FormatSecret })
	if err != nil || len(names) == 0 {
		return err
	}
	var records []secretRecord
	for _, name := range names {
		value, err := b.store.Secret(ctx, name, func() ([]byte, error) { return nil, store.ErrNotFound })
		if err != nil {
			return err
		}
		records = append(records, secretRecord{Name: name, Value: value})
	}
	b.contents.Secrets = names
	return b.pieces.add(kindSecrets, records)
}

// indexSize is how many tenants a piece of the index has.
const indexSize = 4096

func (b *writer) end() error {
	for list := range slices.Chunk(b.contents.Tenants, indexSize) {
		if err := b.pieces.add(kindIndex, list); err != nil {
			return err
		}
	}
	return b.pieces.add(kindEnd, endRecord{
		At: b.contents.At.UnixMilli(), Tenants: int64(len(b.contents.Tenants)),
		Secrets: int64(len(b.contents.Secrets)), Claims: b.contents.claims,
	})
}

// advance counts so many rows, and reports progress.
func (b *writer) advance(n int) {
	b.done, b.written = b.done+int64(n), b.written+int64(n)
	if b.options.Progress != nil {
		part := float64(b.nth) + min(1, float64(b.done)/float64(max(b.total, 1)))
		b.options.Progress(Progress{"backing up", part / float64(b.tenants), b.written})
	}
}

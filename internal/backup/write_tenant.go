package backup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// tenantWriter writes one tenant.
type tenantWriter struct {
	*writer
	Tenant
	id            uuid.UUID
	view          store.View
	commits, rows *digest
}

// batch gathers records until they are worth a piece.
type batch[R any] struct {
	pieces  *pieceWriter
	kind    byte
	records []R
	bytes   int
}

func (b *batch[R]) add(record R, bytes int) error {
	b.records = append(b.records, record)
	if b.bytes += bytes; b.bytes < pieceSize {
		return nil
	}
	return b.flush()
}

func (b *batch[R]) flush() error {
	if len(b.records) == 0 {
		return nil
	}
	err := b.pieces.addSized(b.kind, b.records, b.bytes+recordWeight)
	clear(b.records) // so that their data can be collected
	b.records, b.bytes = b.records[:0], 0
	return err
}

// snapshot writes the newest snapshot, if there is one: a tenant is ready sooner with it, and must
// have it when the log no longer begins with the first commit. Other programs may replace it
// meanwhile; its parts are kept for an hour then.
func (t *tenantWriter) snapshot(ctx context.Context) error {
	list, err := t.view.Manifests()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		if t.LogFloor > 1 {
			return fmt.Errorf("its log begins with commit %d, and there is no snapshot: %w",
				t.LogFloor, store.ErrDamaged)
		}
		return nil
	}
	newest := list[0]
	names := append([]string{newest.Head}, newest.Parts...)
	slices.Sort(names)
	out := batch[partRecord]{pieces: t.pieces, kind: kindParts}
	for _, name := range slices.Compact(names) {
		parts, err := t.store.Parts(ctx, t.id, []string{name})
		if err != nil {
			return err
		}
		if err := out.add(partRecord{Name: name, Data: parts[0].Data}, recordWeight+len(parts[0].Data)); err != nil {
			return err
		}
	}
	if err := out.flush(); err != nil {
		return err
	}
	return t.pieces.add(kindManifest, manifestRecord{Seq: newest.Seq, Head: newest.Head, Parts: newest.Parts})
}

// recordWeight is what a record takes besides its document or effects, in bytes.
const recordWeight = 64

func (t *tenantWriter) writeCommits(context.Context) error {
	out := batch[commitRecord]{pieces: t.pieces, kind: kindCommits}
	done := 0
	err := t.view.Commits(t.LogFloor-1, func(c store.Commit) error {
		t.commits.commit(&c)
		t.contents.Format = max(t.contents.Format, c.Format)
		if done++; done%1000 == 0 {
			t.advance(1000)
		}
		return out.add(recordOf(c), recordWeight+len(c.Effects))
	})
	if err != nil {
		return err
	}
	t.advance(done % 1000)
	return out.flush()
}

func (t *tenantWriter) writeRows(context.Context) error {
	out := batch[rowRecord]{pieces: t.pieces, kind: kindRows}
	for key := (store.RowKey{}); ; {
		rows, err := t.view.Rows(key, rowsAtOnce, pieceSize)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return out.flush()
		}
		for i := range rows {
			t.rows.row(&rows[i])
			if err := out.add(recordOfRow(rows[i]), recordWeight+len(rows[i].Document)); err != nil {
				return err
			}
		}
		key = rows[len(rows)-1].RowKey()
		t.advance(len(rows))
	}
}

// rowsAtOnce is how many rows are read at once, unless they have more bytes than a piece.
const rowsAtOnce = 1024

// writeClaims writes the names that the tenant has, or is about to have: a name that it turns out
// not to have is given up when the tenant is loaded.
func (t *tenantWriter) writeClaims(context.Context) error {
	claims, err := t.view.Claims()
	if err != nil {
		return err
	}
	t.Claims = int64(len(claims))
	slices.SortFunc(claims, func(a, b store.Claim) int { return strings.Compare(a.Name, b.Name) })
	out := batch[string]{pieces: t.pieces, kind: kindClaims}
	for _, c := range claims {
		if err := out.add(c.Name, len(c.Name)); err != nil {
			return err
		}
	}
	return out.flush()
}

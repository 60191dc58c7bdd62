package export

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/archive"
	"licensor/internal/engine"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// Store has the parts of a store that an export needs.
type Store interface {
	engine.Store
	store.Moves
}

// Options say how tenants are read.
type Options struct {
	// Archive has commits that were removed from logs; nil: they are missing in the table commits.
	Archive  *archive.Folder
	Progress func(Progress) // nil: none
	// Image is an image of the tenant from before the export, in a program that has loaded it; nil:
	// the export reads another one from the store.
	Image *tenant.Image
	// WithoutActivity leaves out when users were last seen to sign in.
	WithoutActivity bool
}

// Progress is how far the export of a tenant has come.
type Progress struct {
	Tenant      uuid.UUID
	Done, Total int64 // rows, approximately
}

// Tenant is a tenant as of one commit.
type Tenant struct {
	ID    uuid.UUID
	Seq   uint64 // the commit
	ctx   context.Context
	view  store.View
	store Store
	image *tenant.Image
	Options
	progress Progress

	seen     map[uint32]store.Activity // of users below seenUpTo
	seenUpTo uint32
}

// View hands to do a tenant as it is now. The error is store.ErrNotFound if it does not exist.
func View(ctx context.Context, s Store, id uuid.UUID, o Options, do func(t *Tenant) error) error {
	return s.View(ctx, id, func(v store.View) error {
		img, err := o.imageAt(ctx, s, id, v)
		if err != nil {
			return err
		}
		return do(&Tenant{ID: id, Seq: img.Seq, ctx: ctx, view: v, store: s, image: img, Options: o})
	})
}

func (o *Options) imageAt(ctx context.Context, s Store, id uuid.UUID, v store.View) (*tenant.Image, error) {
	if o.Image != nil {
		return engine.ImageAfter(ctx, s, id, v, o.Image)
	}
	return engine.ImageAt(ctx, s, id, v)
}

// begin counts what the tables have, for the progress.
func (t *Tenant) begin(tables []*table) {
	t.progress = Progress{Tenant: t.ID}
	for _, table := range tables {
		t.progress.Total += int64(table.size(t))
	}
}

// advance counts a processed row, and reports progress. It returns an error when the export must
// end.
func (t *Tenant) advance() error {
	t.progress.Done++
	if t.progress.Done%256 != 0 {
		return nil
	}
	if t.Options.Progress != nil {
		t.Options.Progress(t.progress)
	}
	return t.ctx.Err()
}

// How many rows are read at once, and how many bytes of documents.
const (
	rowsAtOnce = 4096
	rowBytes   = 4 << 20
)

// rows calls yield with the rows of a kind, by ordinal.
func (t *Tenant) rows(kind store.Kind, yield func(row *store.Object) error) error {
	key := store.RowKey{Kind: kind - 1, Ordinal: 1<<32 - 1}
	for {
		rows, err := t.view.Rows(key, rowsAtOnce, rowBytes)
		if err != nil {
			return fmt.Errorf("read the rows of tenant %s: %w", t.ID, err)
		}
		for i := range rows {
			if rows[i].Kind != kind {
				return nil
			}
			if err := yield(&rows[i]); err != nil {
				return err
			}
		}
		if len(rows) == 0 {
			return nil
		}
		key = rows[len(rows)-1].RowKey()
	}
}

// activity returns when a user was last seen to sign in; nil: never. It is that of now, since it is
// not part of commits. Users must be asked for in ascending order, and are read many at once.
func (t *Tenant) activity(user uint32) (*store.Activity, error) {
	if t.WithoutActivity {
		return nil, nil
	}
	if user >= t.seenUpTo {
		users := make([]uint32, rowsAtOnce)
		for i := range users {
			users[i] = user + uint32(i)
		}
		list, err := t.store.Activities(t.ctx, t.ID, users)
		if err != nil {
			return nil, err
		}
		t.seen, t.seenUpTo = map[uint32]store.Activity{}, user+rowsAtOnce
		for _, a := range list {
			t.seen[a.User] = a
		}
	}
	a, ok := t.seen[user]
	if !ok {
		return nil, nil
	}
	return &a, nil
}

// commits calls yield with the commits, first those in the archive.
func (t *Tenant) commits(yield func(c *store.Commit) error) error {
	floors, err := t.view.Floors()
	if err != nil {
		return err
	}
	first, last := max(floors.Log, 1), uint64(0)
	if t.Archive != nil {
		err := t.Archive.Commits(t.ID, func(c store.Commit) error {
			if c.Seq >= first {
				return nil // the log still has it
			}
			last = c.Seq
			return yield(&c)
		})
		if err != nil {
			return err
		}
		if last > 0 && last+1 < first {
			return fmt.Errorf("the archive of tenant %s ends at commit %d, and its log begins with commit %d: "+
				"those in between are missing: %w", t.ID, last, first, store.ErrDamaged)
		}
	}
	return t.view.Commits(first-1, func(c store.Commit) error { return yield(&c) })
}

package engine

import (
	"context"
	"fmt"
	"time"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// filledAtOnce is the number of rows that are read at once to fill the columns.
const filledAtOnce = 4096

// fill returns an image whose columns are filled from the rows, for a tenant of an earlier version,
// whose snapshot or commits do not have their values. This happens once: the next snapshot has the
// columns.
func (t *Tenant) fill(ctx context.Context, img *tenant.Image) (*tenant.Image, error) {
	next := *img
	next.Directory = img.Directory.WithoutValues()
	f := &filling{t, &next, time.Now(), 0}
	for _, kind := range []store.Kind{store.KindUser, store.KindGroup} {
		for _, deleted := range []bool{false, true} {
			if err := f.rows(ctx, kind, deleted); err != nil {
				return nil, err
			}
		}
	}
	if f.done > 0 {
		t.options.Log.Info("columns were filled from the documents of an earlier version", "tenant", t.id, "objects", f.done)
	}
	return &next, nil
}

// filling is the progress of filling the columns.
type filling struct {
	*Tenant
	img  *tenant.Image
	told time.Time // when progress was last logged
	done int
}

// rows fills the columns of one kind of objects, live or deleted.
func (f *filling) rows(ctx context.Context, kind store.Kind, deleted bool) error {
	query := store.Query{Kind: kind, Deleted: deleted, After: -1, Limit: filledAtOnce}
	for {
		rows, err := f.store.Objects(ctx, f.id, query)
		if err != nil || len(rows) == 0 {
			return err
		}
		draft := f.img.Directory.Draft()
		for _, row := range rows {
			if kind == store.KindUser && row.Ordinal >= f.img.Directory.Users() ||
				kind == store.KindGroup && row.Ordinal >= f.img.Directory.Groups() {
				return fmt.Errorf("the row of object %d of kind %d is not in the log", row.Ordinal, kind)
			}
			if err := fillRow(draft, row); err != nil {
				return err
			}
		}
		f.img.Directory = draft.Finish()
		query.After = int64(rows[len(rows)-1].Ordinal)
		if f.done += len(rows); time.Since(f.told) > 5*time.Second {
			f.told = time.Now()
			f.options.Log.Info("filling columns from the documents of an earlier version", "tenant", f.id, "done", f.done,
				"of", f.img.Directory.Users()+f.img.Directory.Groups())
		}
	}
}

func fillRow(draft *directory.Draft, row store.Object) error {
	set, values := draft.SetUserValues, []column.Change(nil)
	if row.Kind == store.KindUser {
		u, err := directory.ParseUser(row.Document)
		if err != nil {
			return err
		}
		values = u.Values()
	} else {
		g, err := directory.ParseGroup(row.Document)
		if err != nil {
			return err
		}
		set, values = draft.SetGroupValues, g.Values()
	}
	set(row.Ordinal, values)
	return nil
}

package copying

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"licensor/internal/store"
)

const (
	marksAtOnce = 4096
	// Rows that are written at once.
	rowsAtOnce = 10_000
	rowBytes   = 16 << 20
	// gap is how many rows that are the same are read along between two that are not.
	gap = 64
)

// pages yields the marks of a view, page by page.
func pages(v store.View) iter.Seq2[[]store.Mark, error] {
	return func(yield func([]store.Mark, error) bool) {
		for key := (store.RowKey{}); ; {
			page, err := v.Marks(key, marksAtOnce)
			if len(page) == 0 || err != nil {
				if err != nil {
					yield(nil, err)
				}
				return
			}
			if !yield(page, nil) {
				return
			}
			key = page[len(page)-1].RowKey
		}
	}
}

// targetMarks yields the marks that the target has. Its view ends with the last of them: while the
// rows behind are written there is none.
func (c *copier) targetMarks(ctx context.Context) iter.Seq2[store.Mark, error] {
	return func(yield func(store.Mark, error) bool) {
		err := c.to.View(ctx, c.id, func(v store.View) error {
			for page, err := range pages(v) {
				if err != nil {
					return err
				}
				for _, m := range page {
					if !yield(m, nil) {
						return errEnough
					}
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(store.Mark{}, err)
		}
	}
}

// target are the rows of the target that come next.
type target struct {
	next func() (store.Mark, error, bool)
	mark store.Mark
	more bool
}

func (t *target) advance() (err error) {
	t.mark, err, t.more = t.next()
	return err
}

// rows makes the target's rows those of the view, and returns how many were different.
func (c *copier) rows(ctx context.Context, v store.View) (changed int64, err error) {
	next, stop := iter.Pull2(c.targetMarks(ctx))
	defer stop()
	there := &target{next: next}
	if err := there.advance(); err != nil {
		return 0, err
	}
	w := &rowWriter{copier: c, view: v}
	for page, err := range pages(v) {
		if err != nil {
			return 0, err
		}
		for _, here := range page {
			same, err := w.compare(ctx, here, there)
			if err != nil {
				return 0, err
			}
			if err := w.take(ctx, here, same); err != nil {
				return 0, err
			}
		}
		if err := w.read(ctx); err != nil {
			return 0, err
		}
		w.before = page[len(page)-1].RowKey
		c.compared += int64(len(page))
		c.report()
	}
	for there.more {
		if err := w.remove(ctx, there); err != nil {
			return 0, err
		}
	}
	return w.changed, w.flush(ctx)
}

// rowWriter gathers the rows that differ.
type rowWriter struct {
	*copier
	view    store.View
	before  store.RowKey // behind which the run begins
	run     int          // rows of the view since then, up to the last one that differs
	same    int          // and after that one
	differ  map[store.RowKey]bool
	batch   []store.Object
	bytes   int
	changed int64
}

// compare reports whether the target has a row of the view. Rows before it, which the view does not
// have, are removed.
func (w *rowWriter) compare(ctx context.Context, here store.Mark, there *target) (bool, error) {
	for there.more && there.mark.RowKey.Compare(here.RowKey) < 0 {
		if err := w.remove(ctx, there); err != nil {
			return false, err
		}
	}
	if !there.more || there.mark.RowKey != here.RowKey {
		return false, nil
	}
	same := there.mark == here
	return same, there.advance()
}

func (w *rowWriter) remove(ctx context.Context, there *target) error {
	row := store.Object{Kind: there.mark.Kind, Ordinal: there.mark.Ordinal, Purged: true}
	if err := w.put(ctx, row); err != nil {
		return err
	}
	return there.advance()
}

// take notes a row of the view. Those that differ are read together, with few that are the same.
func (w *rowWriter) take(ctx context.Context, here store.Mark, same bool) error {
	if same {
		if w.same++; w.run > 0 && w.same > gap {
			if err := w.read(ctx); err != nil {
				return err
			}
		}
		if w.run == 0 {
			w.before, w.same = here.RowKey, 0
		}
		return nil
	}
	if w.run == 0 {
		w.differ = map[store.RowKey]bool{}
	}
	w.differ[here.RowKey] = true
	w.run, w.same = w.run+w.same+1, 0
	return nil
}

// read reads the rows of the run and puts those that differ.
func (w *rowWriter) read(ctx context.Context) error {
	key := w.before
	for left := w.run; left > 0; {
		rows, err := w.view.Rows(key, left, rowBytes)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return fmt.Errorf("the row after %v of the source cannot be read: %w", key, store.ErrDamaged)
		}
		for _, o := range rows {
			if w.differ[o.RowKey()] {
				if err := w.put(ctx, o); err != nil {
					return err
				}
			}
		}
		key, left = rows[len(rows)-1].RowKey(), left-len(rows)
	}
	w.run, w.same = 0, 0
	return nil
}

func (w *rowWriter) put(ctx context.Context, o store.Object) error {
	w.batch, w.bytes = append(w.batch, o), w.bytes+len(o.Document)
	w.changed++
	if len(w.batch) < rowsAtOnce && w.bytes < rowBytes {
		return nil
	}
	return w.flush(ctx)
}

// flush writes the rows and reads them back.
func (w *rowWriter) flush(ctx context.Context) error {
	if len(w.batch) == 0 {
		return nil
	}
	if err := w.to.Fill(ctx, w.id, nil, w.batch); err != nil {
		return err
	}
	ordinals, want := map[store.Kind][]uint32{}, map[store.RowKey]store.Object{}
	for _, o := range w.batch {
		ordinals[o.Kind] = append(ordinals[o.Kind], o.Ordinal)
		want[o.RowKey()] = o
	}
	for kind, list := range ordinals {
		rows, err := w.to.Objects(ctx, w.id, store.Query{Kind: kind, Ordinals: list, After: -1})
		if err != nil {
			return err
		}
		for _, got := range rows {
			if o := want[got.RowKey()]; o.Purged || !alike(got, o) {
				return fmt.Errorf("object %d of kind %d differs when read back: %w",
					got.Ordinal, kind, store.ErrDamaged)
			}
			delete(want, got.RowKey())
		}
	}
	for _, o := range want {
		if !o.Purged {
			return fmt.Errorf("object %d of kind %d was not read back: %w", o.Ordinal, o.Kind, store.ErrDamaged)
		}
	}
	w.batch, w.bytes = w.batch[:0], 0
	return nil
}

func alike(a, b store.Object) bool {
	return a.ID == b.ID && a.Seq == b.Seq && a.Deleted.Equal(b.Deleted) && bytes.Equal(a.Document, b.Document)
}

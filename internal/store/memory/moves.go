package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// View implements store.Store, with a copy of the tenant.
func (s *Store) View(ctx context.Context, id uuid.UUID, do func(v store.View) error) error {
	var v view
	err := s.do(ctx, func(w *World) (err error) {
		t, err := w.tenant(id)
		if err != nil {
			return err
		}
		v = view{ctx, id, (&World{tenants: map[uuid.UUID]*tenant{id: t.clone()}, claims: maps.Clone(w.claims)}).Open()}
		return nil
	})
	if err != nil {
		return err
	}
	return do(v)
}

// clone returns a tenant that stays as it is when rows, commits and manifests of the other change.
// Those themselves never do.
func (t *tenant) clone() *tenant {
	c := &tenant{
		end: t.end, floors: t.floors, frozen: t.frozen,
		log: slices.Clone(t.log), rows: map[store.Kind]map[uint32]row{},
		manifests: maps.Clone(t.manifests),
	}
	for kind, rows := range t.rows {
		c.rows[kind] = maps.Clone(rows)
	}
	return c
}

// view is a store with the copy of one tenant.
type view struct {
	ctx context.Context
	id  uuid.UUID
	of  *Store
}

// Place implements store.View.
func (v view) Place() (store.Place, error) { return v.of.Place(v.ctx, v.id) }

// Floors implements store.View.
func (v view) Floors() (store.Floors, error) { return v.of.Floors(v.ctx, v.id) }

// Manifests implements store.View.
func (v view) Manifests() ([]store.Manifest, error) { return v.of.Manifests(v.ctx, v.id) }

// Claims implements store.View.
func (v view) Claims() ([]store.Claim, error) { return v.of.ClaimsOf(v.ctx, v.id) }

// Count implements store.View.
func (v view) Count() (commits, rows int64, err error) {
	err = v.of.in(v.ctx, v.id, func(t *tenant) error {
		commits, rows = int64(len(t.log)), int64(len(t.after(store.RowKey{})))
		return nil
	})
	return commits, rows, err
}

// Commits implements store.View.
func (v view) Commits(after uint64, yield func(store.Commit) error) error {
	return v.of.Commits(v.ctx, v.id, after, yield)
}

// Rows implements store.View.
func (v view) Rows(after store.RowKey, limit, bytes int) (found []store.Object, err error) {
	err = v.of.in(v.ctx, v.id, func(t *tenant) error {
		for _, r := range t.after(after) {
			if len(found) == limit || bytes <= 0 {
				break
			}
			bytes -= len(r.Document)
			r.Document = slices.Clone(r.Document)
			found = append(found, r.Object)
		}
		return nil
	})
	return found, err
}

// Marks implements store.View.
func (v view) Marks(after store.RowKey, limit int) (marks []store.Mark, err error) {
	err = v.of.in(v.ctx, v.id, func(t *tenant) error {
		for _, r := range t.after(after) {
			if len(marks) < limit {
				marks = append(marks, r.Mark())
			}
		}
		return nil
	})
	return marks, err
}

// after returns the rows after a key, in order.
func (t *tenant) after(key store.RowKey) (found []row) {
	for _, rows := range t.rows {
		for _, r := range rows {
			if r.RowKey().Compare(key) > 0 {
				found = append(found, r)
			}
		}
	}
	slices.SortFunc(found, func(a, b row) int { return a.RowKey().Compare(b.RowKey()) })
	return found
}

// Fill implements store.Store.
func (s *Store) Fill(ctx context.Context, id uuid.UUID, commits []store.Commit, objects []store.Object) error {
	return s.in(ctx, id, func(t *tenant) error {
		if err := t.unpublished(id); err != nil {
			return err
		}
		if err := areDocuments(objects); err != nil {
			return err
		}
		if len(t.log) == 0 && len(commits) > 0 {
			t.floors.Log = commits[0].Seq
		}
		for _, c := range commits {
			at, there := slices.BinarySearchFunc(t.log, c.Seq, func(c store.Commit, seq uint64) int {
				return int(c.Seq) - int(seq)
			})
			if there {
				t.log[at] = stored(c)
			} else {
				t.log = slices.Insert(t.log, at, stored(c))
			}
		}
		for _, o := range objects {
			delete(t.rows[o.Kind], o.Ordinal) // with the keys that it had
			t.put(o)
		}
		return nil
	})
}

// unpublished returns an error when the tenant is published.
func (t *tenant) unpublished(id uuid.UUID) error {
	if t.end.Seq > 0 {
		return fmt.Errorf("tenant %s is published, with commit %d: %w", id, t.end.Seq, store.ErrConflict)
	}
	return nil
}

// Publish implements store.Store.
func (s *Store) Publish(ctx context.Context, id uuid.UUID, at store.Place, floors store.Floors) error {
	return s.in(ctx, id, func(t *tenant) error {
		if err := store.CheckPublish(at); err != nil {
			return err
		}
		if err := t.unpublished(id); err != nil {
			return err
		}
		at.Epoch = t.end.Epoch + 1
		t.end, t.floors = at, store.Floors{Log: max(floors.Log, 1), Moved: floors.Moved}
		return nil
	})
}

// Discard implements store.Store.
func (s *Store) Discard(ctx context.Context, id uuid.UUID) (discarded int, err error) {
	err = s.do(ctx, func(w *World) error {
		t, err := w.tenant(id)
		if err != nil {
			return err
		}
		if err := t.unpublished(id); err != nil {
			return err
		}
		if discarded = t.discard(); discarded > 0 {
			return nil
		}
		delete(w.tenants, id)
		w.order = slices.DeleteFunc(w.order, func(other uuid.UUID) bool { return other == id })
		maps.DeleteFunc(w.claims, func(_ string, c store.Claim) bool { return c.Tenant == id })
		return nil
	})
	return discarded, err
}

// discard removes some of what a tenant has and returns how many that were.
func (t *tenant) discard() int {
	n := min(len(t.log), store.TrimRows)
	t.log = t.log[n:]
	for _, rows := range t.rows {
		for ordinal := range rows {
			if n < store.TrimRows {
				delete(rows, ordinal)
				n++
			}
		}
	}
	if n > 0 {
		return n
	}
	n = len(t.manifests) + len(t.parts)
	clear(t.manifests)
	clear(t.parts)
	return n
}

// Freeze implements store.Store.
func (s *Store) Freeze(ctx context.Context, id uuid.UUID, why string) (place store.Place, err error) {
	err = s.in(ctx, id, func(t *tenant) error {
		t.frozen = why
		t.end.Epoch++
		place = t.end
		return nil
	})
	return place, err
}

// Frozen implements store.Store.
func (s *Store) Frozen(ctx context.Context, id uuid.UUID) (why string, err error) {
	err = s.in(ctx, id, func(t *tenant) error {
		why = t.frozen
		return nil
	})
	return why, err
}

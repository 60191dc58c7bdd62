package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// Rewind implements store.Store.
func (s *Store) Rewind(ctx context.Context, id uuid.UUID, to store.Past) (place store.Place, err error) {
	err = s.do(ctx, func(w *World) error {
		t, err := w.tenant(id)
		if err != nil {
			return err
		}
		if err := t.rewind(to); err != nil {
			return fmt.Errorf("tenant %s: %w", id, err)
		}
		place = t.end
		w.signIns.rewind(id, to)
		return nil
	})
	return place, err
}

func (t *tenant) rewind(to store.Past) error {
	switch {
	case t.frozen != "":
		return fmt.Errorf("%w: %s", store.ErrFrozen, t.frozen)
	case t.end.Seq < to.Seq:
		return fmt.Errorf("the log ends at commit %d: %w", t.end.Seq, store.ErrConflict)
	case !store.Rewindable(t.floors, slices.Collect(maps.Values(t.manifests)), to.Seq):
		return store.ErrTrimmed
	}
	if err := areDocuments(to.Rows); err != nil {
		return err
	}
	t.log = slices.DeleteFunc(t.log, func(c store.Commit) bool { return c.Seq > to.Seq })
	maps.DeleteFunc(t.manifests, func(_ string, m store.Manifest) bool { return m.Seq > to.Seq })
	t.end = store.Place{Seq: to.Seq, Chain: to.Chain, Epoch: t.end.Epoch + 1}
	t.floors.Moved = min(t.floors.Moved, to.Seq)
	was := t.rows
	t.rows = map[store.Kind]map[uint32]row{}
	for _, o := range to.Rows {
		t.put(o)
		t.keepKeys(was[o.Kind][o.Ordinal], o, to.Seq)
	}
	return nil
}

// keepKeys gives a row the keys again that it had up to a commit.
func (t *tenant) keepKeys(was row, o store.Object, seq uint64) {
	now := t.rows[o.Kind][o.Ordinal]
	earlier := slices.DeleteFunc(slices.Clone(was.keys), func(k keys) bool { return k.seq > seq })
	if len(earlier) > 0 {
		now.keys = earlier
		t.rows[o.Kind][o.Ordinal] = now
	}
}

func (in *signIns) rewind(id uuid.UUID, to store.Past) {
	in.list = slices.DeleteFunc(in.list, func(s store.SignIn) bool {
		gone := s.Tenant == id && s.Number > to.SignIn
		if gone {
			delete(in.ids, signInKey{id, s.ID})
		}
		return gone
	})
	maps.DeleteFunc(in.activities, func(key activityKey, _ store.Activity) bool { return key.tenant == id })
	for _, a := range to.Activities {
		in.activities[activityKey{id, a.User}] = a
	}
}

package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// signIns are the sign-ins of all tenants.
type signIns struct {
	list       []store.SignIn // by number
	ids        map[signInKey]bool
	last       uint64
	activities map[activityKey]store.Activity
}

type signInKey struct{ tenant, id uuid.UUID }

type activityKey struct {
	tenant uuid.UUID
	user   uint32
}

// AddSignIns implements store.Store.
func (s *Store) AddSignIns(ctx context.Context, list []store.SignIn, seen []store.Activity) error {
	return s.do(ctx, func(w *World) error {
		for _, added := range list {
			key := signInKey{added.Tenant, added.ID}
			if w.signIns.ids[key] {
				continue
			}
			w.signIns.ids[key] = true
			w.signIns.last++
			added.Number, added.At = w.signIns.last, time.UnixMilli(added.At.UnixMilli()).UTC()
			added.Data = bytes.Clone(added.Data)
			w.signIns.list = append(w.signIns.list, added)
		}
		for _, a := range seen {
			key := activityKey{a.Tenant, a.User}
			if was, ok := w.signIns.activities[key]; ok {
				a = was.Merge(a)
			}
			for _, seen := range []*store.Seen{&a.Interactive, &a.NonInteractive, &a.Successful} {
				*seen = store.SeenOf(seen.Milliseconds(), seen.ID)
			}
			w.signIns.activities[key] = a
		}
		return nil
	})
}

// LastSignIn implements store.Store.
func (s *Store) LastSignIn(ctx context.Context, _ uuid.UUID) (last uint64, err error) {
	err = s.do(ctx, func(w *World) error {
		last = w.signIns.last
		return nil
	})
	return last, err
}

// SignIns implements store.Store.
func (s *Store) SignIns(
	ctx context.Context, tenant uuid.UUID, query store.SignInQuery,
) (found []store.SignIn, err error) {
	order := func(a, b *store.SignIn) int {
		c := cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Number, b.Number))
		if query.Descending {
			return -c
		}
		return c
	}
	err = s.do(ctx, func(w *World) error {
		for _, in := range w.signIns.list {
			after := query.After == nil || order(&in, &store.SignIn{At: query.After.At, Number: query.After.Number}) > 0
			if after && in.Tenant == tenant && in.Number <= query.UpTo && !in.At.Before(query.From) &&
				(query.Until.IsZero() || in.At.Before(query.Until)) {
				in.Data = bytes.Clone(in.Data)
				found = append(found, in)
			}
		}
		return nil
	})
	slices.SortFunc(found, func(a, b store.SignIn) int { return order(&a, &b) })
	return found[:min(len(found), query.Limit)], err
}

// SignIn implements store.Store.
func (s *Store) SignIn(ctx context.Context, tenant, id uuid.UUID) (found store.SignIn, err error) {
	err = s.do(ctx, func(w *World) error {
		at := slices.IndexFunc(w.signIns.list, func(in store.SignIn) bool { return in.Tenant == tenant && in.ID == id })
		if at < 0 {
			return store.ErrNotFound
		}
		found = w.signIns.list[at]
		found.Data = bytes.Clone(found.Data)
		return nil
	})
	return found, err
}

// DropSignIns implements store.Store.
func (s *Store) DropSignIns(ctx context.Context, tenant uuid.UUID, before time.Time) (dropped int, err error) {
	err = s.do(ctx, func(w *World) error {
		w.signIns.list = slices.DeleteFunc(w.signIns.list, func(in store.SignIn) bool {
			gone := in.Tenant == tenant && in.At.Before(before) && dropped < store.TrimRows
			if gone {
				dropped++
				delete(w.signIns.ids, signInKey{in.Tenant, in.ID})
			}
			return gone
		})
		return nil
	})
	return dropped, err
}

// Activities implements store.Store.
func (s *Store) Activities(
	ctx context.Context, tenant uuid.UUID, users []uint32,
) (found []store.Activity, err error) {
	err = s.do(ctx, func(w *World) error {
		for _, user := range users {
			if a, ok := w.signIns.activities[activityKey{tenant, user}]; ok {
				found = append(found, a)
			}
		}
		return nil
	})
	return found, err
}

// ActiveUsers implements store.Store.
func (s *Store) ActiveUsers(
	ctx context.Context, tenant uuid.UUID, from, until time.Time,
) (users []uint32, err error) {
	all := from.IsZero() && until.IsZero()
	err = s.do(ctx, func(w *World) error {
		for key, a := range w.signIns.activities {
			at := a.Interactive.At
			if key.tenant == tenant && (all || !at.IsZero() && !at.Before(from) && at.Before(until)) {
				users = append(users, key.user)
			}
		}
		return nil
	})
	slices.Sort(users)
	return users, err
}

// SeenUsers implements store.Store.
func (s *Store) SeenUsers(ctx context.Context, tenant uuid.UUID, from time.Time) (users []uint32, err error) {
	err = s.do(ctx, func(w *World) error {
		for key, a := range w.signIns.activities {
			if last := a.Last(); key.tenant == tenant && !last.IsZero() && !last.Before(from) {
				users = append(users, key.user)
			}
		}
		return nil
	})
	slices.Sort(users)
	return users, err
}

// DropActivities implements store.Store.
func (s *Store) DropActivities(ctx context.Context, tenant uuid.UUID, users []uint32) error {
	return s.do(ctx, func(w *World) error {
		for _, user := range users {
			delete(w.signIns.activities, activityKey{tenant, user})
		}
		return nil
	})
}

package memory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// Claim implements store.Store.
func (s *Store) Claim(
	ctx context.Context, tenant uuid.UUID, names []string, at time.Time,
) (others []store.Claim, err error) {
	err = s.do(ctx, func(w *World) error {
		if others = w.others(tenant, names); len(others) > 0 {
			return nil
		}
		for _, name := range names {
			if _, ok := w.claims[name]; !ok {
				w.claims[name] = store.Claim{Name: name, Tenant: tenant, At: at.UTC().Truncate(time.Millisecond)}
			}
		}
		return nil
	})
	return others, err
}

// others returns the claims of names by other tenants.
func (w *World) others(tenant uuid.UUID, names []string) (others []store.Claim) {
	for _, name := range names {
		if c, ok := w.claims[name]; ok && c.Tenant != tenant {
			others = append(others, c)
		}
	}
	return others
}

// Settle implements store.Store.
func (s *Store) Settle(
	ctx context.Context, tenant uuid.UUID, has, hasNot []string,
) (others []store.Claim, err error) {
	err = s.do(ctx, func(w *World) error {
		for _, name := range hasNot {
			if w.claims[name].Tenant == tenant {
				delete(w.claims, name)
			}
		}
		for _, name := range has {
			if c, ok := w.claims[name]; !ok || c.Tenant == tenant {
				w.claims[name] = store.Claim{Name: name, Tenant: tenant}
			}
		}
		others = w.others(tenant, has)
		return nil
	})
	return others, err
}

// Claimed implements store.Store.
func (s *Store) Claimed(ctx context.Context, names []string) (claims []store.Claim, err error) {
	err = s.do(ctx, func(w *World) error {
		for _, name := range names {
			if c, ok := w.claims[name]; ok {
				claims = append(claims, c)
			}
		}
		return nil
	})
	return claims, err
}

// ClaimsOf implements store.Store.
func (s *Store) ClaimsOf(ctx context.Context, tenant uuid.UUID) (claims []store.Claim, err error) {
	err = s.do(ctx, func(w *World) error {
		for _, c := range w.claims {
			if c.Tenant == tenant {
				claims = append(claims, c)
			}
		}
		return nil
	})
	return claims, err
}

package engine

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/tenant"
)

// DropSignIns removes the sign-ins of a tenant that are no longer kept (docs/spec/audit.md U34). It
// loads the tenant only if its last snapshot says that there are some.
func (all *Tenants) DropSignIns(ctx context.Context, id uuid.UUID) error {
	oldest, err := all.store.SignIns(ctx, id, store.SignInQuery{UpTo: math.MaxInt64, Limit: 1})
	if err != nil || len(oldest) == 0 {
		return err
	}
	if !all.isLoaded(id) {
		days, err := all.savedSignInDays(ctx, id)
		if err != nil || !oldest[0].At.Before(daysBefore(all.options.Now(), days)) {
			return err
		}
	}
	t, err := all.Tenant(ctx, id)
	if err != nil {
		return err
	}
	defer t.Release()
	before := daysBefore(all.options.Now(), t.Image().SignInDays())
	return repeat(func() (int, error) { return all.store.DropSignIns(ctx, id, before) })
}

func daysBefore(now time.Time, days int) time.Time { return now.AddDate(0, 0, -days) }

// savedSignInDays returns how long sign-ins are kept according to the last snapshot.
func (all *Tenants) savedSignInDays(ctx context.Context, id uuid.UUID) (int, error) {
	h, err := all.savedHead(ctx, id)
	if err != nil || h == nil {
		return tenant.DefaultAuditDays, err
	}
	return cmp.Or(h.SignInDays, tenant.DefaultAuditDays), nil
}

// savedHead returns the head of the last snapshot; nil if there is none.
func (all *Tenants) savedHead(ctx context.Context, id uuid.UUID) (*tenant.Head, error) {
	list, err := all.store.Manifests(ctx, id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	parts, err := all.store.Parts(ctx, id, []string{list[0].Head})
	if err != nil {
		return nil, err
	}
	h, err := tenant.DecodeHead(parts[0].Data)
	if err != nil {
		return nil, fmt.Errorf("read the snapshot of tenant %s: its head: %w", id, err)
	}
	return h, nil
}

// dropActivities removes when users were last seen who were purged.
func (t *Tenant) dropActivities(ctx context.Context) error {
	users, err := t.store.ActiveUsers(ctx, t.id, time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	img := t.Image()
	users = slices.DeleteFunc(users, func(user uint32) bool {
		return user >= uint32(img.Directory.Users()) || !img.Directory.UserPurged(user)
	})
	for some := range slices.Chunk(users, store.TrimRows) {
		if err := t.store.DropActivities(ctx, t.id, some); err != nil {
			return err
		}
	}
	return nil
}

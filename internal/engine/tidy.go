package engine

import (
	"context"
	"iter"
	"slices"
	"time"

	"licensor/internal/tenant"

	"github.com/google/uuid"
)

// tidyBatch is the maximum number of objects that one commit purges.
const tidyBatch = 500

// Tidy repeatedly purges the objects of loaded tenants that were deleted more than 30 days ago
// (tenant.KeptFor), until the context ends.
func (all *Tenants) Tidy(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		for _, id := range all.loadedIDs() {
			if err := all.tidy(ctx, id); err != nil && ctx.Err() == nil {
				all.options.Log.Error("deleted objects could not be removed permanently; it is tried again later",
					"tenant", id, "error", err)
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (all *Tenants) loadedIDs() (ids []uuid.UUID) {
	for _, t := range all.Loaded() {
		ids = append(ids, t.id)
	}
	return ids
}

func (all *Tenants) tidy(ctx context.Context, id uuid.UUID) error {
	t, err := all.Tenant(ctx, id)
	if err != nil {
		return err
	}
	defer t.Release()
	return t.PurgeExpired(ctx)
}

// PurgeExpired purges the objects that were deleted more than 30 days ago, and removes when purged
// users were last seen.
func (t *Tenant) PurgeExpired(ctx context.Context) error {
	img := t.Image()
	var groups []uint32
	for g := range img.Directory.Groups() {
		if !img.Directory.GroupPurged(g) && img.Directory.GroupDeleted(g) {
			groups = append(groups, g)
		}
	}
	for batch := range slices.Chunk(img.Licensing.DeletedUsers().ToArray(), tidyBatch) {
		if _, err := t.Do(ctx, "system", tenant.PurgeExpired{Users: batch}); err != nil {
			return err
		}
	}
	for batch := range slices.Chunk(groups, tidyBatch) {
		if _, err := t.Do(ctx, "system", tenant.PurgeExpired{Groups: batch}); err != nil {
			return err
		}
	}
	for batch := range slices.Chunk(ordinals(img.Principals.Deleted()), tidyBatch) {
		if _, err := t.Do(ctx, "system", tenant.PurgeExpired{Principals: batch}); err != nil {
			return err
		}
	}
	for batch := range slices.Chunk(ordinals(img.Applications.Deleted()), tidyBatch) {
		if _, err := t.Do(ctx, "system", tenant.PurgeExpired{Applications: batch}); err != nil {
			return err
		}
	}
	for batch := range slices.Chunk(ordinals(img.Units.Deleted()), tidyBatch) {
		if _, err := t.Do(ctx, "system", tenant.PurgeExpired{Units: batch}); err != nil {
			return err
		}
	}
	return t.dropActivities(ctx)
}

func ordinals[T any](objects iter.Seq2[uint32, *T]) (list []uint32) {
	for ordinal := range objects {
		list = append(list, ordinal)
	}
	return list
}

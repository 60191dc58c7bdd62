package signins

import (
	"context"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/store"
)

// Activities returns when users of a tenant were last seen to sign in, by ordinal (U35). It has all
// that was reported before. Users who never were are omitted.
func (r *Recorder) Activities(
	ctx context.Context, tenant uuid.UUID, users []uint32,
) (map[uint32]store.Activity, error) {
	if err := r.Flush(ctx); err != nil {
		return nil, err
	}
	list, err := r.store.Activities(ctx, tenant, users)
	found := make(map[uint32]store.Activity, len(list))
	for _, a := range list {
		found[a.User] = a
	}
	return found, err
}

// Active returns the users of a tenant whose last interactive sign-in is not before a time, and
// before another (U35).
func (r *Recorder) Active(ctx context.Context, tenant uuid.UUID, from, until time.Time) (*roaring.Bitmap, error) {
	if err := r.Flush(ctx); err != nil {
		return nil, err
	}
	users, err := r.store.ActiveUsers(ctx, tenant, from, until)
	return roaring.BitmapOf(users...), err
}

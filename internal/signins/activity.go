package signins

import (
	"context"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/jsontext"
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

// Import stores when users were last seen to sign in elsewhere (U35). Times only move forward, so
// it can be repeated.
func (r *Recorder) Import(ctx context.Context, seen []store.Activity) error {
	if len(seen) == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.writing:
	}
	defer func() { r.writing <- struct{}{} }()
	for part := range slices.Chunk(merged(seen), mostAtOnce) {
		if err := r.store.AddSignIns(ctx, nil, part); err != nil {
			return err
		}
	}
	return nil
}

// AppendActivity appends Graph's signInActivity; null for nil.
func AppendActivity(b []byte, a *store.Activity) []byte {
	if a == nil {
		return append(b, "null"...)
	}
	b = appendSeen(append(b, '{'), "lastSignIn", a.Interactive)
	b = appendSeen(b, "lastNonInteractiveSignIn", a.NonInteractive)
	return append(appendSeen(b, "lastSuccessfulSignIn", a.Successful), '}')
}

// appendSeen appends a time and the id of its sign-in, which an import may not have brought.
func appendSeen(b []byte, prefix string, s store.Seen) []byte {
	b = jsontext.AppendName(b, prefix+"DateTime")
	if s.At.IsZero() {
		b = append(b, "null"...)
	} else {
		b = jsontext.AppendTime(b, s.At)
	}
	b = jsontext.AppendName(b, prefix+"RequestId")
	if s.ID == uuid.Nil {
		return append(b, "null"...)
	}
	return jsontext.AppendID(b, s.ID)
}

// merged merges the activities of each user: a transaction has one of each.
func merged(list []store.Activity) (each []store.Activity) {
	type key struct {
		tenant uuid.UUID
		user   uint32
	}
	places := map[key]int{}
	for _, a := range list {
		of := key{a.Tenant, a.User}
		if at, ok := places[of]; ok {
			each[at] = each[at].Merge(a)
			continue
		}
		places[of] = len(each)
		each = append(each, a)
	}
	return each
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

// Seen returns the users of a tenant who were last seen in any way not before a time.
func (r *Recorder) Seen(ctx context.Context, tenant uuid.UUID, from time.Time) (*roaring.Bitmap, error) {
	if err := r.Flush(ctx); err != nil {
		return nil, err
	}
	users, err := r.store.SeenUsers(ctx, tenant, from)
	return roaring.BitmapOf(users...), err
}

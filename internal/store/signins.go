package store

import (
	"context"
	"encoding/binary"
	"math"
	"time"

	"github.com/google/uuid"
)

// SignIns are what the authority has seen of people and programs that sign in. They are not part of
// a tenant's log, so they are neither replayed nor in snapshots.
type SignIns interface {
	// AddSignIns makes sign-ins durable, together with the activities that they result in, all or
	// none. Their numbers are set by the store. A sign-in whose tenant has one with its id is skipped,
	// so a call can be repeated. A process calls it from one goroutine at a time.
	AddSignIns(ctx context.Context, list []SignIn, seen []Activity) error
	// LastSignIn returns the greatest number of a tenant's sign-ins, or a greater one that no later
	// sign-in will have; 0 if there are none.
	LastSignIn(ctx context.Context, tenant uuid.UUID) (uint64, error)
	// SignIns returns the sign-ins that a query selects, in its order.
	SignIns(ctx context.Context, tenant uuid.UUID, query SignInQuery) ([]SignIn, error)
	// SignIn returns the sign-in with an id, otherwise ErrNotFound.
	SignIn(ctx context.Context, tenant, id uuid.UUID) (SignIn, error)
	// DropSignIns removes sign-ins before a time, at most TrimRows of them. It returns how many it
	// removed; callers repeat it until it returns 0.
	DropSignIns(ctx context.Context, tenant uuid.UUID, before time.Time) (int, error)
	// Activities returns the activities of users, in no particular order. Users without one are
	// omitted.
	Activities(ctx context.Context, tenant uuid.UUID, users []uint32) ([]Activity, error)
	// ActiveUsers returns the users whose last interactive sign-in is not before a time and before
	// another, in ascending order. With two zero times, it returns all users with an activity.
	ActiveUsers(ctx context.Context, tenant uuid.UUID, from, until time.Time) ([]uint32, error)
	// SeenUsers returns the users who were last seen in any way not before a time, in ascending order.
	SeenUsers(ctx context.Context, tenant uuid.UUID, from time.Time) ([]uint32, error)
	// DropActivities removes the activities of users, at most TrimRows of them.
	DropActivities(ctx context.Context, tenant uuid.UUID, users []uint32) error
}

// SignIn is one sign-in. Its content is up to the authority.
type SignIn struct {
	Tenant uuid.UUID
	Number uint64    // in the order of being added
	At     time.Time // UTC, whole milliseconds
	ID     uuid.UUID
	Data   []byte
}

// Sum returns the checksum of a sign-in's row, which is independent of its number.
func (s *SignIn) Sum() int64 {
	head := make([]byte, 0, 40)
	head = append(head, s.Tenant[:]...)
	head = binary.BigEndian.AppendUint64(head, uint64(s.At.UnixMilli()))
	head = append(head, s.ID[:]...)
	return sum(head, s.Data)
}

// SignInQuery selects sign-ins, ordered by time and then by number.
type SignInQuery struct {
	From, Until time.Time // only those not before From, and before Until unless that is zero
	UpTo        uint64    // only those with this number or a smaller one
	Descending  bool
	After       *SignInPlace // only those after this place in the order; nil: from its beginning
	Limit       int          // at least 1
}

// SignInPlace is the place of a sign-in in the order.
type SignInPlace struct {
	At     time.Time
	Number uint64
}

// Bounds returns the range of times of a query in milliseconds since 1970, both inclusive, and the
// place after which rows are selected: one before all others, in the order, if the query has none.
func (q *SignInQuery) Bounds() (from, until, afterAt, afterNumber int64) {
	from, until = math.MinInt64, math.MaxInt64
	if !q.From.IsZero() {
		from = FirstMilli(q.From)
	}
	if !q.Until.IsZero() {
		until = FirstMilli(q.Until) - 1
	}
	switch {
	case q.After == nil && q.Descending:
		return from, until, math.MaxInt64, math.MaxInt64
	case q.After == nil:
		return from, until, math.MinInt64, 0
	case q.Descending:
		until = min(until, q.After.At.UnixMilli())
	default:
		from = max(from, q.After.At.UnixMilli())
	}
	return from, until, q.After.At.UnixMilli(), int64(q.After.Number)
}

// Activity is when a user was last seen to sign in. AddSignIns only moves times forward. Rows have
// no checksums: a database compares their times itself.
type Activity struct {
	Tenant         uuid.UUID
	User           uint32 // ordinal
	Interactive    Seen   // the last attempt on a page
	NonInteractive Seen   // the last time without one
	Successful     Seen   // the last attempt on a page that has succeeded
}

// Seen is one time, with the id of its sign-in; zero: never.
type Seen struct {
	At time.Time // UTC, whole milliseconds
	ID uuid.UUID
}

// Last returns when the user was last seen in any way; the zero time for never.
func (a *Activity) Last() time.Time {
	return a.Interactive.Later(a.NonInteractive).Later(a.Successful).At
}

// Later returns the later one of two; the other one if they are equal.
func (s Seen) Later(other Seen) Seen {
	if other.At.IsZero() || other.At.Before(s.At) {
		return s
	}
	return other
}

// Merge returns the later times of two activities of a user.
func (a Activity) Merge(other Activity) Activity {
	a.Interactive = a.Interactive.Later(other.Interactive)
	a.NonInteractive = a.NonInteractive.Later(other.NonInteractive)
	a.Successful = a.Successful.Later(other.Successful)
	return a
}

// Milliseconds returns the time as it is stored, in milliseconds since 1970; 0 for never.
func (s Seen) Milliseconds() int64 {
	if s.At.IsZero() {
		return 0
	}
	return s.At.UnixMilli()
}

// SeenOf is the inverse of Milliseconds.
func SeenOf(milliseconds int64, id uuid.UUID) Seen {
	if milliseconds == 0 {
		return Seen{}
	}
	return Seen{time.UnixMilli(milliseconds).UTC(), id}
}

// FirstMilli returns the first whole millisecond since 1970 that is not before a time: rows have
// such times.
func FirstMilli(t time.Time) int64 {
	at := t.UnixMilli()
	if t.After(time.UnixMilli(at)) {
		at++
	}
	return at
}

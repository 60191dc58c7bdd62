package signins

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/turns"
)

// Query describes a page of sign-ins.
type Query struct {
	Holds       func(*SignIn) bool // the condition
	From, Until time.Time          // only those not before From, and before Until unless that is zero
	Descending  bool
	UpTo        uint64             // the last one when the first page was made; 0 for the first page
	After       *store.SignInPlace // the page begins after this place; nil: at the beginning
	Limit       int
}

// Page is a page of sign-ins.
type Page struct {
	SignIns []SignIn
	UpTo    uint64 // for the next page
	// Next is the place after which the next page begins; nil if there is none. A page may have fewer
	// sign-ins than its limit, or none, although there is a next one: it reads a bounded number.
	Next *store.SignInPlace
}

const (
	maxRead  = 20_000 // sign-ins that are read for a page at most
	readStep = 1000   // at once
)

// Read returns a page of the sign-ins of a tenant. The first page has all that were reported before
// (U30), and the others what there was then.
func (r *Recorder) Read(ctx context.Context, tenant uuid.UUID, q Query) (page Page, err error) {
	if page.UpTo = q.UpTo; page.UpTo == 0 {
		if page.UpTo, err = r.last(ctx, tenant); err != nil || page.UpTo == 0 {
			return page, err
		}
	}
	work := turns.Of(ctx)
	work.Doing("reading sign-ins")
	rows := store.SignInQuery{
		From: q.From, Until: q.Until, UpTo: page.UpTo, Descending: q.Descending, After: q.After, Limit: readStep,
	}
	for read := 0; read < maxRead; read += readStep {
		list, err := r.store.SignIns(ctx, tenant, rows)
		if err != nil {
			return page, err
		}
		for _, row := range list {
			if len(page.SignIns) == q.Limit {
				page.Next = rows.After
				return page, nil
			}
			s, err := of(row)
			if err == nil {
				err = work.Pace()
			}
			if err != nil {
				return page, err
			}
			if q.Holds(&s) {
				page.SignIns = append(page.SignIns, s)
			}
			rows.After = &store.SignInPlace{At: row.At, Number: row.Number}
		}
		if len(list) < readStep {
			return page, nil
		}
	}
	page.Next = rows.After
	return page, nil
}

// last returns the last sign-in of all that were reported.
func (r *Recorder) last(ctx context.Context, tenant uuid.UUID) (uint64, error) {
	if err := r.Flush(ctx); err != nil {
		return 0, err
	}
	return r.store.LastSignIn(ctx, tenant)
}

// Find returns a sign-in by its id; false if there is none.
func (r *Recorder) Find(ctx context.Context, tenant, id uuid.UUID) (SignIn, bool, error) {
	if err := r.Flush(ctx); err != nil {
		return SignIn{}, false, err
	}
	row, err := r.store.SignIn(ctx, tenant, id)
	if errors.Is(err, store.ErrNotFound) {
		return SignIn{}, false, nil
	}
	if err != nil {
		return SignIn{}, false, err
	}
	s, err := of(row)
	return s, err == nil, err
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"licensor/internal/store"
)

// Past is what a tenant was when it was kept, so that Rewind makes it that again. It is for servers
// that programs are tested with.
type Past struct{ kept store.Past }

// Size returns how many bytes of documents there are.
func (p *Past) Size() (n int) {
	for i := range p.kept.Rows {
		n += len(p.kept.Rows[i].Document)
	}
	return n
}

// ErrTooLarge means that a tenant has more than may be kept in memory.
var ErrTooLarge = errors.New("the tenant is too large")

// rowsAtOnce and bytesAtOnce are how many rows Keep reads at once, and how many bytes of documents.
const (
	rowsAtOnce  = 4096
	bytesAtOnce = 4 << 20
)

// Keep reads what a tenant is now, at most so many bytes of documents.
func (t *Tenant) Keep(ctx context.Context, most int) (*Past, error) {
	var p store.Past
	err := t.store.View(ctx, t.id, func(v store.View) (err error) {
		if p.Place, err = v.Place(); err != nil {
			return err
		}
		p.Rows, err = allRows(v, most)
		return err
	})
	if err == nil {
		p.SignIn, err = t.store.LastSignIn(ctx, t.id)
	}
	var users []uint32
	if err == nil {
		users, err = t.store.ActiveUsers(ctx, t.id, time.Time{}, time.Time{})
	}
	if err == nil && len(users) > 0 {
		p.Activities, err = t.store.Activities(ctx, t.id, users)
	}
	if err != nil {
		return nil, fmt.Errorf("keep tenant %s: %w", t.id, err)
	}
	return &Past{p}, nil
}

func allRows(v store.View, most int) (all []store.Object, err error) {
	for key := (store.RowKey{}); ; {
		rows, err := v.Rows(key, rowsAtOnce, bytesAtOnce)
		if err != nil || len(rows) == 0 {
			return all, err
		}
		for i := range rows {
			if most -= len(rows[i].Document); most < 0 {
				return nil, ErrTooLarge
			}
		}
		all, key = append(all, rows...), rows[len(rows)-1].RowKey()
	}
}

// Rewind makes the tenant what it was, and waits until that is durable. Nothing else may use the
// tenant meanwhile, since images from before are of another history: their commits no longer exist,
// and later ones will have the same numbers.
func (t *Tenant) Rewind(ctx context.Context, to *Past) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	t.snapshots.taking.Lock() // no snapshot of what is dropped is taken after this
	defer t.snapshots.taking.Unlock()
	if _, err := t.store.Rewind(ctx, t.id, to.kept); err != nil {
		return fmt.Errorf("rewind tenant %s: %w", t.id, err)
	}
	t.snapshots.take()
	t.snapshots.took(nil, nil) // its parts may be swept
	if err := recoverImage(ctx, t, nil); err != nil {
		return err
	}
	t.purgeCaches()
	t.earlier.forget(t.id)
	t.previews.Purge()
	return t.releaseNames(ctx)
}

// releaseNames releases the names that the tenant does not have now, also those claimed just
// before: no command is in progress.
func (t *Tenant) releaseNames(ctx context.Context) error {
	claims, err := t.store.ClaimsOf(ctx, t.id)
	if err != nil {
		return err
	}
	has := t.Image().Claims()
	var gone []string
	for _, c := range claims {
		if !has[c.Name] {
			gone = append(gone, c.Name)
		}
	}
	if _, err := t.names.settle(ctx, t.id, nil, gone); err != nil {
		return err
	}
	_, err = t.names.settleAll(ctx, t)
	return err
}

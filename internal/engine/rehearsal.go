package engine

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// Rehearsal is a tenant whose commands are executed together, each on the result of those before
// it. They stay in the rehearsal unless it is that of Together. Its methods must not be called
// concurrently, and it must not be used after the function that got it has returned.
type Rehearsal struct {
	*Tenant
	together *tenant.Together
	by       tenant.By
	writing  bool // the writer executes it
	outdated bool // rows were newer than the image
}

// maxRehearsals is how often commands are rehearsed, each time on a newer image, because the rows
// that they read were written meanwhile.
const maxRehearsals = 8

var errOutdated = unavailable("Others change the same objects all the time. Try again in a moment.")

// Rehearse calls do with the current image, and returns the images before and after the commands
// that do executes. Nothing of them is kept.
func (t *Tenant) Rehearse(
	ctx context.Context, by tenant.By, do func(context.Context, *Rehearsal) error,
) (before, after *tenant.Image, err error) {
	r, err := t.rehearse(ctx, by, func(ctx context.Context, r *Rehearsal) error {
		r.together.Try()
		return do(ctx, r)
	})
	if err != nil {
		return nil, nil, err
	}
	return r.together.Base(), r.together.Image(), nil
}

func (t *Tenant) rehearse(
	ctx context.Context, by tenant.By, do func(context.Context, *Rehearsal) error,
) (*Rehearsal, error) {
	for range maxRehearsals {
		r := t.rehearsal(t.Image(), by)
		err := do(ctx, r)
		switch {
		case r.outdated && ctx.Err() == nil:
			continue
		case err != nil:
			return nil, err
		}
		return r, nil
	}
	return nil, errOutdated
}

// rehearsal begins one on an image.
func (t *Tenant) rehearsal(img *tenant.Image, by tenant.By) *Rehearsal {
	r := &Rehearsal{Tenant: t, by: by}
	r.together = img.Together(tenant.Execution{
		At: t.now(img), NewID: t.options.NewID, By: by,
		Load: func(ctx context.Context, kind store.Kind, ordinal uint32) (store.Object, error) {
			key := tenant.ObjectKey{Kind: kind, Ordinal: ordinal}
			row, err := t.load(ctx, kind, ordinal)
			if absent(err) {
				err = t.recheck(ctx, img, key, err)
			}
			if err == nil && row.Seq > img.Seq || absent(err) && img.Has(key) {
				r.outdated = true
				return row, errOutdated
			}
			return row, err
		},
	})
	return r
}

// Together calls do with the newest image, and makes the commands that do executes one commit. If
// do returns an error, nothing is changed. It is called before the writer has its turn, and again
// by the writer if the image is another one then. So it may be called several times, and what it
// does must follow from the image alone.
func (t *Tenant) Together(
	ctx context.Context, by tenant.By, do func(context.Context, *Rehearsal) error,
) (tenant.Done, error) {
	ready, err := t.rehearse(ctx, by, do)
	if err != nil && !errors.Is(err, errOutdated) {
		return tenant.Done{}, err
	}
	several := tenant.Several{Do: func(ctx context.Context, together *tenant.Together) error {
		return do(turns.Apart(ctx), &Rehearsal{Tenant: t, together: together, by: by, writing: true})
	}}
	if ready != nil {
		several.Ready = ready.together
	}
	t.stats.commands.Add(1)
	return t.queued(ctx, by, several, nil)
}

// Image returns the image after the last command.
func (r *Rehearsal) Image() *tenant.Image { return r.together.Image() }

// Base returns the image before the first command.
func (r *Rehearsal) Base() *tenant.Image { return r.together.Base() }

// NewIDs sets the source of the ids of new objects, so that they are the same in each rehearsal.
func (r *Rehearsal) NewIDs(newID func() uuid.UUID) { r.together.NewIDs(newID) }

// Bytes returns how large the commit is so far, in bytes.
func (r *Rehearsal) Bytes() int { return r.together.Bytes() }

// DoBy executes a command, for the caller of the rehearsal.
func (r *Rehearsal) DoBy(ctx context.Context, _ tenant.By, cmd tenant.Command) (tenant.Done, error) {
	if !r.writing {
		if err := reserve(ctx, r.Image(), cmd); err != nil {
			return tenant.Done{}, err
		}
	}
	return r.together.Execute(ctx, cmd)
}

// Document returns the stored form of an object, after the last command.
func (r *Rehearsal) Document(ctx context.Context, kind store.Kind, ordinal uint32) ([]byte, error) {
	row, err := r.together.Load(ctx, kind, ordinal)
	return row.Document, err
}

// User returns a user's document, which must not be changed.
func (r *Rehearsal) User(ctx context.Context, _ *tenant.Image, user uint32) (*directory.User, error) {
	return parsed(ctx, r, store.KindUser, user, directory.ParseUser)
}

// Group returns a group's document, which must not be changed.
func (r *Rehearsal) Group(ctx context.Context, _ *tenant.Image, group uint32) (*directory.Group, error) {
	return parsed(ctx, r, store.KindGroup, group, directory.ParseGroup)
}

// UserNow returns a user's document and the image that has it.
func (r *Rehearsal) UserNow(
	ctx context.Context, img *tenant.Image, user uint32,
) (*directory.User, *tenant.Image, error) {
	u, err := r.User(ctx, img, user)
	return u, r.Image(), err
}

// GroupNow returns a group's document and the image that has it.
func (r *Rehearsal) GroupNow(
	ctx context.Context, img *tenant.Image, group uint32,
) (*directory.Group, *tenant.Image, error) {
	g, err := r.Group(ctx, img, group)
	return g, r.Image(), err
}

// Users returns the documents of users.
func (r *Rehearsal) Users(ctx context.Context, img *tenant.Image, ordinals []uint32) ([]*directory.User, error) {
	return allOf(ordinals, func(user uint32) (*directory.User, error) { return r.User(ctx, img, user) })
}

// Groups returns the documents of groups.
func (r *Rehearsal) Groups(ctx context.Context, img *tenant.Image, ordinals []uint32) ([]*directory.Group, error) {
	return allOf(ordinals, func(group uint32) (*directory.Group, error) { return r.Group(ctx, img, group) })
}

// Password returns the hash of a user's password; "" when the user has none.
func (r *Rehearsal) Password(ctx context.Context, user uint32) (string, error) {
	row, err := r.together.Load(ctx, store.KindPassword, user)
	if absent(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return tenant.ParsePassword(row.Document)
}

func parsed[T any](
	ctx context.Context, r *Rehearsal, kind store.Kind, ordinal uint32, parse func([]byte) (*T, error),
) (*T, error) {
	row, err := r.together.Load(ctx, kind, ordinal)
	if err != nil {
		return nil, err
	}
	return parse(row.Document)
}

func allOf[T any](ordinals []uint32, one func(uint32) (*T, error)) ([]*T, error) {
	list := make([]*T, len(ordinals))
	for i, ordinal := range ordinals {
		var err error
		if list[i], err = one(ordinal); err != nil {
			return nil, err
		}
	}
	return list, nil
}

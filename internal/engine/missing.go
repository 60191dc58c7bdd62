package engine

import (
	"context"
	"errors"
	"fmt"

	"licensor/internal/store"
	"licensor/internal/tenant"
)

// absent reports whether an error says that there is no such row.
func absent(err error) bool {
	problem, ok := errors.AsType[*tenant.CommandError](err)
	return ok && problem.Kind == tenant.ProblemNotFound
}

// recheck explains why the store has no row of an object in an image. The object may have been
// purged since. Only the writer knows that for certain, since a commit is durable before its image
// is published. Otherwise the store has lost the row.
func (t *Tenant) recheck(ctx context.Context, img *tenant.Image, key tenant.ObjectKey, missing error) error {
	if !img.Has(key) {
		return missing
	}
	if _, err := t.Do(ctx, "system", tenant.Recheck(key)); err != nil {
		return err
	}
	return missing
}

// errNewer stops reading the log.
var errNewer = errors.New("the log continues")

// lost explains to the writer why the store has no row of an object. If the newest image has the
// object, the store has lost the row.
func (t *Tenant) lost(ctx context.Context, img *tenant.Image, key tenant.ObjectKey, missing error) error {
	if !img.Has(key) {
		return missing
	}
	err := t.store.Commits(ctx, t.id, t.Image().Seq, func(store.Commit) error { return errNewer })
	if errors.Is(err, errNewer) {
		return missing // another process has purged it
	} else if err != nil {
		return err
	}
	return t.options.reportDamage(fmt.Errorf("tenant %s: the row of object %d of kind %d is missing: %w: %s",
		t.id, key.Ordinal, key.Kind, store.ErrDamaged, repair))
}

const repair = "stop the program, keep a copy of the database, and restore a backup"

// reportDamage reports an error that says that the store has lost something, and returns it.
func (o *Options) reportDamage(err error) error {
	if errors.Is(err, store.ErrDamaged) && o.Damaged != nil {
		o.Damaged(err)
	}
	return err
}

package tenant

import (
	"context"
	"errors"
	"fmt"

	"licensor/internal/store"
)

// absent reports whether an error says that there is no such row.
func absent(err error) bool {
	problem, ok := errors.AsType[*CommandError](err)
	return ok && problem.Kind == ProblemNotFound
}

// has reports whether the image has a user or group.
func (img *Image) has(key objectKey) bool {
	if key.kind == store.KindUser {
		return !img.Directory.UserPurged(key.ordinal)
	}
	return !img.Directory.GroupPurged(key.ordinal)
}

// recheck explains why the store has no row of an object in an image. The object may have been
// purged since. Only the writer knows that for certain, since a commit is durable before its image
// is published. Otherwise the store has lost the row.
func (t *Tenant) recheck(ctx context.Context, img *Image, key objectKey, missing error) error {
	if !img.has(key) {
		return missing
	}
	if _, err := t.Do(ctx, "system", recheck{key}); err != nil {
		return err
	}
	return missing
}

// recheck is a command that reads a row and changes nothing.
type recheck struct{ key objectKey }

func (recheck) name() string { return "recheck" }

func (cmd recheck) run(c *change) error {
	_, err := c.document(cmd.key.kind, cmd.key.ordinal)
	return err
}

// errNewer stops reading the log.
var errNewer = errors.New("the log continues")

// lost explains to the writer why the store has no row of an object. If the newest image has the
// object, the store has lost the row.
func (t *Tenant) lost(ctx context.Context, img *Image, key objectKey, missing error) error {
	if !img.has(key) {
		return missing
	}
	err := t.store.Commits(ctx, t.id, t.Image().Seq, func(store.Commit) error { return errNewer })
	if errors.Is(err, errNewer) {
		return missing // another process has purged it
	} else if err != nil {
		return err
	}
	return t.options.reportDamage(fmt.Errorf("tenant %s: the row of object %d of kind %d is missing: %w: %s",
		t.id, key.ordinal, key.kind, store.ErrDamaged, repair))
}

const repair = "stop the program, keep a copy of the database, and restore a backup"

// reportDamage reports an error that says that the store has lost something, and returns it.
func (o *Options) reportDamage(err error) error {
	if errors.Is(err, store.ErrDamaged) && o.Damaged != nil {
		o.Damaged(err)
	}
	return err
}

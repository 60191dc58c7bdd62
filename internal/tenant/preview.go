package tenant

import (
	"context"

	"licensor/internal/store"
)

// Preview returns the result that a command would have after others, and discards it. Commands
// before it that fail are skipped. Documents are read as they are stored: the commands before it
// must not change the one that this one reads.
func (t *Tenant) Preview(ctx context.Context, cmd Command, before ...Command) (Done, error) {
	img := t.Image()
	for _, earlier := range before {
		if done, err := t.preview(ctx, img, earlier); err == nil {
			img = done.Image
		}
	}
	return t.preview(ctx, img, cmd)
}

func (t *Tenant) preview(ctx context.Context, img *Image, cmd Command) (Done, error) {
	c := img.change(ctx, t.now(img), t.options.NewID)
	c.load = func(ctx context.Context, kind store.Kind, ordinal uint32) (store.Object, error) {
		row, err := t.load(ctx, kind, ordinal)
		if absent(err) {
			err = t.recheck(ctx, img, objectKey{kind, ordinal}, err)
		}
		return row, err
	}
	next, commit, err := c.execute(By{}, cmd)
	if err != nil {
		return Done{}, err
	}
	c.done.Image, c.done.Changed = next, commit != nil
	return c.done, nil
}

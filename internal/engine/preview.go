package engine

import (
	"context"

	"licensor/internal/store"
	"licensor/internal/tenant"
)

// Preview returns the result that a command would have after others, and discards it. Commands
// before it that fail are skipped. Documents are read as they are stored: the commands before it
// must not change the one that this one reads.
func (t *Tenant) Preview(ctx context.Context, cmd tenant.Command, before ...tenant.Command) (tenant.Done, error) {
	img := t.Image()
	for _, earlier := range before {
		if done, err := t.preview(ctx, img, earlier); err == nil {
			img = done.Image
		}
	}
	return t.preview(ctx, img, cmd)
}

func (t *Tenant) preview(ctx context.Context, img *tenant.Image, cmd tenant.Command) (tenant.Done, error) {
	done, err := img.Execute(ctx, cmd, tenant.Execution{
		At: t.now(img), NewID: t.options.NewID,
		Load: func(ctx context.Context, kind store.Kind, ordinal uint32) (store.Object, error) {
			row, err := t.load(ctx, kind, ordinal)
			if absent(err) {
				err = t.recheck(ctx, img, tenant.ObjectKey{Kind: kind, Ordinal: ordinal}, err)
			}
			return row, err
		},
	})
	return done.Done, err
}

package copying

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"licensor/internal/store"
)

// round brings the target to where the source is now.
func (c *copier) round(ctx context.Context) error {
	for try := 0; ; try++ {
		err := c.from.View(ctx, c.id, func(v store.View) error { return c.sync(ctx, v) })
		if !errors.Is(err, errTrimmed) || try > 0 {
			return err
		}
		c.options.Log.Warn("the source has removed commits that the target lacks; the tenant is copied again",
			"tenant", c.id)
		if err := Discard(ctx, c.to, c.id); err != nil {
			return err
		}
		if err := c.to.CreateTenant(ctx, c.id); err != nil {
			return err
		}
		if err := c.readTarget(ctx); err != nil {
			return err
		}
	}
}

// errTrimmed means that the target's log ends before the source's begins.
var errTrimmed = errors.New("the source has removed commits that the target lacks")

func (c *copier) sync(ctx context.Context, v store.View) error {
	place, err := v.Place()
	if err != nil {
		return err
	}
	floors, err := v.Floors()
	if err != nil {
		return err
	}
	if continues, err := c.isOf(v, place, floors); err != nil {
		return err
	} else if !continues {
		return errTrimmed
	}
	if _, c.total, err = v.Count(); err != nil {
		return err
	}
	c.compared = 0
	if err := c.copyCommits(ctx, v, floors); err != nil {
		return err
	}
	changed, err := c.rows(ctx, v)
	if err != nil {
		return err
	}
	if err := c.snapshot(ctx, v); err != nil {
		return err
	}
	c.done.Rows += changed
	c.changed = changed
	c.place, c.floors = place, store.Floors{Log: c.begin, Moved: place.Seq}
	if c.begin == 0 { // no commit is left in the source
		c.floors.Log = place.Seq + 1
	}
	c.done.Seq, c.done.Chain = place.Seq, place.Chain
	return nil
}

// snapshot copies the newest snapshot, unless the target has it.
func (c *copier) snapshot(ctx context.Context, v store.View) error {
	list, err := v.Manifests()
	if err != nil || len(list) == 0 {
		return err
	}
	newest := list[0]
	there, err := c.to.Manifests(ctx, c.id)
	if err != nil {
		return err
	}
	newest.Name, newest.Version = store.NewestManifest, 0
	for _, m := range there {
		if m.Name == newest.Name {
			if m.Head == newest.Head && slices.Equal(m.Parts, newest.Parts) {
				return nil
			}
			newest.Version = m.Version
		}
	}
	for _, name := range append([]string{newest.Head}, newest.Parts...) {
		if c.saved[name] {
			continue
		}
		parts, err := c.from.Parts(ctx, c.id, []string{name})
		if err != nil {
			return err
		}
		if err := c.to.SaveParts(ctx, c.id, parts, c.options.Now()); err != nil {
			return err
		}
		c.saved[name] = true
	}
	return c.to.ReplaceManifest(ctx, c.id, newest, c.options.Now())
}

// report reports progress.
func (c *copier) report() {
	if c.options.Progress == nil {
		return
	}
	within := min(1, float64(c.compared)/float64(max(c.total, 1)))
	c.options.Progress(Progress{"copying", (float64(c.nth) + within) / float64(c.of), c.compared})
}

// same returns an error unless the target, whose rows are those of the source, ends with the same
// chain, and has no more and no fewer commits and rows.
func (c *copier) same(ctx context.Context) error {
	place, err := c.from.Place(ctx, c.id)
	if err != nil {
		return err
	}
	if place.Seq != c.place.Seq || place.Chain != c.place.Chain || c.last.Seq > 0 && c.last.Chain != place.Chain {
		return fmt.Errorf("the source ends at commit %d, and the target at commit %d", place.Seq, c.last.Seq)
	}
	return c.to.View(ctx, c.id, func(v store.View) error {
		commits, rows, err := v.Count()
		if err != nil {
			return err
		}
		kept := int64(0)
		if c.begin > 0 {
			kept = int64(c.place.Seq + 1 - c.begin)
		}
		if commits != kept || rows != c.total {
			return fmt.Errorf("the target has %d commits and %d rows, and should have %d and %d",
				commits, rows, kept, c.total)
		}
		return nil
	})
}

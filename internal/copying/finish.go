package copying

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// fewChanges is how much the last round may have left to do when the tenant is frozen, and
// manyRounds how often that is waited for.
const (
	fewChanges = 2000
	manyRounds = 5
)

// The reasons that a tenant is frozen for; callers read them.
const (
	copiedTo = "it is being copied to "
	movedTo  = store.FrozenAsMoved
)

func (c *copier) moved() string { return movedTo + c.options.To }

func isMoved(why string) bool { return strings.HasPrefix(why, movedTo) }

// finish freezes the source, copies the last changes, and publishes the target.
func (c *copier) finish(ctx context.Context) error {
	for range manyRounds {
		before := c.done.Commits
		if err := c.round(ctx); err != nil {
			return err
		}
		if c.changed+c.done.Commits-before <= fewChanges {
			break
		}
	}
	began := time.Now()
	why, err := c.from.Frozen(ctx, c.id)
	if err != nil {
		return err
	}
	if !isMoved(why) {
		if _, err := c.from.Freeze(ctx, c.id, copiedTo+c.options.To); err != nil {
			return err
		}
		if err := c.lastRound(ctx); err != nil {
			return errors.Join(err, c.thaw(ctx))
		}
	} else if err := c.lastRound(ctx); err != nil {
		return err
	}
	if _, err := c.from.Freeze(ctx, c.id, c.moved()); err != nil {
		return fmt.Errorf("mark the source as moved (finish the copy again, or unfreeze the source): %w", err)
	}
	c.done.Frozen = time.Since(began)
	if err := c.to.Publish(ctx, c.id, c.place, c.floors); err != nil {
		return fmt.Errorf("publish the tenant in the target (finish the copy again; the source stays frozen): %w", err)
	}
	c.done.Finished = true
	return nil
}

// lastRound is done while the source is frozen. It compares all rows until none is different.
func (c *copier) lastRound(ctx context.Context) error {
	c.changed = 1
	for try := 0; c.changed > 0; try++ {
		if try == manyRounds {
			return fmt.Errorf("%d rows of the target are still others: %w", c.changed, store.ErrDamaged)
		}
		if err := c.round(ctx); err != nil {
			return err
		}
	}
	if err := c.same(ctx); err != nil {
		return err
	}
	if err := c.claims(ctx); err != nil {
		return err
	}
	return c.secrets(ctx)
}

// thaw ends the freezing, also when the copy was interrupted.
func (c *copier) thaw(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if _, err := c.from.Freeze(ctx, c.id, ""); err != nil {
		return fmt.Errorf("the source is still frozen; unfreeze it with `licensor copy --unfreeze`: %w", err)
	}
	return nil
}

// claims gives the tenant its names in the target.
func (c *copier) claims(ctx context.Context) error {
	claims, err := c.from.ClaimsOf(ctx, c.id)
	if err != nil {
		return err
	}
	var names []string
	for _, claim := range claims {
		names = append(names, claim.Name)
	}
	others, err := c.to.Settle(ctx, c.id, names, nil)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		return fmt.Errorf("the target has other content: tenant %s has %s there", others[0].Tenant, others[0].Name)
	}
	done, err := c.from.ClaimsOf(ctx, uuid.Nil)
	for _, claim := range done { // that the claims of all tenants are there
		if err == nil {
			_, err = c.to.Settle(ctx, uuid.Nil, []string{claim.Name}, nil)
		}
	}
	return err
}

// secrets copies those of the installation as they are stored, before the first tenant is
// published. Afterwards the target is used with its own, and gets only those that it lacks.
func (c *copier) secrets(ctx context.Context) error {
	names, err := c.from.SecretNames(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == store.FormatSecret {
			continue
		}
		value, err := c.from.Secret(ctx, name, func() ([]byte, error) { return nil, store.ErrNotFound })
		if err != nil {
			return err
		}
		if c.first {
			err = c.to.ReplaceSecret(ctx, name, func([]byte) ([]byte, error) { return value, nil })
		} else {
			_, err = c.to.Secret(ctx, name, func() ([]byte, error) { return value, nil })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Unfreeze lets tenants accept changes again that a copy has frozen, and returns which were. One
// that was moved is left frozen without force: it would accept changes in two places.
func Unfreeze(ctx context.Context, s store.Store, tenants []uuid.UUID, force bool) (thawed []uuid.UUID, err error) {
	if tenants == nil {
		if tenants, err = s.Tenants(ctx); err != nil {
			return nil, err
		}
	}
	for _, id := range tenants {
		why, err := s.Frozen(ctx, id)
		switch {
		case err != nil:
			return thawed, err
		case why == "":
			continue
		case isMoved(why) && !force:
			return thawed, fmt.Errorf("tenant %s: %s: it would accept changes in two places", id, why)
		}
		if _, err := s.Freeze(ctx, id, ""); err != nil {
			return thawed, err
		}
		thawed = append(thawed, id)
	}
	return thawed, nil
}

// DiscardAll removes tenants that are not published, all of them when none are named, and returns
// which these were.
func DiscardAll(ctx context.Context, s store.Store, tenants []uuid.UUID) (removed []uuid.UUID, err error) {
	all := tenants == nil
	if all {
		if tenants, err = s.Tenants(ctx); err != nil {
			return nil, err
		}
	}
	for _, id := range tenants {
		place, err := s.Place(ctx, id)
		if err != nil {
			return removed, err
		}
		if all && place.Seq > 0 {
			continue
		}
		if err := Discard(ctx, s, id); err != nil {
			return removed, err
		}
		removed = append(removed, id)
	}
	return removed, nil
}

// Discard removes a tenant that is not published.
func Discard(ctx context.Context, s store.Store, id uuid.UUID) error {
	for {
		if n, err := s.Discard(ctx, id); err != nil || n == 0 {
			return err
		}
	}
}

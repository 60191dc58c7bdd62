package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/tenant"
)

// RestoreOptions say what is restored.
type RestoreOptions struct {
	Tenants []uuid.UUID // nil: all
	// As is another id for the tenant, of which there must be one; uuid.Nil: it keeps its own. What
	// follows from the id is changed by one commit more (engine.Rename).
	As uuid.UUID
	// Checked is what Check has returned for the backup; nil: it is checked first.
	Checked  *Contents
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: slog.Default()
	Progress func(Progress)   // may be nil
}

// Restored is what a restore has done.
type Restored struct {
	Contents
	Tenants []Tenant // that were restored
	// Contested are claims that tenants of the backup could not have, because another of its tenants
	// has them: they were backed up at different moments.
	Contested []store.Claim
}

// Restore brings a backup into a store without tenants. All of it is read before anything is
// written. When it fails, what it has written is removed. When it is killed, no tenant of the
// backup is known to programs, or some are if that happens at the very end; either way it can be
// done again with the same backup.
func Restore(ctx context.Context, s store.Store, r io.ReadSeeker, o RestoreOptions) (*Restored, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	contents := o.Checked
	if contents == nil {
		var err error
		contents, err = fromBeginning(r, func() (*Contents, error) { return Check(ctx, r, o.Progress) })
		if err != nil {
			return nil, err
		}
	}
	if contents.Format > tenant.Format {
		return nil, fmt.Errorf("the backup has commits in format %d, and this program reads formats up to %d: run "+
			"version %s or newer", contents.Format, tenant.Format, contents.Program)
	}
	restoring := &restore{ctx: ctx, store: s, options: o, contents: contents}
	if err := restoring.choose(); err != nil {
		return nil, err
	}
	if err := restoring.prepare(); err != nil {
		return nil, err
	}
	again, err := fromBeginning(r, func() (*Contents, error) {
		return read(ctx, r, restoring, "restoring", o.Progress)
	})
	if err == nil && !reflect.DeepEqual(again, contents) {
		err = errors.New("the backup has changed while it was read")
	}
	if err == nil {
		err = restoring.publish()
	}
	if err != nil && restoring.publishing {
		return nil, fmt.Errorf("%w; restore the same backup again to complete this restore", err)
	} else if err != nil {
		return nil, errors.Join(err, restoring.undo())
	}
	return &restoring.restored, nil
}

func fromBeginning(r io.ReadSeeker, do func() (*Contents, error)) (*Contents, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	return do()
}

// restore is a sink that fills tenants of a store.
type restore struct {
	ctx      context.Context
	store    store.Store
	options  RestoreOptions
	contents *Contents

	wanted     map[uuid.UUID]bool // tenants of the backup still to fill
	made       []uuid.UUID        // tenants of the store that this restore has created
	filled     []filled
	values     []secretRecord
	publishing bool
	restored   Restored

	now   *filled // nil between tenants, and in those that are not wanted
	batch []store.Object
	bytes int
}

// filled is a tenant that is not published yet.
type filled struct {
	id     uuid.UUID
	claims []string
	place  store.Place
	floors store.Floors
}

// choose says which tenants are wanted.
func (r *restore) choose() error {
	there := map[uuid.UUID]bool{}
	for _, t := range r.contents.Tenants {
		there[t.ID] = true
	}
	r.wanted = there
	if r.options.Tenants != nil {
		r.wanted = map[uuid.UUID]bool{}
		for _, id := range r.options.Tenants {
			if !there[id] {
				return fmt.Errorf("the backup has no tenant %s; it has %s", id, listed(r.contents.Tenants))
			}
			r.wanted[id] = true
		}
	}
	if r.options.As != uuid.Nil && len(r.wanted) != 1 {
		return fmt.Errorf("only one tenant can get another id, and %d would be restored: name one of %s",
			len(r.wanted), listed(r.contents.Tenants))
	}
	r.restored.Contents = *r.contents
	return nil
}

// listed names some tenants.
func listed(tenants []Tenant) string {
	var names []string
	for _, t := range tenants[:min(len(tenants), 10)] {
		names = append(names, t.ID.String())
	}
	if more := len(tenants) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// as is the id that a tenant of the backup gets.
func (r *restore) as(id uuid.UUID) uuid.UUID {
	if r.options.As != uuid.Nil {
		return r.options.As
	}
	return id
}

// prepare makes sure that nothing is in the store but what an earlier restore of the same tenants
// has left there.
func (r *restore) prepare() error {
	ids, err := r.store.Tenants(r.ctx)
	if err != nil {
		return err
	}
	published, left := map[uuid.UUID]store.Place{}, map[uuid.UUID]bool{}
	for _, id := range ids {
		place, err := r.store.Place(r.ctx, id)
		if err != nil {
			return err
		}
		if place.Seq > 0 {
			published[id] = place
		} else {
			left[id] = true
		}
	}
	unfinished := false
	for _, t := range r.contents.Tenants {
		if id := r.as(t.ID); r.wanted[t.ID] && left[id] {
			unfinished = true
			if err := discard(r.ctx, r.store, id); err != nil {
				return err
			}
		}
	}
	return r.skipPublished(published, unfinished)
}

// skipPublished leaves out what a restore has published that was killed while it did so.
func (r *restore) skipPublished(published map[uuid.UUID]store.Place, unfinished bool) error {
	for _, t := range r.contents.Tenants {
		place, ok := published[t.ID]
		if !ok || !r.wanted[t.ID] || r.options.As != uuid.Nil || !unfinished ||
			place.Seq != t.Seq || place.Chain != t.Chain {
			continue
		}
		delete(published, t.ID)
		delete(r.wanted, t.ID)
		r.restored.Tenants = append(r.restored.Tenants, t)
	}
	for id := range published {
		return fmt.Errorf("the database is not empty: it has %d tenants, such as %s; restore into one without tenants",
			len(published), id)
	}
	return nil
}

func discard(ctx context.Context, s store.Store, id uuid.UUID) error {
	for {
		if n, err := s.Discard(ctx, id); err != nil || n == 0 {
			return err
		}
	}
}

// undo removes what was written. It does not end with the context that has ended the restore.
func (r *restore) undo() error {
	ctx := context.WithoutCancel(r.ctx)
	var errs []error
	for _, id := range r.made {
		err := discard(ctx, r.store, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			errs = append(errs, fmt.Errorf("remove what was restored of tenant %s, which is not published; the next "+
				"restore of this backup removes it: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

// publish makes all tenants known. Their names come first, so that whatever knows the tenants finds
// them by these; the secrets come before the first tenant.
func (r *restore) publish() error {
	for _, f := range r.filled {
		contested, err := r.store.Settle(r.ctx, f.id, f.claims, nil)
		if err != nil {
			return err
		}
		r.restored.Contested = append(r.restored.Contested, contested...)
	}
	if len(r.contents.claims) > 0 {
		if _, err := r.store.Settle(r.ctx, uuid.Nil, r.contents.claims, nil); err != nil {
			return err
		}
	}
	for _, secret := range r.values {
		err := r.store.ReplaceSecret(r.ctx, secret.Name, func([]byte) ([]byte, error) { return secret.Value, nil })
		if err != nil {
			return err
		}
	}
	r.publishing = true
	for i, f := range r.filled {
		if err := r.store.Publish(r.ctx, f.id, f.place, f.floors); err != nil {
			return err
		}
		if r.options.Progress != nil {
			r.options.Progress(Progress{"publishing", float64(i+1) / float64(len(r.filled)), 0})
		}
	}
	return nil
}

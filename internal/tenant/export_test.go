package tenant

import (
	"context"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/membership"
	"licensor/internal/query"
	"licensor/internal/store"
)

// FindByName finds objects by name, as in a large tenant.
func (t *Tenant) FindByName(
	ctx context.Context, img *Image, kind store.Kind, within query.Within, c *query.Condition, page *Page,
) (*query.Rows, bool, error) {
	return t.findByName(ctx, img, directory.Type(kind), within, c, page)
}

// Bounded returns the names of the bounds of a tenant.
func Bounded() (names []string) {
	for _, b := range bounds {
		names = append(names, b.what)
	}
	return names
}

// Refused returns the error of a change from one image to another, if the bound is what the first
// image has.
func Refused(what string, from, to *Image) error {
	for _, b := range bounds {
		if b.what == what {
			b.most = b.count(from)
			return to.within(from, []bound{b})
		}
	}
	return nil
}

// Waiting returns the number of commands that wait for the writer.
func Waiting(t *Tenant) int {
	t.queue.mu.Lock()
	defer t.queue.mu.Unlock()
	return len(t.queue.waiting)
}

// DropIdle drops a loaded tenant as for lack of memory, and waits until that is done. It reports
// false if the tenant is in use.
func (all *Tenants) DropIdle(id uuid.UUID) bool {
	all.mu.Lock()
	e := all.entries[id]
	idle := e != nil && e.pins == 0 && e.gone == nil && e.tenant != nil
	if idle {
		all.drop(e)
	}
	all.mu.Unlock()
	if idle {
		<-e.gone
	}
	return idle
}

// DoAsOf is Do for a command whose rules were evaluated ahead on an image, before others.
func (t *Tenant) DoAsOf(ctx context.Context, actor string, cmd Command, img *Image, at time.Time) (Done, error) {
	ahead, err := img.evaluateAhead(ctx, at, img.wholly(cmd), nil)
	if err != nil {
		return Done{}, err
	}
	return t.queued(ctx, By{Actor: actor}, cmd, ahead)
}

// Since returns the users for whom a rule that was evaluated ahead on an image is evaluated again
// in another; false if it is evaluated for all.
func Since(ctx context.Context, from, img *Image, rule *membership.Rule) ([]uint32, bool, error) {
	f := &img.change(ctx, img.At, nil).following
	f.table, f.ahead = img.Directory.UserColumns(), &ahead{image: from, at: from.At}
	users, err := f.since(rule)
	if users == nil {
		return nil, false, err
	}
	return users.ToArray(), true, err
}

package tenant

import (
	"context"

	"github.com/google/uuid"

	"licensor/internal/directory"
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

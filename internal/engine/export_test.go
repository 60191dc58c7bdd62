package engine

import (
	"context"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/query"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// FindByName finds objects by name, as in a large tenant.
func (t *Tenant) FindByName(
	ctx context.Context, img *tenant.Image, kind store.Kind, within query.Within, c *query.Condition, page *Page,
) (*query.Rows, bool, error) {
	return t.findByName(ctx, img, directory.Type(kind), within, c, page)
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
func (t *Tenant) DoAsOf(
	ctx context.Context, actor string, cmd tenant.Command, img *tenant.Image, at time.Time,
) (tenant.Done, error) {
	ahead, err := img.EvaluateAhead(ctx, at, cmd, nil)
	if err != nil {
		return tenant.Done{}, err
	}
	return t.queued(ctx, tenant.By{Actor: actor}, cmd, ahead)
}

package tenant

import (
	"context"

	"licensor/internal/directory"
	"licensor/internal/query"
	"licensor/internal/store"
)

// FindByName is how names are found in a large tenant.
func (t *Tenant) FindByName(
	ctx context.Context, img *Image, kind store.Kind, within query.Within, c *query.Condition, page *Page,
) (*query.Rows, bool, error) {
	return t.findByName(ctx, img, directory.Type(kind), within, c, page)
}

// Bounded lists what a tenant has bounds of.
func Bounded() (names []string) {
	for _, b := range bounds {
		names = append(names, b.what)
	}
	return names
}

// Refused returns what a change from one image to another is refused with when a tenant can have no
// more of something than the first one has.
func Refused(what string, from, to *Image) error {
	for _, b := range bounds {
		if b.what == what {
			b.most = b.count(from)
			return to.within(from, []bound{b})
		}
	}
	return nil
}

// Waiting returns how many commands wait for the writer.
func Waiting(t *Tenant) int {
	t.queue.mu.Lock()
	defer t.queue.mu.Unlock()
	return len(t.queue.waiting)
}

package tenant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/store"
)

// Tenants are all tenants of a store.
type Tenants struct {
	store     Store
	options   Options
	claims    *claims
	documents *documentCache

	creating sync.Mutex // held by Create
	mu       sync.RWMutex
	byID     map[uuid.UUID]*Tenant
	list     []*Tenant // oldest first
}

// Store is what tenants need of a store.
type Store interface {
	store.Log
	store.Objects
	store.Snapshots
}

// Open brings all tenants of a store to life. The store stays the caller's to close, after Close.
func Open(ctx context.Context, s Store, options Options) (*Tenants, error) {
	if options.SnapshotAfter == 0 {
		options.SnapshotAfter = 8 << 20
	}
	options.Log = cmp.Or(options.Log, slog.Default())
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.NewID == nil {
		options.NewID = uuid.New
	}
	if options.Processors == nil {
		options.Processors = NewProcessors()
	}
	documents, err := newDocumentCache()
	if err != nil {
		return nil, err
	}
	all := &Tenants{
		store: s, options: options, claims: newClaims(), documents: documents, byID: map[uuid.UUID]*Tenant{},
	}
	ids, err := s.Tenants(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	for _, id := range ids {
		t, err := all.newTenant(id)
		if err != nil {
			return nil, err
		}
		if err := recoverImage(ctx, t); err != nil {
			return nil, err
		}
		if t.Image().Seq > 0 { // otherwise its creation was cut off before the first commit
			all.add(t)
		}
	}
	all.reportDuplicates()
	for _, t := range all.list { // only now: a database in which something cannot be read is left as it is
		t.start()
	}
	for _, t := range all.list {
		if t.Image().Principals.Len() == 0 {
			if _, err := t.Do(ctx, "system", migrate{}); err != nil {
				return nil, errors.Join(fmt.Errorf("migrate the applications of tenant %s: %w",
					t.id, err), all.Close(ctx))
			}
		}
		if t.snapshots.due {
			t.snapshots.begin(t)
		}
	}
	return all, nil
}

func (all *Tenants) add(t *Tenant) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.byID[t.id] = t
	all.list = append(all.list, t)
}

// Create adds a tenant with an organization and a catalog.
func (all *Tenants) Create(
	ctx context.Context, id uuid.UUID, org directory.Organization, catalog *licensing.Catalog,
) (*Tenant, error) {
	all.creating.Lock()
	defer all.creating.Unlock()
	if _, ok := all.Tenant(id); ok {
		return nil, taken("id", id.String())
	}
	for _, d := range org.VerifiedDomains { // before the store is told of a tenant; found claims them
		if t, ok := all.ByDomain(d.Name); ok {
			return nil, invalid(d.Name, "Domain %s belongs to tenant %s.", d.Name, t.ID())
		}
	}
	if err := all.store.CreateTenant(ctx, id); err != nil && !errors.Is(err, store.ErrExists) {
		return nil, fmt.Errorf("create tenant %s: %w", id, err)
	}
	t, err := all.newTenant(id)
	if err != nil {
		return nil, err
	}
	org.ID = id
	t.start()
	if _, err := t.Do(ctx, "system", found{org, catalog}); err != nil {
		return nil, errors.Join(err, t.close(ctx))
	}
	all.add(t)
	return t, nil
}

// Tenant returns a tenant by its id.
func (all *Tenants) Tenant(id uuid.UUID) (*Tenant, bool) {
	all.mu.RLock()
	defer all.mu.RUnlock()
	t, ok := all.byID[id]
	return t, ok
}

// ByDomain returns the tenant one of whose verified domains has this name.
func (all *Tenants) ByDomain(name string) (*Tenant, bool) {
	for _, t := range all.List() {
		if t.Image().Organization.HasDomain(strings.ToLower(name)) {
			return t, true
		}
	}
	return nil, false
}

// List returns all tenants, oldest first.
func (all *Tenants) List() []*Tenant {
	all.mu.RLock()
	defer all.mu.RUnlock()
	return slices.Clone(all.list)
}

// Close ends all work, once what was taken on is durable, and saves what makes the next start
// quick.
func (all *Tenants) Close(ctx context.Context) error {
	var errs []error
	for _, t := range all.List() {
		errs = append(errs, t.close(ctx))
	}
	return errors.Join(errs...)
}

// worthSaving is how many bytes of effects a start replays in no noticeable time.
const worthSaving = 256 << 10

func (t *Tenant) close(ctx context.Context) error {
	close(t.closing)
	<-t.ended
	t.snapshots.running.Wait()
	if t.snapshots.waiting(0) < worthSaving || t.Image().Principals.Len() == 0 { // not migrated
		return nil
	}
	t.snapshots.taking.Lock()
	defer t.snapshots.taking.Unlock()
	return t.snapshot(ctx, t.Image(), t.snapshots.take())
}

package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// Tenants are all tenants of a store. A tenant is loaded when it is used, and dropped when others
// need the memory.
type Tenants struct {
	store     Store
	options   Options
	names     *names
	documents *documentCache
	ctx       context.Context // ends with Close
	end       context.CancelFunc

	creating sync.Mutex // held by Create
	loading  chan struct{}
	readers  readers
	earlier  *earlierImages
	tasks    sync.WaitGroup // loading and dropping

	mu      sync.Mutex // guards what follows
	entries map[uuid.UUID]*entry
	bytes   int64         // of the loaded tenants, and of those that are being loaded
	uses    uint64        // how often a tenant was asked for
	freed   chan struct{} // closed and replaced when there may be room
	closed  bool
	stats   LoadStats
}

// UsualKeepDays is the usual value of Options.KeepDays.
const UsualKeepDays = 30

// Store has the parts of a store that tenants need.
type Store interface {
	store.Log
	store.Objects
	store.Snapshots
	store.Claims
	store.SignIns
	store.Moves
	store.Rewinds
}

// Open returns the tenants of a store. The caller must close the store, after Close.
func Open(ctx context.Context, s Store, options Options) (*Tenants, error) {
	if options.SnapshotAfter == 0 {
		options.SnapshotAfter = 8 << 20
	}
	options.KeepDays = cmp.Or(options.KeepDays, UsualKeepDays)
	options.Log = cmp.Or(options.Log, slog.Default())
	options.Loading = cmp.Or(options.Loading, 2)
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
		store: s, options: options, documents: documents,
		loading: make(chan struct{}, options.Loading),
		entries: map[uuid.UUID]*entry{}, freed: make(chan struct{}),
	}
	if all.names, err = newNames(s, options.Now); err != nil {
		return nil, err
	}
	all.earlier = &earlierImages{all: all, reading: make(chan struct{}, 1)}
	all.ctx, all.end = context.WithCancel(context.Background())
	if err := all.fillClaims(ctx); err != nil {
		return nil, errors.Join(err, all.Close(ctx))
	}
	return all, nil
}

// fillClaims claims the names of all tenants once, since earlier versions claimed them in memory
// only. Afterwards it claims a name that records this. If a tenant cannot be read, it changes
// nothing.
func (all *Tenants) fillClaims(ctx context.Context) error {
	const done = "claims: complete"
	found, err := all.store.Claimed(ctx, []string{done})
	if err != nil || len(found) > 0 {
		return err
	}
	ids, err := all.IDs(ctx)
	if err != nil {
		return err
	}
	began, of := all.options.Now(), make([]map[string]bool, len(ids))
	for i, id := range ids {
		t, err := all.newTenant(id)
		if err != nil {
			return err
		}
		if err := recoverImage(ctx, t, nil); err != nil {
			return err
		}
		if of[i] = t.Image().Claims(); i%100 == 99 {
			all.options.Log.Info("indexing tenant names (one time)",
				"read", i+1, "of", len(ids), "after", all.options.Now().Sub(began))
		}
	}
	for i, id := range ids {
		if _, err := all.names.settle(ctx, id, slices.Sorted(maps.Keys(of[i])), nil); err != nil {
			return err
		}
	}
	_, err = all.store.Settle(ctx, uuid.Nil, []string{done}, nil)
	return err
}

// IDs returns the ids of all tenants, oldest first.
func (all *Tenants) IDs(ctx context.Context) ([]uuid.UUID, error) { return all.first(ctx, math.MaxInt) }

// Any reports whether there are any tenants.
func (all *Tenants) Any(ctx context.Context) (bool, error) {
	ids, err := all.first(ctx, 1)
	return len(ids) > 0, err
}

func (all *Tenants) first(ctx context.Context, most int) (ids []uuid.UUID, err error) {
	listed, err := all.store.Tenants(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	for i := 0; i < len(listed) && len(ids) < most; i++ {
		place, err := all.store.Place(ctx, listed[i])
		if err != nil {
			return nil, err
		}
		if place.Seq > 0 { // otherwise its creation was interrupted before the first commit
			ids = append(ids, listed[i])
		}
	}
	return ids, nil
}

// Each loads one tenant after the other, oldest first, and calls do with it. If do returns an
// error, it stops and returns that error.
func (all *Tenants) Each(ctx context.Context, do func(t *Tenant) error) error {
	ids, err := all.IDs(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		t, err := all.Tenant(ctx, id)
		if err != nil {
			return err
		}
		err = do(t)
		t.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// Loaded returns the tenants that are loaded now, in the order of their ids. They may be dropped at
// any time; their images can still be read.
func (all *Tenants) Loaded() (list []*Tenant) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, e := range all.entries {
		if e.tenant != nil {
			list = append(list, e.tenant)
		}
	}
	slices.SortFunc(list, func(a, b *Tenant) int { return slices.Compare(a.id[:], b.id[:]) })
	return list
}

// Create adds a tenant with an organization and a catalog, and returns it as Tenant does.
func (all *Tenants) Create(
	ctx context.Context, id uuid.UUID, org directory.Organization, catalog *licensing.Catalog,
) (*Tenant, error) {
	all.creating.Lock()
	defer all.creating.Unlock()
	switch t, err := all.Tenant(ctx, id); {
	case err == nil:
		t.Release()
		return nil, &tenant.CommandError{
			Kind: tenant.ProblemTaken, Property: "id", Value: id.String(), Message: fmt.Sprintf(tenant.TakenText, "id"),
		}
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	for _, d := range org.VerifiedDomains { // before the store has the tenant; the command claims them
		switch owner, err := all.ByDomain(ctx, d.Name); {
		case err == nil:
			owner.Release()
			return nil, &tenant.CommandError{
				Kind: tenant.ProblemInvalid, Value: d.Name,
				Message: fmt.Sprintf("Domain %s belongs to tenant %s.", d.Name, owner.ID()),
			}
		case !errors.Is(err, store.ErrNotFound):
			return nil, err
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
	if _, err := t.Do(ctx, "system", tenant.Found{Organization: org, Catalog: catalog}); err != nil {
		return nil, errors.Join(err, t.close(ctx))
	}
	if err := t.close(ctx); err != nil { // a loaded tenant is as after a restart
		return nil, err
	}
	return all.Tenant(ctx, id)
}

// ByDomain returns the tenant with a verified domain, as Tenant does.
func (all *Tenants) ByDomain(ctx context.Context, name string) (*Tenant, error) {
	owner, err := all.names.owner(ctx, tenant.DomainClaim(name))
	if err != nil {
		return nil, err
	}
	t, err := all.Tenant(ctx, owner)
	if err == nil && !t.Image().Organization.HasDomain(name) { // the tenant has only claimed it, or has removed it
		t.Release()
		return nil, fmt.Errorf("a tenant with the domain %s: %w", name, store.ErrNotFound)
	}
	return t, err
}

// KnowsIssuer reports whether any tenant trusts an issuer.
func (all *Tenants) KnowsIssuer(ctx context.Context, issuer string) (bool, error) {
	return all.knows(ctx, tenant.IssuersClaim(issuer))
}

// ByIssuer returns the tenants that trust an issuer for one of the audiences, each as Tenant does.
func (all *Tenants) ByIssuer(ctx context.Context, issuer string, audiences []string) (list []*Tenant, err error) {
	for _, audience := range audiences {
		owner, err := all.names.owner(ctx, tenant.IssuerClaim(issuer, audience))
		has := func(t *Tenant) bool { return t.id == owner }
		if errors.Is(err, store.ErrNotFound) || slices.ContainsFunc(list, has) {
			continue
		}
		var t *Tenant
		if err == nil {
			t, err = all.Tenant(ctx, owner)
		}
		if err != nil {
			for _, t := range list {
				t.Release()
			}
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// KnowsApp reports whether any tenant has an application with a client id.
func (all *Tenants) KnowsApp(ctx context.Context, appID uuid.UUID) (bool, error) {
	return all.knows(ctx, tenant.AppClaim(appID))
}

func (all *Tenants) knows(ctx context.Context, name string) (bool, error) {
	_, err := all.names.owner(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Close completes the accepted work until it is durable, ends all work, and saves snapshots that
// make loading fast.
func (all *Tenants) Close(ctx context.Context) error {
	all.mu.Lock()
	all.closed = true
	all.mu.Unlock()
	all.end()
	all.tasks.Wait()
	var errs []error
	for _, t := range all.Loaded() {
		errs = append(errs, t.close(ctx))
	}
	return errors.Join(errs...)
}

// worthSaving is the number of bytes of effects that are replayed in no noticeable time.
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

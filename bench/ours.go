package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/licensing"
	"licensor/internal/query"
	"licensor/internal/store/sqlite"
	"licensor/internal/tenant"
)

// world is the tenant that both implementations are filled with. All users are in all groups, and
// each product has a group. All groups but the last have their product from the start.
type world struct {
	users    int
	catalog  *licensing.Catalog
	products []licensing.Product
}

// worldProducts are the products of the world, from the built-in catalog. The last one is assigned
// during the measurement.
var worldProducts = []string{"ENTERPRISEPACK", "EMS", "POWER_BI_PRO", "VISIOCLIENT", "Microsoft_365_Copilot"}

func newWorld(users int) world {
	w := world{users: users, catalog: catalog.BuiltIn()}
	for _, name := range worldProducts {
		for _, p := range w.catalog.Products {
			if p.SKUPartNumber == name {
				w.products = append(w.products, p)
			}
		}
	}
	return w
}

// ours is Licensor on a SQLite file.
type ours struct {
	world   world
	path    string
	store   *sqlite.Store
	tenants *engine.Tenants
	tenant  *engine.Tenant
	groups  []uint32
	used    uint64 // bytes of the heap before the tenant was loaded
	now     func() time.Time
}

func openOurs(ctx context.Context, path string, w world) (*ours, error) {
	o := &ours{world: w, path: path, now: time.Now}
	return o, o.create(ctx)
}

// create makes the file and the tenant.
func (o *ours) create(ctx context.Context) error {
	o.used = heap()
	if err := o.open(ctx); err != nil {
		return err
	}
	org := directory.Organization{
		DisplayName: "Bench", CountryLetterCode: "DE",
		VerifiedDomains: []directory.VerifiedDomain{{Name: "bench.example", IsDefault: true, IsInitial: true, Type: "Managed"}},
	}
	var err error
	if o.tenant, err = o.tenants.Create(ctx, id('t', 0), org, o.world.catalog); err != nil {
		return err
	}
	return o.fill(ctx)
}

func (o *ours) open(ctx context.Context) (err error) {
	if o.store, err = sqlite.Open(ctx, o.path); err != nil {
		return err
	}
	o.tenants, err = engine.Open(ctx, o.store, engine.Options{Now: o.now, NewID: uuid.New, Log: slog.Default()})
	return err
}

func id(kind byte, n int) uuid.UUID {
	v := uuid.UUID{0: kind, 6: 0x40, 8: 0x80}
	binary.BigEndian.PutUint32(v[12:], uint32(n))
	v[1], v[2], v[3] = byte(n*131), byte(n*137>>3), byte(n*139>>7) // ids are found by their first bytes
	return v
}

// fill adds people by imports of a few thousand, then the groups and their licenses.
func (o *ours) fill(ctx context.Context) error {
	const chunk = 10_000
	for from := 0; from < o.world.users; from += chunk {
		var rows []tenant.ImportRow
		for i := from; i < min(from+chunk, o.world.users); i++ {
			patch, err := personPatch(i)
			if err != nil {
				return err
			}
			rows = append(rows, tenant.ImportRow{
				Line: int64(i + 1), User: &tenant.ImportUser{ID: id('u', i), Patch: patch},
			})
		}
		if err := o.taken(ctx, rows); err != nil {
			return err
		}
	}
	for _, p := range o.world.products {
		_, err := o.tenant.Do(ctx, "bench", tenant.CreateSubscription{SKUID: p.SKUID, TotalLicenses: o.world.users + 1})
		if err != nil {
			return err
		}
	}
	return o.fillGroups(ctx)
}

func (o *ours) taken(ctx context.Context, rows []tenant.ImportRow) error {
	done, err := o.tenant.Do(ctx, "bench", tenant.Import{Rows: rows})
	if err == nil && len(done.Rows) > 0 {
		err = fmt.Errorf("row %d: %w", done.Rows[0].Line, done.Rows[0].Problem)
	}
	return err
}

func (o *ours) fillGroups(ctx context.Context) error {
	for g := range o.world.products {
		patch, err := groupPatch(g)
		if err != nil {
			return err
		}
		done, err := o.tenant.Do(ctx, "bench", tenant.CreateGroup{Patch: patch})
		if err != nil {
			return err
		}
		rows := make([]tenant.ImportRow, o.world.users)
		for i := range rows {
			rows[i] = tenant.ImportRow{
				Line:       int64(i + 1),
				Membership: &tenant.Membership{Group: done.ID.String(), Member: id('u', i).String()},
			}
		}
		if err := o.taken(ctx, rows); err != nil {
			return err
		}
		o.groups = append(o.groups, done.Ordinal)
	}
	for g := range len(o.groups) - 1 {
		if _, err := o.tenant.Do(ctx, "bench", o.assignment(g)); err != nil {
			return err
		}
	}
	return nil
}

func (o *ours) assignment(n int) tenant.AssignGroup {
	return tenant.AssignGroup{Group: o.groups[n], Add: []licensing.Assign{{SKUID: o.world.products[n].SKUID}}}
}

// assign measures an assignment until it is durable and visible, and reverts it for the next round.
func (o *ours) assign(ctx context.Context, n int) (time.Duration, error) {
	runtime.GC() // so that the change of the previous round is not included
	start := time.Now()
	done, err := o.tenant.Do(ctx, "bench", o.assignment(n))
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	holders := done.Image.Licensing.Holders(o.world.products[n].SKUID).GetCardinality()
	if int(holders) != o.world.users {
		return 0, fmt.Errorf("%d of %d members hold the product", holders, o.world.users)
	}
	_, err = o.tenant.Do(ctx, "bench", tenant.AssignGroup{
		Group: o.groups[n], Remove: []uuid.UUID{o.world.products[n].SKUID},
	})
	return took, err
}

// reprocess measures reprocessing all users when there is nothing to change.
func (o *ours) reprocess(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	done, err := o.tenant.Do(ctx, "bench", tenant.Reprocess{All: true})
	took := time.Since(start)
	if err == nil && (done.Changed || done.Report.Processed != o.world.users) {
		err = fmt.Errorf("reprocessing changed something: %+v", done.Report)
	}
	return took, err
}

// memory returns the heap size of the tenant.
func (o *ours) memory() uint64 { return heap() - o.used }

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // freed by finalizers
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// restart measures the start time with the current tenant.
func (o *ours) restart(ctx context.Context) (time.Duration, error) {
	if err := o.close(ctx); err != nil {
		return 0, err
	}
	runtime.GC()
	start := time.Now()
	if err := o.open(ctx); err != nil {
		return 0, err
	}
	t, err := o.tenants.Tenant(ctx, id('t', 0)) // which is loaded now
	took := time.Since(start)
	if err != nil || t.Image().Licensing.Users() != o.world.users {
		return 0, fmt.Errorf("the tenant did not come back whole")
	}
	o.tenant = t
	rows, err := t.Find(ctx, t.Image(), directory.TypeUser, query.WithinLive, query.All(), "", nil)
	if err == nil && rows.Count() != o.world.users {
		err = fmt.Errorf("%d of %d users came back", rows.Count(), o.world.users)
	}
	return took, err
}

func (o *ours) close(ctx context.Context) error {
	if err := o.tenants.Close(ctx); err != nil {
		return err
	}
	return o.store.Close()
}

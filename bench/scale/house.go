package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/catalog"
	"licensor/internal/database"
	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/identity"
	"licensor/internal/people"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// house is a database with its tenants, open in this process or not.
type house struct {
	name    string // the contender
	at      database.Name
	store   database.Store
	counted *counting
	tenants *engine.Tenants
}

// bigTenant is the tenant of all users. The database has two of 100 users, too.
var bigTenant = id('t', 0)

// file returns a house on a file of SQLite.
func (s *scale) file(name string) *house {
	return &house{name: onSQLite, at: database.File(s.path(name))}
}

// database returns a house on a new database of PostgreSQL.
func (s *scale) database(ctx context.Context, name string) (*house, error) {
	url, err := s.newDatabase(ctx, name)
	if err != nil {
		return nil, err
	}
	at, err := database.Parse(url)
	return &house{name: onPostgres, at: at}, err
}

// newDatabase creates a database of PostgreSQL, instead of one with the same name.
func (s *scale) newDatabase(ctx context.Context, name string) (string, error) {
	if err := s.dropDatabase(ctx, name); err != nil {
		return "", err
	}
	return s.cluster.URL(name), s.say(ctx, fmt.Sprintf("CREATE DATABASE %q", name))
}

func (s *scale) dropDatabase(ctx context.Context, name string) error {
	return s.say(ctx, fmt.Sprintf("DROP DATABASE IF EXISTS %q WITH (FORCE)", name))
}

func (s *scale) say(ctx context.Context, text string) error {
	conn, err := pgx.Connect(ctx, s.cluster.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, text)
	return err
}

// settle has PostgreSQL write what waits to be written, so that it does not do so while the next
// figures are measured.
func (s *scale) settle(ctx context.Context, h *house) error {
	if h.name != onPostgres {
		return nil
	}
	return s.say(ctx, "CHECKPOINT")
}

// flags returns the flag that names the database to a command of licensor.
func (h *house) flags() []string {
	if path, ok := h.at.IsFile(); ok {
		return []string{"--data", path}
	}
	return []string{"--database", h.at.URL()}
}

func (h *house) open(ctx context.Context) (err error) {
	if h.store, err = database.Open(ctx, h.at, database.Options{Create: true, Wait: 30 * time.Second}); err != nil {
		return err
	}
	h.counted = &counting{Store: h.store}
	h.tenants, err = engine.Open(ctx, h.counted, engine.Options{})
	return err
}

func (h *house) close(ctx context.Context) error {
	err := h.tenants.Close(ctx)
	h.tenants = nil
	err = errors.Join(err, h.store.Close())
	h.store, h.counted = nil, nil
	return err
}

// within opens the database in this process while do runs.
func (h *house) within(ctx context.Context, do func() error) error {
	if err := h.open(ctx); err != nil {
		return err
	}
	err := do()
	return errors.Join(err, h.close(context.WithoutCancel(ctx)))
}

// tenant returns a tenant, loaded until the database is closed or the memory is needed.
func (h *house) tenant(ctx context.Context, id uuid.UUID) (*engine.Tenant, error) {
	t, err := h.tenants.Tenant(ctx, id)
	if err == nil {
		t.Release() // there is no limit of memory
	}
	return t, err
}

var permissions = []string{"Directory.ReadWrite.All", "User.ReadWrite.All", "Group.ReadWrite.All", "Organization.ReadWrite.All"}

// found creates a tenant with an application that may do everything that is measured.
func (h *house) found(ctx context.Context, n int, domain string) (*engine.Tenant, error) {
	org := directory.Organization{
		DisplayName: "Scale", CountryLetterCode: "DE",
		VerifiedDomains: []directory.VerifiedDomain{{Name: domain, IsDefault: true, IsInitial: true, Type: "Managed"}},
	}
	t, err := h.tenants.Create(ctx, id('t', n), org, catalog.BuiltIn())
	if err != nil {
		return nil, err
	}
	t.Release()
	app := directory.Application{ID: id('a', 3*n+1), AppID: id('a', 3*n+2), DisplayName: "Scale"}
	principal := directory.ServicePrincipal{ID: id('a', 3*n), Permissions: permissions}
	_, err = t.Do(ctx, "scale", tenant.SetClient{Client: directory.Client{Application: app, Principal: principal}})
	return t, err
}

// small creates a tenant of 100 users.
func (h *house) small(ctx context.Context, n int) error {
	domain := fmt.Sprintf("t%d.example", n)
	t, err := h.found(ctx, n, domain)
	if err != nil {
		return err
	}
	var rows []tenant.ImportRow
	for u := range smallTenant {
		p, err := imported(person(u, domain))
		if err != nil {
			return err
		}
		rows = append(rows, tenant.ImportRow{Line: int64(u + 1), User: &tenant.ImportUser{ID: id('u', u), Patch: p}})
	}
	return importRows(ctx, t, rows)
}

func importRows(ctx context.Context, t *engine.Tenant, rows []tenant.ImportRow) error {
	done, err := t.Do(ctx, "scale", tenant.Import{Rows: rows})
	if err == nil && len(done.Rows) > 0 {
		err = fmt.Errorf("row %d: %w", done.Rows[0].Line, done.Rows[0].Problem)
	}
	return err
}

// tokens issues tokens for the applications of the first tenants, which servers of the database
// accept.
func (h *house) tokens(ctx context.Context, count int) (tokens []string, err error) {
	authority, err := identity.New(ctx, identity.Config{
		Keys: h.store, Tenants: people.Directory{Tenants: h.tenants}, Now: time.Now, Random: rand.Reader,
	})
	if err != nil {
		return nil, err
	}
	for n := range count {
		token, err := authority.Issue(identity.Claims{
			Tenant: id('t', n), ObjectID: id('a', 3*n), AppID: id('a', 3*n+2),
			Permissions: permissions, Expires: time.Now().Add(24 * time.Hour),
		})
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}

// openTokens is tokens for a database that is not open in this process.
func (h *house) openTokens(ctx context.Context, count int) (tokens []string, err error) {
	err = h.within(ctx, func() (err error) {
		tokens, err = h.tokens(ctx, count)
		return err
	})
	return tokens, err
}

// counting counts what is written for the log and for snapshots.
type counting struct {
	database.Store
	logged, saved atomic.Int64 // bytes of effects and of parts
	before        atomic.Int64 // logged when the first part of the last snapshot was saved
	manifests     atomic.Int64 // snapshots that are complete
	saving        atomic.Bool
}

// Append implements store.Store.
func (c *counting) Append(
	ctx context.Context, id uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	for i := range commits {
		c.logged.Add(int64(len(commits[i].Effects)))
	}
	return c.Store.Append(ctx, id, at, commits, objects)
}

// SaveParts implements store.Store.
func (c *counting) SaveParts(ctx context.Context, id uuid.UUID, parts []store.Part, at time.Time) error {
	if !c.saving.Swap(true) {
		c.before.Store(c.logged.Load())
	}
	for _, p := range parts {
		c.saved.Add(int64(len(p.Data)))
	}
	return c.Store.SaveParts(ctx, id, parts, at)
}

// ReplaceManifest implements store.Store.
func (c *counting) ReplaceManifest(ctx context.Context, id uuid.UUID, m store.Manifest, at time.Time) error {
	err := c.Store.ReplaceManifest(ctx, id, m, at)
	if err == nil && m.Name == store.NewestManifest {
		c.manifests.Add(1)
		c.saving.Store(false)
	}
	return err
}

// heap returns the bytes of the heap that are in use, once they are not getting fewer: what ends in
// the background, or has finalizers, takes several collections.
func heap() (least int64) {
	var stats runtime.MemStats
	for n := 0; ; n++ {
		runtime.GC()
		runtime.ReadMemStats(&stats)
		now := int64(stats.HeapAlloc)
		if n > 2 && now > least-least/1000 || n == 20 {
			return min(least, now)
		}
		least = now
		time.Sleep(20 * time.Millisecond)
	}
}

// someGroups creates groups of which the first has all users and the others none.
func (h *house) someGroups(ctx context.Context) error {
	t, err := h.tenant(ctx, id('t', 0))
	if err != nil {
		return err
	}
	var rows []tenant.ImportRow
	for n := range fewGroups + 1 {
		members, err := directory.Members(group(n))
		if err != nil {
			return err
		}
		patch, err := directory.ParseGroupPatch(members[1:]) // without the id
		if err != nil {
			return err
		}
		added := &tenant.ImportGroup{ID: id('g', n), Patch: patch}
		rows = append(rows, tenant.ImportRow{Line: int64(n + 1), Group: added})
	}
	for u := range smallTenant {
		member := &tenant.Membership{Group: id('g', 0).String(), Member: id('u', u).String()}
		rows = append(rows, tenant.ImportRow{Line: int64(len(rows) + 1), Membership: member})
	}
	return importRows(ctx, t, rows)
}

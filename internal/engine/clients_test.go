package engine_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/store/sqlite"
	"licensor/internal/tenant"
)

func TestIDsOfApplicationsAreTheirOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	h.must(tenant.SetClient{Client: client(1, "One")})
	two := client(2, "Two")
	h.must(tenant.SetClient{Client: two})
	img := h.Image()
	for name, change := range map[string]func(c *directory.Client){
		"appId of another":                    func(c *directory.Client) { c.AppID = client(1, "").AppID },
		"id of another's service principal":   func(c *directory.Client) { c.Principal.ID = client(1, "").Principal.ID },
		"id of Microsoft Graph's":             func(c *directory.Client) { c.Principal.ID = directory.GraphPrincipal(h.ID()).ID },
		"appId of Microsoft Graph":            func(c *directory.Client) { c.AppID = directory.GraphAppID },
		"a new one with the appId of another": func(c *directory.Client) { c.ID = uuid.UUID{9} },
	} {
		c := two
		change(&c)
		_, err := h.do(tenant.SetClient{Client: c})
		problem, ok := errors.AsType[*tenant.CommandError](err)
		if !ok || problem.Kind != tenant.ProblemTaken || h.Image() != img {
			t.Errorf("%s: %v", name, err)
		}
	}
	if done := h.must(tenant.SetClient{Client: two}); done.Changed {
		t.Error("the same again is a change")
	}
	if _, ok := img.Principal(directory.GraphPrincipal(h.ID()).ID); ok {
		t.Error("Microsoft Graph is an application of the tenant")
	}
	h.must(tenant.SetGrant{Grant: directory.Grant{Client: two.Principal.ID, Scopes: []string{"User.Read"}}})
	two.AppID, two.DisplayName = uuid.UUID{7}, "Moved"
	h.must(tenant.SetClient{Client: two})
	moved, ok := h.Image().Principal(two.Principal.ID)
	if !ok || moved.AppID != two.AppID || moved.Principal.AppID != two.AppID ||
		moved.Principal.DisplayName != "Moved" || h.Image().Grants.Len() != 1 {
		t.Errorf("with another appId it is %+v, grants %v", moved, slices.Collect(h.Image().Grants.All()))
	}
	two.Principal.ID = uuid.UUID{8}
	h.must(tenant.SetClient{Client: two})
	if img = h.Image(); img.Principals.Len() != 4 || img.Grants.Len() != 0 {
		t.Errorf("with another service principal: %d of them, grants %v", img.Principals.Len(), img.Grants)
	}
}

// TestAMigrationThatFailsIsMadeLater opens a database of format 1 while nothing can be written.
func TestAMigrationThatFailsIsMadeLater(t *testing.T) {
	t.Parallel()
	h := &house{tb: t, path: filepath.Join(t.TempDir(), "licensor.db"), after: 1}
	if err := os.WriteFile(h.path, mustRead(t, "testdata/format-1.db"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), h.path)
	if err != nil {
		t.Fatal(err)
	}
	full := &failing{Store: s}
	full.fail.Store(true)
	all, err := engine.Open(t.Context(), full, engine.Options{
		Now: time.Now, NewID: uuid.New, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), SnapshotAfter: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := all.Tenant(t.Context(), uuid.UUID{1}); !errors.Is(err, errDisk) {
		t.Errorf("it is loaded: %v", err)
	}
	if err := errors.Join(all.Close(t.Context()), s.Close()); err != nil {
		t.Fatal(err)
	}
	h.open(nil)
	defer h.close()
	wantHeld(t, h.held(), afterMigration(t, mustRead(t, "testdata/format-1.json")))
}

// client returns application number i with a service principal.
func client(i uint32, name string) directory.Client {
	id := func(kind byte) uuid.UUID {
		id := uuid.UUID{kind}
		binary.BigEndian.PutUint32(id[12:], i)
		return id
	}
	return directory.Client{
		Application: directory.Application{
			ID: id(1), AppID: id(2), DisplayName: name,
			Properties: map[string]json.RawMessage{"identifierUris": json.RawMessage(fmt.Sprintf(`["api://%d"]`, i))},
		},
		Principal: directory.ServicePrincipal{ID: id(3), Permissions: []string{"User.Read.All"}},
	}
}

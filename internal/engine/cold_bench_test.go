package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/store/sqlite"
	"licensor/internal/tenant"
)

// BenchmarkCold loads tenants of 100 users, of which the file has many.
func BenchmarkCold(b *testing.B) {
	file, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "many.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	tenants, err := engine.Open(b.Context(), file, engine.Options{
		Now: time.Now, NewID: uuid.New, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer tenants.Close(context.Background())
	const count = 200
	for n := range count {
		org := directory.Organization{
			DisplayName: "Cold", CountryLetterCode: "DE", VerifiedDomains: []directory.VerifiedDomain{
				{Name: fmt.Sprintf("t%d.example", n), IsDefault: true, IsInitial: true, Type: "Managed"},
			},
		}
		made, err := tenants.Create(b.Context(), numbered('t', n), org, catalog.BuiltIn())
		if err != nil {
			b.Fatal(err)
		}

		town := &town{b: b, Tenant: made}
		town.imports(100, func(i int) tenant.ImportRow {
			return tenant.ImportRow{User: &tenant.ImportUser{
				ID: numbered('u', i), Patch: userPatch(b, `{"accountEnabled":true,"displayName":"Person %[1]d","givenName":"P",`+
					`"userPrincipalName":"p%[1]d@t%[2]d.example","mailNickname":"p%[1]d","usageLocation":"DE","department":"D %[3]d"}`, i, n, i%7),
			}}
		})
		made.Release()
	}
	n := 0
	for b.Loop() {
		id := numbered('t', n%count)
		n++
		tenants.DropIdle(id)
		loaded, err := tenants.Tenant(b.Context(), id)
		if err != nil {
			b.Fatal(err)
		}
		loaded.Release()
	}
}

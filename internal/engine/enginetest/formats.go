// Package enginetest has tenants for tests of packages that read logs.
package enginetest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"licensor/internal/engine"
	"licensor/internal/store/sqlite"
)

// EveryFormat calls a test for each tenant of the databases that earlier versions wrote, one for
// each format. They are in internal/engine/testdata, the folder, seen from the package of the test.
// The test gets copies, which it may change.
func EveryFormat(t *testing.T, folder string, test func(*testing.T, *engine.Tenant)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "format-*.db"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no databases in %s: %v", folder, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "licensor.db")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			each(t, path, test)
		})
	}
}

func each(t *testing.T, path string, test func(*testing.T, *engine.Tenant)) {
	t.Helper()
	ctx := context.Background() // it must outlive the test, for closing
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	all, err := engine.Open(ctx, s, engine.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close(ctx)
	ids, err := s.Tenants(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		one, err := all.Tenant(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		defer one.Release()
		test(t, one)
	}
}

package audit_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/audit"
	"licensor/internal/engine"
	"licensor/internal/store/sqlite"
)

// TestCommitsOfAllFormatsHaveEntries reads the audit logs of databases that earlier versions wrote.
// Every entry names its targets, and is found by its id.
func TestCommitsOfAllFormatsHaveEntries(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../engine/testdata/format-*.db")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no databases: %v", err)
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
			s, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			ctx := context.Background()
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
				checkEntries(t, all, id)
			}
		})
	}
}

func checkEntries(t *testing.T, all *engine.Tenants, id uuid.UUID) {
	t.Helper()
	ctx := context.Background()
	live, err := all.Tenant(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	defer live.Release()
	img := live.Image()
	q := audit.Query{Condition: audit.All(), Descending: true, UpTo: img.Seq, Limit: 1000}
	page, err := q.Read(ctx, live, img)
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Entries) == 0 || page.Next != nil {
		t.Fatalf("there are %d entries", len(page.Entries))
	}
	for _, e := range page.Entries {
		if e.Activity == "" || e.Category == "" || len(e.Targets) == 0 {
			t.Errorf("an entry is %+v", e)
		}
		for _, target := range e.Targets {
			if target.ID == "" || target.ID == uuid.Nil.String() {
				t.Errorf("%s of commit %d has the target %+v", e.Activity, e.Commit.Seq, target)
			}
		}
		found, ok, err := audit.Find(ctx, live, img, e.ID(), time.Time{})
		if err != nil || !ok || found.ID() != e.ID() || found.Activity != e.Activity {
			t.Errorf("%s is not found by its id: %v", e.ID(), err)
		}
	}
}

package undo_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/graph/undo"
	"licensor/internal/store/sqlite"
	"licensor/internal/tenant"
)

// refusing is a draft that refuses every request.
type refusing struct{ *engine.Rehearsal }

func (refusing) Full() string { return "" }

func (refusing) Try(context.Context, string, string, []byte) (string, error) { return "refused", nil }

// Commits of databases that earlier versions wrote are undone as far as they say what was before.
// If every request is refused, something stays different, and all that does has a reason.
func TestCommitsOfAllFormatsAreUndone(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../engine/testdata/format-*.db")
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
				checkUndone(t, all, id)
			}
		})
	}
}

func checkUndone(t *testing.T, all *engine.Tenants, id uuid.UUID) {
	t.Helper()
	ctx := t.Context()
	one, err := all.Tenant(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Release()
	commits, err := one.FirstCommits(ctx, 0, one.Image().Seq)
	if err != nil || len(commits) == 0 {
		t.Fatalf("there are %d commits: %v", len(commits), err)
	}
	rights, pace := undo.Rights{Users: true, Groups: true, Members: true}, func() error { return nil }
	stays := 0
	for _, c := range commits {
		_, _, err := one.Rehearse(ctx, tenant.By{}, func(ctx context.Context, r *engine.Rehearsal) error {
			result, err := undo.Run(ctx, c, refusing{r}, rights, pace)
			if err != nil {
				return err
			}
			stays += result.Count
			for _, s := range result.Stays {
				if s.Type == "" || s.What == "" || s.Why == "" {
					t.Errorf("commit %d, %s: %+v", c.Seq, c.Operation, s)
				}
			}
			return nil
		})
		if err != nil {
			t.Errorf("commit %d, %s: %v", c.Seq, c.Operation, err)
		}
	}
	if stays == 0 {
		t.Errorf("nothing stays of %d commits", len(commits))
	}
}

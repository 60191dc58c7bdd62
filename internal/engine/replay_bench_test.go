package engine_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/store"
	"licensor/internal/store/memory"
)

// BenchmarkReplay loads a tenant from its log alone: the import of 100,000 users, and some 16,000
// commits of single changes.
func BenchmarkReplay(b *testing.B) {
	kept := memory.New().Open()
	town := newTown(b, size{1000 + 390*256, 100 + 10*256, 100}, func(size) store.Store { return kept })
	load := func() {
		tenants, err := engine.Open(b.Context(), kept, engine.Options{
			Now: time.Now, NewID: uuid.New, Log: slog.New(slog.DiscardHandler), SnapshotAfter: 1 << 60,
		})
		if err != nil {
			b.Fatal(err)
		}
		loaded, err := tenants.Tenant(b.Context(), uuid.UUID{1})
		if err != nil {
			b.Fatal(err)
		}
		defer tenants.Close(context.Background())
		defer loaded.Release()
	}
	for i := range 500 {
		town.round(i)
	}
	for b.Loop() {
		load()
	}
	b.ReportMetric(float64(town.Image().Seq), "commits")
}

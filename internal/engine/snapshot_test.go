package engine_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/compressed"
	"licensor/internal/directory"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// weighing is a store that counts the bytes written of commits and of snapshots, before and after
// the parts of those are compressed.
type weighing struct {
	store.Store
	commits, snapshots, stored atomic.Int64
}

func (w *weighing) Append(
	ctx context.Context, of uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	for _, c := range commits {
		w.commits.Add(int64(len(c.Effects)))
	}
	return w.Store.Append(ctx, of, at, commits, objects)
}

func (w *weighing) SaveParts(ctx context.Context, of uuid.UUID, parts []store.Part, at time.Time) error {
	for _, p := range parts {
		w.snapshots.Add(int64(compressed.Size(p.Data)))
		w.stored.Add(int64(len(p.Data)))
	}
	return w.Store.SaveParts(ctx, of, parts, at)
}

// TestSnapshotsStayInProportion imports so many users that frequent snapshots would write each user
// a hundred times.
func TestSnapshotsStayInProportion(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<14)
	h.close()
	w := new(weighing)
	h.open(func(s store.Store) store.Store { w.Store = s; return w })
	const batch, batches = 200, 60
	for b := range batches {
		rows := make([]tenant.ImportRow, batch)
		for i := range rows {
			n := b*batch + i
			patch, err := directory.ParseUserImport(members(t, fmt.Sprintf(`{"accountEnabled":true,"displayName":"User %[1]d","mailNickname":"u%[1]d",`+
				`"userPrincipalName":"u%[1]d@test.example","department":"Department %[1]d of many","jobTitle":"Title %[1]d","city":"A town with the number %[1]d"}`, n)))
			if err != nil {
				t.Fatal(err)
			}
			rows[i] = tenant.ImportRow{Line: int64(i + 1), User: &tenant.ImportUser{Patch: patch}}
		}
		h.must(tenant.Import{Rows: rows})
	}
	before := content(t, h.Image())
	h.close()
	commits, snapshots := w.commits.Load(), w.snapshots.Load()
	if commits < 1<<20 || snapshots < 1<<20 {
		t.Fatalf("%d bytes of commits and %d of snapshots prove nothing", commits, snapshots)
	}
	t.Logf("%d bytes of snapshots, %d stored, %d of commits", snapshots, w.stored.Load(), commits)
	if w.stored.Load() > snapshots/2 {
		t.Errorf("%d bytes of snapshots are stored as %d", snapshots, w.stored.Load())
	}
	if snapshots > 16*commits { // it would be a hundred times
		t.Errorf("%d bytes of snapshots for %d of commits", snapshots, commits)
	}
	h.open(nil)
	if content(t, h.Image()) != before {
		t.Error("the image is another one after a restart")
	}
}

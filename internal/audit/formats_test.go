package audit_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/audit"
	"licensor/internal/engine"
	"licensor/internal/engine/enginetest"
)

// TestCommitsOfAllFormatsHaveEntries reads the audit logs of databases that earlier versions wrote.
// Every entry names its targets, and is found by its id.
func TestCommitsOfAllFormatsHaveEntries(t *testing.T) {
	t.Parallel()
	enginetest.EveryFormat(t, "../engine/testdata", checkEntries)
}

func checkEntries(t *testing.T, live *engine.Tenant) {
	t.Helper()
	ctx := context.Background()
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

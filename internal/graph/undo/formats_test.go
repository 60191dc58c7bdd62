package undo_test

import (
	"context"
	"testing"

	"licensor/internal/engine"
	"licensor/internal/engine/enginetest"
	"licensor/internal/graph/undo"
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
	enginetest.EveryFormat(t, "../../engine/testdata", checkUndone)
}

func checkUndone(t *testing.T, one *engine.Tenant) {
	t.Helper()
	ctx := t.Context()
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

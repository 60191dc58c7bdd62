package graph

import (
	"context"
	"slices"
	"testing"

	"licensor/internal/audit"
	"licensor/internal/engine"
	"licensor/internal/guid"
	"licensor/internal/trail"
)

// checkTrail compares the entries of the audit log that are found by the id of a user or group with
// those that reading the whole log finds: the trail must have every commit that concerns it.
func checkTrail(t *testing.T, of *engine.Tenant) {
	t.Helper()
	img := of.Image()
	by := map[string][]string{} // the ids of entries, by the ids of their targets
	for _, e := range allEntries(t, of, audit.All(), false) {
		for _, target := range e.Targets {
			if !slices.Contains(by[target.ID], e.ID()) {
				by[target.ID] = append(by[target.ID], e.ID())
			}
			id, _ := guid.Parse(target.ID)
			object, ok := img.Concerning(id)
			seq := e.Commit.Seq
			if ok && len(img.Trail.Commits([]trail.Object{object}, seq, seq, false, 1)) == 0 {
				t.Errorf("the trail of %s lacks commit %d, %s: %s", target.ID, seq, e.Commit.Operation, e.Activity)
			}
		}
	}
	for id, want := range by {
		for _, descending := range []bool{false, true} {
			var got []string
			for _, e := range allEntries(t, of, audit.Text(audit.FieldTargetID, audit.OpEqual, id), descending) {
				got = append(got, e.ID())
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("entries with the target %s, descending %v:\n%q\nwant\n%q", id, descending, got, want)
			}
		}
	}
}

// allEntries returns the entries of a tenant that fulfill a condition, in pages of seven.
func allEntries(t *testing.T, of *engine.Tenant, condition *audit.Condition, descending bool) (list []audit.Entry) {
	t.Helper()
	img := of.Image()
	for q := (audit.Query{Condition: condition, Descending: descending, UpTo: img.Seq, Limit: 7}); ; {
		page, err := q.Read(context.Background(), of, img)
		if err != nil {
			t.Fatal(err)
		}
		if list = append(list, page.Entries...); page.Next == nil {
			return list
		}
		q.From = page.Next
	}
}

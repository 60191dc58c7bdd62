package storetest

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/store"
)

func wantFloors(t *testing.T, s store.Store, tenant uuid.UUID, log, moved uint64) {
	t.Helper()
	got, err := s.Floors(t.Context(), tenant)
	if err != nil || max(got.Log, 1) != log || got.Moved != moved {
		t.Errorf("the floors are %+v, %v; want %d and %d", got, err, log, moved)
	}
}

func wantTrimmed(t *testing.T, got int, err error, want int) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("%d rows were trimmed, %v; want %d", got, err, want)
	}
}

// wantNoCommits checks that the commits after one were trimmed.
func wantNoCommits(t *testing.T, s store.Store, tenant uuid.UUID, after uint64) {
	t.Helper()
	err := s.Commits(t.Context(), tenant, after, func(store.Commit) error { return nil })
	if !errors.Is(err, store.ErrTrimmed) {
		t.Errorf("the commits after %d answer %v, want ErrTrimmed", after, err)
	}
}

func trimsLog(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	wantFloors(t, s, tenant, 1, 0)
	var commits []store.Commit
	for seq := range uint64(store.TrimRows + 20) {
		commits = append(commits, commit(seq+1))
	}
	mustAppend(t, s, tenant, commits)
	end, err := s.Place(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.TrimLog(t.Context(), tenant, 1)
	wantTrimmed(t, n, err, 0)
	n, err = s.TrimLog(t.Context(), tenant, 6)
	wantTrimmed(t, n, err, 5)
	wantFloors(t, s, tenant, 6, 0)
	n, err = s.TrimLog(t.Context(), tenant, 4)
	wantTrimmed(t, n, err, 0)
	wantFloors(t, s, tenant, 6, 0)
	for after := range uint64(5) {
		wantNoCommits(t, s, tenant, after)
	}
	if got := allCommits(t, s, tenant, 5); len(got) != len(commits)-5 || got[0].Seq != 6 {
		t.Errorf("there are %d commits left, want %d", len(got), len(commits)-5)
	}
	n, err = s.TrimLog(t.Context(), tenant, math.MaxInt64)
	wantTrimmed(t, n, err, store.TrimRows)
	n, err = s.TrimLog(t.Context(), tenant, math.MaxInt64)
	wantTrimmed(t, n, err, 15)
	wantFloors(t, s, tenant, uint64(len(commits))+1, 0)
	wantNoCommits(t, s, tenant, 7)
	if got := allCommits(t, s, tenant, end.Seq); len(got) != 0 {
		t.Errorf("there are commits after the last: %v", got)
	}
	if got, err := s.Place(t.Context(), tenant); err != nil || got != end {
		t.Errorf("a trimmed log ends at %+v, %v; want %+v", got, err, end)
	}
	mustAppend(t, s, tenant, []store.Commit{commit(end.Seq + 1)})
	if got := allCommits(t, s, tenant, end.Seq); len(got) != 1 {
		t.Errorf("there are %d commits after trimming and appending, want 1", len(got))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantFloors(t, open(t), tenant, end.Seq+1, 0)
}

func trimsMoved(t *testing.T, open Place) {
	s, tenant := begin(t, open)
	for seq := range uint64(6) { // each commit renames the row
		row := object(0, document{"displayName": fmt.Sprint(seq + 1)})
		mustAppend(t, s, tenant, []store.Commit{commit(seq + 1)}, row)
	}
	ordered := func(asOf uint64) (string, error) {
		rows, err := s.Objects(t.Context(), tenant, store.Query{
			Kind: store.KindUser, After: -1, Order: &store.Order{Property: "displayName", AsOf: asOf},
		})
		if err != nil {
			return "", err
		}
		return rows[0].Key, nil
	}
	n, err := s.TrimMoved(t.Context(), tenant, 3)
	wantTrimmed(t, n, err, 2)
	n, err = s.TrimMoved(t.Context(), tenant, 3)
	wantTrimmed(t, n, err, 0)
	wantFloors(t, s, tenant, 1, 3)
	for asOf := uint64(1); asOf <= 6; asOf++ {
		key, err := ordered(asOf)
		_, movedErr := s.Moved(t.Context(), tenant, store.KindUser, "displayName", asOf)
		if asOf < 3 {
			if !errors.Is(err, store.ErrTrimmed) || !errors.Is(movedErr, store.ErrTrimmed) {
				t.Errorf("the order as of commit %d answers %v and %v, want ErrTrimmed", asOf, err, movedErr)
			}
		} else if err != nil || movedErr != nil || key != fmt.Sprint("=", asOf) {
			t.Errorf("the key as of commit %d is %q, %v, %v", asOf, key, err, movedErr)
		}
	}
}

func sharedTrim(t *testing.T, open Place) {
	a, b, tenant := beginShared(t, open)
	for seq := range uint64(10) {
		mustAppend(t, a, tenant, []store.Commit{commit(seq + 1)})
	}
	n, err := b.TrimLog(t.Context(), tenant, 5)
	wantTrimmed(t, n, err, 4)
	wantFloors(t, a, tenant, 5, 0)
	wantNoCommits(t, a, tenant, 2)
	mustAppend(t, b, tenant, []store.Commit{commit(11)})
	wantSamePlace(t, tenant, a, b)
}

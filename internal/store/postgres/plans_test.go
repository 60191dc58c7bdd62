package postgres_test

import (
	"fmt"
	"testing"

	"licensor/internal/store"
	"licensor/internal/store/postgres/postgrestest"
)

// TestLargeAppendsAfterSmallOnes: plans that are right for a small table must not be used for a
// large one. With such plans, each of these would take minutes and fail.
func TestLargeAppendsAfterSmallOnes(t *testing.T) {
	t.Parallel()
	url := postgrestest.Database(t)
	s := open(t, url)
	tenant, at := withTenant(t, s), store.Place{}
	write := func(rows []store.Object) {
		t.Helper()
		commits := []store.Commit{nextCommit(at)}
		if err := s.Append(t.Context(), tenant, at, commits, rows); err != nil {
			t.Fatal(err)
		}
		at = at.After(commits)
	}
	for i := range uint32(12) { // enough for a plan to be cached
		write([]store.Object{userRow(i, fmt.Sprint(i))})
	}
	say(t, url, "VACUUM ANALYZE licensor.object, licensor.moved, licensor.commits")
	for i := range uint32(12) {
		write([]store.Object{userRow(i, fmt.Sprint(i))})
	}
	const many = 15_000
	for i := range uint32(3) {
		write(newRows(i*many, many))
	}
	asOf := at.Seq
	write(newRows(0, many)) // all of them have another name now
	write(newRows(many, many))
	query := store.Query{
		Kind: store.KindUser, After: -1, Limit: 1000,
		Order: &store.Order{Property: "displayName", AsOf: asOf},
	}
	for n := 0; n < 3*many; {
		rows, err := s.Objects(t.Context(), tenant, query)
		if err != nil || len(rows) != query.Limit {
			t.Fatalf("after %d rows in order: %d, %v", n, len(rows), err)
		}
		last, next := rows[len(rows)-1], *query.Order
		next.After = last.Key
		query.After, query.Order, n = int64(last.Ordinal), &next, n+len(rows)
	}
	var ordinals []uint32
	for i := range uint32(store.MaxOrdinals) {
		ordinals = append(ordinals, i)
	}
	rows, err := s.Objects(t.Context(), tenant, store.Query{Kind: store.KindUser, Ordinals: ordinals, After: -1})
	if err != nil || len(rows) != 3*many {
		t.Errorf("of %d ordinals there are %d rows, %v", len(ordinals), len(rows), err)
	}
	if moved, err := s.Moved(t.Context(), tenant, store.KindUser, "displayName", asOf); err != nil || len(moved) != 2*many {
		t.Errorf("%d rows have moved, %v", len(moved), err)
	}
}

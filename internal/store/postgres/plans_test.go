package postgres_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
	"licensor/internal/store/postgres"
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

// freshRows fill a table that the database has no statistics of.
const freshRows = `ALTER TABLE licensor.object SET (autovacuum_enabled = false);
	INSERT INTO licensor.object (tenant, kind, ordinal, id, seq, sum, purged, user_principal_name, display_name, document)
	SELECT t.tenant, 1, n, gen_random_uuid(), 1, 0, false, convert_to('=' || n, 'UTF8'), convert_to('=' || n, 'UTF8'), '{}'
	FROM unnest(ARRAY['%s', '%s']::uuid[]) AS t (tenant), generate_series(0, 199999) AS n`

// TestRowsAreLookedUpByTheirKeyAfterAFill, before the database has statistics: whether the plan is
// for the values of one query, or for any.
func TestRowsAreLookedUpByTheirKeyAfterAFill(t *testing.T) {
	t.Parallel()
	url := postgrestest.Database(t)
	open(t, url)
	tenant := uuid.New()
	say(t, url, fmt.Sprintf(freshRows, tenant, uuid.New()))
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	some := func(n, every uint32) (list []uint32) {
		for i := range n {
			list = append(list, i*every)
		}
		return list
	}
	for name, query := range map[string]store.Query{
		"one ordinal":               {Ordinals: some(1, 1)},
		"64 ordinals":               {Ordinals: some(64, 1000)},
		"a page of ordinals":        {Ordinals: some(1000, 100)},
		"ordinals, by bytes":        {Ordinals: some(1000, 100), Bytes: 512 << 10, Limit: 1000},
		"as many as may be":         {Ordinals: some(store.MaxOrdinals, 3)},
		"a page":                    {After: 100_000, Limit: 1000},
		"a page, by bytes":          {After: 100_000, Limit: 1000, Bytes: 512 << 10},
		"a page of deleted objects": {Deleted: true, Limit: 1000},
	} {
		query.Kind = store.KindUser
		text, args := postgres.ObjectsText(tenant, query)
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			plan := planOf(t, conn, mode, text, args)
			want := regexp.MustCompile(`Index Cond: .*\bordinal > `)
			if query.Ordinals != nil {
				want = regexp.MustCompile(`Index Cond: .*\bordinal = `)
			}
			if strings.Contains(plan, "Seq Scan") || !want.MatchString(plan) {
				t.Errorf("%s, %s: rows are not looked up by their key:\n%s", name, mode, plan)
			}
		}
	}
}

// planOf returns the plan of a statement in a mode of plan_cache_mode.
func planOf(t *testing.T, conn *pgx.Conn, mode, text string, args []any) string {
	t.Helper()
	var values []string
	for _, a := range args {
		switch a := a.(type) {
		case []int64:
			values = append(values, "'{"+strings.Trim(strings.ReplaceAll(fmt.Sprint(a), " ", ","), "[]")+"}'")
		case *int64:
			if a == nil {
				values = append(values, "NULL")
			} else {
				values = append(values, fmt.Sprint(*a))
			}
		default:
			values = append(values, fmt.Sprintf("'%v'", a))
		}
	}
	results, err := conn.PgConn().Exec(t.Context(), "SET plan_cache_mode = "+mode+"; PREPARE q AS "+text+
		"; EXPLAIN EXECUTE q ("+strings.Join(values, ", ")+"); DEALLOCATE q").ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var plan []string
	for _, row := range results[2].Rows {
		plan = append(plan, string(row[0]))
	}
	return strings.Join(plan, "\n")
}

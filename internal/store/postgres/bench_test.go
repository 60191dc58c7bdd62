package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
	"licensor/internal/store/postgres"
	"licensor/internal/store/postgres/postgrestest"
)

// BenchmarkAppend appends commits with one row each to a tenant with 20,000 rows; its name says how
// many at once. For comparison, it executes the statement alone, in a loop over one connection,
// prepared and planned each time.
func BenchmarkAppend(b *testing.B) {
	for _, many := range []int{1, 64} {
		b.Run(fmt.Sprintf("store/%d", many), func(b *testing.B) {
			url, tenant, at := filled(b, 20_000)
			s := open(b, url)
			appendInLoop(b, at, many, func(at store.Place, commits []store.Commit, rows []store.Object) error {
				return s.Append(b.Context(), tenant, at, commits, rows)
			})
		})
		for name, mode := range map[string]pgx.QueryExecMode{
			"prepared": pgx.QueryExecModeCacheStatement, "described": pgx.QueryExecModeCacheDescribe,
		} {
			b.Run(fmt.Sprintf("%s/%d", name, many), func(b *testing.B) { appendByHand(b, mode, many) })
		}
	}
}

// appendByHand executes the statement of an append over one connection.
func appendByHand(b *testing.B, mode pgx.QueryExecMode, many int) {
	url, tenant, at := filled(b, 20_000)
	conn, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	appendInLoop(b, at, many, func(at store.Place, commits []store.Commit, rows []store.Object) error {
		args, err := postgres.AppendArgs(tenant, at, commits, rows)
		if err != nil {
			return err
		}
		_, err = conn.Exec(b.Context(), postgres.AppendStatement, append([]any{mode}, args...)...)
		return err
	})
}

func appendInLoop(
	b *testing.B, at store.Place, many int,
	do func(at store.Place, commits []store.Commit, rows []store.Object) error,
) {
	for b.Loop() {
		commits, rows := batch(at, many, func(int) uint32 { return rand.Uint32N(20_000) })
		if err := do(at, commits, rows); err != nil {
			b.Fatal(err)
		}
		at = at.After(commits)
	}
	b.ReportMetric(float64(b.N*many)/b.Elapsed().Seconds(), "commits/s")
}

// batch returns commits that follow a place, with a row for each.
func batch(at store.Place, many int, ordinal func(i int) uint32) (commits []store.Commit, rows []store.Object) {
	for i := range many {
		commits = append(commits, nextCommit(at.After(commits)))
		rows = append(rows, userRow(ordinal(i), fmt.Sprintf("%x", rand.Uint64())))
	}
	return commits, rows
}

// filled returns a database with one tenant that has a number of rows.
func filled(b *testing.B, rows int) (url string, tenant uuid.UUID, at store.Place) {
	b.Helper()
	url, tenant = postgrestest.Database(b), uuid.New()
	s := open(b, url)
	if err := s.CreateTenant(b.Context(), tenant); err != nil {
		b.Fatal(err)
	}
	commits, objects := []store.Commit{nextCommit(at)}, []store.Object{}
	for i := range rows {
		objects = append(objects, userRow(uint32(i), fmt.Sprintf("%x", rand.Uint64())))
	}
	if err := s.Append(b.Context(), tenant, at, commits, objects); err != nil {
		b.Fatal(err)
	}
	return url, tenant, at.After(commits)
}

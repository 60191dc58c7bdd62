package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
	"licensor/internal/store/postgres"
)

// BenchmarkImport appends 20,000 new rows at once to a tenant that has as many. For comparison, it
// inserts them with COPY into the same table, and into a table without indexes.
func BenchmarkImport(b *testing.B) {
	const many = 20_000
	b.Run("append", func(b *testing.B) {
		url, tenant, at := filled(b, many)
		s := open(b, url)
		next := uint32(many)
		for b.Loop() {
			b.StopTimer()
			commits, rows := []store.Commit{nextCommit(at)}, newRows(next, many)
			b.StartTimer()
			if err := s.Append(b.Context(), tenant, at, commits, rows); err != nil {
				b.Fatal(err)
			}
			at, next = at.After(commits), next+many
		}
		b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N*many), "ns/row")
	})
	for name, table := range map[string]string{"copy": "object", "copy without indexes": "bare"} {
		b.Run(name, func(b *testing.B) {
			url, tenant, _ := filled(b, many)
			say(b, url, "CREATE TABLE licensor.bare (LIKE licensor.object)")
			conn, err := pgx.Connect(b.Context(), url)
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close(context.Background())
			next := uint32(many)
			for b.Loop() {
				b.StopTimer()
				rows := newRows(next, many)
				b.StartTimer()
				source, columns, err := postgres.CopyRows(tenant, rows)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := conn.CopyFrom(b.Context(), pgx.Identifier{"licensor", table}, columns, source); err != nil {
					b.Fatal(err)
				}
				next += many
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N*many), "ns/row")
		})
	}
}

func newRows(from uint32, many int) (rows []store.Object) {
	for i := range many {
		rows = append(rows, userRow(from+uint32(i), fmt.Sprintf("%x", rand.Uint64())))
	}
	return rows
}

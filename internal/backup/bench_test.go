package backup_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/backup"
	"licensor/internal/store"
	"licensor/internal/store/postgres"
	"licensor/internal/store/postgres/postgrestest"
	"licensor/internal/store/sqlite"
)

// benchRows is how many users the tenant of a benchmark has.
const benchRows = 100_000

var benchStores = map[string]func(b *testing.B) store.Store{
	"sqlite": func(b *testing.B) store.Store {
		b.Helper()
		s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "x.db"))
		if err != nil {
			b.Fatal(err)
		}
		return s
	},
	"postgres": func(b *testing.B) store.Store {
		b.Helper()
		s, err := postgres.Open(b.Context(), postgrestest.Database(b), postgres.Options{})
		if err != nil {
			b.Fatal(err)
		}
		return s
	},
}

// filledForBench fills a tenant of so many users.
func filledForBench(b *testing.B, s store.Store) {
	b.Helper()
	id := uuid.New()
	if err := s.CreateTenant(b.Context(), id); err != nil {
		b.Fatal(err)
	}
	c := store.Commit{Seq: 1, Actor: "system", Operation: "import", Format: 8, Effects: make([]byte, 1000)}
	c.Chain = c.Link(store.Chain{})
	if err := s.Fill(b.Context(), id, []store.Commit{c}, nil); err != nil {
		b.Fatal(err)
	}
	for first := 0; first < benchRows; first += 10_000 {
		var rows []store.Object
		for i := first; i < first+10_000; i++ {
			rows = append(rows, store.Object{
				Kind: store.KindUser, Ordinal: uint32(i), ID: uuid.New(), Seq: 1, Document: fmt.Appendf(nil,
					`{"id":"%[1]s","userPrincipalName":"user%[2]d@contoso.com","displayName":"User %[2]d","mail":"user%[2]d@contoso.com",`+
						`"accountEnabled":true,"createdDateTime":"2026-10-01T12:00:00Z","department":"Sales","jobTitle":"Engineer",`+
						`"givenName":"User","surname":"Number %[2]d","usageLocation":"DE","city":"Berlin","officeLocation":"A/1/%[2]d"}`, uuid.New(), i),
			})
		}
		if err := s.Fill(b.Context(), id, nil, rows); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Publish(b.Context(), id, store.Place{Seq: 1, Chain: c.Chain}, store.Floors{}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkBackup backs up a tenant of 100,000 users, checks the backup, and restores it.
func BenchmarkBackup(b *testing.B) {
	for name, open := range benchStores {
		s := open(b)
		filledForBench(b, s)
		var out bytes.Buffer
		perRow := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*benchRows), "µs/row")
		}
		b.Run(name+"/write", func(b *testing.B) {
			for b.Loop() {
				out.Reset()
				if _, err := backup.Write(b.Context(), &out, s, backup.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			perRow(b)
			b.ReportMetric(float64(out.Len())/benchRows, "B/row")
		})
		b.Run(name+"/check", func(b *testing.B) {
			for b.Loop() {
				if _, err := backup.Check(b.Context(), bytes.NewReader(out.Bytes()), nil); err != nil {
					b.Fatal(err)
				}
			}
			perRow(b)
		})
		b.Run(name+"/restore", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				to := open(b)
				b.StartTimer()
				_, err := backup.Restore(b.Context(), to, bytes.NewReader(out.Bytes()), backup.RestoreOptions{})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				_ = to.Close()
				b.StartTimer()
			}
			perRow(b)
		})
		_ = s.Close()
	}
}

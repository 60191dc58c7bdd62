package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"licensor/internal/store"
	"licensor/internal/store/storetest"
)

// filled returns a store with n users, appended in batches, and the duration of an append.
func filled(b *testing.B, n, batch int) (*Store, time.Duration) {
	b.Helper()
	s := openWithTenant(b, filepath.Join(b.TempDir(), "x.db"))
	random := rand.New(rand.NewPCG(1, 2))
	var spent time.Duration
	for seq := range n / batch {
		rows := make([]store.Object, batch)
		for i := range rows {
			rows[i] = userRow(uint32(seq*batch+i), fmt.Sprintf("%x", random.Uint64()))
		}
		begin := time.Now()
		commits := []store.Commit{commitWith(uint64(seq+1), "effects")}
		err := storetest.Append(context.Background(), s, firstTenant, commits, rows)
		if err != nil {
			b.Fatal(err)
		}
		spent += time.Since(begin)
	}
	return s, spent
}

// BenchmarkImport appends a million users (-benchtime=1x), or as many thousands as
// LICENSOR_BENCH_THOUSANDS says.
func BenchmarkImport(b *testing.B) {
	n := 1_000_000
	if text := os.Getenv("LICENSOR_BENCH_THOUSANDS"); text != "" {
		if _, err := fmt.Sscan(text, &n); err != nil {
			b.Fatal(err)
		}
		n *= 1000
	}
	for _, batch := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			for b.Loop() {
				s, spent := filled(b, n, batch)
				b.ReportMetric(float64(spent.Nanoseconds())/float64(n), "ns/row")
				b.ReportMetric(spent.Seconds(), "s")
				_ = s.Close()
				info, err := os.Stat(s.path)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(info.Size())/float64(n), "B/row")
				begin := time.Now()
				open(b, s.path)
				b.ReportMetric(float64(time.Since(begin).Microseconds())/1000, "open-ms")
			}
		})
	}
}

func BenchmarkAppendOne(b *testing.B) {
	s, _ := filled(b, 20_000, 10_000)
	at, err := s.Place(b.Context(), firstTenant)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		commits := []store.Commit{commitWith(at.Seq+1, "effects")}
		commits[0].Chain = commits[0].Link(at.Chain)
		row := userRow(rand.Uint32N(20_000), fmt.Sprintf("%x", rand.Uint64()))
		if err := s.Append(b.Context(), firstTenant, at, commits, []store.Object{row}); err != nil {
			b.Fatal(err)
		}
		at = at.After(commits)
	}
}

func BenchmarkRead(b *testing.B) {
	s, _ := filled(b, 200_000, 10_000)
	for _, c := range []struct {
		name  string
		query store.Query
	}{
		{"one", store.Query{Kind: store.KindUser, Ordinals: []uint32{777}, After: -1}},
		{"page of 100", store.Query{Kind: store.KindUser, After: 5000, Limit: 100}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Objects(b.Context(), firstTenant, c.query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, c := range []struct {
		name  string
		query store.Query
	}{
		{"first page in order", inOrder("displayName", -1, "", 100)},
		{"page in order, far in", inOrder("displayName", 7, "=user 8", 100)},
		{"last page in order, descending", descending(inOrder("displayName", 7, "=user 01", 100))},
		{"page by creation", inOrder("createdDateTime", -1, "", 100)},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if rows, err := s.Objects(b.Context(), firstTenant, c.query); err != nil || len(rows) != 100 {
					b.Fatal(len(rows), err)
				}
			}
		})
	}
}

func inOrder(property string, after int64, key string, limit int) store.Query {
	return store.Query{
		Kind: store.KindUser, After: after, Limit: limit,
		Order: &store.Order{Property: property, AsOf: 1 << 40, After: key},
	}
}

func descending(q store.Query) store.Query {
	q.Order.Descending = true
	return q
}

// BenchmarkPage reads the first page of lists of several lengths. Its time depends on the page, not
// on the list. One in a hundred users has moved.
func BenchmarkPage(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		if n > 100_000 && os.Getenv("LICENSOR_BENCH_LARGE") == "" {
			continue
		}
		s, _ := filled(b, n, 10_000)
		moved := make([]store.Object, 1000)
		for i := range moved {
			moved[i] = userRow(uint32(i*7), fmt.Sprintf("%x", rand.Uint64()))
		}
		seq := uint64(n/10_000) + 1
		commits := []store.Commit{commitWith(seq, "effects")}
		if err := storetest.Append(b.Context(), s, firstTenant, commits, moved); err != nil {
			b.Fatal(err)
		}
		began := inOrder("displayName", -1, "", 100)
		began.Order.AsOf = seq - 1
		for _, c := range []struct {
			name  string
			query store.Query
		}{
			{"by ordinal", store.Query{Kind: store.KindUser, After: -1, Limit: 100}},
			{"by name", inOrder("displayName", -1, "", 100)},
			{"by name, 1000 moved since", began},
		} {
			b.Run(fmt.Sprintf("%s/of=%d", c.name, n), func(b *testing.B) {
				for b.Loop() {
					if rows, err := s.Objects(b.Context(), firstTenant, c.query); err != nil || len(rows) != 100 {
						b.Fatal(len(rows), err)
					}
				}
			})
		}
	}
}

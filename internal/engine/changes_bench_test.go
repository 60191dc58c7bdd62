package engine_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/store/sqlite"
	"licensor/internal/tenant"
)

// BenchmarkChanges makes single changes of users by 64 callers. Besides the time of a change, it
// reports the time of all processors for it, which other programs on the machine hardly affect.
func BenchmarkChanges(b *testing.B) {
	for name, open := range map[string]func(size) store.Store{
		"memory": func(size) store.Store { return memory.New().Open() },
		"sqlite": func(size) store.Store {
			file, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "changes.db"))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = file.Close() })
			return file
		},
	} {
		b.Run(name, func(b *testing.B) { changeUsers(b, newTown(b, size{20_000, 300, 0}, open)) })
	}
}

func changeUsers(b *testing.B, t *town) {
	const callers = 64
	var begun atomic.Int64
	before := processorTime(b)
	b.ReportAllocs()
	b.ResetTimer()
	var wait sync.WaitGroup
	for range callers {
		wait.Go(func() {
			for {
				n := begun.Add(1)
				if n > int64(b.N) {
					return
				}
				patch := userPatch(b, `{"officeLocation":"Desk %d"}`, n)
				user := uint32(n * 7919 % int64(t.size.users))
				if _, err := t.Do(b.Context(), "size", tenant.UpdateUser{User: user, Patch: patch}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	b.StopTimer()
	b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(b.N)/float64(t.Stats().Batches), "changes/batch")
}

// processorTime is what this process has used of all processors.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(fmt.Errorf("getrusage: %w", err))
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

package vector_test

import (
	"runtime"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"licensor/internal/licensing/vector"
)

// version is a vector next to the plain slice that it must be equal to.
type version struct {
	vector vector.Vector[int]
	plain  []int
}

func (v *version) check(tb rapid.TB) {
	if v.vector.Len() != len(v.plain) || v.vector.Chunks() != (len(v.plain)+vector.ChunkLen-1)/vector.ChunkLen {
		tb.Fatalf("length %d in %d chunks, want %d", v.vector.Len(), v.vector.Chunks(), len(v.plain))
	}
	if beyond := v.vector.Chunk(v.vector.Chunks()); len(beyond) > 0 {
		tb.Fatalf("a chunk beyond the end has %d values", len(beyond))
	}
	for i, want := range v.plain {
		if got := v.vector.At(i); got != want {
			tb.Fatalf("value %d is %d, want %d", i, got, want)
		}
	}
	next := 0
	for i, value := range v.vector.All() {
		if i != next || value != v.plain[i] {
			tb.Fatalf("All returned %d at %d, want %d at %d", value, i, v.plain[next], next)
		}
		next++
	}
	var joined []int
	for n := range v.vector.Chunks() {
		joined = append(joined, v.vector.Chunk(n)...)
	}
	if next != len(v.plain) || !slices.Equal(joined, v.plain) {
		tb.Fatal("All or Chunk left something out")
	}
}

// draft is a version in the making.
type draft struct {
	version
	owner *vector.Owner
}

func (v *version) draft() *draft {
	return &draft{version{v.vector, slices.Clone(v.plain)}, new(vector.Owner)}
}

func (d *draft) change(t *rapid.T) {
	value := rapid.Int().Draw(t, "value")
	switch kind := rapid.IntRange(0, 3).Draw(t, "kind"); {
	case kind == 0:
		for range rapid.SampledFrom([]int{1, 2, 255, 256, 257, 1000, 70_000}).Draw(t, "grow") {
			d.vector.Append(d.owner, value)
			d.plain = append(d.plain, value)
			value++
		}
	case len(d.plain) == 0:
	case kind == 1:
		i := rapid.IntRange(0, len(d.plain)-1).Draw(t, "own")
		*d.vector.Own(d.owner, i) += value
		d.plain[i] += value
	default:
		i := rapid.IntRange(0, len(d.plain)-1).Draw(t, "set")
		d.vector.Set(d.owner, i, value)
		d.plain[i] = value
	}
}

// Drafts of any versions, side by side and in any order, become what the same changes make of a
// slice, and change no version.
func TestVersionsNeverChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		versions := []*version{{}}
		for range rapid.IntRange(1, 8).Draw(t, "rounds") {
			base := rapid.SampledFrom(versions).Draw(t, "base")
			drafts := []*draft{base.draft(), base.draft(), rapid.SampledFrom(versions).Draw(t, "other").draft()}
			for range rapid.IntRange(1, 12).Draw(t, "changes") {
				rapid.SampledFrom(drafts).Draw(t, "draft").change(t)
			}
			for _, d := range drafts {
				versions = append(versions, &d.version)
			}
		}
		for _, v := range versions {
			v.check(t)
		}
	})
}

func filled(n int) vector.Vector[int] {
	var v vector.Vector[int]
	owner := new(vector.Owner)
	for i := range n {
		v.Append(owner, i)
	}
	return v
}

func TestOnlyTouchedChunksDiffer(t *testing.T) {
	v := filled(100_000)
	next, owner := v, new(vector.Owner)
	next.Set(owner, 300*vector.ChunkLen+1, -1)
	next.Append(owner, -2)
	last := next.Chunks() - 1
	for n := range next.Chunks() + 1 {
		if same := next.SameChunk(&v, n); same != (n != 300 && n != last) {
			t.Errorf("SameChunk(%d) is %t", n, same)
		}
	}
	grown := v
	for grown.Chunks() == v.Chunks() {
		grown.Append(owner, 0)
	}
	if grown.SameChunk(&v, v.Chunks()) {
		t.Error("a chunk that only one of two vectors has is the same in both")
	}
}

func TestDraftsOfOneVersionAreMadeInParallel(t *testing.T) {
	v := filled(70_000)
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Go(func() {
			next, owner := v, new(vector.Owner)
			for i := 0; i < next.Len(); i += 1000 {
				next.Set(owner, i, -g)
			}
			next.Append(owner, -g)
			for i := range v.Len() {
				if v.At(i) != i || next.At(i) != i && next.At(i) != -g {
					t.Errorf("value %d is %d in the old version and %d in draft %d", i, v.At(i), next.At(i), g)
					return
				}
			}
		})
	}
	wait.Wait()
}

func TestChangingALongVectorCopiesNoMoreThanAPath(t *testing.T) {
	for _, n := range []int{1000, 5_000_000} {
		v := filled(n)
		const rounds = 100
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range rounds {
			next := v
			next.Set(new(vector.Owner), n/2, 1)
		}
		runtime.ReadMemStats(&after)
		if copied, most := (after.TotalAlloc-before.TotalAlloc)/rounds, uint64(3*vector.ChunkLen*8); copied > most {
			t.Errorf("a change of a vector of %d copies %d bytes, want at most %d", n, copied, most)
		}
	}
}

func TestIndexesBeyondTheEndPanic(t *testing.T) {
	v := filled(10)
	for name, use := range map[string]func(){
		"At":       func() { v.At(10) },
		"At -1":    func() { v.At(-1) },
		"Set":      func() { v.Set(new(vector.Owner), 10, 0) },
		"Own -1":   func() { v.Own(new(vector.Owner), -1) },
		"At empty": func() { var none vector.Vector[int]; none.At(0) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			use()
		})
	}
}

func BenchmarkAt(b *testing.B) {
	v := filled(4096)
	sum := 0
	for b.Loop() {
		for i := range v.Len() {
			sum += v.At(i)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(v.Len()), "ns/value")
	_ = sum
}

package trail_test

import (
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"

	"licensor/internal/licensing/vector"
	"licensor/internal/trail"
)

// log is the log that an index is of, in the plainest way.
type log struct {
	after   uint64 // commits up to it are not indexed
	commits map[trail.Object]map[uint64]bool
	last    uint64
}

// find returns what Index.Commits should.
func (l *log) find(objects []trail.Object, from, to uint64, descending bool, limit int) (list []uint64) {
	for seq := max(from, 1); seq <= min(to, l.last); seq++ {
		found := seq <= l.after
		for _, o := range objects {
			found = found || l.commits[o][seq]
		}
		if found {
			list = append(list, seq)
		}
	}
	if descending {
		slices.Reverse(list)
	}
	return list[:min(len(list), limit)]
}

// TestCommitsOfObjects compares indexes of random logs, some of which were stored and read again,
// with looking at each commit.
func TestCommitsOfObjects(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seq := rapid.SampledFrom([]uint64{0, 1, 100, trail.StretchLen - 1, trail.StretchLen, 2*trail.StretchLen + 5})
		l := &log{after: seq.Draw(t, "after"), commits: map[trail.Object]map[uint64]bool{}}
		l.last = l.after
		x := trail.After(l.after)
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				x = l.stored(t, x)
			case 1: // commits that concern nothing
				owner := new(vector.Owner)
				for range rapid.SampledFrom([]int{1, 63, trail.StretchLen - 1, trail.StretchLen}).Draw(t, "n") {
					x.Add(owner, trail.Concerned{})
					l.last++
				}
			default:
				l.add(t, &x)
			}
		}
		l.compare(t, &x)
	})
}

// add adds commits that concern some objects.
func (l *log) add(t *rapid.T, x *trail.Index) {
	old, was := *x, *l
	owner := new(vector.Owner)
	for range rapid.IntRange(1, 20).Draw(t, "commits") {
		l.last++
		var c trail.Concerned
		for kind := range c {
			c[kind] = roaring.New()
			first := rapid.Uint32Range(0, 50).Draw(t, "first")
			for n := range rapid.SampledFrom([]uint32{0, 1, 3, 64, 65, 1000}).Draw(t, "objects") {
				o := trail.Object{Kind: trail.Kind(kind), Ordinal: first + 7*n}
				c[kind].Add(o.Ordinal)
				if l.commits[o] == nil {
					l.commits[o] = map[uint64]bool{}
				}
				l.commits[o][l.last] = true
			}
		}
		x.Add(owner, c)
	}
	was.compare(t, &old) // it has not changed
}

// stored returns an index that was stored and read.
func (l *log) stored(t *rapid.T, x trail.Index) trail.Index {
	parts := make([][]byte, x.Parts())
	for i := range parts {
		parts[i] = x.AppendPart(nil, i)
	}
	read, err := trail.Decode(parts, l.last)
	if err != nil {
		t.Fatal(err)
	}
	for i := range parts {
		if again := read.AppendPart(nil, i); !slices.Equal(again, parts[i]) {
			t.Fatalf("part %d of %d, stored again, is different", i, len(parts))
		}
	}
	return read
}

func (l *log) compare(t *rapid.T, x *trail.Index) {
	objects := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) trail.Object {
		return trail.Object{
			Kind: trail.Kind(rapid.IntRange(0, 1).Draw(t, "kind")), Ordinal: rapid.Uint32Range(0, 200).Draw(t, "ordinal"),
		}
	}), 0, 3).Draw(t, "objects")
	from, to := rapid.Uint64Range(0, l.last+2).Draw(t, "from"), rapid.Uint64Range(0, l.last+2).Draw(t, "to")
	limit := rapid.SampledFrom([]int{1, 10, 1 << 30}).Draw(t, "limit")
	for _, descending := range []bool{false, true} {
		got, want := x.Commits(objects, from, to, descending, limit), l.find(objects, from, to, descending, limit)
		if !slices.Equal(got, want) {
			t.Fatalf("commits of %v from %d to %d of %d, descending %v: %v, want %v", objects, from, to, l.last, descending, got, want)
		}
	}
}

// FuzzDecode reads damaged parts: they are refused or harmless.
func FuzzDecode(f *testing.F) {
	x, owner := trail.Index{}, new(vector.Owner)
	for i := range uint32(3) {
		x.Add(owner, trail.Concerned{roaring.BitmapOf(i, i+1), nil})
	}
	many := roaring.New()
	many.AddRange(5, 500)
	x.Add(owner, trail.Concerned{many, many})
	f.Add(x.AppendPart(nil, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := trail.Decode([][]byte{data}, 4)
		if err != nil {
			return
		}
		for kind := range trail.Kind(2) {
			for _, seq := range x.Commits([]trail.Object{{Kind: kind, Ordinal: 7}}, 0, 9, true, 9) {
				if seq < 1 || seq > 4 {
					t.Errorf("it has commit %d", seq)
				}
			}
		}
		x.Add(new(vector.Owner), trail.Concerned{roaring.BitmapOf(1), nil})
	})
}

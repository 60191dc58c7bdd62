package throttle

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func (b *bucket) mustTake(t *testing.T, now time.Time, units int, want bool) Taken {
	t.Helper()
	got, ok := b.take(now, units)
	if ok != want {
		t.Fatalf("taking %d at %s: %t, want %t; %d are left", units, now.Format(time.TimeOnly), ok, want, b.remaining(now))
	}
	return got
}

func TestABucketIsFullAtFirstAndFillsOverItsWindow(t *testing.T) {
	t.Parallel()
	b := newBucket(10, 10*time.Second)
	b.mustTake(t, noon, 6, true)
	b.mustTake(t, noon, 5, false)
	if left := b.remaining(noon); left != 4 {
		t.Errorf("%d are left after a refusal, want 4: it takes nothing", left)
	}
	b.mustTake(t, noon, 4, true)
	b.mustTake(t, noon.Add(2900*time.Millisecond), 3, false)
	b.mustTake(t, noon.Add(3*time.Second), 3, true)
	b.mustTake(t, noon.Add(time.Hour), 10, true)
	b.mustTake(t, noon.Add(time.Hour), 1, false)
}

func TestABucketSaysWhenToComeAgain(t *testing.T) {
	t.Parallel()
	b := newBucket(10, 10*time.Second)
	b.mustTake(t, noon, 10, true)
	for _, test := range []struct {
		after time.Duration
		units int
		want  int
	}{
		{0, 1, 1},
		{0, 3, 3},
		{0, 10, 10},
		{500 * time.Millisecond, 3, 3}, // 2.5 s
		{2 * time.Second, 3, 1},
		{2950 * time.Millisecond, 3, 1}, // never 0
		{0, 99, 10},                     // it will have a full one
	} {
		now := noon.Add(test.after)
		got := b.until(now, test.units)
		if got != test.want {
			t.Errorf("after %s, %d units are there in %d s, want %d", test.after, test.units, got, test.want)
		}
		again := newBucket(10, 10*time.Second)
		again.mustTake(t, noon, 10, true)
		again.mustTake(t, now.Add(time.Duration(got)*time.Second), test.units, true)
	}
}

func TestWhatIsDearerThanABucketTakesAllOfIt(t *testing.T) {
	t.Parallel()
	b := newBucket(2, 10*time.Second)
	b.mustTake(t, noon, 5, true)
	b.mustTake(t, noon, 1, false)
	b.mustTake(t, noon.Add(9*time.Second), 5, false)
	b.mustTake(t, noon.Add(10*time.Second), 5, true)
}

func TestWhatIsTakenCanBeGivenBack(t *testing.T) {
	t.Parallel()
	b := newBucket(10, 10*time.Second)
	first := b.mustTake(t, noon, 4, true)
	b.mustTake(t, noon, 3, true)
	first.GiveBack(noon)
	if left := b.remaining(noon); left != 7 {
		t.Errorf("%d are left, want 7", left)
	}
	Taken{}.GiveBack(noon)
}

func TestUseIsAPartAndAboveOneWhatIsRefused(t *testing.T) {
	t.Parallel()
	b := newBucket(10, 10*time.Second)
	near := func(now time.Time, want float64) {
		t.Helper()
		if got := b.used(now); got < want-0.001 || got > want+0.001 {
			t.Errorf("%g is used, want %g", got, want)
		}
	}
	near(noon, 0)
	b.mustTake(t, noon, 8, true)
	near(noon, 0.8)
	near(noon.Add(4*time.Second), 0.4)
	b.mustTake(t, noon, 2, true)
	near(noon, 1)
	b.mustTake(t, noon, 10, false)
	near(noon, 1.5) // half of 20
	b.mustTake(t, noon.Add(10*time.Second), 5, true)
	near(noon.Add(10*time.Second), 0.5)
	if got := (*bucket)(nil).used(noon); got != 0 {
		t.Errorf("of no bucket %g is used", got)
	}
}

// TestNoMoreThanThereAreCanBeTakenAtOnce has many take at the same time, far more than there are:
// what they are refused costs nothing.
func TestNoMoreThanThereAreCanBeTakenAtOnce(t *testing.T) {
	t.Parallel()
	b := newBucket(1000, 10*time.Second)
	var got atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 1000 {
				if _, ok := b.take(noon.Add(time.Duration(i)), 1); ok { // less than a microsecond in all
					got.Add(1)
				}
			}
		})
	}
	all.Wait()
	if got.Load() != 1000 {
		t.Errorf("%d were taken of 1000", got.Load())
	}
	b.mustTake(t, noon.Add(time.Second), 99, true)
}

func TestAClockThatIsSetBackDoesNotLockABucket(t *testing.T) {
	t.Parallel()
	l := New(Limits{PerApplication: 2})
	b := bucketOf(l.applications, applicationKey{}, 2, l.Window)
	b.mustTake(t, noon, 2, true)
	l.Forget()
	before := noon.Add(-time.Hour)
	bucketOf(l.applications, applicationKey{}, 2, l.Window).mustTake(t, before, 2, true)
}

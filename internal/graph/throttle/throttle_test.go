package throttle

import (
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/turns"
)

// Work that takes long costs more than its kind says, and what it costs is told and taken from the
// buckets.
func TestLongWorkCostsMoreUnits(t *testing.T) {
	t.Parallel()
	answer := httptest.NewRecorder()
	now := time.Now()
	application, tenant := newBucket(1000, usualWindow), newBucket(2000, usualWindow)
	c := &Charge{units: 2, buckets: [2]*bucket{application, tenant}}
	_, work, err := turns.NewProcessors(1).Start(t.Context(), uuid.New())
	if err != nil {
		t.Fatal(err)
	}
	defer work.End()
	for work.Spent() < 5*unitTime/2 {
		if err := work.Yield(); err != nil {
			t.Fatal(err)
		}
	}
	c.Work(work.Spent(), now, answer.Header())
	units, err := strconv.Atoi(answer.Header().Get("X-Ms-Resource-Unit"))
	if err != nil || units < 4 {
		t.Fatalf("it costs %d units, %v", units, err)
	}
	if left := application.remaining(now); left != 1000-(units-2) {
		t.Errorf("the application has %d units left", left)
	}
	if left := tenant.remaining(now); left != 2000-(units-2) {
		t.Errorf("the tenant has %d units left", left)
	}
}

// However much its callers have taken, a bucket is full again after two windows.
func TestABucketOwesNoMoreThanItHolds(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := newBucket(100, 10*time.Second)
	for range 5 {
		b.owe(now, 1_000_000)
	}
	if _, ok := b.take(now, 1); ok {
		t.Error("it has something left")
	}
	if _, ok := b.take(now.Add(20*time.Second), 100); !ok {
		t.Error("it is not full after two windows")
	}
	var none *bucket
	none.owe(now, 7)
}

package memory_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/memory"
)

const megabyte = 1 << 20

func plenty() int64 { return math.MaxInt64 }

func begin(t *testing.T, b *memory.Budget, tenant uuid.UUID) (context.Context, *memory.Share) {
	t.Helper()
	ctx, share, err := b.Begin(t.Context(), tenant, uuid.Nil)
	if err != nil {
		t.Fatal(err)
	}
	if memory.Of(ctx) != share {
		t.Error("the context does not have the share")
	}
	return ctx, share
}

func wantFull(t *testing.T, err error, cause memory.Cause) {
	t.Helper()
	if full, ok := errors.AsType[*memory.FullError](err); !ok || full.Cause != cause {
		t.Errorf("the error is %v, want the cause %s", err, cause)
	}
}

func TestATenantHasHalfOfTheBudget(t *testing.T) {
	t.Parallel()
	b := memory.New(64*megabyte, plenty)
	greedy, modest := uuid.New(), uuid.New()
	ctx, one := begin(t, b, greedy)
	if err := one.More(ctx, 20*megabyte); err != nil {
		t.Fatal(err)
	}
	_, two := begin(t, b, greedy)
	wantFull(t, two.More(ctx, 20*megabyte), memory.CauseTenant)
	_, other := begin(t, b, modest)
	if err := other.More(ctx, 20*megabyte); err != nil {
		t.Errorf("another tenant: %v", err)
	}
	one.End()
	if err := two.More(ctx, 20*megabyte); err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
	if err := two.Least(ctx, 10*megabyte); err != nil {
		t.Errorf("it has that already: %v", err)
	}
	two.End()
	if err := two.More(ctx, megabyte); err != nil || b.Stats().Used > 21*megabyte {
		t.Errorf("after its end a share has taken more: %v", err)
	}
	other.End()
	if used := b.Stats().Used; used != 0 {
		t.Errorf("after all have ended, %d bytes are used", used)
	}
}

// A caller that holds all that it may have, and has others wait for it, leaves some of its tenant's
// memory to other callers, and places in the line.
func TestACallerHasThreeQuartersOfItsTenantsPart(t *testing.T) {
	t.Parallel()
	b := memory.New(64*megabyte, plenty)
	tenant, greedy, modest := uuid.New(), uuid.New(), uuid.New()
	of := func(caller uuid.UUID) (context.Context, *memory.Share) {
		ctx, share, err := b.Begin(t.Context(), tenant, caller)
		if err != nil {
			t.Fatal(err)
		}
		return ctx, share
	}
	ctx, one := of(greedy)
	if err := one.More(ctx, 14*megabyte); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 110 {
		wait.Go(func() {
			ctx, share := of(greedy)
			defer share.End()
			wantFull(t, share.More(ctx, 5*megabyte), memory.CauseCaller)
		})
	}
	for b.Stats().Refused[memory.CauseCaller] < 110-96 { // those without a place in the line
		time.Sleep(time.Millisecond)
	}
	ctx, two := of(modest)
	if err := two.More(ctx, 3*megabyte); err != nil {
		t.Errorf("another caller: %v", err)
	}
	wait.Wait()
	one.End()
	if err := two.More(ctx, 8*megabyte); err != nil {
		t.Errorf("another caller, once there is memory: %v", err)
	}
}

func TestLargeRequestsLeaveRoomForSmallOnes(t *testing.T) {
	t.Parallel()
	b := memory.New(64*megabyte, plenty)
	for range 3 {
		ctx, share := begin(t, b, uuid.New())
		if err := share.More(ctx, 1<<40); err != nil { // as much as one may have
			t.Fatal(err)
		}
	}
	ctx, fourth := begin(t, b, uuid.New())
	wantFull(t, fourth.More(ctx, 1<<40), memory.CauseAll)
	if fourth.Try(16 * megabyte) {
		t.Error("there is room for what need not be")
	}
	for range 100 {
		begin(t, b, uuid.New())
	}
}

func TestALargeRequestLeavesRoomForSmallOnesOfItsTenant(t *testing.T) {
	t.Parallel()
	b := memory.New(64*megabyte, plenty)
	tenant := uuid.New()
	ctx, large := begin(t, b, tenant)
	if err := large.More(ctx, 1<<40); err != nil {
		t.Fatal(err)
	}
	if err := large.More(ctx, 1<<40); err != nil {
		t.Errorf("who has as much as one may have is refused more: %v", err)
	}
	for range 20 {
		ctx, small := begin(t, b, tenant)
		if err := small.More(ctx, 10<<10); err != nil {
			t.Fatal(err)
		}
	}
}

// What a request has handed on keeps its memory, and that of the request that it is a part of.
func TestAShareLastsUntilAllThatHoldItHaveEndedIt(t *testing.T) {
	t.Parallel()
	b := memory.New(64*megabyte, plenty)
	tenant := uuid.New()
	ctx, outer := begin(t, b, tenant)
	_, inner, err := b.Begin(ctx, tenant, uuid.Nil)
	if err != nil {
		t.Fatal(err)
	}
	inner.Hold()
	inner.End()
	outer.End()
	if used := b.Stats().Used; used != 2*memory.Small {
		t.Errorf("while the inner one is held, %d bytes are used", used)
	}
	inner.End()
	if used := b.Stats().Used; used != 0 {
		t.Errorf("after all have ended, %d bytes are used", used)
	}
}

func TestNoTenantHasTheWholeLine(t *testing.T) {
	t.Parallel()
	b := memory.New(64*megabyte, plenty)
	greedy, modest := uuid.New(), uuid.New()
	ctx, first := begin(t, b, greedy)
	if err := first.More(ctx, 20*megabyte); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 200 {
		wait.Go(func() {
			_, share := begin(t, b, greedy)
			defer share.End()
			wantFull(t, share.More(ctx, 20*megabyte), memory.CauseTenant)
		})
	}
	_, one := begin(t, b, modest)
	if err := one.More(ctx, 20*megabyte); err != nil {
		t.Fatal(err)
	}
	_, two := begin(t, b, modest)
	for b.Stats().Refused[memory.CauseTenant] < 200-128 { // those without a place in the line
		time.Sleep(time.Millisecond)
	}
	time.AfterFunc(10*time.Millisecond, one.End)
	if err := two.More(ctx, 20*megabyte); err != nil {
		t.Errorf("another tenant has no place in the line: %v", err)
	}
	wait.Wait()
}

// What waits is granted in the order in which it came: many that want less do not overtake one that
// wants more.
func TestWhoWantsMuchIsNotOvertaken(t *testing.T) {
	t.Parallel()
	b := memory.New(64*megabyte, plenty)
	tenant := uuid.New()
	ctx, first := begin(t, b, tenant)
	_, much := begin(t, b, tenant)
	_, little := begin(t, b, tenant)
	if err := first.More(ctx, 10*megabyte); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	var order atomic.Int32
	wait.Go(func() {
		if err := much.More(ctx, 18*megabyte); err != nil || !order.CompareAndSwap(0, 1) {
			t.Errorf("who wants much: %v, after %d others", err, order.Load())
		}
		much.End()
	})
	for b.Stats().Waiting == 0 {
		time.Sleep(time.Millisecond)
	}
	wait.Go(func() {
		if err := little.More(ctx, 10*megabyte); err != nil || !order.CompareAndSwap(1, 2) {
			t.Errorf("who wants little: %v, after %d others", err, order.Load())
		}
	})
	time.Sleep(20 * time.Millisecond) // in which it would have come first
	first.End()
	wait.Wait()
}

func TestSmallRequestsAreBounded(t *testing.T) {
	t.Parallel()
	b := memory.New(100*memory.Small, plenty)
	for range 50 {
		begin(t, b, uuid.Nil)
	}
	_, _, err := b.Begin(t.Context(), uuid.Nil, uuid.Nil)
	wantFull(t, err, memory.CauseTenant)
	for range 50 {
		begin(t, b, uuid.New())
	}
	_, _, err = b.Begin(t.Context(), uuid.New(), uuid.Nil)
	wantFull(t, err, memory.CauseAll)
	if refused := b.Stats().Refused; refused[memory.CauseTenant] != 1 || refused[memory.CauseAll] != 1 {
		t.Errorf("refused were %v", refused)
	}
}

func TestARequestWaitsAMomentForMemory(t *testing.T) {
	t.Parallel()
	b := memory.New(64*megabyte, plenty)
	tenant := uuid.New()
	ctx, first := begin(t, b, tenant)
	if err := first.More(ctx, 20*megabyte); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, func() { first.End() })
	_, second := begin(t, b, tenant)
	if err := second.More(ctx, 20*megabyte); err != nil {
		t.Error(err)
	}
	_, third := begin(t, b, tenant)
	over, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if err := third.More(over, 20*megabyte); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who gives up is told %v", err)
	}
}

func TestNothingLargeBeginsNearTheLimit(t *testing.T) {
	t.Parallel()
	var room atomic.Int64
	b := memory.New(64*megabyte, room.Load)
	ctx, share := begin(t, b, uuid.New())
	wantFull(t, share.More(ctx, 1), memory.CauseLimit)
	room.Store(megabyte)
	if err := share.More(ctx, megabyte); err != nil {
		t.Error(err)
	}
}

func TestWithoutABudgetNothingIsRefused(t *testing.T) {
	t.Parallel()
	var none *memory.Budget
	ctx, share, err := none.Begin(t.Context(), uuid.Nil, uuid.Nil)
	if err != nil || share != nil || share.More(ctx, 1<<50) != nil || !share.Try(1<<50) {
		t.Errorf("%v, %v", share, err)
	}
	if err := share.Least(ctx, 1<<50); err != nil {
		t.Error(err)
	}
	share.End()
}

// Many take and give back at once, and never have more than there is.
func TestSharesNeverExceedTheBudget(t *testing.T) {
	t.Parallel()
	b := memory.New(8*megabyte, plenty)
	var wait sync.WaitGroup
	for n := range 32 {
		wait.Go(func() {
			tenant := uuid.UUID{15: byte(n % 3)}
			for range 100 {
				ctx, share, err := b.Begin(t.Context(), tenant, uuid.Nil)
				if err != nil {
					continue
				}
				_ = share.More(ctx, int64(n)*megabyte/16)
				if stats := b.Stats(); stats.Used > stats.Size {
					t.Errorf("%d of %d bytes are used", stats.Used, stats.Size)
				}
				share.End()
			}
		})
	}
	wait.Wait()
	if used := b.Stats().Used; used != 0 {
		t.Errorf("at the end %d bytes are used", used)
	}
}

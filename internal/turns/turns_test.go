package turns_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/turns"
)

func TestTurnsAreSharedByTenants(t *testing.T) {
	t.Parallel()
	line := turns.New(1, 1)
	first, err := line.Begin(t.Context(), uuid.New())
	if err != nil {
		t.Fatal(err)
	}
	greedy, modest := uuid.New(), uuid.New()
	var order []uuid.UUID
	var mu sync.Mutex
	var wait sync.WaitGroup
	var begun atomic.Int32
	run := func(tenant uuid.UUID) {
		wait.Go(func() {
			begun.Add(1)
			turn, err := line.Begin(t.Context(), tenant)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			order = append(order, tenant)
			mu.Unlock()
			if err := turn.Pause(); err != nil {
				t.Error(err)
			}
			turn.End()
			turn.End()
		})
	}
	for range 20 {
		run(greedy)
	}
	for begun.Load() < 20 {
		time.Sleep(time.Millisecond)
	}
	run(modest)
	for begun.Load() < 21 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond) // until it stands in line, too
	first.End()
	wait.Wait()
	if at := slices.Index(order, modest); at > 2 || len(order) != 21 {
		t.Errorf("the modest tenant's turn came as number %d of %d", at, len(order))
	}
}

func TestTurnsAreGivenUpWithTheContext(t *testing.T) {
	t.Parallel()
	line := turns.New(1, 1)
	first, err := line.Begin(t.Context(), uuid.New())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := line.Begin(ctx, uuid.New()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
	first.End()
	again, err := line.Begin(t.Context(), uuid.New())
	if err != nil {
		t.Fatal(err)
	}
	again.End()
}

func TestATenantHasNoMoreThanItsShare(t *testing.T) {
	t.Parallel()
	line := turns.New(4, 2)
	greedy, modest := uuid.New(), uuid.New()
	var held []*turns.Turn
	for range 2 {
		turn, err := line.Begin(t.Context(), greedy)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, turn)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := line.Begin(ctx, greedy); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third turn of one tenant: %v", err)
	}
	if _, err := line.Begin(t.Context(), modest); err != nil {
		t.Error(err)
	}
	third := make(chan error)
	go func() {
		_, err := line.Begin(t.Context(), greedy)
		third <- err
	}()
	held[0].End()
	if err := <-third; err != nil {
		t.Error(err)
	}
}

// burn takes a processor's time.
func burn(d time.Duration) (n int) {
	for begin := time.Now(); time.Since(begin) < d; {
		n++
	}
	return n
}

func start(t *testing.T, ctx context.Context, p *turns.Processors, tenant uuid.UUID) (context.Context, *turns.Work) {
	t.Helper()
	ctx, work, err := p.Start(ctx, tenant)
	if err != nil {
		t.Fatal(err)
	}
	return ctx, work
}

func TestShortWorkNeedsNoTurnOfLongWork(t *testing.T) {
	t.Parallel()
	processors := turns.NewProcessors(1)
	if _, err := processors.Long().Begin(t.Context(), uuid.New()); err != nil { // there is none left
		t.Fatal(err)
	}
	_, work := start(t, t.Context(), processors, uuid.New())
	defer work.End()
	for range 100 {
		if err := work.Pace(); err != nil {
			t.Fatal(err)
		}
	}
	if spent := work.Spent(); spent != 0 {
		t.Errorf("short work has spent %s", spent)
	}
}

func TestLongWorkWaitsForATurnAndGivesItUp(t *testing.T) {
	t.Parallel()
	processors := turns.NewProcessors(1)
	first, err := processors.Long().Begin(t.Context(), uuid.New())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, work := start(t, ctx, processors, uuid.New())
	burn(6 * time.Millisecond)
	if err := work.Yield(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("long work went on without a turn: %v", err)
	}
	work.End()
	first.End()

	ctx, work = start(t, t.Context(), processors, uuid.New())
	burn(6 * time.Millisecond)
	if err := work.Yield(); err != nil {
		t.Fatal(err)
	}
	within, err := processors.Within(ctx, uuid.New()) // has the work's turn, or would wait forever
	if err != nil {
		t.Fatal(err)
	}
	within.End()
	work.Rest()
	other, err := processors.Long().Begin(t.Context(), uuid.New())
	if err != nil {
		t.Fatal(err)
	}
	other.End()
	for work.Spent() < time.Millisecond {
		burn(3 * time.Millisecond)
		if err := work.Yield(); err != nil {
			t.Fatal(err)
		}
	}
	work.End()
	if _, err := processors.Long().Begin(t.Context(), uuid.New()); err != nil { // its turn is free
		t.Error(err)
	}
}

// However much short work a tenant has, some of it continues at once, and another tenant's does not
// wait for the rest. While work rests, other work continues in its place.
func TestShortWorkIsSharedByTenants(t *testing.T) {
	t.Parallel()
	processors, greedy := turns.NewProcessors(1), uuid.New()
	var all []*turns.Work
	for range turns.AtOnce(1) {
		_, work := start(t, t.Context(), processors, greedy)
		all = append(all, work)
	}
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := processors.Start(soon, greedy); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("one more goes on at once: %v", err)
	}
	_, modest := start(t, t.Context(), processors, uuid.New())
	defer modest.End()
	all[0].Rest()
	_, next := start(t, t.Context(), processors, greedy) // in its place
	again := make(chan error, 1)
	go func() { again <- all[0].Yield() }()
	next.End()
	if err := <-again; err != nil {
		t.Error(err)
	}
	for _, work := range all {
		work.End()
	}
	if left := processors.Working(greedy); left != 0 {
		t.Errorf("%d are left", left)
	}
}

func TestWithoutWorkNothingWaits(t *testing.T) {
	t.Parallel()
	work := turns.Of(t.Context())
	work.Doing("nothing")
	work.Rest()
	if err := errors.Join(work.Pace(), work.Yield()); err != nil || work.Spent() != 0 {
		t.Error(err, work.Spent())
	}
	work.End()
}

// The budget counts within a long evaluation as well, which pauses by the turn that it has of the
// work.
func TestWorkThatTakesMoreThanItsBudgetEnds(t *testing.T) {
	t.Parallel()
	processors := turns.NewProcessors(1)
	processors.SetBudget(20 * time.Millisecond)
	ctx, work := start(t, t.Context(), processors, uuid.New())
	defer work.End()
	work.Doing("this")
	turn, err := processors.Within(ctx, uuid.New())
	if err != nil {
		t.Fatal(err)
	}
	part, err := processors.Within(ctx, uuid.New())
	if err != nil {
		t.Fatal(err)
	}
	for _, pause := range []func() error{turn.Pause, part.Pause, work.Yield} {
		var end error
		for range 1000 {
			burn(3 * time.Millisecond)
			if end = pause(); end != nil {
				break
			}
		}
		var much *turns.TooMuchError
		if !errors.As(end, &much) || much.Doing != "this" {
			t.Errorf("work went on beyond its budget: %v", end)
		}
	}
}

// The requests of a batch are parts of one work: when they have taken long together, those that
// follow need a turn of long work from the start.
func TestPartsOfWorkTakeLongTogether(t *testing.T) {
	t.Parallel()
	processors := turns.NewProcessors(1)
	whole, work := start(t, t.Context(), processors, uuid.New())
	defer work.End()
	work.Rest()
	for range 2 {
		_, part := start(t, whole, processors, uuid.New())
		burn(3 * time.Millisecond)
		part.End()
	}
	held, err := processors.Long().Begin(t.Context(), uuid.New())
	if err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(whole, 20*time.Millisecond)
	defer cancel()
	if _, _, err := processors.Start(soon, uuid.New()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a part went on without a turn of long work: %v", err)
	}
	held.End()
	_, part := start(t, whole, processors, uuid.New())
	part.End()
}

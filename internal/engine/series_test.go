package engine_test

import (
	"context"
	"errors"
	"testing"

	"licensor/internal/engine"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

var by = tenant.By{Actor: "test"}

// A command of a series that was executed ahead is kept only if the one before it became durable.
// Other commands are not concerned.
func TestASeriesEndsWithACommandThatIsNotDurable(t *testing.T) {
	t.Parallel()
	for name, outcome := range map[string]error{"durable": nil, "not durable": errDisk, "full": store.ErrFull} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 0)
			g := newGated(h)
			var series engine.Series
			first := h.Begin(t.Context(), by, newUser(t, "ann"), &series)
			<-g.begun
			cmd, executed := noticed(newUser(t, "ben"))
			second := h.Begin(t.Context(), by, cmd, &series)
			<-executed
			cmd, executed = noticed(newUser(t, "eve"))
			other := h.begin(t.Context(), cmd)
			<-executed
			g.outcome <- outcome
			<-g.begun
			g.outcome <- nil
			if _, err := first(); !errors.Is(err, outcome) {
				t.Errorf("the first is told %v, want %v", err, outcome)
			}
			if _, err := second(); (err == nil) != (outcome == nil) {
				t.Errorf("the second is told %v", err)
			}
			if err := <-other; err != nil {
				t.Errorf("the other is told %v", err)
			}
			if _, err := h.Begin(t.Context(), by, tenant.EvaluateRules{}, &series)(); (err == nil) != (outcome == nil) {
				t.Errorf("a later one is told %v", err)
			}
			h.reopen()
			if _, err := h.Image().LiveUser("ben@test.example"); (err == nil) != (outcome == nil) {
				t.Errorf("the second user: %v", err)
			}
		})
	}
}

// Nothing of a series is executed after a command that is refused.
func TestASeriesEndsWithACommandThatIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	g := newGated(h)
	before := h.begin(t.Context(), newUser(t, "zoe")) // the others are executed ahead
	<-g.begun
	var series engine.Series
	first := h.Begin(t.Context(), by, tenant.DeleteUser{User: 1 << 20}, &series)
	cmd, executed := noticed(newUser(t, "ben"))
	second := h.Begin(t.Context(), by, cmd, &series)
	cmd, last := noticed(newUser(t, "eve"))
	other := h.begin(t.Context(), cmd)
	<-last
	g.outcome <- nil
	<-g.begun
	g.outcome <- nil
	if err := errors.Join(<-before, <-other); err != nil {
		t.Errorf("the others are told %v", err)
	}
	if _, err := first(); kindOf(err) != tenant.ProblemNotFound {
		t.Errorf("the first is told %v", err)
	}
	if _, err := second(); err == nil || len(executed) > 0 {
		t.Errorf("the second is told %v", err)
	}
}

// Nothing of a series is done after a command that its caller withdraws, even if both were executed
// ahead.
func TestASeriesEndsWithACommandThatIsWithdrawn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	g := newGated(h)
	before := h.begin(t.Context(), newUser(t, "zoe"))
	<-g.begun
	ctx, cancel := context.WithCancel(t.Context())
	var series engine.Series
	first := h.Begin(ctx, by, newUser(t, "ann"), &series)
	cmd, executed := noticed(newUser(t, "ben"))
	second := h.Begin(t.Context(), by, cmd, &series)
	<-executed
	cancel()
	if _, err := first(); !errors.Is(err, context.Canceled) {
		t.Errorf("the first is told %v", err)
	}
	g.outcome <- nil
	go func() { // not called, unless the test fails
		if _, ok := <-g.begun; ok {
			g.outcome <- nil
		}
	}()
	if err := <-before; err != nil {
		t.Error(err)
	}
	if _, err := second(); err == nil {
		t.Error("the second was done")
	}
	close(g.begun)
}

package turns

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/google/uuid"
)

const (
	// atOnce is how long work goes on before it needs a turn.
	atOnce = 5 * time.Millisecond
	// stretch is how long it goes on before it lets others go first.
	stretch = 2 * time.Millisecond
	// Budget is how much of a processor's time one request may take.
	Budget = 10 * time.Second
)

// Work is the computing of one request, in one goroutine. All methods of a nil Work do nothing.
type Work struct {
	turns  *Turns
	ctx    context.Context
	tenant uuid.UUID
	turn   *Turn // of long work; it may have ended

	steps uint
	began time.Time // this stretch
	long  bool      // it holds its thread, and its time is measured
	from  time.Duration
	doing string
}

type workKey struct{}

// Start returns work for a tenant and a context that has it. End it in the same goroutine.
func (t *Turns) Start(ctx context.Context, tenant uuid.UUID) (context.Context, *Work) {
	w := &Work{turns: t, tenant: tenant, began: time.Now()}
	w.ctx = context.WithValue(ctx, workKey{}, w)
	return w.ctx, w
}

// Of returns the work that the context is part of, or nil.
func Of(ctx context.Context) *Work {
	w, _ := ctx.Value(workKey{}).(*Work)
	return w
}

// Apart returns a context for what another goroutine does for the same request, beside its work.
func Apart(ctx context.Context) context.Context {
	return context.WithValue(ctx, workKey{}, (*Work)(nil))
}

// TooMuch is work that has taken more than its budget.
type TooMuch struct{ Doing string }

func (e *TooMuch) Error() string {
	return fmt.Sprintf("The request has taken more than %s of a processor's time, and was given up while it did this: %s. Ask for less at once.", Budget, e.Doing)
}

// Doing says what the work is at, for TooMuch.
func (w *Work) Doing(what string) {
	if w != nil {
		w.doing = what
	}
}

// Pace is called again and again by whatever may take long, about once a microsecond. After a while
// it waits for a turn, and lets other tenants go first from then on. Its error is the context's, or
// *TooMuch.
func (w *Work) Pace() error {
	if w == nil {
		return nil
	}
	if w.steps++; w.steps%16 != 0 {
		return nil
	}
	return w.Yield()
}

// Yield is Pace for what is called less often. Who waits for a turn must hold nothing that others
// need to end theirs, such as a connection to the database.
func (w *Work) Yield() error {
	if w == nil {
		return nil
	}
	now := time.Now()
	if !w.long {
		if now.Sub(w.began) < atOnce {
			return nil
		}
		return w.take()
	}
	if now.Sub(w.began) < stretch {
		return nil
	}
	if w.Spent() > w.turns.budget {
		return &TooMuch{w.doing}
	}
	err := w.take()
	if err == nil {
		err = w.turn.pause()
	}
	w.began = time.Now()
	return err
}

// take gets a turn, unless the work has one.
func (w *Work) take() (err error) {
	if !w.long {
		w.long = true
		runtime.LockOSThread() // so that its time is that of the thread
		w.from = threadTime()
	}
	if w.turn == nil || !w.turn.held {
		w.turn, err = w.turns.Begin(w.ctx, w.tenant)
		w.turn.work = w
	}
	w.began = time.Now()
	return err
}

// Rest gives the turn to others, while the work waits for the network, a caller or the writer. The
// next Pace takes one again.
func (w *Work) Rest() {
	if w != nil && w.turn != nil {
		w.turn.End()
	}
}

// Spent is the processor's time that the work has taken so far, as far as it was long; nothing once
// it has ended.
func (w *Work) Spent() time.Duration {
	if w == nil || !w.long {
		return 0
	}
	return threadTime() - w.from
}

// End ends the work.
func (w *Work) End() {
	if w == nil || !w.long {
		return
	}
	w.Rest()
	w.long = false
	runtime.UnlockOSThread()
}

// Within waits for a turn for what is long from the start. Work that the context is part of has one
// turn for all it does.
func (t *Turns) Within(ctx context.Context, tenant uuid.UUID) (*Turn, error) {
	w := Of(ctx)
	if w == nil || w.turns != t {
		return t.Begin(ctx, tenant)
	}
	own := w.turn == nil || !w.turn.held
	if err := w.take(); err != nil {
		return nil, err
	}
	if own {
		return w.turn, nil
	}
	return &Turn{lent: w.turn}, nil
}

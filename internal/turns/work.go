package turns

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

const (
	// atOnce is how long work runs before it needs a turn for long work.
	atOnce = 5 * time.Millisecond
	// atATime is how long it then runs before it lets others run first.
	atATime = 2 * time.Millisecond
	// Budget is the maximum processor time of one request.
	Budget = 10 * time.Second
)

// Processors divides the processors among the work of tenants.
type Processors struct {
	short, long *Turns
	budget      time.Duration // see Budget
}

// NewProcessors divides so many processors. Long work leaves one of them to everything else.
func NewProcessors(n int) *Processors {
	return &Processors{short: New(2*atOnceOf(n), atOnceOf(n)), long: New(n-1, n-1), budget: Budget}
}

// atOnceOf returns how much short work of one tenant runs at the same time: as much as there are
// processors. More would only delay the work of other tenants.
func atOnceOf(processors int) int { return processors }

// Work is the computing of one request, in one goroutine. All methods of a nil Work do nothing.
type Work struct {
	of          *Processors
	short, long Turn // held while it runs
	isLong      bool

	steps uint
	began time.Time     // when it last continued
	used  *atomic.Int64 // how long it has run before, with all parts of the same request
	from  time.Duration // time of its thread when it continued as long work
	spent time.Duration // processor time before that, as long work
	doing string
}

type workKey struct{}

// Start waits until work for a tenant can begin, and returns a context with the work, which must be
// ended in the same goroutine. If the context has work already, which must be resting, the new work
// is a part of it, as the requests of a batch are: the time of all parts counts together. The error
// is the context's.
func (p *Processors) Start(ctx context.Context, tenant uuid.UUID) (context.Context, *Work, error) {
	w := &Work{of: p, used: new(atomic.Int64)}
	if whole := Of(ctx); whole != nil {
		w.used = whole.used
		w.isLong = w.tookLong()
	}
	ctx = context.WithValue(ctx, workKey{}, w)
	w.short, w.long = Turn{of: p.short, ctx: ctx, tenant: tenant}, Turn{of: p.long, ctx: ctx, tenant: tenant, work: w}
	if err := w.goOn(); err != nil {
		return ctx, nil, err
	}
	return ctx, w, nil
}

// Of returns the work of the context, or nil.
func Of(ctx context.Context) *Work {
	w, _ := ctx.Value(workKey{}).(*Work)
	return w
}

// Apart returns a context for the work of another goroutine for the same request.
func Apart(ctx context.Context) context.Context {
	return context.WithValue(ctx, workKey{}, (*Work)(nil))
}

// TooMuchError reports work that has exceeded its budget.
type TooMuchError struct{ Doing string }

func (e *TooMuchError) Error() string {
	return fmt.Sprintf("The request has taken more than %s of a processor's time, and was given up while it did "+
		"this: %s. Ask for less at once.", Budget, e.Doing)
}

// Doing sets the description of the current step, for TooMuchError.
func (w *Work) Doing(what string) {
	if w != nil {
		w.doing = what
	}
}

// Pace must be called repeatedly by anything that may take long, about once a microsecond. After
// Rest it waits until the work can continue. When the work has taken some time, Pace waits for a
// turn for long work, and lets other tenants run first from then on. Its error is the context's, or
// a *TooMuchError.
func (w *Work) Pace() error {
	if w == nil {
		return nil
	}
	if w.steps++; w.steps%16 != 0 {
		return nil
	}
	return w.Yield()
}

// Yield is Pace for less frequent calls. While it waits for a turn, the caller must not hold
// anything that others need to end theirs, such as a connection to the database.
func (w *Work) Yield() error {
	switch {
	case w == nil:
		return nil
	case !w.isLong && !w.tookLong():
		return w.goOn()
	case !w.isLong:
		return w.goOnLong()
	case w.stretch() > 0 && w.stretch() < atATime:
		return nil
	case w.Spent() > w.of.budget:
		return &TooMuchError{w.doing}
	}
	if w.stretch() == 0 || w.long.othersWait() {
		w.Rest()
		return w.goOn()
	}
	w.used.Add(int64(w.stretch()))
	w.began = time.Now()
	return nil
}

// tookLong reports whether the work, with all parts of the same request, has run for long.
func (w *Work) tookLong() bool { return time.Duration(w.used.Load())+w.stretch() >= atOnce }

// stretch returns how long the work has run since it last rested; zero while it rests.
func (w *Work) stretch() time.Duration {
	if !w.short.held && !w.long.held {
		return 0
	}
	return time.Since(w.began)
}

// goOn gets a turn, unless the work has one. Long work also locks its thread, so that its time is
// that of the thread.
func (w *Work) goOn() error {
	turn := &w.short
	if w.isLong {
		turn = &w.long
	}
	if turn.held {
		return nil
	}
	if err := turn.begin(); err != nil {
		return err
	}
	w.began = time.Now()
	if w.isLong {
		runtime.LockOSThread()
		w.from = threadTime()
	}
	return nil
}

func (w *Work) goOnLong() error {
	if !w.isLong {
		w.Rest()
		w.isLong = true
	}
	return w.goOn()
}

// Rest returns the turn while the work waits for the network, a caller or the writer. The next Pace
// takes one again.
func (w *Work) Rest() {
	switch {
	case w == nil:
	case w.short.held:
		w.used.Add(int64(w.stretch()))
		w.short.end()
	case w.long.held:
		w.used.Add(int64(w.stretch()))
		w.spent = w.Spent()
		runtime.UnlockOSThread()
		w.long.end()
		w.isLong = w.tookLong() // it did not need a turn for long work
	}
}

// Spent returns the processor time of the work so far, as far as it was long.
func (w *Work) Spent() time.Duration {
	switch {
	case w == nil:
		return 0
	case w.long.held:
		return w.spent + threadTime() - w.from
	}
	return w.spent
}

// End ends the work.
func (w *Work) End() { w.Rest() }

// Within waits for a turn for work that is long from the start. Work of the context has one turn
// for all that it does.
func (p *Processors) Within(ctx context.Context, tenant uuid.UUID) (*Turn, error) {
	w := Of(ctx)
	if w == nil || w.of != p {
		return p.long.Begin(ctx, tenant)
	}
	if w.long.held {
		return &Turn{lent: &w.long}, nil
	}
	return &w.long, w.goOnLong()
}

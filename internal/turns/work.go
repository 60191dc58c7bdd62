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
	// atOnce is how long work goes on before it needs a turn of those for long work.
	atOnce = 5 * time.Millisecond
	// atATime is how long it goes on then before it lets others go first.
	atATime = 2 * time.Millisecond
	// Budget is how much of a processor's time one request may take.
	Budget = 10 * time.Second
)

// Processors are shared out among the work of tenants.
type Processors struct {
	short, long *Turns
	budget      time.Duration // see Budget
}

// NewProcessors shares out so many. Long work leaves one of them to everything else.
func NewProcessors(n int) *Processors {
	return &Processors{short: New(2*atOnceOf(n), atOnceOf(n)), long: New(n-1, n-1), budget: Budget}
}

// atOnceOf is how much short work of one tenant goes on at the same time: as much as there are
// processors. Each more would be one more that another tenant's work comes behind.
func atOnceOf(processors int) int { return processors }

// Work is the computing of one request, in one goroutine. All methods of a nil Work do nothing.
type Work struct {
	of          *Processors
	short, long Turn // while it goes on, it holds one of them
	isLong      bool

	steps uint
	began time.Time     // when it went on
	used  *atomic.Int64 // for how long it has gone on before, with all that is part of the same request
	from  time.Duration // the time of its thread when it went on as long work
	spent time.Duration // of a processor, before that, as long work
	doing string
}

type workKey struct{}

// Start waits until work for a tenant can begin, and returns a context that has it. End it in the
// same goroutine. When the context has work already, which rests, this is a part of it, as the
// requests of a batch are: all parts together have gone on for some time. The error is the
// context's.
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

// Of returns the work that the context is part of, or nil.
func Of(ctx context.Context) *Work {
	w, _ := ctx.Value(workKey{}).(*Work)
	return w
}

// Apart returns a context for what another goroutine does for the same request, beside its work.
func Apart(ctx context.Context) context.Context {
	return context.WithValue(ctx, workKey{}, (*Work)(nil))
}

// TooMuchError is work that has taken more than its budget.
type TooMuchError struct{ Doing string }

func (e *TooMuchError) Error() string {
	return fmt.Sprintf("The request has taken more than %s of a processor's time, and was given up while it did this: %s. Ask for less at once.", Budget, e.Doing)
}

// Doing says what the work is at, for TooMuchError.
func (w *Work) Doing(what string) {
	if w != nil {
		w.doing = what
	}
}

// Pace is called again and again by whatever may take long, about once a microsecond. After Rest
// it waits until the work can go on. After a while it waits for a turn of those for long work, and
// lets other tenants go first from then on. Its error is the context's, or *TooMuchError.
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

// tookLong says whether the work, with all that is part of the same request, has gone on for long.
func (w *Work) tookLong() bool { return time.Duration(w.used.Load())+w.stretch() >= atOnce }

// stretch is for how long the work has gone on since it last rested; zero while it rests.
func (w *Work) stretch() time.Duration {
	if !w.short.held && !w.long.held {
		return 0
	}
	return time.Since(w.began)
}

// goOn gets a turn, unless the work has one. Long work holds its thread with it, so that its time
// is that of the thread.
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

// Rest gives the turn to others, while the work waits for the network, a caller or the writer. The
// next Pace takes one again.
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
		w.isLong = w.tookLong() // a turn from the start was more than it needed
	}
}

// Spent is the processor's time that the work has taken so far, as far as it was long.
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

// Within waits for a turn for what is long from the start. Work that the context is part of has one
// turn for all it does.
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

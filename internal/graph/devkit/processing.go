package devkit

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"licensor/internal/duration"
	"licensor/internal/engine"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// processing delays the effects of changes of groups' licenses on their members. Effects that are
// due are applied before the next request of any caller, so the actual time is not visible. Pending
// effects are lost when the server stops.
type processing struct {
	delay atomic.Int64 // nanoseconds; 0: no delay
	first atomic.Int64 // when the first is due, in nanoseconds since 1970; 0: none is pending

	mu      sync.Mutex
	waiting []heldBack // in the order of their times
}

// heldBack is a change that its group shows already.
type heldBack struct {
	tenant     *engine.Tenant
	cmd        tenant.AssignGroup
	by         tenant.By
	begins     time.Time // before it is queued, afterwards in progress
	due        time.Time
	waitingFor wire.Waiting
}

// SetGroupProcessing sets how long after the response the members of a group get its licenses. 0
// means before the response.
func (d *Kit) SetGroupProcessing(delay time.Duration) { d.processing.delay.Store(int64(delay)) }

// heldTenant is a tenant whose groups pass on their licenses after the delay.
type heldTenant struct {
	wire.Tenant
	live       *engine.Tenant
	processing *processing
	now        time.Time
}

// DoBy delays a change of a group's licenses if there is a delay: the group shows it immediately.
// It refuses to delete a group with pending licenses, like one with licenses
// (docs/spec/licensing.md L35).
func (t heldTenant) DoBy(ctx context.Context, by tenant.By, c tenant.Command) (tenant.Done, error) {
	switch inner := innermost(c).(type) {
	case tenant.AssignGroup:
		if delay := time.Duration(t.processing.delay.Load()); delay != 0 {
			return t.hold(ctx, delay, by, c, inner)
		}
	case tenant.DeleteGroup:
		if w := t.Waiting(inner.Group, t.now); w != nil && len(w.Licenses) > 0 {
			return tenant.Done{}, &licensing.RefusalError{Kind: licensing.RefusalGroupLicensed}
		}
	}
	return t.Tenant.DoBy(ctx, by, c)
}

// innermost returns a command without its conditions.
func innermost(c tenant.Command) tenant.Command {
	for {
		condition, ok := c.(tenant.If)
		if !ok {
			return c
		}
		c = condition.Then
	}
}

// Waiting returns the pending change of a group.
func (t heldTenant) Waiting(group uint32, now time.Time) *wire.Waiting {
	return t.processing.of(t.live, group, now)
}

// hold delays a change. It first validates it against the state after all pending changes.
func (t heldTenant) hold(
	ctx context.Context, delay time.Duration, by tenant.By, c tenant.Command, change tenant.AssignGroup,
) (tenant.Done, error) {
	p := t.processing
	p.mu.Lock()
	defer p.mu.Unlock()
	var before []tenant.Command
	due := t.now.Add(delay)
	for _, w := range p.waiting {
		if w.tenant == t.live {
			before = append(before, w.cmd)
		}
		if due.Before(w.due) { // the delay has become shorter
			due = w.due
		}
	}
	done, err := t.live.Preview(ctx, c, before...)
	if err != nil {
		return tenant.Done{}, err
	}
	p.waiting = append(p.waiting, heldBack{
		tenant: t.live, cmd: change, by: by, begins: t.now.Add(delay / 2), due: due,
		waitingFor: wire.Waiting{Licenses: done.Image.Licensing.GroupLicenses(change.Group)},
	})
	p.first.Store(p.waiting[0].due.UnixNano())
	return tenant.Done{Image: t.live.Image()}, nil
}

// settle applies the changes that are due.
func (p *processing) settle(ctx context.Context, log *slog.Logger, now time.Time) {
	if first := p.first.Load(); first == 0 || now.UnixNano() < first {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.waiting) > 0 && !now.Before(p.waiting[0].due) {
		w := p.waiting[0]
		p.waiting = p.waiting[1:]
		// It must not end with the request that triggered it.
		if _, err := w.tenant.DoBy(context.WithoutCancel(ctx), w.by, w.cmd); err != nil {
			log.Warn("a delayed change of a group's licenses is no longer possible",
				"tenant", w.tenant.ID(), "error", err)
		}
	}
	p.first.Store(0)
	if len(p.waiting) > 0 {
		p.first.Store(p.waiting[0].due.UnixNano())
	}
}

// of returns the pending state of a group; nil if nothing is pending.
func (p *processing) of(t *engine.Tenant, group uint32, now time.Time) *wire.Waiting {
	if p.first.Load() == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	is := func(w heldBack) bool { return w.tenant == t && w.cmd.Group == group }
	first := slices.IndexFunc(p.waiting, is)
	if first < 0 {
		return nil
	}
	w := wire.Waiting{State: queuedForProcessing}
	if !now.Before(p.waiting[first].begins) {
		w.State = processingInProgress
	}
	for _, later := range p.waiting[first:] {
		if is(later) {
			w.Licenses = later.waitingFor.Licenses
		}
	}
	return &w
}

// The values of licenseProcessingState's state (docs/spec/licensing.md L14).
const (
	queuedForProcessing  = "QueuedForProcessing"
	processingInProgress = "ProcessingInProgress"
)

// getGroupProcessing answers GET /licensor/v1/development/groupProcessing.
func (d *Kit) getGroupProcessing(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	return d.sendGroupProcessing(r)
}

func (d *Kit) sendGroupProcessing(r *wire.Request) error {
	b := r.AppendHead(r.Begin(), "development/groupProcessing")
	b = jsontext.AppendText(jsontext.AppendName(b, "delay"), duration.Text(time.Duration(d.processing.delay.Load())))
	return r.Send(http.StatusOK, append(b, '}'))
}

// setGroupProcessing answers PUT /licensor/v1/development/groupProcessing. Pending changes keep
// their time.
func (d *Kit) setGroupProcessing(r *wire.Request) error {
	members, err := r.Members()
	if err != nil {
		return err
	}
	var text string
	if err := wire.Read("groupProcessing", members, map[string]any{"delay": &text}, "delay"); err != nil {
		return err
	}
	delay, err := duration.Parse(text)
	if err != nil {
		return problem.Refuse("The delay is invalid: %s.", err)
	}
	d.SetGroupProcessing(delay)
	return d.sendGroupProcessing(r)
}

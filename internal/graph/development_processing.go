package graph

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"licensor/internal/graph/problem"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// processing holds back what changes of groups' licenses mean for their members, for as long as the
// delay says. What is due comes with the next request, whoever's it is, so nobody can see that it
// was late. What waits when the server stops is lost.
type processing struct {
	delay atomic.Int64 // nanoseconds; 0: nothing is held back
	first atomic.Int64 // when the first is due, in nanoseconds since 1970; 0: nothing waits

	mu      sync.Mutex
	waiting []heldBack // in the order in which they are due
}

// heldBack is a change that its group shows already.
type heldBack struct {
	tenant     *tenant.Tenant
	cmd        tenant.AssignGroup
	actor      string
	begins     time.Time // until then it is queued, then it is in progress
	due        time.Time
	waitingFor waiting
}

// waiting is what a group shows while a change of it is held back.
type waiting struct {
	state    string
	licenses []licensing.Assign
}

// SetGroupProcessing sets how long after the answer the members of a group get its licenses. 0:
// they have them when it comes.
func (d *Development) SetGroupProcessing(delay time.Duration) { d.processing.delay.Store(int64(delay)) }

// hold takes on a change of a group's licenses, when such are held back. What can be said against
// it at once is said at once, as it would stand after all that waits.
func (p *processing) hold(r *request, cmd tenant.AssignGroup) (held bool, err error) {
	if p == nil {
		return false, nil
	}
	delay := time.Duration(p.delay.Load())
	if delay == 0 {
		return false, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var before []tenant.Command
	due := r.now.Add(delay)
	for _, w := range p.waiting {
		if w.tenant == r.tenant {
			before = append(before, w.cmd)
		}
		if due.Before(w.due) { // the delay has become shorter
			due = w.due
		}
	}
	var tried tenant.Command = cmd
	if r.holds != nil {
		tried = tenant.If{Holds: r.holds, Then: cmd}
	}
	done, err := r.tenant.Preview(r.ctx, tried, before...)
	if err != nil {
		return false, err
	}
	p.waiting = append(p.waiting, heldBack{
		tenant: r.tenant, cmd: cmd, actor: r.caller.Actor(), begins: r.now.Add(delay / 2), due: due,
		waitingFor: waiting{licenses: done.Image.Licensing.GroupLicenses(cmd.Group)},
	})
	p.first.Store(p.waiting[0].due.UnixNano())
	return true, nil
}

// settle carries out what is due.
func (p *processing) settle(ctx context.Context, log *slog.Logger, now time.Time) {
	if first := p.first.Load(); first == 0 || now.UnixNano() < first {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.waiting) > 0 && !now.Before(p.waiting[0].due) {
		w := p.waiting[0]
		p.waiting = p.waiting[1:]
		// It does not end with the request that happened to come now.
		if _, err := w.tenant.Do(context.WithoutCancel(ctx), w.actor, w.cmd); err != nil {
			log.Warn("a change of a group's licenses that was held back cannot be made any more", "tenant", w.tenant.ID(), "error", err)
		}
	}
	p.first.Store(0)
	if len(p.waiting) > 0 {
		p.first.Store(p.waiting[0].due.UnixNano())
	}
}

// of returns what a group shows while something of it is held back; nil when nothing is.
func (p *processing) of(t *tenant.Tenant, group uint32, now time.Time) *waiting {
	if p == nil || p.first.Load() == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	is := func(w heldBack) bool { return w.tenant == t && w.cmd.Group == group }
	first := slices.IndexFunc(p.waiting, is)
	if first < 0 {
		return nil
	}
	w := waiting{state: queuedForProcessing}
	if !now.Before(p.waiting[first].begins) {
		w.state = processingInProgress
	}
	for _, later := range p.waiting[first:] {
		if is(later) {
			w.licenses = later.waitingFor.licenses
		}
	}
	return &w
}

// mayDelete refuses to delete a group that is to have licenses, as one that has them is refused
// (L35).
func (p *processing) mayDelete(r *request, group uint32) error {
	if w := p.of(r.tenant, group, r.now); w != nil && len(w.licenses) > 0 {
		return &licensing.Refusal{Kind: licensing.GroupLicensed}
	}
	return nil
}

// The values of licenseProcessingState's state (docs/spec/licensing.md L14).
const (
	queuedForProcessing  = "QueuedForProcessing"
	processingInProgress = "ProcessingInProgress"
	processingComplete   = "ProcessingComplete"
)

// getGroupProcessing answers GET /licensor/v1/development/groupProcessing.
func (d *Development) getGroupProcessing(r *request) error {
	if err := r.allow(); err != nil {
		return err
	}
	return r.sendGroupProcessing()
}

func (r *request) sendGroupProcessing() error {
	b := r.appendHead(r.begin(), "development/groupProcessing")
	return r.send(http.StatusOK, append(appendDuration(jsontext.AppendName(b, "delay"), time.Duration(r.processing.delay.Load())), '}'))
}

// setGroupProcessing answers PUT /licensor/v1/development/groupProcessing. What waits keeps its
// time.
func (d *Development) setGroupProcessing(r *request) error {
	members, err := r.members()
	if err != nil {
		return err
	}
	var text string
	if err := read("groupProcessing", members, map[string]any{"delay": &text}, "delay"); err != nil {
		return err
	}
	delay, err := parseDuration(text)
	if err != nil {
		return problem.Refuse("The delay cannot be: %s.", err)
	}
	d.SetGroupProcessing(delay)
	return r.sendGroupProcessing()
}

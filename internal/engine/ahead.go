package engine

import (
	"errors"

	"licensor/internal/tenant"
)

// ahead executes commands on the result of a batch while that is made durable. Until it is, nothing
// of them is kept, their callers can still withdraw them, and nothing is done that could not be
// undone: names are claimed and lost rows reported by the writer later.
type ahead struct {
	queue *queue
	batch []request // first those of the batch that is made durable
	fold  *fold     // of those after it
	stop  chan struct{}
	ended chan struct{}
}

// foldAhead begins to execute the commands that follow those of a batch, including those that come
// meanwhile. It begins when there is one: waking a processor for nothing would delay the batch of a
// single caller.
func (t *Tenant) foldAhead(f *fold, batch []request) *ahead {
	a := &ahead{
		queue: t.queue, batch: batch, fold: newFold(f.image), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	a.fold.follow(f)
	a.fold.ahead, f.before = true, nil
	first := len(f.replies)
	begin := func() {
		go func() {
			defer close(a.ended)
			a.run(t, first)
		}()
	}
	if len(batch) > first {
		begin()
	} else {
		t.queue.atNext(begin)
	}
	return a
}

// run executes the commands from the one at a place on, until it is stopped.
func (a *ahead) run(t *Tenant, first int) {
	known := 0 // commands whose rows were read
	for {
		at := first + len(a.fold.replies)
		if at == len(a.batch) || !a.fold.hasRoom() {
			if !a.gather(t) {
				return
			}
			continue
		}
		if at >= known {
			t.readAhead(a.fold, a.batch[at:])
			known = len(a.batch)
		}
		answer, ok := t.decideAhead(a.fold, a.batch[at])
		if !ok {
			<-a.stop
			return
		}
		a.fold.note(a.batch[at], answer)
		select {
		case <-a.stop:
			return
		default:
		}
	}
}

// gather waits for more commands, if there is room for them and the tenant is not being closed. It
// returns false if it is stopped.
func (a *ahead) gather(t *Tenant) bool {
	ready := t.queue.ready
	if !a.fold.hasRoom() {
		ready = nil
	}
	select {
	case <-a.stop:
		return false
	case <-t.closing:
		<-a.stop
		return false
	case <-ready:
		a.batch = append(a.batch, t.queue.take(maxBatch)...)
		return true
	}
}

// end ends the execution after the current command. It returns all commands, and what was executed
// of them. It may be called again.
func (a *ahead) end() ([]request, *fold) {
	select {
	case <-a.stop:
	default:
		close(a.stop)
		if a.queue.forgetNext() { // it did not begin
			close(a.ended)
		}
	}
	<-a.ended
	return a.batch, a.fold
}

// decideAhead executes a command. It returns false if only the writer can do that.
func (t *Tenant) decideAhead(f *fold, r request) (reply, bool) {
	switch r.cmd.(type) {
	case tenant.Several, tenant.Recheck:
		return reply{}, false
	}
	answer := t.decide(f, r)
	return answer, !f.stuck
}

// getStuck notes that a command cannot be executed ahead.
func (f *fold) getStuck() error {
	f.stuck = true
	return errStuck
}

var errStuck = errors.New("this cannot be done ahead")

// holds reports whether what was executed ahead can be used: the batch before it has become
// durable, and no command was withdrawn since. It takes the commands.
func (f *fold) holds(now *tenant.Image, batch []request) bool {
	if f.base != now {
		return false
	}
	for i := range f.replies {
		if !batch[i].take() && f.replies[i].err == nil {
			return false
		}
	}
	return true
}

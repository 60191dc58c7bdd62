package engine

import (
	"context"
	"errors"
	"sync/atomic"

	"licensor/internal/memory"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// request is a command that waits for the writer.
type request struct {
	ctx    context.Context
	by     tenant.By
	cmd    tenant.Command
	ahead  *tenant.Ahead
	share  *memory.Share // is held until the response: the caller may have given up before
	series *Series       // nil if it is in none
	state  *atomic.Int32
	reply  chan reply
}

// The states of a request. A waiting request is either taken by the writer or withdrawn by its
// caller.
const (
	isWaiting int32 = iota
	isTaken
	isWithdrawn
)

// withdraw withdraws the request, so that it has no effect. It returns false if the writer has
// taken it.
func (r request) withdraw() bool { return r.state.CompareAndSwap(isWaiting, isWithdrawn) }

// take takes the request for the writer. It returns false if it was withdrawn.
func (r request) take() bool {
	return r.state.CompareAndSwap(isWaiting, isTaken) || r.state.Load() == isTaken
}

// isWithdrawn reports whether the caller has withdrawn the request.
func (r request) isWithdrawn() bool { return r.state.Load() == isWithdrawn }

// answer ends the writer's hold of the share first: a caller that has its response no longer shows
// in the figures of the budget.
func (r request) answer(what reply) {
	if what.err != nil {
		r.series.fail()
	}
	r.share.End()
	r.reply <- what
}

type reply struct {
	done tenant.Done
	err  error
}

// The limits of one transaction: a number of commands, and a number of bytes of rows that they read
// or write, plus one command.
const (
	maxBatch      = 512
	maxBatchBytes = 8 << 20
)

// write is the loop of the tenant's writer: it executes batches of waiting commands until the
// tenant is closed.
func (t *Tenant) write() {
	for {
		select {
		case <-t.queue.ready:
			if batch := t.queue.take(maxBatch); len(batch) > 0 {
				t.commit(batch)
			}
		case <-t.closing:
			t.queue.close()
			return
		}
	}
}

// commit executes commands, makes the results durable, and responds, batch by batch. It includes
// the commands that were executed ahead meanwhile.
func (t *Tenant) commit(batch []request) {
	var ahead *fold
	for len(batch) > 0 {
		batch, ahead = t.commitFirst(batch, ahead)
	}
}

// maxTries is how often a batch is decided, each time on what others have committed meanwhile.
const maxTries = 8

// commitFirst executes the first commands one after another, as many as share a transaction, makes
// the results durable, publishes the last image and responds. It returns the other commands, and
// what was executed of them meanwhile.
func (t *Tenant) commitFirst(batch []request, done *fold) ([]request, *fold) {
	t.writing.Lock()
	defer t.writing.Unlock()
	was := t.Image()
	f := t.fold(batch, done)
	claimed := f.claimed
	a := t.foldAhead(f, batch)
	err := t.append(f, a)
	for try := 1; errors.Is(err, store.ErrConflict) && try < maxTries; try++ {
		batch, _ = a.end()
		if err = t.catchUp(); err != nil {
			break
		}
		f = t.fold(batch, nil)
		claimed = append(claimed, f.claimed...)
		err = t.append(f, a)
	}
	switch {
	case err != nil:
		for i := range f.replies {
			f.replies[i] = reply{err: errors.Join(notDurable(err), err)}
		}
	case len(f.commits) > 0:
		t.publish(f)
	}
	t.settleNames(was, f, claimed)
	for i := range f.replies {
		batch[i].answer(f.replies[i])
	}
	batch, done = a.end()
	clear(batch[:len(f.replies)]) // they may be large
	return batch[len(f.replies):], done
}

func (t *Tenant) publish(f *fold) {
	was := t.image.Swap(f.image)
	t.stats.batches.Add(1)
	t.stats.commits.Add(int64(len(f.commits)))
	for _, key := range f.order {
		t.forget(key)
	}
	size := 0
	for i := range f.commits {
		size += len(f.commits[i].Effects)
	}
	t.snapshots.note(t, was, size+commitWeight*len(f.commits))
}

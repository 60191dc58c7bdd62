package engine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"licensor/internal/memory"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// request is a command that waits for the writer.
type request struct {
	ctx   context.Context
	by    tenant.By
	cmd   tenant.Command
	ahead *tenant.Ahead
	share *memory.Share // is held until the response: the caller may have given up before
	state *atomic.Int32
	reply chan reply
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

// answer ends the writer's hold of the share first: a caller that has its response no longer shows
// in the figures of the budget.
func (r request) answer(what reply) {
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

// fold is a batch in progress: the results of its commands so far.
type fold struct {
	image   *tenant.Image
	commits []store.Commit
	rows    map[tenant.ObjectKey]store.Object
	order   []tenant.ObjectKey
	bytes   int                               // of the rows
	claimed []string                          // names that its commands have claimed
	read    map[tenant.ObjectKey]store.Object // read in advance, as of before the batch
}

// commit executes the commands one after another, makes the results durable, publishes the last
// image and responds.
func (t *Tenant) commit(batch []request) {
	t.writing.Lock()
	defer t.writing.Unlock()
	for len(batch) > 0 {
		batch = batch[t.commitFirst(batch):]
	}
}

// maxTries is how often a batch is decided, each time on what others have committed meanwhile.
const maxTries = 8

// commitFirst is commit for the first commands, as many as share a transaction. It returns how many
// these are.
func (t *Tenant) commitFirst(batch []request) int {
	was := t.Image()
	f, replies := t.fold(batch)
	claimed := f.claimed
	err := t.append(f)
	for try := 1; errors.Is(err, store.ErrConflict) && try < maxTries; try++ {
		if err = t.catchUp(); err != nil {
			break
		}
		f, replies = t.fold(batch)
		claimed = append(claimed, f.claimed...)
		err = t.append(f)
	}
	switch {
	case err != nil:
		for i := range replies {
			replies[i] = reply{err: errors.Join(notDurable(err), err)}
		}
	case len(f.commits) > 0:
		t.publish(f)
	}
	t.settleNames(was, f, claimed)
	for i := range replies {
		batch[i].answer(replies[i])
	}
	return len(replies)
}

// fold executes the first commands, as many as share a transaction.
func (t *Tenant) fold(batch []request) (*fold, []reply) {
	f := &fold{image: t.Image(), rows: map[tenant.ObjectKey]store.Object{}, read: t.readAhead(batch)}
	var replies []reply
	for len(replies) < len(batch) && f.bytes < maxBatchBytes {
		replies = append(replies, t.decide(f, batch[len(replies)]))
	}
	return f, replies
}

// readAhead reads the rows that the commands of a batch will read, in one query per kind: reading
// them one by one takes ten times as long. Rows that it could not read, or has no room for, are
// read again when a command needs them, and that command gets the error.
func (t *Tenant) readAhead(batch []request) map[tenant.ObjectKey]store.Object {
	ordinals := map[store.Kind][]uint32{}
	for _, r := range batch {
		if key, ok := tenant.Reads(r.cmd); ok {
			ordinals[key.Kind] = append(ordinals[key.Kind], key.Ordinal)
		}
	}
	read := map[tenant.ObjectKey]store.Object{}
	for kind, list := range ordinals {
		if len(list) < 2 {
			continue
		}
		rows, err := t.store.Objects(context.Background(), t.id, store.Query{
			Kind: kind, Ordinals: list, After: -1, Bytes: maxBatchBytes,
		})
		if err != nil {
			continue
		}
		for _, row := range rows {
			read[tenant.ObjectKey{Kind: kind, Ordinal: row.Ordinal}] = row
		}
	}
	return read
}

// decide executes one command on the result of the previous ones. A command that fails, or panics,
// leaves no trace.
func (t *Tenant) decide(f *fold, r request) (answer reply) {
	defer func() {
		if p := recover(); p != nil {
			answer = reply{err: fmt.Errorf("command %s: panic: %v", tenant.Operation(r.cmd), p)}
			t.options.Log.Error("a command panicked; nothing of it was kept", "operation", tenant.Operation(r.cmd), "panic", p)
		}
	}()
	if !r.take() || r.ctx.Err() != nil {
		return reply{err: r.ctx.Err()}
	}
	done, err := f.image.Execute(r.ctx, r.cmd, tenant.Execution{
		At: t.now(f.image), NewID: t.options.NewID, By: r.by, Ahead: r.ahead,
		Load: func(ctx context.Context, kind store.Kind, ordinal uint32) (store.Object, error) {
			return t.loadIn(ctx, f, tenant.ObjectKey{Kind: kind, Ordinal: ordinal})
		},
		Claim: func(ctx context.Context, names []string) (*store.Claim, error) {
			f.claimed = append(f.claimed, names...)
			return t.claim(ctx, names)
		},
	})
	if err != nil {
		t.stats.rejected.Add(1)
		return reply{err: err}
	}
	if done.Commit != nil {
		f.add(done.Image, *done.Commit, done.Rows)
	}
	return reply{done: done.Done}
}

// loadIn returns a row as of the image of a batch in progress.
func (t *Tenant) loadIn(ctx context.Context, f *fold, key tenant.ObjectKey) (store.Object, error) {
	if row, ok := f.rows[key]; ok {
		return row, nil
	}
	if row, ok := f.read[key]; ok {
		return row, nil
	}
	row, err := t.load(ctx, key.Kind, key.Ordinal)
	if absent(err) {
		err = t.lost(ctx, f.image, key, err)
	}
	return row, err
}

func (f *fold) add(next *tenant.Image, commit store.Commit, rows []store.Object) {
	f.image = next
	f.commits = append(f.commits, commit)
	for _, row := range rows {
		row.Seq = commit.Seq
		key := tenant.ObjectKey{Kind: row.Kind, Ordinal: row.Ordinal}
		if _, ok := f.rows[key]; !ok {
			f.order = append(f.order, key)
		}
		f.bytes += len(row.Document)
		f.rows[key] = row
	}
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

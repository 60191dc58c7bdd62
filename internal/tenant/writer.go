package tenant

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"licensor/internal/memory"
	"licensor/internal/store"
)

// request is a command that waits for the writer.
type request struct {
	ctx   context.Context
	by    By
	cmd   Command
	ahead *ahead
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

func (r request) answer(what reply) {
	r.reply <- what
	r.share.End()
}

type reply struct {
	done Done
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
	image   *Image
	commits []store.Commit
	rows    map[objectKey]store.Object
	order   []objectKey
	bytes   int                        // of the rows
	claimed []string                   // names that its commands have claimed
	read    map[objectKey]store.Object // read in advance, as of before the batch
}

// commit executes the commands one after another, makes the results durable, publishes the last
// image and responds.
func (t *Tenant) commit(batch []request) {
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
	f := &fold{image: t.Image(), rows: map[objectKey]store.Object{}, read: t.readAhead(batch)}
	var replies []reply
	for len(replies) < len(batch) && f.bytes < maxBatchBytes {
		replies = append(replies, t.decide(f, batch[len(replies)]))
	}
	return f, replies
}

// rowReader is a command that always reads a row.
type rowReader interface{ reads() objectKey }

// readAhead reads the rows that the commands of a batch will read, in one query per kind: reading
// them one by one takes ten times as long. Rows that it could not read, or has no room for, are
// read again when a command needs them, and that command gets the error.
func (t *Tenant) readAhead(batch []request) map[objectKey]store.Object {
	ordinals := map[store.Kind][]uint32{}
	for _, r := range batch {
		if reader, ok := r.cmd.(rowReader); ok {
			key := reader.reads()
			ordinals[key.kind] = append(ordinals[key.kind], key.ordinal)
		}
	}
	read := map[objectKey]store.Object{}
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
			read[objectKey{kind, row.Ordinal}] = row
		}
	}
	return read
}

// decide executes one command on the result of the previous ones. A command that fails, or panics,
// leaves no trace.
func (t *Tenant) decide(f *fold, r request) (answer reply) {
	defer func() {
		if p := recover(); p != nil {
			answer = reply{err: fmt.Errorf("command %s: panic: %v", r.cmd.name(), p)}
			t.options.Log.Error("a command panicked; nothing of it was kept", "operation", r.cmd.name(), "panic", p)
		}
	}()
	if !r.take() || r.ctx.Err() != nil {
		return reply{err: r.ctx.Err()}
	}
	c := f.image.change(r.ctx, t.now(f.image), t.options.NewID)
	c.load = func(ctx context.Context, kind store.Kind, ordinal uint32) (store.Object, error) {
		if row, ok := f.rows[objectKey{kind, ordinal}]; ok {
			return row, nil
		}
		if row, ok := f.read[objectKey{kind, ordinal}]; ok {
			return row, nil
		}
		row, err := t.load(ctx, kind, ordinal)
		if absent(err) {
			err = t.lost(ctx, f.image, objectKey{kind, ordinal}, err)
		}
		return row, err
	}
	c.ahead = r.ahead
	c.claim = func(ctx context.Context, names []string) (*store.Claim, error) {
		f.claimed = append(f.claimed, names...)
		return t.claim(ctx, names)
	}
	next, commit, err := c.execute(r.by, r.cmd)
	if err != nil {
		t.stats.rejected.Add(1)
		return reply{err: err}
	}
	c.done.Image, c.done.Changed = next, commit != nil
	if commit != nil {
		f.add(next, *commit, c.rows())
	}
	return reply{done: c.done}
}

func (f *fold) add(next *Image, commit store.Commit, rows []store.Object) {
	f.image = next
	f.commits = append(f.commits, commit)
	for _, row := range rows {
		row.Seq = commit.Seq
		key := objectKey{row.Kind, row.Ordinal}
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

package engine

import (
	"context"
	"fmt"

	"licensor/internal/store"
	"licensor/internal/tenant"
)

// fold is a batch in progress: the results of its commands so far.
type fold struct {
	base    *tenant.Image // before the first command
	image   *tenant.Image
	replies []reply
	commits []store.Commit
	rows    map[tenant.ObjectKey]store.Object
	order   []tenant.ObjectKey
	bytes   int      // of the rows
	claimed []string // names that its commands have claimed

	read      map[tenant.ObjectKey]store.Object // in advance, as of base or of before the batch before
	readBytes int

	// before is the batch before this one if the rows that were read may be older than it.
	before *fold
	// ahead says that the outcome of the batch before is unknown, so that nothing may happen outside
	// the fold.
	ahead bool
	// broken has the series of which a command has failed in this batch or the one before.
	broken map[*Series]bool
	// stuck says that the last command could not be executed ahead.
	stuck bool
}

func newFold(base *tenant.Image) *fold {
	return &fold{
		base: base, image: base,
		rows: map[tenant.ObjectKey]store.Object{}, read: map[tenant.ObjectKey]store.Object{},
	}
}

// fold executes the first commands, as many as share a transaction. What was executed ahead is used
// if nothing else has happened meanwhile.
func (t *Tenant) fold(batch []request, ahead *fold) *fold {
	f := ahead
	if f == nil || !f.holds(t.Image(), batch) {
		f = newFold(t.Image())
	}
	f.ahead, f.stuck = false, false
	t.readAhead(f, batch[len(f.replies):])
	for len(f.replies) < len(batch) && f.hasRoom() {
		r := batch[len(f.replies)]
		f.note(r, t.decide(f, r))
	}
	return f
}

// hasRoom reports whether another command may share the transaction.
func (f *fold) hasRoom() bool { return len(f.replies) < maxBatch && f.bytes < maxBatchBytes }

// readAhead reads the rows that the next commands of a batch will read, in one query per kind:
// reading them one by one takes ten times as long. Rows that it could not read, or has no room for,
// are read again when a command needs them, and that command gets the error.
func (t *Tenant) readAhead(f *fold, batch []request) {
	ordinals := map[store.Kind][]uint32{}
	for _, r := range batch {
		key, ok := tenant.Reads(r.cmd)
		if _, known := f.row(key); ok && !known {
			ordinals[key.Kind] = append(ordinals[key.Kind], key.Ordinal)
		}
	}
	for kind, list := range ordinals {
		if len(list) < 2 || f.readBytes >= maxBatchBytes {
			continue
		}
		rows, err := t.store.Objects(context.Background(), t.id, store.Query{
			Kind: kind, Ordinals: list, After: -1, Bytes: maxBatchBytes - f.readBytes,
		})
		if err != nil {
			continue
		}
		for _, row := range rows {
			f.read[tenant.ObjectKey{Kind: kind, Ordinal: row.Ordinal}] = row
			f.readBytes += len(row.Document)
		}
	}
}

// row returns a row that the batch, or the one before, has written, or that was read in advance.
func (f *fold) row(key tenant.ObjectKey) (store.Object, bool) {
	if row, ok := f.rows[key]; ok {
		return row, true
	}
	if f.before != nil {
		if row, ok := f.before.rows[key]; ok {
			return row, true
		}
	}
	row, ok := f.read[key]
	return row, ok
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
	if !f.ahead && !r.take() || f.ahead && r.isWithdrawn() || r.ctx.Err() != nil {
		return reply{err: r.ctx.Err()}
	}
	if f.isBroken(r.series) {
		return reply{err: errSeries}
	}
	done, err := f.image.Execute(r.ctx, r.cmd, tenant.Execution{
		At: t.now(f.image), NewID: t.options.NewID, By: r.by, Ahead: r.ahead,
		Load: func(ctx context.Context, kind store.Kind, ordinal uint32) (store.Object, error) {
			return t.loadIn(ctx, f, tenant.ObjectKey{Kind: kind, Ordinal: ordinal})
		},
		Claim: func(ctx context.Context, names []string) (*store.Claim, error) {
			if f.ahead {
				return nil, f.getStuck()
			}
			f.claimed = append(f.claimed, names...)
			return t.claim(ctx, names)
		},
	})
	if err != nil {
		t.stats.rejected.Add(1)
		return reply{err: err}
	}
	if done.Commit != nil && !f.stuck {
		f.add(done.Image, *done.Commit, done.Rows)
	}
	return reply{done: done.Done}
}

// loadIn returns a row as of the image of a batch in progress.
func (t *Tenant) loadIn(ctx context.Context, f *fold, key tenant.ObjectKey) (store.Object, error) {
	if row, ok := f.row(key); ok {
		return row, nil
	}
	row, err := t.load(ctx, key.Kind, key.Ordinal)
	switch {
	case !absent(err):
	case f.ahead:
		err = f.getStuck()
	default:
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

package engine

import (
	"context"
	"maps"
	"sync/atomic"

	"licensor/internal/tenant"
)

// Series has the commands of one caller of which each is only carried out if all before it were. So
// a caller need not wait for the result of one to send the next, which is executed while the one
// before is made durable. The zero value is a series without commands.
type Series struct{ failed atomic.Bool }

// Begin is DoBy for the next command of a series, except that it returns when the command waits for
// the writer. The caller must call wait once, and must not begin commands of a series concurrently.
func (t *Tenant) Begin(
	ctx context.Context, by tenant.By, cmd tenant.Command, of *Series,
) (wait func() (tenant.Done, error)) {
	t.stats.commands.Add(1)
	r, err := t.send(ctx, by, cmd, of)
	if err != nil {
		of.fail()
		return func() (tenant.Done, error) { return tenant.Done{}, err }
	}
	return func() (tenant.Done, error) { return t.await(r) }
}

func (t *Tenant) send(ctx context.Context, by tenant.By, cmd tenant.Command, of *Series) (request, error) {
	if err := reserve(ctx, t.Image(), cmd); err != nil {
		return request{}, err
	}
	ahead, err := t.evaluateAhead(ctx, cmd)
	if err != nil {
		return request{}, err
	}
	return t.enqueue(ctx, by, cmd, ahead, of)
}

var errSeries = unavailable("A change before this one failed, so nothing was changed.")

func (s *Series) fail() {
	if s != nil {
		s.failed.Store(true)
	}
}

// note adds the reply of a command to a fold.
func (f *fold) note(r request, answer reply) {
	f.replies = append(f.replies, answer)
	if answer.err == nil || r.series == nil {
		return
	}
	if f.broken == nil {
		f.broken = map[*Series]bool{}
	}
	f.broken[r.series] = true
}

// isBroken reports whether a command of a series has failed: finally, or in the fold and the one
// before it, whose commands may be executed again.
func (f *fold) isBroken(s *Series) bool { return s != nil && (s.failed.Load() || f.broken[s]) }

// follow makes a fold one that follows another.
func (f *fold) follow(before *fold) {
	f.before, f.broken = before, maps.Clone(before.broken)
}

// Begin executes a command.
func (r *Rehearsal) Begin(
	ctx context.Context, by tenant.By, cmd tenant.Command, of *Series,
) (wait func() (tenant.Done, error)) {
	done, err := tenant.Done{}, error(errSeries)
	if !of.failed.Load() {
		done, err = r.DoBy(ctx, by, cmd)
	}
	if err != nil {
		of.fail()
	}
	return func() (tenant.Done, error) { return done, err }
}

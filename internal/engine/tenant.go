package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"licensor/internal/memory"
	"licensor/internal/query"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// Options are the dependencies and limits of tenants.
type Options struct {
	Now   func() time.Time // nil: time.Now
	NewID func() uuid.UUID // nil: uuid.New
	Log   *slog.Logger     // nil: slog.Default()
	// Damaged is called if the store has lost data; nil: it is only returned as an error.
	Damaged func(error)
	// SnapshotAfter is the minimum number of bytes of effects for a new snapshot, which a start may
	// have to replay. Large tenants take one when the effects are a third of the last snapshot.
	SnapshotAfter int
	// KeepDays is the number of days for which the first snapshot of a day is kept, so that the tenant
	// can be read as it was; 0 means 30. See Tenant.ImageAt.
	KeepDays int
	// Memory is the maximum memory of all loaded tenants, in bytes; 0: no limit.
	Memory int64
	// Loading is how many tenants are loaded at once; 0 means 2.
	Loading int
	// Processors are shared among the tenants; nil means NewProcessors().
	Processors *turns.Processors
}

// Tenant is one live tenant. All methods are safe for concurrent use.
type Tenant struct {
	id      uuid.UUID
	store   Store
	options Options
	image   atomic.Pointer[tenant.Image]
	names   *names // shared by all tenants
	readers *readers
	earlier *earlierImages // shared by all tenants
	release func()         // the implementation of Release
	// settleOther settles the names that another tenant has claimed.
	settleOther func(ctx context.Context, id uuid.UUID) error

	queue   *queue
	writing sync.Mutex    // held while a batch is committed
	closing chan struct{} // closed when no more commands are accepted
	ended   chan struct{} // closed when the writer has ended
	stats   stats
	epoch   uint64 // of the log (store.Place); the writer's
	failed  int    // consecutive batches that could not be made durable; used by the writer only

	documents *documentCache // shared by all tenants
	changes   *lru.Cache[stretch, *Changes]
	sets      *lru.Cache[setKey, *query.Rows]
	previews  *lru.Cache[previewKey, *RulePreview]
	snapshots snapshots
}

type stats struct {
	commands, rejected, commits, batches, unchanged atomic.Int64
}

// Stats count the operations of a tenant since it was opened.
type Stats struct {
	Commands, Rejected, Commits, Batches, Unchanged int64
}

// Stats returns the current counts.
func (t *Tenant) Stats() Stats {
	return Stats{
		t.stats.commands.Load(), t.stats.rejected.Load(), t.stats.commits.Load(),
		t.stats.batches.Load(), t.stats.unchanged.Load(),
	}
}

// ID returns the tenant's id.
func (t *Tenant) ID() uuid.UUID { return t.id }

// Image returns the tenant's current image: as of the last durable commit.
func (t *Tenant) Image() *tenant.Image { return t.image.Load() }

// newTenant returns an empty tenant.
func (all *Tenants) newTenant(id uuid.UUID) (*Tenant, error) {
	changes, err := lru.New[stretch, *Changes](keptStretches)
	if err != nil {
		return nil, err
	}
	sets, err := lru.New[setKey, *query.Rows](keptSets)
	if err != nil {
		return nil, err
	}
	previews, err := lru.New[previewKey, *RulePreview](keptPreviews)
	if err != nil {
		return nil, err
	}
	t := &Tenant{
		id: id, store: all.store, options: all.options, names: all.names, readers: &all.readers, earlier: all.earlier,
		settleOther: all.settleOther,
		documents:   all.documents, changes: changes, sets: sets, previews: previews,
		queue: newQueue(), closing: make(chan struct{}), ended: make(chan struct{}),
	}
	t.image.Store(tenant.NewImage())
	return t, nil
}

func (t *Tenant) start() {
	go func() {
		defer close(t.ended)
		t.write()
	}()
}

// Do is DoBy for an actor of which nothing else is known.
func (t *Tenant) Do(ctx context.Context, actor string, cmd tenant.Command) (tenant.Done, error) {
	return t.DoBy(ctx, tenant.By{Actor: actor}, cmd)
}

// DoBy executes a command. If it returns without error, the result is durable and in the
// image of Done. If the context ends first, the error means that the command has no effect, unless
// it is a *tenant.CommandError of kind ProblemUnknown. A *memory.FullError says that there is no
// memory for its draft now.
func (t *Tenant) DoBy(ctx context.Context, by tenant.By, cmd tenant.Command) (tenant.Done, error) {
	t.stats.commands.Add(1)
	if err := reserve(ctx, t.Image(), cmd); err != nil {
		return tenant.Done{}, err
	}
	if done, ok, err := t.foresee(ctx, cmd); err != nil {
		return tenant.Done{}, err
	} else if ok {
		t.stats.unchanged.Add(1)
		return done, nil
	}
	ahead, err := t.evaluateAhead(ctx, cmd)
	if err != nil {
		return tenant.Done{}, err
	}
	return t.queued(ctx, by, cmd, ahead)
}

// queued has the writer execute a command, and waits for it.
func (t *Tenant) queued(
	ctx context.Context, by tenant.By, cmd tenant.Command, ahead *tenant.Ahead,
) (tenant.Done, error) {
	r, err := t.enqueue(ctx, by, cmd, ahead, nil)
	if err != nil {
		return tenant.Done{}, err
	}
	return t.await(r)
}

// enqueue adds a command to those that wait for the writer.
func (t *Tenant) enqueue(
	ctx context.Context, by tenant.By, cmd tenant.Command, ahead *tenant.Ahead, of *Series,
) (request, error) {
	turns.Of(ctx).Rest()
	r := request{
		ctx: ctx, by: by, cmd: cmd, ahead: ahead, share: memory.Of(ctx).Hold(), series: of,
		state: new(atomic.Int32), reply: make(chan reply, 1),
	}
	err := t.queue.put(ctx, r)
	if err != nil {
		r.share.End()
	}
	return r, err
}

// await waits for the writer's response.
func (t *Tenant) await(r request) (tenant.Done, error) {
	select {
	case answer := <-r.reply:
		return answer.done, answer.err
	case <-r.ctx.Done():
		if r.withdraw() {
			return tenant.Done{}, r.ctx.Err()
		}
		return tenant.Done{}, errors.Join(errUnknown, r.ctx.Err())
	case <-t.ended:
	}
	select { // the writer may have answered before it ended
	case answer := <-r.reply:
		return answer.done, answer.err
	default:
		return tenant.Done{}, errClosing
	}
}

// foresee executes a reprocessing on the current image without the writer. If it changes nothing,
// that is the result, and nothing needs to be written or waited for (docs/spec/licensing.md L72).
// All other results are left to the writer.
func (t *Tenant) foresee(ctx context.Context, cmd tenant.Command) (tenant.Done, bool, error) {
	reprocess, ok := cmd.(tenant.Reprocess)
	if !ok {
		return tenant.Done{}, false, nil
	}
	if !reprocess.Short() {
		turn, err := t.Turn(ctx)
		if err != nil {
			return tenant.Done{}, false, err
		}
		defer turn.End()
	}
	img := t.Image()
	done, ok := reprocess.Foresee(img, t.now(img))
	return done, ok, nil
}

// now returns the time of the next commit: the clock's, in whole milliseconds, but not before the
// last commit's.
func (t *Tenant) now(img *tenant.Image) time.Time {
	now := t.options.Now().UTC().Truncate(time.Millisecond)
	if now.Before(img.At) {
		return img.At
	}
	return now
}

var errClosing = unavailable("The server is shutting down. Try again in a moment.")

// touchedBytes is the maximum memory of a draft for a user that it touches, including what the
// resulting image keeps of the previous one.
const touchedBytes = 256

// reserve takes memory for the draft of a command. The request holds it until its end, because it
// holds the image. Commands that only remove something, or set a password, take none, so that they
// work when memory is low.
func reserve(ctx context.Context, img *tenant.Image, cmd tenant.Command) error {
	return memory.Of(ctx).More(ctx, touchedBytes*tenant.Touches(img, cmd))
}

package changes

import (
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/outcome"
	"licensor/internal/tenant"
)

const (
	// KeptFor is how long a preview is kept.
	KeptFor = 15 * time.Minute
	// UsualMemory limits the memory of all kept previews, in bytes.
	UsualMemory = 1 << 30
	// touchedBytes is the maximum memory of the images of a preview for a user whose licenses are
	// different in them.
	touchedBytes = 256
	// previewBytes is the memory of a preview in addition to that.
	previewBytes = 256 << 10
)

// preview is the result of a change set that was run on a draft. Once it is kept, only applying
// changes.
type preview struct {
	id            uuid.UUID
	set           *set
	answers       []answer
	before, after *tenant.Image
	outcome       *outcome.Outcome
	made, expires time.Time
	bytes         int64
	applying      bool // guarded by the mutex of Previews
}

// size returns about how much memory the preview takes.
func (p *preview) size() int64 {
	n := previewBytes + p.set.bytes + p.outcome.Bytes() + touchedBytes*int64(p.touched())
	for i := range p.answers {
		n += answerBytes + int64(len(p.answers[i].message))
	}
	return n
}

const answerBytes = 200

// touched returns how many users the preview is about.
func (p *preview) touched() uint64 {
	return p.outcome.Users(func(outcome.What) bool { return true }).GetCardinality()
}

// Previews keeps the previews of all tenants, and answers the requests for them.
type Previews struct {
	most int64 // bytes

	mu    sync.Mutex
	bytes int64
	kept  map[key]*preview
	sweep *time.Timer // nil while nothing is kept
}

type key struct{ tenant, id uuid.UUID }

// New returns Previews that take up to so many bytes; UsualMemory if zero.
func New(memory int64) *Previews {
	if memory == 0 {
		memory = UsualMemory
	}
	return &Previews{most: memory, kept: map[key]*preview{}}
}

// keep keeps a preview of the caller's tenant (C6), or refuses it if there is no room. One tenant
// may have half of the room.
func (all *Previews) keep(r *wire.Request, p *preview) error {
	p.made, p.expires = r.Now, r.Now.Add(KeptFor)
	p.bytes = p.size()
	all.mu.Lock()
	defer all.mu.Unlock()
	all.drop(r.Now)
	ofTenant, wait := p.bytes, KeptFor
	for k, other := range all.kept {
		if k.tenant == r.Tenant.ID() {
			ofTenant += other.bytes
		}
		wait = min(wait, other.expires.Sub(r.Now))
	}
	if all.bytes+p.bytes > all.most || ofTenant > all.most/2 {
		return all.full(wait, p)
	}
	all.kept[key{r.Tenant.ID(), p.id}] = p
	all.bytes += p.bytes
	if all.sweep == nil {
		all.sweep = time.AfterFunc(KeptFor, all.dropLater)
	}
	return nil
}

// full refuses a preview for which there is no room.
func (all *Previews) full(wait time.Duration, p *preview) error {
	refusal := problem.TooMany(int(wait/time.Second) + 1)
	refusal.Message = "There is no room for this preview: it takes about " + megabytes(p.bytes) + ", all kept " +
		"previews may take " + megabytes(all.most) + ", and those of a tenant half of that. Try again when others " +
		"have expired, or try smaller changes."
	return refusal
}

// drop drops the previews that have expired. The caller holds the lock.
func (all *Previews) drop(now time.Time) {
	for k, p := range all.kept {
		if !now.Before(p.expires) {
			all.bytes -= p.bytes
			delete(all.kept, k)
		}
	}
}

// dropLater drops expired previews if there are no requests that do so.
func (all *Previews) dropLater() {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.drop(time.Now())
	if all.sweep = nil; len(all.kept) > 0 {
		all.sweep = time.AfterFunc(KeptFor, all.dropLater)
	}
}

// Forget drops all previews.
func (all *Previews) Forget() {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.bytes = 0
	clear(all.kept)
}

// get returns the preview that the path names.
func (all *Previews) get(r *wire.Request) (*preview, error) {
	id, ok := guid.Parse(r.Keys[0])
	all.mu.Lock()
	defer all.mu.Unlock()
	all.drop(r.Now)
	if p := all.kept[key{r.Tenant.ID(), id}]; ok && p != nil {
		return p, nil
	}
	return nil, problem.NotFound(r.Keys[0])
}

// begin begins to apply a preview, unless another request does.
func (all *Previews) begin(p *preview) error {
	all.mu.Lock()
	defer all.mu.Unlock()
	if p.applying {
		return problem.Conflict("Another request applies this preview now.")
	}
	p.applying = true
	return nil
}

// end ends the applying of a preview. It is not kept any longer if it was applied, or if that is
// not known.
func (all *Previews) end(r *wire.Request, p *preview, err error) {
	unknown, ok := errors.AsType[*tenant.CommandError](err)
	if err == nil || ok && unknown.Kind == tenant.ProblemUnknown {
		all.remove(r, p)
		return
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	p.applying = false
}

// remove removes a preview that was applied.
func (all *Previews) remove(r *wire.Request, p *preview) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if k := (key{r.Tenant.ID(), p.id}); all.kept[k] == p {
		all.bytes -= p.bytes
		delete(all.kept, k)
	}
}

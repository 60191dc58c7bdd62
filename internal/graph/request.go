package graph

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"licensor/internal/graph/odata"
	"licensor/internal/graph/query"
	"licensor/internal/graph/throttle"
	"licensor/internal/identity"
	"licensor/internal/memory"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// environment is what operations need of the server.
type environment struct {
	clock        func() time.Time
	newID        func() uuid.UUID
	random       io.Reader             // makes the secrets of applications and the salt of passwords
	passwordCost identity.PasswordCost // what it takes to check a password that is set
	importPieces int                   // how many pieces an import may take in one commit
	limits       *throttle.Buckets
	authority    *identity.Authority
	log          *slog.Logger
}

// request is one request on its way, and its answer. Fields are filled in the order of API.serve.
type request struct {
	*http.Request
	*environment
	ctx      context.Context // with the deadline
	w        http.ResponseWriter
	now      time.Time
	id       string
	clientID string // client-request-id, our own id when the client gave none (P4)
	metadata string // none, minimal or full (P5)
	minimal  bool   // Prefer: return=minimal (P6)
	*answering

	host  string    // scheme and host by which the client knows the server
	root  string    // the same with the version: https://localhost/v1.0
	beta  bool      // the version is beta
	named uuid.UUID // the tenant that the path names: /v1.0/{tenant}/users; zero when it names none
	op    *operation
	keys  []string // of the path, in its order; the first is the caller's id under /me
	me    bool     // under /me
	// property is the path of what of the object is wanted (P27), raw says that it is wanted as
	// text; nil: the object.
	property []string
	raw      bool
	caller   *identity.Caller
	access   identity.Access
	tenant   handle
	work     *turns.Work
	share    *memory.Share // of the memory of requests in flight
	image    *tenant.Image // the current one when the request came
	options  *odata.Options
	found    foundUser                // the user that the path names, once that is known
	holds    func(*tenant.Image) bool // what If-Match asks of the image that a change is made of
}

func newRequest(ctx context.Context, w http.ResponseWriter, hr *http.Request, e *environment) *request {
	r := &request{Request: hr, environment: e, answering: new(answering), ctx: ctx, w: w, now: e.clock(), id: e.newID().String(), metadata: "minimal"}
	r.clientID = r.id
	if given := hr.Header.Get("client-request-id"); given != "" && len(given) <= maxClientID {
		r.clientID = given
	}
	switch accept := strings.ToLower(hr.Header.Get("Accept")); {
	case strings.Contains(accept, "odata.metadata=none"):
		r.metadata = "none"
	case strings.Contains(accept, "odata.metadata=full"):
		r.metadata = "full"
	}
	r.minimal = slices.ContainsFunc(hr.Header.Values("Prefer"), func(line string) bool {
		return slices.ContainsFunc(strings.Split(line, ","), func(p string) bool { return strings.EqualFold(strings.TrimSpace(p), "return=minimal") })
	})
	return r
}

// Context is the one of the request, with its deadline. It takes the place of that of the
// http.Request.
func (r *request) Context() context.Context { return r.ctx }

// setContext makes the request go on with a context, which comes from its own.
func (r *request) setContext(ctx context.Context) { r.ctx = ctx }

// maxClientID bounds what is echoed; longer ones are taken for none.
const maxClientID = 256

// do carries out a command in the caller's name.
func (r *request) do(c tenant.Command) (tenant.Done, error) {
	if r.holds != nil {
		c = tenant.If{Holds: r.holds, Then: c}
	}
	return r.tenant.Do(r.ctx, r.caller.Actor(), c) // its work rests meanwhile
}

// eventual reports whether the caller asks for the advanced queries (P26, P31): by the header, or
// by following the link of an answer to a request that had it.
func (r *request) eventual() bool {
	return strings.EqualFold(r.Header.Get("ConsistencyLevel"), "eventual") || r.continues(r.options.SkipToken, true)
}

// cost is what the request takes of its caller's resource units.
func (r *request) cost(options *odata.Options) int {
	if r.op == nil {
		return 1
	}
	return throttle.Cost(r.op.cost, options)
}

// advanced reports whether the caller asks for the advanced queries (P31).
func (r *request) advanced() bool { return r.scope().Advanced }

// scope is what the filters of the request are asked of.
func (r *request) scope() query.Scope {
	eventual := r.eventual()
	return query.Scope{Image: r.image, Now: r.now, Advanced: eventual && (r.options.Count || r.wantsLength()), Eventual: eventual}
}

// change carries out a command on something named in the path and answers 204. A reference to
// something else that is not there is a mistake in the body, 400 rather than 404 (P14).
func (r *request) change(c tenant.Command, references ...reference) error {
	if _, err := r.do(c); err != nil {
		if len(references) > 0 {
			return r.badReferences(err, references)
		}
		return err
	}
	return r.sendNothing()
}

// doWhile carries out a command if something, which holds of r.image, still holds of the image that
// the change is made of. Otherwise it takes that image for r.image and says that the command is to
// be made again.
func (r *request) doWhile(holds func(*tenant.Image) bool, c tenant.Command) (again bool, err error) {
	var late atomic.Bool
	done, err := r.do(tenant.If{Then: c, Holds: func(img *tenant.Image) bool {
		late.Store(!holds(img))
		return !late.Load()
	}})
	switch {
	case err == nil:
		r.image = done.Image
	case late.Load() && r.ctx.Err() == nil:
		r.image = r.tenant.Image()
		return true, nil
	}
	return false, err
}

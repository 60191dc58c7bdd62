// Package wire is how operations talk to their callers (docs/spec/protocol.md): a Request with what
// is known of it, the reading of its body, and the answer. It knows no type of objects. Those are
// described to it:
//
//   - A FieldSet is the properties of a type, and what of them $select, a version and a permission
//     show (fields.go, expansion.go, etag.go).
//   - A Listing is how lists of a type are answered: conditions, orders and pages (listing.go,
//     page.go). Rows are lists that are few enough to be looked at one by one (rows.go).
//   - A Shape is a value within a body that is only kept and shown (shapes.go).
//
// An operation reads the request, hands a command to its tenant and writes a view of the image that
// came of it:
//
//	done, err := r.Do(tenant.DeleteUnit{Unit: ordinal})
//	…
//	return r.SendNothing()
//
// Answers are appended to a pooled buffer. Small ones are sent as a whole, large ones while they
// are made (stream.go). What goes wrong is an error, which becomes an answer in graph/problem.
package wire

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

// Environment is what operations need of the server.
type Environment struct {
	Clock        func() time.Time
	NewID        func() uuid.UUID
	Random       io.Reader             // makes the secrets of applications and the salt of passwords
	PasswordCost identity.PasswordCost // what it takes to check a password that is set
	ImportPieces int                   // how many pieces an import may take in one commit
	Limits       *throttle.Buckets
	Authority    *identity.Authority
	Log          *slog.Logger
}

// Request is one request on its way, and its answer. Fields are filled in the order of API.serve.
type Request struct {
	*http.Request
	*Environment
	ctx      context.Context // with the deadline
	W        http.ResponseWriter
	Now      time.Time
	ID       string
	ClientID string // client-request-id, our own id when the client gave none (P4)
	Metadata string // none, minimal or full (P5)
	minimal  bool   // Prefer: return=minimal (P6)
	*answering

	Origin string    // scheme and host by which the client knows the server
	Root   string    // the same with the version: https://localhost/v1.0
	Beta   bool      // the version is beta
	Named  uuid.UUID // the tenant that the path names: /v1.0/{tenant}/users; zero when it names none
	Op     *Operation
	Keys   []string // of the path, in its order; the first is the caller's id under /me
	Me     bool     // under /me
	// Property is the path of what of the object is wanted (P27), raw says that it is wanted as
	// text; nil: the object.
	Property []string
	Raw      bool
	Caller   *identity.Caller
	Access   identity.Access
	Tenant   Tenant
	Work     *turns.Work
	Share    *memory.Share // of the memory of requests in flight
	Image    *tenant.Image // the current one when the request came
	Options  *odata.Options
	found    foundUser                // the user that the path names, once that is known
	Holds    func(*tenant.Image) bool // what If-Match asks of the image that a change is made of
}

// NewRequest makes a request of one of HTTP, with the context that it goes on with.
func NewRequest(ctx context.Context, w http.ResponseWriter, hr *http.Request, e *Environment) *Request {
	r := &Request{
		Request: hr, Environment: e, answering: new(answering), ctx: ctx, W: w, Now: e.Clock(),
		ID: e.NewID().String(), Metadata: "minimal",
	}
	r.ClientID = r.ID
	if given := hr.Header.Get("client-request-id"); given != "" && len(given) <= maxClientID {
		r.ClientID = given
	}
	switch accept := strings.ToLower(hr.Header.Get("Accept")); {
	case strings.Contains(accept, "odata.metadata=none"):
		r.Metadata = "none"
	case strings.Contains(accept, "odata.metadata=full"):
		r.Metadata = "full"
	}
	r.minimal = slices.ContainsFunc(hr.Header.Values("Prefer"), func(line string) bool {
		return slices.ContainsFunc(strings.Split(line, ","), func(p string) bool {
			return strings.EqualFold(strings.TrimSpace(p), "return=minimal")
		})
	})
	return r
}

// Context is the one of the request, with its deadline. It takes the place of that of the
// http.Request.
func (r *Request) Context() context.Context { return r.ctx }

// SetContext makes the request go on with a context, which comes from its own.
func (r *Request) SetContext(ctx context.Context) { r.ctx = ctx }

// maxClientID bounds what is echoed; longer ones are taken for none.
const maxClientID = 256

// Do carries out a command in the caller's name.
func (r *Request) Do(c tenant.Command) (tenant.Done, error) {
	if r.Holds != nil {
		c = tenant.If{Holds: r.Holds, Then: c}
	}
	return r.Tenant.Do(r.ctx, r.Caller.Actor(), c) // its work rests meanwhile
}

// eventual reports whether the caller asks for the advanced queries (P26, P31): by the header, or
// by following the link of an answer to a request that had it.
func (r *Request) eventual() bool {
	return strings.EqualFold(r.Header.Get("ConsistencyLevel"), "eventual") || r.continues(r.Options.SkipToken, true)
}

// Cost is what the request takes of its caller's resource units.
func (r *Request) Cost(options *odata.Options) int {
	if r.Op == nil {
		return 1
	}
	return throttle.Cost(r.Op.Cost, options)
}

// Advanced reports whether the caller asks for the advanced queries (P31).
func (r *Request) Advanced() bool { return r.Scope().Advanced }

// Scope is what the filters of the request are asked of.
func (r *Request) Scope() query.Scope {
	eventual := r.eventual()
	return query.Scope{
		Image: r.Image, Now: r.Now, Eventual: eventual,
		Advanced: eventual && (r.Options.Count || r.wantsLength()),
	}
}

// Change carries out a command on something named in the path and answers 204. A reference to
// something else that is not there is a mistake in the body, 400 rather than 404 (P14).
func (r *Request) Change(c tenant.Command, references ...Reference) error {
	if _, err := r.Do(c); err != nil {
		if len(references) > 0 {
			return r.BadReferences(err, references)
		}
		return err
	}
	return r.SendNothing()
}

// DoWhile carries out a command if something, which holds of r.image, still holds of the image that
// the change is made of. Otherwise it takes that image for r.image and says that the command is to
// be made again.
func (r *Request) DoWhile(holds func(*tenant.Image) bool, c tenant.Command) (again bool, err error) {
	var late atomic.Bool
	done, err := r.Do(tenant.If{Then: c, Holds: func(img *tenant.Image) bool {
		late.Store(!holds(img))
		return !late.Load()
	}})
	switch {
	case err == nil:
		r.Image = done.Image
	case late.Load() && r.ctx.Err() == nil:
		r.Image = r.Tenant.Image()
		return true, nil
	}
	return false, err
}

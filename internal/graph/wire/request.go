// Package wire has the requests and responses of operations (docs/spec/protocol.md): a Request with
// its data, the parsing of its body, and the response. It is independent of the types of objects,
// which are described by:
//
//   - A FieldSet has the properties of a type, and determines which of them $select, a version and
//     a permission show (fields.go, expansion.go, etag.go).
//   - A Listing answers requests for lists of a type: conditions, orders and pages (listing.go,
//     page.go). Rows are lists that are short enough to check every row (rows.go).
//   - A Shape is a value within a body that is only stored and shown (shapes.go).
//
// An operation reads the request, passes a command to its tenant and writes a view of the resulting
// image:
//
//	done, err := r.Do(tenant.DeleteUnit{Unit: ordinal})
//	…
//	return r.SendNothing()
//
// Responses are appended to a pooled buffer. Small ones are sent as a whole, large ones are
// streamed (stream.go). Failures are errors, which package graph/problem converts to responses.
package wire

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/graph/odata"
	"licensor/internal/graph/query"
	"licensor/internal/graph/throttle"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/memory"
	"licensor/internal/signins"
	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// Environment has the dependencies of operations.
type Environment struct {
	Clock        func() time.Time
	NewID        func() uuid.UUID
	Random       io.Reader             // generates the secrets of applications and the salt of passwords
	PasswordCost identity.PasswordCost // cost of checking a password that is set
	ImportPieces int                   // maximum number of pieces of an import in one commit
	SignIns      *signins.Recorder
	Resets       atomic.Uint32 // how often a server for tests was reset; pages of before are not continued
	Limits       *throttle.Buckets
	Authority    *identity.Authority
	API          http.Handler // answers the requests of a batch
	Log          *slog.Logger
	NoteNeed     func(r *Request, need identity.Operation) // of each request; nil: it is not of interest
}

// Request is a request in progress, and its response. Fields are set in the order of API.serve.
type Request struct {
	*http.Request
	*Environment
	ctx      context.Context // with the deadline
	W        http.ResponseWriter
	Arrived  time.Time
	Now      time.Time // Arrived, or the earlier time that the request asks about
	ID       string
	ClientID string // client-request-id, or a generated id if the client sent none (P4)
	Metadata string // none, minimal or full (P5)
	minimal  bool   // Prefer: return=minimal (P6)
	*answering

	Origin string    // scheme and host that the client uses
	Root   string    // the same with the version: https://localhost/v1.0
	Beta   bool      // the version is beta
	Named  uuid.UUID // the tenant in the path: /v1.0/{tenant}/users; zero if there is none
	Op     *Operation
	Keys   []string // of the path, in order; the first is the caller's id under /me
	Me     bool     // under /me
	// Property is the path of the requested property (P27), and Raw means that it is requested as
	// text; nil: the whole object.
	Property []string
	Raw      bool
	Caller   *identity.Caller
	Access   identity.Access
	Tenant   Tenant
	Work     *turns.Work
	Share    *memory.Share // of the memory of requests in progress
	Image    *tenant.Image // the current one when the request arrived
	Release  func()        // releases the tenant; nil before it is opened
	Options  *odata.Options
	found    foundUser // the user that the path names, once it is known
	// Activities are when users of the response were last seen, and Active is that of query.Scope;
	// nil for requests that do not ask for it.
	Activities map[uint32]store.Activity
	Active     func(from, until time.Time) (*roaring.Bitmap, error)
	Holds      func(*tenant.Image) bool // the condition of If-Match on the image that a change is made of
}

// NewRequest returns a Request for an HTTP request, with its context.
func NewRequest(ctx context.Context, w http.ResponseWriter, hr *http.Request, e *Environment) *Request {
	now := e.Clock()
	r := &Request{
		Request: hr, Environment: e, answering: new(answering), ctx: ctx, W: w, Arrived: now, Now: now,
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
	r.minimal = Prefers(hr.Header, "return=minimal")
	return r
}

// Prefers reports whether headers have a preference (RFC 7240).
func Prefers(headers http.Header, preference string) bool {
	return slices.ContainsFunc(headers.Values("Prefer"), func(line string) bool {
		return slices.ContainsFunc(strings.Split(line, ","), func(p string) bool {
			return strings.EqualFold(strings.TrimSpace(p), preference)
		})
	})
}

// Context returns the context of the request, with its deadline. Use it instead of that of the
// http.Request.
func (r *Request) Context() context.Context { return r.ctx }

// SetContext replaces the context of the request, which must be derived from its own.
func (r *Request) SetContext(ctx context.Context) { r.ctx = ctx }

// maxClientID limits the length of an echoed id; longer ones are ignored.
const maxClientID = 256

// Do executes a command as the caller.
func (r *Request) Do(c tenant.Command) (tenant.Done, error) {
	if r.Holds != nil {
		c = tenant.If{Holds: r.Holds, Then: c}
	}
	return r.Tenant.DoBy(r.ctx, r.By(), c) // its work rests meanwhile
}

// sharedID is the key of WithSharedID.
type sharedID struct{}

// WithSharedID returns the context of a request in a batch that has the client-request-id of the
// batch, so that it is not the request's own.
func WithSharedID(ctx context.Context) context.Context {
	return context.WithValue(ctx, sharedID{}, true)
}

// By returns who requests a command, for the audit log (docs/spec/audit.md U12 to U14). The
// correlation id is that of the client if it is a GUID.
func (r *Request) By() tenant.By {
	by := tenant.By{Actor: r.Caller.Actor(), Agent: r.UserAgent()}
	by.Correlation, _ = guid.Parse(r.ID)
	if id, ok := guid.Parse(r.ClientID); ok && r.ctx.Value(sharedID{}) == nil {
		by.Correlation = id
	}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		by.Address = at.Addr().Unmap().WithZone("").String()
	}
	return by
}

// eventual reports whether the caller requests advanced queries (P26, P31): with the header, or by
// following a link from the response to a request with the header.
func (r *Request) eventual() bool {
	return strings.EqualFold(r.Header.Get("ConsistencyLevel"), "eventual") || r.continues(r.Options.SkipToken, true)
}

// Cost returns the request's cost in resource units.
func (r *Request) Cost(options *odata.Options) int {
	if r.Op == nil {
		return 1
	}
	return throttle.Cost(r.Op.Cost, options)
}

// Advanced reports whether the caller requests advanced queries (P31).
func (r *Request) Advanced() bool { return r.Scope().Advanced }

// Scope returns the context of the request's filters.
func (r *Request) Scope() query.Scope {
	eventual := r.eventual()
	return query.Scope{
		Image: r.Image, Now: r.Now, Eventual: eventual,
		Advanced: eventual && (r.Options.Count || r.wantsLength()),
		Active:   r.Active,
	}
}

// Change executes a command on an object in the path and answers 204. A reference to another object
// that does not exist is an error in the body, 400 rather than 404 (P14).
func (r *Request) Change(c tenant.Command, references ...Reference) error {
	if _, err := r.Do(c); err != nil {
		if len(references) > 0 {
			return r.BadReferences(err, references)
		}
		return err
	}
	return r.SendNothing()
}

// DoWhile executes a command if a condition that holds for r.Image still holds for the image that
// the change is made of. Otherwise it sets r.Image to that image and reports that the command must
// be built again.
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

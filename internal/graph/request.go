package graph

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/graph/odata"
	"licensor/internal/graph/query"
	"licensor/internal/graph/throttle"
	"licensor/internal/guid"
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

// maxClientID bounds what is echoed; longer ones are taken for none.
const maxClientID = 256

// user returns the ordinal of the user whom the path names (P1).
func (r *request) user() (uint32, error) {
	return r.image.LiveUser(r.keys[0])
}

// group returns the ordinal of the group that the path names.
func (r *request) group() (uint32, error) { return r.image.LiveGroup(r.keys[0]) }

// relation is what the object of the request is to the caller.
func (r *request) relation() identity.Relation {
	switch {
	case r.image == nil:
		return identity.RelationOther
	case r.caller.Delegated && r.isSelf():
		return identity.RelationSelf
	case r.owns():
		return identity.RelationOwned
	}
	return identity.RelationOther
}

// isSelf reports whether the path names the caller, which is a user.
func (r *request) isSelf() bool {
	switch {
	case r.me:
		return true
	case r.op.ofUser():
		user, err := r.user()
		return err == nil && r.image.Directory.UserID(user) == r.caller.ObjectID
	case r.op.ofObject():
		id, ok := guid.Parse(r.keys[0])
		return ok && id == r.caller.ObjectID
	}
	return false
}

// manageOwned is the one permission for reading that is for what the caller owns.
const manageOwned = "Application.ReadWrite.OwnedBy"

// owns reports whether the caller, a user or a service principal, owns the group, application or
// service principal that the path names. Where it makes no difference it is not looked up.
func (r *request) owns() bool {
	if r.Method == http.MethodGet && !r.caller.Permissions.Has(manageOwned) {
		return false
	}
	var id uuid.UUID
	switch path := r.op.path; {
	case r.op.ofGroup():
		if group, err := r.group(); err == nil {
			id = r.image.Directory.GroupID(group)
		}
	case strings.HasPrefix(path, "/applications") && len(r.keys) > 0:
		id, _ = r.applicationID()
	case strings.HasPrefix(path, "/servicePrincipals") && len(r.keys) > 0:
		id, _ = r.principalID()
	case r.op.ofDeleted():
		id, _ = guid.Parse(r.keys[0])
	}
	return id != uuid.Nil && r.image.Owns(r.caller.ObjectID, id)
}

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

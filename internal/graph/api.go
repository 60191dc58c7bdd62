package graph

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/route"
	"licensor/internal/graph/throttle"
	"licensor/internal/identity"
	"licensor/internal/memory"
	"licensor/internal/tenant"
)

// Config is what an API needs of its surroundings. All fields but Origins, Limits, Development,
// Random, PasswordCost, Memory and Log are required; what they hold is used by several goroutines.
type Config struct {
	Authority *identity.Authority
	Tenant    func(id uuid.UUID) (*tenant.Tenant, bool)
	Now       func() time.Time
	NewID     func() uuid.UUID // for request ids
	// Origins are those of pages whose browsers may call: https://admin.contoso.com, or
	// http://localhost:* with any port. None: nobody's may.
	Origins []string
	Limits  throttle.Limits // what callers may ask for; none when zero
	// Development has what others test their programs with; nil: there are no such operations. Now
	// must be its clock's.
	Development *Development
	// Random makes the secrets of applications and the salt of passwords; nil: the system's.
	Random io.Reader
	// PasswordCost is what it takes to check a password that is set here; identity.UsualCost when
	// zero.
	PasswordCost identity.PasswordCost
	// ImportPieces is how many pieces of 1,000 lines an import may take in one commit, 1 when zero.
	// More make an import faster; others wait for the database meanwhile.
	ImportPieces int
	Memory       *memory.Budget // of requests in flight; nil: they have no bound
	Log          *slog.Logger   // gets what nobody foresaw, once, with the request's id; nil: slog.Default()
}

// API serves Graph. It is an http.Handler.
type API struct {
	config Config
	environment
	routes   *route.Tree[operation]
	model    *edm.Model
	metadata func() []byte // $metadata, which is made when somebody wants it
}

// New makes an API.
func New(config Config) *API {
	config.Log = cmp.Or(config.Log, slog.Default())
	if config.Random == nil {
		config.Random = rand.Reader
	}
	if config.PasswordCost == (identity.PasswordCost{}) {
		config.PasswordCost = identity.UsualCost
	}
	api := &API{config: config, model: edm.NewModel(servedOfGraph()), environment: environment{
		clock: config.Now, newID: config.NewID, random: config.Random, passwordCost: config.PasswordCost, importPieces: max(1, config.ImportPieces),
		limits: throttle.New(config.Limits), authority: config.Authority, log: config.Log,
	}}
	api.metadata = sync.OnceValue(func() []byte { return api.model.Metadata(entityTypes) })
	table := slices.Concat(api.operations(), operations)
	if config.Development != nil {
		table = append(table, config.Development.operations()...)
	}
	api.routes = newRoutes(table)
	return api
}

// deadline is how long a request may wait for anything.
const deadline = 60 * time.Second

// ServeHTTP answers a request to any path.
func (api *API) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	if api.allowOrigin(w, hr) {
		return
	}
	ctx, cancel := context.WithTimeout(hr.Context(), deadline)
	defer cancel()
	r := newRequest(ctx, w, hr, &api.environment)
	defer func() {
		r.work.End()
		r.share.End()
	}()
	defer func() {
		switch fault := recover(); fault {
		case nil:
		case http.ErrAbortHandler:
			panic(fault) // the way to end the connection
		default:
			api.config.Log.Error("panic", "request-id", r.id, "method", hr.Method, "path", hr.URL.Path, "fault", fault, "stack", string(debug.Stack()))
			r.fail(problem.Internal)
		}
	}()
	if err := api.serve(r); err != nil {
		api.fail(r, err)
	}
}

// serve is the way of one request: route, verify, admit, permit, do.
func (api *API) serve(r *request) error {
	r.host = api.config.Authority.Root(r.Request)
	place, lost := api.route(r)
	if lost == nil {
		if op := open(place, r.Method); op != nil {
			if err := api.limits.AdmitStranger(r.RemoteAddr, r.now); err != nil {
				return err
			}
			r.op = op
			return op.do(r)
		}
	}
	caller, err := api.config.Authority.Verify(r.Context(), bearer(r.Header["Authorization"]))
	if err != nil {
		if tooMany := api.limits.AdmitStranger(r.RemoteAddr, r.now); tooMany != nil {
			return tooMany
		}
		return err
	}
	r.caller, r.keys, r.me, r.property, r.raw = caller, place.Keys, place.Me, place.Property, place.Raw
	if r.me { // so that keys are those of the path under /users/{user}
		r.keys = slices.Insert(r.keys, 0, caller.ObjectID.String())
	}
	if r.named != uuid.Nil && r.named != caller.Tenant {
		lost = &problem.Problem{Status: http.StatusBadRequest, Code: problem.CodeBadRequest, Message: fmt.Sprintf("The tenant '%s' in the path is not '%s', the tenant of the access token.", r.named, caller.Tenant)}
	}
	if lost == nil {
		r.op, lost = servedAt(place, r.Method)
	}
	options, malformed := odata.Parse(r.URL.RawQuery)
	if err := api.limits.Admit(&r.charge, caller, r.cost(options), r.now, r.w.Header()); err != nil {
		return err
	}
	ctx, share, err := api.config.Memory.Begin(r.Context(), caller.Tenant)
	if err != nil {
		return err
	}
	r.share = share
	r.setContext(ctx)
	if place.Place != nil && r.Method == http.MethodOptions {
		r.w.Header().Set("Allow", place.Place.Methods())
		return r.sendNothing()
	}
	if lost != nil { // said only now, so that nobody learns the paths without a token
		return lost
	}
	return api.answer(r, options, malformed)
}

// answer does the operation that the request has led to.
func (api *API) answer(r *request, options *odata.Options, malformed error) error {
	if err := api.config.Development.before(r); err != nil {
		return err
	}
	if err := api.enter(r); err != nil {
		return err
	}
	if r.options = options; malformed != nil {
		return malformed
	}
	spellExpansions(options)
	if r.property != nil {
		if err := r.allow(); err != nil {
			return err
		}
		options.Select = r.property[:1:1]
	}
	if err := precondition(r); err != nil {
		return err
	}
	return r.op.do(r)
}

// route finds where the path leads, and under which root.
func (api *API) route(r *request) (route.Match[operation], error) {
	path, ok := route.Segments(r.URL.EscapedPath())
	if !ok {
		return route.Match[operation]{}, &problem.Problem{Status: http.StatusBadRequest, Code: problem.CodeBroken, Message: "The path is not encoded as paths are: % is followed by two hexadecimal digits."}
	}
	if len(path) > 1 && slices.Contains(path, "") {
		return route.Match[operation]{}, problem.EmptySegment
	}
	path, r.named = route.WithoutTenant(path)
	r.root, r.beta = r.host+"/"+strings.ToLower(path[0]), strings.EqualFold(path[0], "beta")
	if strings.EqualFold(path[0], "licensor") {
		r.root = r.host + route.Own
	}
	place, lost, ok := api.routes.Find(path)
	switch {
	case ok:
		return place, nil
	case place.Unserved:
		return route.Match[operation]{}, problem.NotServedAt(r.Method, "/"+strings.Join(path[1:], "/"))
	}
	return route.Match[operation]{}, problem.NoSegment(lost)
}

// open is what the place does for a method without a token, if anything.
func open(place route.Match[operation], method string) *operation {
	if op := place.Place.Operations[method]; op != nil && op.open {
		return op
	}
	return nil
}

// servedAt is what the place does for a method.
func servedAt(place route.Match[operation], method string) (*operation, error) {
	at := place.Place
	op, read := at.Operations[method], at.Operations[http.MethodGet]
	if op == nil && at.Property != "" && at.Graph && read != nil { // Graph has the place for more than a property
		return nil, problem.NotServedAt(method, read.path+"/"+at.Property)
	}
	if op == nil {
		return nil, problem.NoMethod(at.Methods())
	}
	if op.do == nil {
		return nil, problem.NotServedAt(method, op.path)
	}
	return op, nil
}

// enter opens the caller's tenant, once the caller may do the operation. What the object is to the
// caller must be known for that; where it is not there at all, the operation says so later, to
// those who may know.
func (api *API) enter(r *request) (err error) {
	t, ok := api.config.Tenant(r.caller.Tenant)
	if ok {
		r.tenant, r.image = api.config.Development.opened(t, r.now), t.Image()
		ctx, work := t.Work(r.Context())
		r.work = work
		r.setContext(ctx)
	}
	need := r.op.need
	if r.op.needOfGroup != "" && ok {
		need = needOf(r)
	}
	if r.op.anyone {
		r.access = identity.AccessNone
	} else if r.access, err = need.Check(r.caller, r.relation()); err != nil {
		return err
	} else if err := mayManage(r); err != nil {
		return err
	}
	if !ok {
		return &identity.Unauthorized{Message: "Access token validation failure. Invalid tenant."}
	}
	if r.me && !r.caller.Delegated {
		return &problem.Problem{Status: http.StatusBadRequest, Code: problem.CodeBroken, Message: "/me request is only valid with delegated authentication flow."}
	}
	return nil
}

// bearer is the token of the Authorization header; empty when there is none. Where there are
// several such headers there is none, either: what stands before this server might have looked at
// another of them.
func bearer(headers []string) string {
	if len(headers) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// fail answers with an error. What nobody foresaw goes to the log, here and nowhere else, and so
// does what a caller may not do.
func (api *API) fail(r *request, err error) {
	if errors.Is(err, errGone) {
		panic(http.ErrAbortHandler)
	}
	if r.streaming && !r.startAgain() {
		api.config.Log.Warn("answer cut off", "request-id", r.id, "method", r.Method, "path", r.URL.Path, "error", err)
		panic(http.ErrAbortHandler)
	}
	p, ok := problem.Of(err)
	if !ok {
		api.config.Log.Error("request failed", "request-id", r.id, "method", r.Method, "path", r.URL.Path, "error", err)
		p = problem.Internal
	}
	if refused, is := errors.AsType[*identity.Forbidden](err); is && r.caller != nil {
		api.config.Log.Info("request refused", "request-id", r.id, "tenant", r.caller.Tenant, "caller", r.caller.Actor(), "operation", refused.Operation)
	}
	if p.Status == http.StatusUnauthorized {
		r.w.Header().Set("WWW-Authenticate", api.config.Authority.Challenge(r.Request))
	}
	r.fail(p)
}

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
	"time"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/graph/changes"
	"licensor/internal/graph/devkit"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/own"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/route"
	"licensor/internal/graph/throttle"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/memory"
	"licensor/internal/signins"
	"licensor/internal/store"
	"licensor/internal/turns"
)

// Config configures an API. All fields except Origins, Limits, Development, Random, PasswordCost,
// Backups, Memory and Log are required; their values must be safe for concurrent use.
type Config struct {
	Authority *identity.Authority
	Tenant    func(ctx context.Context, id uuid.UUID) (*engine.Tenant, error) // see engine.Tenants
	Now       func() time.Time
	NewID     func() uuid.UUID // for request ids
	// Origins are the origins of web pages that may call the API: https://admin.contoso.com, or
	// http://localhost:* with any port. If empty, no page may.
	Origins []string
	Limits  throttle.Limits // throttling of callers; none if zero
	// Development provides the operations for testing programs; nil disables them. Now must be that
	// of its clock.
	Development *devkit.Kit
	// Random generates the secrets of applications and the salt of passwords; the system's source
	// if nil.
	Random io.Reader
	// PasswordCost is the cost of checking a password that is set here; identity.UsualCost if zero.
	PasswordCost identity.PasswordCost
	// ImportPieces is the maximum number of pieces that an import writes in one commit, and of
	// thousands of lines in a piece, 1 if zero. More make an import faster, but delay other writers.
	ImportPieces int
	// Backups makes backups for callers; nil: the operation is not supported.
	Backups *own.Backups
	// Exports exports tenants for callers; nil: the operation is not supported.
	Exports *own.Exports
	SignIns *signins.Recorder // those that the authority reports
	Memory  *memory.Budget    // of requests in progress; nil: no limit
	// PreviewMemory limits the memory of kept previews, in bytes; changes.UsualMemory if zero.
	PreviewMemory int64
	Log           *slog.Logger // receives unexpected errors, once, with the request's id; nil: slog.Default()
}

// API serves Graph. It is an http.Handler.
type API struct {
	config Config
	wire.Environment
	routes   *route.Tree[wire.Operation]
	previews *changes.Previews
}

// New returns a new API.
func New(config Config) *API {
	config.Log = cmp.Or(config.Log, slog.Default())
	if config.Random == nil {
		config.Random = rand.Reader
	}
	if config.PasswordCost == (identity.PasswordCost{}) {
		config.PasswordCost = identity.UsualCost
	}
	previews := changes.New(config.PreviewMemory)
	if config.Development != nil {
		config.Development.Forgetting(func(context.Context) error {
			previews.Forget()
			return nil
		})
	}
	routes := newRoutes(operationsOf(config, previews))
	api := &API{config: config, routes: routes, previews: previews, Environment: wire.Environment{
		Clock: config.Now, NewID: config.NewID, Random: config.Random, PasswordCost: config.PasswordCost,
		ImportPieces: max(1, config.ImportPieces),
		SignIns:      config.SignIns,
		Limits:       throttle.New(config.Limits), Authority: config.Authority, Log: config.Log,
	}}
	api.API = api
	if config.Development != nil {
		api.NoteNeed = config.Development.Note
	}
	return api
}

// deadline is the maximum time that a request may wait for anything.
const deadline = 60 * time.Second

// ServeHTTP answers a request to any path.
func (api *API) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	if api.allowOrigin(w, hr) {
		return
	}
	ctx, cancel := context.WithTimeout(hr.Context(), deadline)
	defer cancel()
	r := wire.NewRequest(ctx, w, hr, &api.Environment)
	defer func() {
		r.Work.End()
		r.Share.End()
		if r.Release != nil {
			r.Release()
		}
	}()
	defer func() {
		switch fault := recover(); fault {
		case nil:
		case http.ErrAbortHandler:
			panic(fault) // the way to close the connection
		default:
			api.config.Log.Error("panic", "request-id", r.ID, "method", hr.Method, "path", hr.URL.Path, "fault", fault, "stack", string(debug.Stack()))
			r.Fail(problem.Internal)
		}
	}()
	if err := api.serve(r); err != nil {
		api.fail(r, err)
	}
}

// serve processes a request in steps: route, verify, admit, permit, do.
func (api *API) serve(r *wire.Request) error {
	r.Origin = api.config.Authority.Root(r.Request)
	place, lost := api.route(r)
	if within := wire.ChangeSetOf(r.Context()); within != nil {
		return api.serveWithin(r, place, lost, within)
	}
	if lost == nil {
		if op := open(place, r.Method); op != nil {
			if err := api.Limits.AdmitStranger(r.RemoteAddr, r.Now); err != nil {
				return err
			}
			r.Op = op
			return op.Do(r)
		}
	}
	caller, err := api.config.Authority.Verify(r.Context(), bearer(r.Header["Authorization"]))
	if err != nil {
		if tooMany := api.Limits.AdmitStranger(r.RemoteAddr, r.Now); tooMany != nil {
			return tooMany
		}
		return err
	}
	calledBy(r, caller, place)
	if r.Named != uuid.Nil && r.Named != caller.Tenant {
		lost = &problem.ResponseError{
			Status: http.StatusBadRequest, Code: problem.CodeBadRequest,
			Message: fmt.Sprintf("The tenant '%s' in the path is not '%s', the tenant of the access token.",
				r.Named, caller.Tenant),
		}
	}
	if lost == nil {
		r.Op, lost = servedAt(place, r.Method)
	}
	options, malformed := odata.Parse(r.URL.RawQuery)
	if err := api.Limits.Admit(&r.Charge, caller, r.Cost(options), r.Now, r.W.Header()); err != nil {
		return err
	}
	ctx, share, err := api.config.Memory.Begin(r.Context(), caller.Tenant, caller.ObjectID)
	if err != nil {
		return err
	}
	r.Share = share
	r.SetContext(ctx)
	if place.Place != nil && r.Method == http.MethodOptions {
		r.W.Header().Set("Allow", place.Place.Methods())
		return r.SendNothing()
	}
	if lost != nil { // only after authentication, so that paths are not revealed without a token
		return lost
	}
	return api.answer(r, options, malformed)
}

// answer performs the operation of the request.
func (api *API) answer(r *wire.Request, options *odata.Options, malformed error) error {
	if err := api.config.Development.Before(r); err != nil {
		return err
	}
	if err := api.enter(r); err != nil {
		return err
	}
	if previews, err := r.Previews(); err != nil {
		return err
	} else if previews {
		return api.previews.Instead(r)
	}
	return api.perform(r, options, malformed)
}

// serveWithin processes a request of a change set.
func (api *API) serveWithin(r *wire.Request, place route.Match[wire.Operation], lost error, within *wire.Within) error {
	calledBy(r, within.Caller, place)
	if lost == nil {
		r.Op, lost = servedAt(place, r.Method)
	}
	if lost != nil || within.Refuses(r) {
		within.Foreign = wire.NoChange(r)
		return within.Foreign
	}
	if err := meIsUser(r); err != nil {
		return err
	}
	r.Work, r.Tenant, r.Image = turns.Of(r.Context()), within.Tenant, within.Tenant.Image()
	r.Access = identity.AccessFull
	if within.Checks {
		if err := permit(r); err != nil {
			return err
		}
	}
	options, malformed := odata.Parse(r.URL.RawQuery)
	return api.perform(r, options, malformed)
}

// perform performs the operation of a request that is permitted.
func (api *API) perform(r *wire.Request, options *odata.Options, malformed error) error {
	if r.Options = options; malformed != nil {
		return malformed
	}
	wire.SpellExpansions(options)
	if r.Property != nil {
		if err := r.Allow(); err != nil {
			return err
		}
		options.Select = r.Property[:1:1]
	}
	if err := precondition(r); err != nil {
		return err
	}
	return r.Op.Do(r)
}

// route finds the place of the path, and the root.
func (api *API) route(r *wire.Request) (route.Match[wire.Operation], error) {
	path, ok := route.Segments(r.URL.EscapedPath())
	if !ok {
		return route.Match[wire.Operation]{}, &problem.ResponseError{
			Status: http.StatusBadRequest, Code: problem.CodeBroken,
			Message: "Invalid percent-encoding in the path: % must be followed by two hexadecimal digits.",
		}
	}
	if len(path) > 1 && slices.Contains(path, "") {
		return route.Match[wire.Operation]{}, problem.EmptySegment
	}
	path, r.Named = route.WithoutTenant(path)
	r.Root, r.Beta = r.Origin+"/"+strings.ToLower(path[0]), strings.EqualFold(path[0], "beta")
	if strings.EqualFold(path[0], "licensor") {
		r.Root = r.Origin + route.Own
	}
	place, lost, ok := api.routes.Find(path)
	switch {
	case ok && !r.Beta && onlyInBeta(place):
		return route.Match[wire.Operation]{}, problem.NoSegment(path[len(path)-1])
	case ok:
		return place, nil
	case place.Unserved:
		return route.Match[wire.Operation]{}, problem.NotServedAt(r.Method, "/"+strings.Join(path[1:], "/"))
	}
	return route.Match[wire.Operation]{}, problem.NoSegment(lost)
}

// onlyInBeta reports whether v1.0 lacks the place.
func onlyInBeta(place route.Match[wire.Operation]) bool {
	for _, op := range place.Place.Operations {
		if !op.Beta {
			return false
		}
	}
	return len(place.Place.Operations) > 0
}

// open returns the operation of the place for a method that needs no token, if any.
func open(place route.Match[wire.Operation], method string) *wire.Operation {
	if op := place.Place.Operations[method]; op != nil && op.Open {
		return op
	}
	return nil
}

// servedAt returns the operation of the place for a method.
func servedAt(place route.Match[wire.Operation], method string) (*wire.Operation, error) {
	at := place.Place
	op, read := at.Operations[method], at.Operations[http.MethodGet]
	if op == nil && at.Property != "" && at.Graph && read != nil { // the place in Graph has more than a property
		return nil, problem.NotServedAt(method, read.Path+"/"+at.Property)
	}
	if op == nil {
		return nil, problem.NoMethod(at.Methods())
	}
	if op.Do == nil {
		return nil, problem.NotServedAt(method, op.Path)
	}
	return op, nil
}

// enter opens the caller's tenant if the caller may perform the operation. This depends on the
// relation of the object to the caller. If the object does not exist, the operation reports that
// later, to permitted callers.
func (api *API) enter(r *wire.Request) error {
	t, err := api.config.Tenant(r.Context(), r.Caller.Tenant)
	ok := err == nil
	switch {
	case ok:
		r.Release = t.Release
		r.Tenant, r.Image = api.config.Development.Open(t, r.Now), t.Image()
		if err := startWork(r); err != nil {
			return err
		}
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	if err := permit(r); err != nil {
		return err
	}
	if !ok {
		return &identity.UnauthorizedError{Message: identity.InvalidTenant}
	}
	return meIsUser(r)
}

// calledBy sets the caller of a request and what its path names.
func calledBy(r *wire.Request, caller *identity.Caller, place route.Match[wire.Operation]) {
	r.Caller, r.Keys, r.Me, r.Property, r.Raw = caller, place.Keys, place.Me, place.Property, place.Raw
	if r.Me { // so that keys are those of the path under /users/{user}
		r.Keys = slices.Insert(r.Keys, 0, caller.ObjectID.String())
	}
}

// meIsUser refuses /me for an application.
func meIsUser(r *wire.Request) error {
	if !r.Me || r.Caller.Delegated {
		return nil
	}
	return &problem.ResponseError{
		Status:  http.StatusBadRequest,
		Code:    problem.CodeBroken,
		Message: "/me request is only valid with delegated authentication flow.",
	}
}

// permit refuses a caller that may not perform the operation. The request has no tenant if there is
// none with its id.
func permit(r *wire.Request) (err error) {
	if r.Op.Anyone {
		r.Access = identity.AccessNone
		return nil
	}
	if r.Access, err = r.Check(needed(r), r.Relation()); err != nil {
		return err
	}
	return mayManage(r)
}

// needed returns the operation whose permissions the caller needs, which depends on the object.
func needed(r *wire.Request) identity.Operation {
	if r.Op.NeedOfGroup != "" && r.Tenant != nil {
		return needOf(r)
	}
	return r.Op.Need
}

// startWork waits until the request can be processed. A request of a batch is processed already.
func startWork(r *wire.Request) error {
	if r.Context().Value(withinBatch{}) != nil {
		r.Work = turns.Of(r.Context())
		return nil
	}
	ctx, work, err := r.Tenant.Work(r.Context())
	if err != nil {
		return err
	}
	r.Work = work
	r.SetContext(ctx)
	return nil
}

// bearer returns the token of the Authorization header; empty if there is none. It is also empty if
// there are several such headers, because a proxy might have checked another one.
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

// fail answers with an error. It is the only place that logs unexpected errors and operations that
// a caller may not perform.
func (api *API) fail(r *wire.Request, err error) {
	if errors.Is(err, wire.ErrGone) {
		panic(http.ErrAbortHandler)
	}
	log := func(level slog.Level, message string) {
		if errors.Is(r.Request.Context().Err(), context.Canceled) { // the caller has disconnected
			level = slog.LevelDebug
		}
		api.config.Log.Log(r.Context(), level, message, "request-id", r.ID, "method", r.Method, "path", r.URL.Path, "error", err)
	}
	if r.Streaming && !r.StartAgain() {
		log(slog.LevelWarn, "answer cut off")
		panic(http.ErrAbortHandler)
	}
	p, ok := problem.Of(err)
	if !ok {
		log(slog.LevelError, "request failed")
		p = problem.Internal
	}
	if refused, is := errors.AsType[*identity.ForbiddenError](err); is && r.Caller != nil {
		api.config.Log.Info("request refused", "request-id", r.ID,
			"tenant", r.Caller.Tenant, "caller", r.Caller.Actor(), "operation", refused.Operation)
	}
	if p.Status == http.StatusUnauthorized {
		r.W.Header().Set("WWW-Authenticate", api.config.Authority.Challenge(r.Request))
	}
	r.Fail(p)
}

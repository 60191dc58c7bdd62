package graph

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"licensor/graph/odata"
	"licensor/identity"
	"licensor/tenant"
)

// Config is what an API needs of its surroundings. All fields but Origins are required; what they hold is used by several goroutines.
type Config struct {
	Authority *identity.Authority
	Tenant    func(id uuid.UUID) (*tenant.Tenant, bool)
	Now       func() time.Time
	NewID     func() uuid.UUID // for request ids
	// Origins are those of pages whose browsers may call: https://admin.contoso.com, or http://localhost:* with any port. None: nobody's may.
	Origins []string
	Log     *slog.Logger // gets what nobody foresaw, once, with the request's id
}

// API serves Graph. It is an http.Handler.
type API struct {
	Config
	routes   *node
	model    *model
	metadata func() []byte // $metadata, which is made when somebody wants it
}

// New makes an API.
func New(config Config) *API {
	m := newModel(operations)
	return &API{Config: config, routes: newRoutes(operations), model: m, metadata: sync.OnceValue(m.describe)}
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
	r := newRequest(ctx, w, hr, api.NewID(), api.Now())
	defer func() {
		if fault := recover(); fault != nil {
			api.Log.Error("panic", "request-id", r.id, "method", hr.Method, "path", hr.URL.Path, "fault", fault, "stack", string(debug.Stack()))
			r.fail(internalFault)
		}
	}()
	if err := api.serve(r); err != nil {
		api.fail(r, err)
	}
}

// serve is the way of one request: route, verify, permit, read the options, do.
func (api *API) serve(r *request) error {
	r.host = api.Authority.Root(r.Request)
	place, lost := api.route(r)
	if lost == nil && place.isOpen(r.Method) {
		r.op = place.node.operations[r.Method]
		return r.op.do(api, r)
	}
	caller, err := api.Authority.Verify(r.ctx, bearer(r.Header.Get("Authorization")))
	if err != nil {
		return err
	}
	if lost != nil { // said only now, so that nobody learns the paths without a token
		return lost
	}
	if r.Method == http.MethodOptions {
		r.w.Header().Set("Allow", place.methods())
		return r.sendNothing()
	}
	r.caller, r.keys, r.me = caller, place.keys, place.me
	if r.op, err = place.operation(r.Method); err != nil {
		return err
	}
	if err := api.enter(r); err != nil {
		return err
	}
	if r.options, err = odata.Parse(r.URL.RawQuery); err != nil {
		return err
	}
	if err := r.precondition(); err != nil {
		return err
	}
	return r.op.do(api, r)
}

// route finds where the path leads, and under which root.
func (api *API) route(r *request) (match, error) {
	path, ok := segments(r.URL.EscapedPath())
	if !ok {
		return match{}, &Problem{Status: http.StatusBadRequest, Code: brokenRequest, Message: "The path is not encoded as paths are: % is followed by two hexadecimal digits."}
	}
	r.root = r.host + "/" + strings.ToLower(path[0])
	if strings.EqualFold(path[0], "licensor") {
		r.root = r.host + ownRoot
	}
	place, lost, ok := api.routes.find(path)
	if !ok {
		return match{}, noSegment(lost)
	}
	return place, nil
}

// isOpen says whether the place answers without a token.
func (m match) isOpen(method string) bool {
	op := m.node.operations[method]
	return m.beneath == nil && op != nil && op.open
}

// operation is what the place does for a method.
func (m match) operation(method string) (*operation, error) {
	op := m.node.operations[method]
	if op == nil {
		op = m.beneath
	}
	if op == nil {
		return nil, noMethod(m.node.methods())
	}
	if op.do == nil {
		return nil, notServed("The operation '%s %s' is part of Microsoft Graph but is not served here yet.", method, op.path)
	}
	return op, nil
}

// enter opens the caller's tenant, once the caller may do the operation. What the object is to the caller must be known for
// that; where it is not there at all, the operation says so later, to those who may know.
func (api *API) enter(r *request) (err error) {
	t, ok := api.Tenant(r.caller.Tenant)
	if ok {
		r.tenant, r.image = t, t.Image()
	}
	need := r.op.need
	if r.op.needOfGroup != "" && ok && r.isDeletedGroup() {
		need = r.op.needOfGroup
	}
	if r.op.anyone {
		r.access = identity.None
	} else if r.access, err = need.Check(r.caller, r.relation()); err != nil {
		return err
	}
	if !ok {
		return &identity.Unauthorized{Message: "Access token validation failure. Invalid tenant."}
	}
	if r.me && !r.caller.Delegated {
		return &Problem{Status: http.StatusBadRequest, Code: brokenRequest, Message: "/me request is only valid with delegated authentication flow."}
	}
	return nil
}

// bearer is the token of an Authorization header; empty when there is none.
func bearer(header string) string {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// fail answers with an error. What nobody foresaw goes to the log, here and nowhere else.
func (api *API) fail(r *request, err error) {
	p, ok := problemOf(err)
	if !ok {
		api.Log.Error("request failed", "request-id", r.id, "method", r.Method, "path", r.URL.Path, "error", err)
		p = internalFault
	}
	if p.Status == http.StatusUnauthorized {
		r.w.Header().Set("WWW-Authenticate", api.Authority.Challenge(r.Request))
	}
	r.fail(p)
}

var internalFault = &Problem{
	Status: http.StatusInternalServerError, Code: "ServiceUnavailable",
	Message: "The server met an unexpected fault. Nothing can be done about it from outside; its log says more under the request-id.",
}

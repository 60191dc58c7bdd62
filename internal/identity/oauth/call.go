package oauth

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// call is one request to the authority.
type call struct {
	*http.Request
	w      http.ResponseWriter
	root   string     // scheme and host that the client uses
	tenant uuid.UUID  // zero for common and organizations, until the tenant of the grant or user is known
	form   url.Values // of the body, without duplicates
	onPage bool       // a person's browser
}

// The names of an authority for any tenant; consumers, which means personal accounts, is refused
// (A1).
const (
	common        = "common"
	organizations = "organizations"
)

// open finds the tenant in a request's path.
func (s *Server) open(w http.ResponseWriter, r *http.Request) (*call, error) {
	c := &call{Request: r, w: w, root: s.config.Authority.Root(r)}
	var err error
	c.tenant, err = s.named(r.Context(), c.name())
	return c, err
}

// named finds the tenant of a name; the zero id for the names that stand for any.
func (s *Server) named(ctx context.Context, name string) (id uuid.UUID, err error) {
	if name == common || name == organizations || name == "" {
		return uuid.Nil, nil
	}
	if id, err = s.config.Tenants.Tenant(ctx, name); err == nil && id == uuid.Nil {
		err = unknownTenant(name)
	}
	return id, err
}

// name returns the tenant's name in the path; empty if the path has none.
func (c *call) name() string { return strings.ToLower(c.PathValue("tenant")) }

func (c *call) anyTenant() bool { return c.tenant == uuid.Nil }

func (c *call) secure() bool { return strings.HasPrefix(c.root, "https://") }

// answer converts a function that reads a call and returns the response, in JSON, to a handler. Nil
// means that the function has responded itself.
func (s *Server) answer(endpoint func(*call) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		c, err := s.open(w, r)
		if r.Method == http.MethodOptions {
			preflight(w)
			return
		}
		var body any
		if err == nil {
			body, err = endpoint(c)
		}
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		if body != nil { // otherwise the endpoint has written it
			writeJSON(w, http.StatusOK, body)
		}
	}
}

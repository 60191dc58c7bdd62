package oauth

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// call is one request to the authority.
type call struct {
	*http.Request
	w      http.ResponseWriter
	root   string     // scheme and host the client knows us by
	tenant uuid.UUID  // zero for common and organizations, until it is known whose grant or user it is
	form   url.Values // of the body, each parameter once
}

// The names an authority may be asked by instead of a tenant's; consumers, the personal accounts,
// we refuse (A1).
const (
	common        = "common"
	organizations = "organizations"
)

// open finds the tenant that a request's path names.
func (s *Server) open(w http.ResponseWriter, r *http.Request) (*call, error) {
	c := &call{Request: r, w: w, root: s.config.Authority.Root(r)}
	name := c.name()
	if name == common || name == organizations || name == "" {
		return c, nil
	}
	var ok bool
	if c.tenant, ok = s.config.Tenants.Tenant(name); !ok {
		return c, unknownTenant(name)
	}
	return c, nil
}

// name is the tenant's as it stands in the path; empty where the path has none.
func (c *call) name() string { return strings.ToLower(c.PathValue("tenant")) }

func (c *call) anyTenant() bool { return c.tenant == uuid.Nil }

func (c *call) secure() bool { return strings.HasPrefix(c.root, "https://") }

// answer makes a handler of a function that reads a call and says what to answer, in JSON. Nil says
// that it has answered itself.
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

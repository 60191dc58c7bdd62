package oauth

import (
	"net/url"
	"slices"

	"licensor/internal/guid"

	"github.com/google/uuid"
)

// logout ends the browser's session (OpenID Connect RP-Initiated Logout). It sends the person back
// only to an address that is registered for the client; otherwise a page says that they have signed
// out.
func (s *Server) logout(v *visit) error {
	if err := s.endSession(v.call); err != nil {
		return err
	}
	values := v.query
	if v.form != nil {
		values = v.form
	}
	target := values.Get("post_logout_redirect_uri")
	if target == "" || !s.mayReturn(v, values, target) {
		return s.show(v, "signedout", pageData{Title: "You have signed out"})
	}
	back := url.Values{}
	if state := values.Get("state"); state != "" {
		back.Set("state", state)
	}
	if len(back) == 0 {
		return v.redirect(target)
	}
	return v.redirect(withValues(target, modeQuery, back))
}

// mayReturn reports whether an address is registered for the client, which is identified by an ID
// token or by its id.
func (s *Server) mayReturn(v *visit, values url.Values, target string) bool {
	client, tenant := values.Get("client_id"), v.tenant
	if hint := values.Get("id_token_hint"); hint != "" {
		token, err := s.readOwn(hint)
		if err != nil || (client != "" && client != token.Audience) {
			return false
		}
		client = token.Audience
		if id, ok := guid.Parse(token.Tenant); ok && tenant == uuid.Nil {
			tenant = id
		}
	}
	id, ok := guid.Parse(client)
	if !ok {
		return false
	}
	app, err := s.config.Tenants.Application(v.Context(), tenant, id)
	return err == nil && usableRedirect(target) &&
		slices.Contains(slices.Concat(app.Redirects.Web, app.Redirects.SPA, app.Redirects.Public), target)
}

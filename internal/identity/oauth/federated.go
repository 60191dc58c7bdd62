package oauth

import (
	"errors"
	"net"
	"net/url"
	"slices"

	josejson "github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"

	"licensor/internal/identity"
)

// checkFederated checks an assertion of another issuer, such as a cluster or a CI system, that the
// application's registration names (workload identity federation). It may be used repeatedly until
// it expires, because a workload gets one for an hour.
//
// Its unverified issuer only selects the keys for the check, and must be in the registration: so an
// attacker cannot make the server send requests to arbitrary URLs.
func (s *Server) checkFederated(c *call, app identity.App, raw string, unread jwt.Claims) error {
	issuer := unread.Issuer
	if !isRegistered(app, unread) || !canBeTrusted(issuer) {
		return badClient(700213, "No matching federated identity record found for the assertion's issuer '"+
			short(issuer)+"', subject '"+short(unread.Subject)+"' and audience, in app '"+app.AppID.String()+"'.")
	}
	payload, err := s.foreign.Payload(c.Context(), issuer, raw)
	if c.Context().Err() != nil { // the client has disconnected
		return c.Context().Err()
	}
	if unreachable, ok := errors.AsType[*identity.UnreachableError](err); ok {
		s.config.Log.WarnContext(c.Context(), "the issuer of a federated credential cannot be read",
			"appId", app.AppID, "error", unreachable)
		return badClient(50166,
			"The OpenID configuration or the keys of the assertion's issuer '"+short(issuer)+"' cannot be read.")
	}
	if refused, ok := errors.AsType[*identity.UnauthorizedError](err); ok {
		return badAssertion(refused.Message)
	}
	if err != nil {
		return err
	}
	var claims jwt.Claims
	if err := josejson.Unmarshal(payload, &claims); err != nil {
		return badAssertion("its claims cannot be read, or one is a duplicate.")
	}
	now := s.config.Now()
	switch {
	case claims.Issuer != issuer || !isRegistered(app, claims):
		return badAssertion("its claims are not those that are registered.")
	case claims.Expiry == nil || !now.Before(claims.Expiry.Time().Add(skew)):
		return badAssertion("it has expired.")
	case claims.NotBefore != nil && now.Add(skew).Before(claims.NotBefore.Time()):
		return badAssertion("it is not valid yet.")
	}
	return nil
}

// isRegistered reports whether one of the application's federated credentials matches the claims.
func isRegistered(app identity.App, claims jwt.Claims) bool {
	return slices.ContainsFunc(app.Federated, func(f identity.Federated) bool {
		return f.Issuer == claims.Issuer && f.Subject == claims.Subject &&
			slices.ContainsFunc(claims.Audience, func(audience string) bool {
				return slices.Contains(f.Audiences, audience)
			})
	})
}

// canBeTrusted refuses an issuer whose keys could be replaced on the network: it must use https, or
// be on this machine.
func canBeTrusted(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || (u.Scheme == "http" && (u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback())))
}

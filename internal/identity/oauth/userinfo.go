package oauth

import (
	"errors"
	"net/http"
	"strings"

	"licensor/internal/identity"
)

// userClaims are the response of the userinfo endpoint (OpenID Connect Core section 5.3.2).
type userClaims struct {
	Subject           string `json:"sub"`
	Name              string `json:"name,omitempty"`
	FamilyName        string `json:"family_name,omitempty"`
	GivenName         string `json:"given_name,omitempty"`
	PreferredUsername string `json:"preferred_username,omitempty"`
	Email             string `json:"email,omitempty"`
}

// userinfo answers with the user of an access token for Graph, as far as its scopes permit.
func (s *Server) userinfo(c *call) (any, error) {
	c.w.Header().Set("Access-Control-Allow-Origin", "*") // only the token authorizes; there is no cookie
	if c.Method != http.MethodGet && c.Method != http.MethodPost {
		return nil, onlyGET(c.Method)
	}
	caller, err := s.bearer(c)
	switch {
	case err != nil:
		return nil, err
	case !caller.Delegated || !caller.Permissions.Has("openid"):
		return nil, &refusalError{
			http.StatusForbidden, 70011, "insufficient_scope",
			"The access token was not asked for with the scope 'openid'.",
		}
	}
	user, err := s.config.Tenants.User(c.Context(), caller.Tenant, caller.ObjectID)
	if err != nil {
		return nil, err
	}
	claims := userClaims{Subject: subject(caller.Tenant, caller.AppID, caller.ObjectID)}
	if caller.Permissions.Has("profile") {
		claims.Name, claims.PreferredUsername = user.DisplayName, user.Name
		claims.FamilyName, claims.GivenName = user.Surname, user.GivenName
	}
	if caller.Permissions.Has("email") {
		claims.Email = user.Mail
	}
	return claims, nil
}

// bearer returns the caller of the access token.
func (s *Server) bearer(c *call) (*identity.Caller, error) {
	shown := c.Header.Values("Authorization")
	if len(shown) > 1 { // a proxy may use another one
		return nil, badToken("there is more than one Authorization header")
	}
	scheme, raw, _ := strings.Cut(strings.Join(shown, ""), " ")
	if !strings.EqualFold(scheme, "Bearer") || raw == "" {
		return nil, badToken("there is no access token in the Authorization header")
	}
	caller, err := s.config.Authority.Verify(c.Context(), raw)
	if unauthorized, ok := errors.AsType[*identity.UnauthorizedError](err); ok {
		return nil, badToken(unauthorized.Message)
	}
	return caller, err
}

func badToken(why string) error {
	return &refusalError{http.StatusUnauthorized, 50027, "invalid_token", "The access token is not accepted: " + why}
}

package oauth

import (
	"strconv"

	"licensor/internal/identity"
)

// The grants (A10-A13), by their grant_type.
const (
	grantCredentials = "client_credentials"
	grantCode        = "authorization_code"
	grantRefresh     = "refresh_token"
	grantDevice      = "urn:ietf:params:oauth:grant-type:device_code"
	grantOnBehalfOf  = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	grantPassword    = "password"
)

// tokenAnswer is the response to a grant (A10).
type tokenAnswer struct {
	Type             string `json:"token_type"`
	Scope            string `json:"scope,omitempty"`
	ExpiresIn        int    `json:"expires_in"`
	ExtendedExpireIn int    `json:"ext_expires_in"`
	AccessToken      string `json:"access_token"`
	RefreshToken     string `json:"refresh_token,omitempty"`
	IDToken          string `json:"id_token,omitempty"`
	ClientInfo       string `json:"client_info,omitempty"`
}

// token answers POST /{tenant}/oauth2/v2.0/token.
func (s *Server) token(c *call) (any, error) {
	answer, err := s.grant(c)
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (s *Server) grant(c *call) (*tokenAnswer, error) {
	var err error
	if c.form, err = readForm(c.Request); err != nil {
		return nil, err
	}
	switch grant := c.form.Get("grant_type"); grant {
	case grantCredentials:
		return s.inATenant(c, s.clientCredentials)
	case grantCode:
		return s.redeemCode(c)
	case grantRefresh:
		return s.refresh(c)
	case grantDevice, "device_code":
		return s.redeemDevice(c)
	case grantOnBehalfOf:
		return s.inATenant(c, s.onBehalfOf)
	case grantPassword:
		return s.password(c)
	case "":
		return nil, missingParameter("grant_type")
	default:
		return nil, refuse(70003, "unsupported_grant_type", "The app requested an unsupported grant type '%s'.", short(grant))
	}
}

// inATenant refuses a grant whose tenant only the path can name.
func (s *Server) inATenant(c *call, grant func(*call) (*tokenAnswer, error)) (*tokenAnswer, error) {
	if c.anyTenant() {
		return nil, noTenant(c.PathValue("tenant"))
	}
	return grant(c)
}

// tokenAnswerV1 is the response of the older endpoint, whose numbers are texts.
type tokenAnswerV1 struct {
	tokenAnswer
	ExpiresIn        string `json:"expires_in"`
	ExtendedExpireIn string `json:"ext_expires_in"`
	ExpiresOn        string `json:"expires_on"`
	NotBefore        string `json:"not_before"`
	Resource         string `json:"resource"`
}

// tokenV1 answers POST /{tenant}/oauth2/token, which accepts a resource instead of a scope (A1).
func (s *Server) tokenV1(c *call) (any, error) {
	form, err := readForm(c.Request)
	if err != nil {
		return nil, err
	}
	resource := form.Get("resource")
	if resource == "" && form.Get("grant_type") == grantCredentials {
		return nil, missingParameter("resource")
	}
	scope := form.Get("scope")
	form.Del("scope")
	if scope = scopeV1(resource, scope); scope != "" {
		form.Set("scope", scope)
	}
	answer, err := s.grant(c)
	if err != nil {
		return nil, err
	}
	now := s.config.Now().Unix()
	seconds := strconv.Itoa(answer.ExpiresIn)
	return tokenAnswerV1{
		tokenAnswer: *answer, ExpiresIn: seconds, ExtendedExpireIn: seconds, Resource: resource,
		ExpiresOn: strconv.FormatInt(now+int64(answer.ExpiresIn), 10), NotBefore: strconv.FormatInt(now-1, 10),
	}, nil
}

// scopeV1 returns the scope for a resource, which always includes signing in.
func scopeV1(resource, scope string) string {
	if resource == "" {
		return scope
	}
	return resource + "/" + everything
}

// clientCredentials issues a token to an application for itself, with all its permissions in the
// tenant (A10).
func (s *Server) clientCredentials(c *call) (*tokenAnswer, error) {
	text := c.form.Get("scope")
	asked, err := parseScopes(text, c.root)
	if err != nil {
		return nil, err
	}
	// The scopes for signing in that MSAL for Go adds to every grant have no meaning here.
	if !asked.All || asked.API != [16]byte{} {
		return nil, badScope(text,
			"ask for "+identity.GraphURL+"/.default, "+identity.GraphAppID+"/.default or "+c.root+"/.default")
	}
	client, err := s.confidential(c)
	if err != nil {
		return nil, err
	}
	token, left, isNew, err := s.given.token(s, identity.Claims{
		Root: c.root, Audience: asked.audience(c.root), Tenant: c.tenant, ObjectID: client.ID,
		AppID: client.AppID, AppName: client.DisplayName, Serial: client.Serial,
		Permissions: client.Permissions, Roles: client.Roles, Proof: client.proof, Earned: true,
	})
	if err != nil {
		return nil, err
	}
	if isNew {
		s.reportApplication(c, client.App)
	}
	seconds := int(left.Seconds())
	return &tokenAnswer{Type: "Bearer", ExpiresIn: seconds, ExtendedExpireIn: seconds, AccessToken: token}, nil
}

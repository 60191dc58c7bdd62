package oauth

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json"

	"licensor/internal/guid"
	"licensor/internal/identity"
)

// ownToken is the data of a token that we have signed and a client presents.
type ownToken struct {
	Audience  string `json:"aud"`
	Issuer    string `json:"iss"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
	Type      string `json:"idtyp"`
	ObjectID  string `json:"oid"`
	Tenant    string `json:"tid"`
	AppID     string `json:"azp"`
	Serial    uint32 `json:"oid_serial"`
	AppSerial uint32 `json:"app_serial"`
}

// readOwn reads a token whose signature is by one of our keys. It checks nothing else.
func (s *Server) readOwn(raw string) (ownToken, error) {
	var t ownToken
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return t, err
	}
	if !identity.OneSpelling(raw) {
		return t, fmt.Errorf("its encoding is not canonical")
	}
	set := s.config.Authority.PublicKeys()
	keys := set.Key(signed.Signatures[0].Protected.KeyID)
	if len(keys) != 1 {
		return t, fmt.Errorf("its key is not one of ours")
	}
	payload, err := signed.Verify(keys[0])
	if err != nil {
		return t, err
	}
	return t, josejson.Unmarshal(payload, &t)
}

// onBehalfOf answers a service that was called with a user's token with a token of the same user
// for Graph (A13). The user's token must be for the service itself: its caller has requested
// {client id}/.default or api://{client id}/…. The service only has the permissions on behalf of
// the user that it was granted itself, for any caller.
func (s *Server) onBehalfOf(c *call) (*tokenAnswer, error) {
	if use := c.form.Get("requested_token_use"); use != "on_behalf_of" {
		return nil, malformedRequest(400, "The 'requested_token_use' must be 'on_behalf_of'.")
	}
	raw := c.form.Get("assertion")
	if raw == "" {
		return nil, missingParameter("assertion")
	}
	client, err := s.confidential(c)
	if err != nil {
		return nil, err
	}
	user, since, err := s.assertedUser(c, client.App, raw)
	if err != nil {
		return nil, err
	}
	asked, err := parseScopes(c.form.Get("scope"), c.root)
	if err != nil {
		return nil, err
	}
	return s.seen(c, client, user, since, asked, web)
}

// assertedUser returns the user of a token that is for an application.
func (s *Server) assertedUser(c *call, app identity.App, raw string) (identity.User, time.Time, error) {
	token, err := s.readOwn(raw)
	if err != nil {
		return identity.User{}, time.Time{}, badGrant(50013,
			"Assertion failed signature validation: it is not a token of this authority.")
	}
	now := s.config.Now().Unix()
	tolerance := int64(skew / time.Second)
	user, isUser := guid.Parse(token.ObjectID)
	caller, isCaller := guid.Parse(token.AppID)
	switch {
	case token.Tenant != c.tenant.String() || !isUser || !isCaller || token.Type != "user":
		return identity.User{}, time.Time{}, badGrant(50013,
			"Assertion is not the access token of a user of the directory '%s'.", c.tenant)
	case !slices.Contains([]string{app.AppID.String(), "api://" + app.AppID.String()}, token.Audience):
		return identity.User{}, time.Time{}, badGrant(50013, "Assertion audience does not match the client app "+
			"presenting the assertion. The audience in the assertion was '%s' and the expected audience is '%s' or "+
			"'api://%s'.", short(token.Audience), app.AppID, app.AppID)
	case now-tolerance >= token.Expires:
		return identity.User{}, time.Time{}, badGrant(500133,
			"Assertion is not within its valid time range: it has expired.")
	case now+tolerance < token.NotBefore:
		return identity.User{}, time.Time{}, badGrant(500133,
			"Assertion is not within its valid time range: it is not valid yet.")
	}
	from, err := s.config.Tenants.Application(c.Context(), c.tenant, caller)
	if err != nil {
		return identity.User{}, time.Time{}, err
	}
	if !from.Enabled || identity.IsAnother(token.AppSerial, from.Serial) {
		return identity.User{}, time.Time{}, badGrant(50013,
			"The application that the assertion was given to is unknown or disabled.")
	}
	since := time.Unix(token.IssuedAt, 0).UTC()
	found, err := s.userFor(c.Context(), c.tenant, user, token.Serial, since)
	return found, since, err
}

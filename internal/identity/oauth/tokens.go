package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// delegation is what a user lets an application do; tokens are created from it.
type delegation struct {
	client  client
	user    identity.User
	since   time.Time // when the user has signed in
	asked   scopes
	names   []string // the granted permissions among the requested ones
	nonce   string
	refresh string // the refresh token, if any
}

// userFor returns the user of a code or token if it is still valid: the user must not have been
// disabled since, nor have ended sessions since the sign-in, nor have to choose a new password. A
// different serial number means a different user.
func (s *Server) userFor(
	ctx context.Context, tenant, id uuid.UUID, serial uint32, since time.Time,
) (identity.User, error) {
	user, err := s.config.Tenants.User(ctx, tenant, id)
	switch {
	case err != nil:
		return user, err
	case !user.Enabled:
		return user, disabledUser()
	case since.Before(user.SessionsFrom), identity.IsAnother(serial, user.Serial):
		return user, revokedGrant()
	case user.MustChangePassword:
		return user, badGrant(50055, "The password is expired: the user must choose a new one on the sign-in page.")
	}
	return user, nil
}

// delegate returns what a user lets an application do, or a refusal if permissions are missing
// (65001) or the user is not assigned to it (50105).
func (s *Server) delegate(
	ctx context.Context, tenant uuid.UUID, client client, user identity.User, since time.Time, asked scopes,
) (delegation, error) {
	if client.Admits != nil && !client.Admits(user.ID) {
		return delegation{}, notAssigned(client.App, user)
	}
	if err := s.checkResource(ctx, tenant, asked); err != nil {
		return delegation{}, err
	}
	names, missing, err := s.permits(ctx, tenant, client.App, user.ID, asked)
	if err != nil {
		return delegation{}, err
	}
	if len(missing) > 0 {
		return delegation{}, noConsent(client.App, missing)
	}
	return delegation{client: client, user: user, since: since, asked: asked, names: names}, nil
}

// write creates the tokens of a delegation (A20).
func (s *Server) write(c *call, d delegation) (*tokenAnswer, error) {
	access, err := s.accessToken(c, d)
	if err != nil {
		return nil, err
	}
	seconds := int(identity.Lifetime.Seconds())
	answer := &tokenAnswer{
		Type: "Bearer", Scope: d.asked.answer(d.names), ExpiresIn: seconds,
		ExtendedExpireIn: seconds, AccessToken: access, RefreshToken: d.refresh,
	}
	if d.asked.has("openid") {
		if answer.IDToken, err = s.config.Authority.Sign(s.idToken(c, d)); err != nil {
			return nil, err
		}
	}
	if c.form.Get("client_info") == "1" {
		answer.ClientInfo = clientInfo(d.user.ID, c.tenant)
	}
	return answer, nil
}

func (s *Server) accessToken(c *call, d delegation) (string, error) {
	return s.config.Authority.Issue(identity.Claims{
		Root: c.root, Audience: d.asked.audience(c.root), Tenant: c.tenant,
		ObjectID: d.user.ID, AppID: d.client.AppID, Delegated: true, Earned: true,
		Permissions: d.scp(), Roles: d.user.Roles, AppName: d.client.DisplayName, User: d.user, Proof: d.client.proof,
		Serial: d.user.Serial, AppSerial: d.client.Serial,
	})
}

// scp returns the scp claim of the access token. It omits offline_access, which does not concern
// the resource, and the scopes for signing in, which do not concern an application's own API.
func (d delegation) scp() []string {
	if d.asked.API != uuid.Nil {
		return d.names
	}
	list := slices.Clone(d.names)
	for _, name := range d.asked.SignIn {
		if name != "offline_access" {
			list = append(list, name)
		}
	}
	return list
}

// idClaims returns the claims that tell the client who has signed in (OpenID Connect Core section
// 2).
type idClaims struct {
	Audience          uuid.UUID `json:"aud"`
	Issuer            string    `json:"iss"`
	IssuedAt          int64     `json:"iat"`
	NotBefore         int64     `json:"nbf"`
	Expires           int64     `json:"exp"`
	AuthTime          int64     `json:"auth_time"`
	AccessHash        string    `json:"at_hash,omitempty"`
	CodeHash          string    `json:"c_hash,omitempty"`
	Email             string    `json:"email,omitempty"`
	Name              string    `json:"name,omitempty"`
	Nonce             string    `json:"nonce,omitempty"`
	ObjectID          uuid.UUID `json:"oid"`
	PreferredUsername string    `json:"preferred_username,omitempty"`
	Subject           string    `json:"sub"`
	Tenant            uuid.UUID `json:"tid"`
	Version           string    `json:"ver"`
}

func (s *Server) idToken(c *call, d delegation) idClaims {
	now := s.config.Now()
	claims := idClaims{
		Audience: d.client.AppID, Issuer: identity.Issuer(c.root, c.tenant),
		IssuedAt: now.Unix(), NotBefore: now.Unix(),
		Expires: now.Add(identity.Lifetime).Unix(), AuthTime: d.since.Unix(),
		Nonce: d.nonce, ObjectID: d.user.ID,
		Subject: subject(c.tenant, d.client.AppID, d.user.ID), Tenant: c.tenant, Version: "2.0",
	}
	if d.asked.has("profile") {
		claims.Name, claims.PreferredUsername = d.user.DisplayName, d.user.Name
	}
	if d.asked.has("email") {
		claims.Email = d.user.Mail
	}
	return claims
}

// halfHash returns the hash in an ID token of a code or a token that is sent with it; empty if
// there is none.
func halfHash(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// subject returns the user's pairwise identifier for one application (OpenID Connect Core section
// 8.1). It needs no secret: the user's id, with 122 random bits, cannot be guessed.
func subject(tenant, app, user uuid.UUID) string {
	sum := sha256.Sum256(slices.Concat([]byte("sub"), tenant[:], app[:], user[:]))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// clientInfo returns Microsoft's client_info, by which its libraries identify an account.
func clientInfo(user, tenant uuid.UUID) string {
	return base64.RawURLEncoding.EncodeToString(encode(map[string]uuid.UUID{"uid": user, "utid": tenant}))
}

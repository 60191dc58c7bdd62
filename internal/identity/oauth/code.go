package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"regexp"
	"time"

	"github.com/google/uuid"

	"licensor/internal/identity"
	"licensor/internal/store"
)

// codeLife is how long a code can be redeemed (A11).
const codeLife = 10 * time.Minute

// The burst and the interval of codes for a user. So there are at most 700 that have not expired.
const (
	codesAtOnce = 100
	codesEvery  = time.Second
)

// code is the ticket of an authorization code: what was requested, and who has consented.
type code struct {
	Client       uuid.UUID `json:"client"`
	ClientSerial uint32    `json:"clientSerial,omitempty"` // see identity.User
	User         uuid.UUID `json:"user"`
	UserSerial   uint32    `json:"userSerial,omitempty"`
	Since        time.Time `json:"since"`
	Redirect     string    `json:"redirect"`
	Kind         platform  `json:"kind"`
	Challenge    string    `json:"challenge,omitempty"`
	Scopes       scopes    `json:"scopes"`
	Nonce        string    `json:"nonce,omitempty"`
	Family       uuid.UUID `json:"family"` // of the resulting refresh tokens
	Used         bool      `json:"used,omitempty"`
}

// redeemCode returns the tokens for a code (A11, RFC 6749 section 4.1.3).
func (s *Server) redeemCode(c *call) (*tokenAnswer, error) {
	text := c.form.Get("code")
	if text == "" {
		return nil, missingParameter("code")
	}
	var found code
	ticket, ok, err := s.ticket(c.Context(), forCode.id(text), &found)
	if err != nil {
		return nil, err
	}
	client, err := s.presenter(c, ticket, ok, found.Client, found.ClientSerial)
	if err != nil {
		return nil, err
	}
	if found.Used {
		return nil, s.usedTwice(c.Context(), found)
	}
	if err := found.check(c, client); err != nil {
		return nil, err
	}
	user, err := s.userFor(c.Context(), c.tenant, found.User, found.UserSerial, found.Since)
	if err != nil {
		return nil, err
	}
	d, err := s.delegate(c.Context(), c.tenant, client, user, found.Since, found.Scopes)
	if err != nil {
		return nil, err
	}
	d.nonce = found.Nonce
	// The refresh token is created before the code is marked as used: if the code is redeemed twice
	// at the same time, the family exists and can be ended, whichever is first.
	if d.refresh, err = s.startFamily(c, d, found.Family, found.Kind); err != nil {
		return nil, err
	}
	found.Used = true
	if won, err := s.changeTicket(c.Context(), ticket, found); err != nil {
		return nil, err
	} else if !won {
		return nil, s.usedTwice(c.Context(), found)
	}
	return s.write(c, d)
}

// presenter returns the client that presents a code or a refresh token, which must be the client
// that it was issued to, in the same tenant.
func (s *Server) presenter(c *call, ticket store.Ticket, known bool, owner uuid.UUID, serial uint32) (client, error) {
	if c.anyTenant() {
		if !known {
			return client{}, expiredGrant()
		}
		c.tenant = ticket.Tenant
	}
	found, err := s.client(c)
	switch {
	case err != nil:
		return client{}, err
	case !known:
		return client{}, expiredGrant()
	case ticket.Tenant != c.tenant:
		return client{}, badGrant(700005, "The provided authorization code or refresh token is intended to be used "+
			"against another tenant.")
	case owner != found.AppID, identity.IsAnother(serial, found.Serial):
		return client{}, badGrant(70000, "The provided authorization code or refresh token was given to another "+
			"application.")
	}
	return found, nil
}

// usedTwice revokes the tokens of a code: one of the two clients that have used it has stolen it
// (RFC 6749 section 4.1.2).
func (s *Server) usedTwice(ctx context.Context, found code) error {
	if err := s.config.Tickets.DropFamily(ctx, found.Family); err != nil {
		return err
	}
	s.config.Log.WarnContext(ctx, "a code was used twice, so the refresh tokens issued for it are revoked",
		"appId", found.Client, "user", found.User)
	return badGrant(54005, "OAuth2 authorization code was already redeemed, please retry with a new valid code or "+
		"use an existing refresh token.")
}

// check checks the values that must be the same when a code is redeemed as when it was requested.
func (found code) check(c *call, client client) error {
	if redirect := c.form.Get("redirect_uri"); redirect == "" {
		return missingParameter("redirect_uri")
	} else if redirect != found.Redirect {
		return badGrant(500112, "The reply address '%s' does not match the reply address '%s' provided when "+
			"requesting the authorization code.", short(redirect), found.Redirect)
	}
	if err := found.Kind.admits(c, client); err != nil {
		return err
	}
	return checkVerifier(found.Challenge, c.form.Get("code_verifier"))
}

var verifierForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// checkVerifier compares the verifier with the challenge (RFC 7636 section 4.6). A verifier for a
// code that was requested without a challenge is refused: the challenge may have been removed in
// transit.
func checkVerifier(challenge, verifier string) error {
	if challenge == "" && verifier == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(verifier))
	if !verifierForm.MatchString(verifier) ||
		subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) != 1 {
		return badGrant(501481,
			"The Code_Verifier does not match the code_challenge supplied in the authorization request.")
	}
	return nil
}

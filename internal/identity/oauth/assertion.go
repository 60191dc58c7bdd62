package oauth

import (
	"crypto/rsa"
	"crypto/sha1" // the name of a certificate, not a protection
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"

	"licensor/internal/identity"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

	// Clients issue assertions for 10 minutes; none needs one for more than a day.
	longestAssertion = 24 * time.Hour
	skew             = 5 * time.Minute

	// Some 12,000 assertions of an application can be remembered: each takes a share of the limit
	// in proportion to its lifetime.
	usualAssertion   = 15 * time.Minute
	assertionsAtOnce = 3000
	assertionsEvery  = time.Second / 10
)

// checkAssertion checks the token with which a client authenticates: one that it has signed itself
// with the key of a certificate, or one of another issuer in its registration.
func (s *Server) checkAssertion(c *call, app identity.App, raw string) error {
	// A token names its algorithm itself, so only algorithms for certificates are accepted: with
	// HS256, a certificate would be the password.
	signed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256})
	if err != nil || !identity.OneSpelling(raw) {
		return badAssertion("it is not a token signed with RS256 or PS256.")
	}
	var claims jwt.Claims
	if err := signed.UnsafeClaimsWithoutVerification(&claims); err != nil { // only to find the issuer
		return badAssertion("its claims cannot be read.")
	}
	if claims.Issuer == app.AppID.String() {
		return s.checkCertificate(c, app, raw)
	}
	return s.checkFederated(c, app, raw, claims)
}

// checkCertificate checks an assertion that the client has signed itself (A10, RFC 7523 section 3).
func (s *Server) checkCertificate(c *call, app identity.App, raw string) error {
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256, jose.PS256})
	if err != nil {
		return badAssertion("it is not a token signed with RS256 or PS256.")
	}
	key, err := s.certificateKey(app, signed.Signatures[0].Protected)
	if err != nil {
		return err
	}
	payload, err := signed.Verify(key)
	if err != nil {
		return badAssertion("its signature does not fit the certificate that its header names.")
	}
	var claims jwt.Claims
	if err := josejson.Unmarshal(payload, &claims); err != nil {
		return badAssertion("its claims cannot be read, or one is a duplicate.")
	}
	if err := s.checkOwnClaims(c, app, claims); err != nil {
		return err
	}
	return s.onlyOnce(c, app, claims)
}

// certificateKey returns the key of the registered certificate that a header names by its
// thumbprint.
func (s *Server) certificateKey(app identity.App, header jose.Header) (*rsa.PublicKey, error) {
	x5t, _ := header.ExtraHeaders["x5t"].(string)
	x5t256, _ := header.ExtraHeaders["x5t#S256"].(string)
	for _, registered := range app.Certificates {
		if !isNamed(registered.DER, x5t, x5t256, header.KeyID) {
			continue
		}
		certificate, err := x509.ParseCertificate(registered.DER)
		if err != nil {
			return nil, fmt.Errorf("read a certificate of application %s: %w", app.AppID, err)
		}
		key, ok := certificate.PublicKey.(*rsa.PublicKey)
		if !ok {
			return nil, badAssertion("the key of the certificate is not an RSA key.")
		}
		now := s.config.Now()
		if now.Before(certificate.NotBefore) || now.After(certificate.NotAfter) ||
			(!registered.Expires.IsZero() && !now.Before(registered.Expires)) {
			return nil, badAssertion("the certificate is outside of its validity, which ends " +
				certificate.NotAfter.UTC().Format(time.RFC3339) +
				". Register a new one for app '" + app.AppID.String() + "'.")
		}
		return key, nil
	}
	return nil, badAssertion("no certificate of app '" + app.AppID.String() + "' has the thumbprint in its header " +
		"('x5t', 'x5t#S256' or 'kid').")
}

// isNamed reports whether the names are the certificate's: all that are present must match.
func isNamed(der []byte, x5t, x5t256, kid string) bool {
	one, two := sha1.Sum(der), sha256.Sum256(der)
	encode := base64.RawURLEncoding.EncodeToString
	for _, name := range []*string{&x5t, &x5t256} { // MSAL for Go uses standard base64, padded
		*name = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(*name, "="))
	}
	if x5t == "" && x5t256 == "" {
		return kid != "" && (kid == encode(one[:]) || kid == encode(two[:]) ||
			strings.EqualFold(kid, hex.EncodeToString(one[:])))
	}
	return (x5t == "" || x5t == encode(one[:])) && (x5t256 == "" || x5t256 == encode(two[:]))
}

func (s *Server) checkOwnClaims(c *call, app identity.App, claims jwt.Claims) error {
	now, id := s.config.Now(), app.AppID.String()
	switch {
	case claims.Issuer != id || claims.Subject != id:
		return badAssertion("its issuer and subject must both be the client id.")
	case len(claims.Audience) != 1 || !s.isHere(c, claims.Audience[0]):
		return badAssertion("its audience must be the token endpoint, " + c.root + "/" + c.tenant.String() + "/oauth2/v2.0/token.")
	case claims.Expiry == nil:
		return badAssertion("it has no 'exp'.")
	case !now.Before(claims.Expiry.Time().Add(skew)):
		return badAssertion("it has expired.")
	case claims.Expiry.Time().After(now.Add(longestAssertion)):
		return badAssertion("it is valid for longer than 24 hours.")
	case claims.NotBefore != nil && now.Add(skew).Before(claims.NotBefore.Time()):
		return badAssertion("it is not valid yet.")
	case claims.ID == "":
		return badAssertion("it has no 'jti'.")
	}
	return nil
}

// isHere reports whether an audience is the token endpoint of the call's tenant, of either version,
// or its issuer, with any name of the tenant.
func (s *Server) isHere(c *call, audience string) bool {
	path, ok := strings.CutPrefix(audience, c.root+"/")
	if !ok {
		return false
	}
	name, rest, _ := strings.Cut(path, "/")
	if rest != "oauth2/v2.0/token" && rest != "oauth2/token" && rest != "v2.0" {
		return false
	}
	name = strings.ToLower(name)
	if name == common || name == organizations {
		return name == c.name()
	}
	tenant, err := s.config.Tenants.Tenant(c.Context(), name)
	return err == nil && tenant == c.tenant
}

// onlyOnce refuses an assertion that was used before (RFC 7523 section 3, jti), so that it cannot
// be replayed.
func (s *Server) onlyOnce(c *call, app identity.App, claims jwt.Claims) error {
	id := forAssertion.id(c.tenant.String() + " " + app.AppID.String() + " " + claims.ID)
	family, err := s.config.Authority.NewID()
	if err != nil {
		return err
	}
	life := claims.Expiry.Time().Add(skew + time.Second).Sub(s.config.Now())
	if !s.used.take(app.ID.String(), max(1, life.Seconds()/usualAssertion.Seconds()), s.config.Now()) {
		return tooMany("The application has used too many assertions. Use a token until it expires, and make " +
			"assertions that are valid for 10 minutes.")
	}
	first, err := s.addTicket(c.Context(), id, c.tenant, family, life, struct{}{})
	if err == nil && !first {
		return badAssertion("it was used before (its 'jti' is known). Make a new one for each request.")
	}
	return err
}

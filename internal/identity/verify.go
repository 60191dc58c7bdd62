package identity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json"
	"github.com/google/uuid"
)

// UnauthorizedError is the reason that a token is not accepted: 401 InvalidAuthenticationToken with
// this message (P12).
type UnauthorizedError struct {
	Message string
}

func (e *UnauthorizedError) Error() string { return e.Message }

// InvalidTenant is the message for a token of another tenant.
const InvalidTenant = "Access token validation failure. Invalid tenant."

func errExpired() *UnauthorizedError {
	return &UnauthorizedError{"Lifetime validation failed, the token is expired."}
}

const (
	maxToken = 16 << 10
	skew     = 5 * time.Minute
)

// algorithms are the accepted signature algorithms: only those for our own keys. A token names its
// algorithm itself, and with HS256 anyone could sign one with our public key as the password.
var algorithms = []jose.SignatureAlgorithm{jose.RS256}

const invalidSignature = "Access token validation failure. Invalid signature."

const notOurKey = "Access token validation failure. Invalid signature. The key does not belong to this server: " +
	"request the token from its own authority."

// token is a payload with a valid signature, with its parts parsed once. Malformed parts are left
// zero, and the checks refuse them.
type token struct {
	claims  claimSet
	keyID   string
	issuer  issuer
	issued  bool // iss has the form of our own
	tenant  uuid.UUID
	subject Caller
}

// Verify checks a token and looks its caller up (A21-A23). An *UnauthorizedError has the reason
// that it is not accepted; any other error means that the directory could not be read. The Caller
// shares its slices with others of the same token: they are read-only.
func (a *Authority) Verify(ctx context.Context, raw string) (*Caller, error) {
	token, err := a.open(raw)
	if err != nil {
		if caller, ok, foreign := a.verifyForeign(ctx, raw); ok {
			return caller, foreign
		}
		return nil, err
	}
	for _, check := range checks {
		if err := check(ctx, a, token); err != nil {
			return nil, err
		}
	}
	return a.lookUp(ctx, token)
}

// open reads a token and checks form, algorithm, key and signature, the first part of A21. It
// checks only as much of the form as parsing requires, because a token with a valid signature is
// unchanged.
func (a *Authority) open(raw string) (*token, error) {
	if len(raw) > maxToken {
		return nil, malformed("it is longer than 16 KB")
	}
	hash := sha256.Sum256([]byte(raw))
	if known, ok := a.signed.Get(hash); ok {
		if _, ok := a.keys.Load().verifier(known.keyID, a.now()); !ok {
			return nil, &UnauthorizedError{notOurKey}
		}
		return known, nil
	}
	opened, err := a.read(raw)
	if err != nil {
		return nil, err
	}
	a.signed.Add(hash, opened)
	return opened, nil
}

func (a *Authority) read(raw string) (*token, error) {
	if err := checkForm(raw); err != nil {
		return nil, err
	}
	parsed, err := jose.ParseSignedCompact(raw, algorithms)
	if unexpected := (*jose.ErrUnexpectedSignatureAlgorithm)(nil); errors.As(err, &unexpected) {
		return nil, &UnauthorizedError{"Access token validation failure. Invalid algorithm: only RS256 is accepted."}
	}
	if err != nil {
		return nil, malformed("its header, payload or signature cannot be read")
	}
	if !OneSpelling(raw) {
		return nil, &UnauthorizedError{invalidSignature}
	}
	// The key must be one of ours: jwk, jku, x5c and x5u in the header are ignored.
	keyID := parsed.Signatures[0].Protected.KeyID
	key, ok := a.keys.Load().verifier(keyID, a.now())
	if !ok {
		return nil, &UnauthorizedError{notOurKey}
	}
	payload, err := parsed.Verify(key)
	if err != nil {
		return nil, &UnauthorizedError{invalidSignature}
	}
	t, err := readToken(payload)
	if err != nil {
		return nil, err
	}
	t.keyID = keyID
	return t, nil
}

func checkForm(raw string) error {
	switch dots := strings.Count(raw, "."); {
	case raw == "":
		return &UnauthorizedError{"Access token is empty."}
	case dots == 0:
		return &UnauthorizedError{"IDX14100: JWT is not well formed, there are no dots (.)."}
	case dots != 2:
		return malformed("it does not have three parts")
	}
	// The decoder ignores line ends, so without this check a token would have many spellings.
	if strings.ContainsAny(raw, "\r\n") {
		return malformed("it contains a line end")
	}
	return nil
}

// OneSpelling reports whether a token is the canonical base64url of its parts. The decoder accepts
// any unused bits in the last character of a part, so without this check a token has many
// spellings, and a used assertion could be used again.
func OneSpelling(raw string) bool {
	for part := range strings.SplitSeq(raw, ".") {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return false
		}
	}
	return !strings.ContainsAny(raw, "\r\n")
}

func malformed(how string) *UnauthorizedError {
	return &UnauthorizedError{"JWT is not well formed: " + how + "."}
}

// readToken parses a payload with go-jose's decoder, which refuses duplicate names in an object and
// is case-sensitive; the standard decoder would accept the last one, in any letter case.
func readToken(payload []byte) (*token, error) {
	t := &token{}
	if err := josejson.Unmarshal(payload, &t.claims); err != nil {
		return nil, malformed("its claims cannot be read, or one is a duplicate")
	}
	t.issuer, t.issued = parseIssuer(t.claims.Issuer)
	t.tenant, _ = parseID(t.claims.Tenant)
	t.subject = t.claims.caller()
	return t, nil
}

// checks are the rest of A21, in its order. Each returns an *UnauthorizedError, or says that the
// directory could not be read.
var checks = []func(context.Context, *Authority, *token) error{
	checkIssuer, checkAudience, checkLifetime, checkTenant, checkVersion,
}

func checkIssuer(_ context.Context, _ *Authority, t *token) error {
	if !t.issued {
		return &UnauthorizedError{"Access token validation failure. Invalid issuer."}
	}
	return nil
}

func checkAudience(_ context.Context, _ *Authority, t *token) error {
	if !t.issuer.accepts(t.claims.Audience) {
		return &UnauthorizedError{"Access token validation failure. Invalid audience."}
	}
	return nil
}

func checkLifetime(_ context.Context, a *Authority, t *token) error {
	now := a.now().Unix()
	if tolerance := int64(skew / time.Second); now-tolerance >= t.claims.Expires {
		return errExpired()
	} else if now+tolerance < t.claims.NotBefore {
		return &UnauthorizedError{"Lifetime validation failed, the token is not yet valid."}
	}
	return nil
}

// checkTenant accepts the tenant of personal accounts, which is not one of ours, because
// permissions are checked later, with 403 (A22).
func checkTenant(ctx context.Context, a *Authority, t *token) error {
	invalid := &UnauthorizedError{InvalidTenant}
	if t.tenant == uuid.Nil || t.tenant != t.issuer.tenant {
		return invalid
	}
	if t.tenant == PersonalTenant {
		return nil
	}
	switch id, err := a.tenants.Tenant(ctx, t.claims.Tenant); {
	case err != nil:
		return fmt.Errorf("look up the tenant %s of a token: %w", t.tenant, err)
	case id != t.tenant:
		return invalid
	}
	return nil
}

func checkVersion(_ context.Context, _ *Authority, t *token) error {
	if t.claims.Version != tokenVersion {
		return &UnauthorizedError{"Access token validation failure. Invalid version."}
	}
	return nil
}

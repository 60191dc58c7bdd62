package identity

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	josejson "github.com/go-jose/go-jose/v4/json"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/guid"
)

// Issuers provides the trusted issuers, which tenants configure (directory.SignIn).
type Issuers interface {
	// TrustedIssuers returns who trusts an issuer for one of the audiences, and whether any tenant
	// trusts it at all.
	TrustedIssuers(ctx context.Context, issuer string, audiences []string) (trusts []Trusted, known bool, err error)
	// UserByName returns a user by userPrincipalName; one that is unknown or deleted is the zero User.
	UserByName(ctx context.Context, tenant uuid.UUID, name string) (User, error)
}

// Trusted is an issuer with the tenant that trusts it.
type Trusted struct {
	Tenant uuid.UUID
	directory.TrustedIssuer
}

// TrustedIssuers returns who trusts an issuer for one of the audiences, and whether any tenant
// trusts it at all.
func (a *Authority) TrustedIssuers(
	ctx context.Context, issuer string, audiences []string,
) (trusts []Trusted, known bool, err error) {
	if a.issuers == nil || issuer == "" {
		return nil, false, nil
	}
	return a.issuers.TrustedIssuers(ctx, issuer, audiences)
}

// verifyForeign verifies a token of another issuer, if that is trusted. The tenant is the one that
// trusts the issuer for the token's audience: nothing else in the token determines it. ok is false
// if no tenant trusts the issuer.
func (a *Authority) verifyForeign(ctx context.Context, raw string) (caller *Caller, ok bool, err error) {
	issuer, audiences := claimedIssuer(raw)
	trusts, known, err := a.TrustedIssuers(ctx, issuer, audiences)
	switch {
	case err != nil:
		return nil, true, fmt.Errorf("look up who trusts the issuer %s: %w", issuer, err)
	case !known:
		return nil, false, nil
	}
	payload, err := a.foreign.Payload(ctx, issuer, raw)
	if err != nil {
		return nil, true, err
	}
	claims, err := readForeign(payload)
	if err != nil {
		return nil, true, err
	}
	trust, err := claims.accept(trusts, issuer, a.now())
	if err != nil {
		return nil, true, err
	}
	caller, err = a.foreignCaller(ctx, claims, trust)
	return caller, true, err
}

// maxAudiences is how many audiences of a token are looked up.
const maxAudiences = 20

// claimedIssuer is the iss and the aud of a token, nothing of which is checked yet; empty when it
// cannot be read.
func claimedIssuer(raw string) (issuer string, audiences []string) {
	parts := strings.Split(raw, ".")
	if len(raw) > maxToken || len(parts) != 3 {
		return "", nil
	}
	payload, err := base64.RawURLEncoding.Strict().DecodeString(parts[1])
	if err != nil {
		return "", nil
	}
	claims, err := readForeign(payload)
	if err != nil {
		return "", nil
	}
	audiences = claims.texts("aud", oneText)
	return claims.text("iss"), audiences[:min(len(audiences), maxAudiences)]
}

// foreignClaims are the claims of another issuer's token.
type foreignClaims map[string]any

// readForeign reads each claim once, as readToken does.
func readForeign(payload []byte) (foreignClaims, error) {
	var claims foreignClaims
	if err := josejson.Unmarshal(payload, &claims); err != nil {
		return nil, malformed("its claims cannot be read, or one is a duplicate")
	}
	return claims, nil
}

// accept finds the tenant that trusts the issuer for this token, and checks what all tokens must
// have (RFC 9068 section 4, except the type, which few issuers set).
func (c foreignClaims) accept(trusts []Trusted, issuer string, now time.Time) (Trusted, error) {
	if c.text("iss") != issuer {
		return Trusted{}, &UnauthorizedError{"Access token validation failure. Invalid issuer."}
	}
	audiences := c.texts("aud", oneText)
	asked := func(audience string) bool { return slices.Contains(audiences, audience) }
	var meant []Trusted
	for _, t := range trusts {
		if slices.ContainsFunc(t.Audiences, asked) {
			meant = append(meant, t)
		}
	}
	switch len(meant) {
	case 0:
		return Trusted{}, &UnauthorizedError{"Access token validation failure. Invalid audience."}
	case 1:
	default:
		return Trusted{}, &UnauthorizedError{"Access token validation failure. Its issuer is trusted more than " +
			"once for its audience, so it is not clear what it may do: use an audience of its own for each tenant."}
	}
	expires, ok := c.seconds("exp")
	if !ok || !now.Before(expires.Add(skew)) {
		return Trusted{}, errExpired()
	}
	if _, there := c["nbf"]; there {
		if from, ok := c.seconds("nbf"); !ok || now.Add(skew).Before(from) {
			return Trusted{}, &UnauthorizedError{"Lifetime validation failed, the token is not yet valid."}
		}
	}
	return meant[0], nil
}

// foreignCaller returns the user that a token names, or a caller for its subject.
func (a *Authority) foreignCaller(ctx context.Context, c foreignClaims, trust Trusted) (*Caller, error) {
	caller := &Caller{Tenant: trust.Tenant, Permissions: c.permissions(trust.TrustedIssuer)}
	if trust.UserClaim != "" {
		if err := a.foreignUser(ctx, c, trust, caller); err != nil {
			return nil, err
		}
		return caller, nil
	}
	subject := c.text("sub")
	if subject == "" {
		return nil, &UnauthorizedError{"Access token validation failure. The token has no subject (sub)."}
	}
	caller.ObjectID = uuid.NewSHA1(trust.Tenant, []byte(trust.Issuer+"\n"+subject))
	switch user, err := a.tenants.User(ctx, trust.Tenant, caller.ObjectID); {
	case err != nil:
		return nil, fmt.Errorf("look up the id that a token of %s stands for: %w", trust.Issuer, err)
	case user.ID != uuid.Nil:
		return nil, &UnauthorizedError{
			"Access token validation failure. A user of the directory has the id that stands for the token's subject.",
		}
	}
	caller.AppID, caller.Name = caller.ObjectID, subject
	return caller, nil
}

// foreignUser sets the caller to the user that a token names, as in the current directory (A23).
func (a *Authority) foreignUser(ctx context.Context, c foreignClaims, trust Trusted, caller *Caller) error {
	name := c.text(trust.UserClaim)
	// Anyone may put another person's address in an account.
	if trust.UserClaim == "email" && c["email_verified"] != true {
		return &UnauthorizedError{
			"Access token validation failure. The issuer has not verified the user's email address (email_verified).",
		}
	}
	user, err := a.foreignName(ctx, trust.Tenant, name)
	if err != nil {
		return fmt.Errorf("look up the user that a token of %s names: %w", trust.Issuer, err)
	}
	if !user.Enabled {
		return &UnauthorizedError{disabledUser}
	}
	if issued, _ := c.seconds("iat"); issued.Unix() < user.SessionsFrom.Unix() {
		return &UnauthorizedError{endedSession}
	}
	caller.Delegated, caller.ObjectID, caller.Name, caller.Roles = true, user.ID, user.DisplayName, user.Roles
	return nil
}

func (a *Authority) foreignName(ctx context.Context, tenant uuid.UUID, name string) (User, error) {
	if name == "" {
		return User{}, nil
	}
	if id, ok := guid.Parse(name); ok {
		return a.tenants.User(ctx, tenant, id)
	}
	return a.issuers.UserByName(ctx, tenant, name)
}

// permissions returns the permissions of the words in the token's claim.
func (c foreignClaims) permissions(trust directory.TrustedIssuer) (granted Permissions) {
	for _, word := range c.texts(trust.PermissionsClaim, strings.Fields) {
		granted = append(granted, trust.Permissions[word]...)
	}
	slices.Sort(granted)
	return slices.Compact(granted)
}

// at returns the claim with a name; a name with dots that is not a claim is a path into objects.
func (c foreignClaims) at(name string) any {
	if value, ok := c[name]; ok {
		return value
	}
	var value any = map[string]any(c)
	for step := range strings.SplitSeq(name, ".") {
		object, _ := value.(map[string]any)
		value = object[step]
	}
	return value
}

func (c foreignClaims) text(name string) string {
	text, _ := c.at(name).(string)
	return text
}

// texts returns the texts of a claim that is a list, or a text, which split splits.
func (c foreignClaims) texts(name string, split func(string) []string) (texts []string) {
	switch value := c.at(name).(type) {
	case string:
		return split(value)
	case []any:
		for _, element := range value {
			if text, ok := element.(string); ok {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

func oneText(text string) []string { return []string{text} }

// seconds reads a time (RFC 7519 section 2, NumericDate); ok is false if it is not a valid time.
func (c foreignClaims) seconds(name string) (at time.Time, ok bool) {
	number, ok := c[name].(float64)
	const most = 1 << 40 // more than 30,000 years
	if !ok || number < 0 || number > most {
		return time.Time{}, false
	}
	return time.Unix(int64(number), 0), true
}

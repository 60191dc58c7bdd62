package oauth

import (
	"strings"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"licensor/internal/identity"
)

// givenTokens remembers the tokens of applications, so that an application gets the same token
// again within a few minutes.
//
// A token costs an RSA signature, about a millisecond, which would limit a server with two cores to
// some 1,500 a second; many scripts sign in before each call, and request as many tokens. The
// content of the token is the same each time, and the client authenticates each time, so it gets
// its own token. The token is valid for so much longer that each client can use it for at least
// identity.Lifetime.
type givenTokens struct {
	tokens *lru.Cache[givenKey, given]
}

const (
	givenMost   = 8192 // about 2 KB each
	givenPeriod = 5 * time.Minute
)

// givenKey is the content of a token. Any change of it, such as a revoked permission, leads to
// another token.
type givenKey struct {
	root, audience, permissions string
	roles                       string
	name                        string // of the application
	tenant, object, app         uuid.UUID
	serial                      uint32
	proof                       identity.Proof
}

type given struct {
	token string
	at    time.Time
}

func newGivenTokens() *givenTokens { return &givenTokens{newCache[givenKey, given](givenMost)} }

// token returns a token with the claims, how long it is valid from now, and whether it is a new
// one.
func (g *givenTokens) token(
	s *Server, claims identity.Claims,
) (token string, left time.Duration, isNew bool, err error) {
	key, now := keyOf(claims), s.config.Now()
	known, ok := g.tokens.Get(key)
	age := now.Sub(known.at)
	if isNew = !ok || age < 0 || age >= givenPeriod; isNew {
		claims.NotBefore, claims.Expires = now, now.Add(identity.Lifetime+givenPeriod)
		if known.token, err = s.config.Authority.Issue(claims); err != nil {
			return "", 0, false, err
		}
		known.at = now
		g.tokens.Add(key, known)
	}
	return known.token, known.at.Add(identity.Lifetime + givenPeriod).Sub(now).Truncate(time.Second), isNew, nil
}

func keyOf(claims identity.Claims) givenKey {
	var roles strings.Builder
	for _, role := range claims.Roles {
		roles.Write(role[:])
	}
	return givenKey{
		claims.Root, claims.Audience, strings.Join(claims.Permissions, " "), roles.String(), claims.AppName,
		claims.Tenant, claims.ObjectID, claims.AppID, claims.Serial, claims.Proof,
	}
}

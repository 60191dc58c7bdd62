package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"licensor/internal/directory"
)

// elsewhere is an issuer of OpenID Connect on a server of its own, with real https.
type elsewhere struct {
	*httptest.Server
	asked   atomic.Int64 // how often its keys were fetched
	mu      sync.Mutex
	keys    []jose.JSONWebKey // private ones
	handler http.HandlerFunc  // answers instead, when not nil
	about   map[string]any    // what is said otherwise in its configuration
}

// Keys that take long to make.
var (
	foreignRSA = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	weakRSA    = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 1024)) })
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func newEC(curve elliptic.Curve) *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

// newElsewhere has the keys rsa and ec.
func newElsewhere(t testing.TB) *elsewhere {
	e := &elsewhere{about: map[string]any{}, keys: []jose.JSONWebKey{
		{KeyID: "rsa", Key: foreignRSA(), Use: "sig"}, {KeyID: "ec", Key: newEC(elliptic.P256()), Algorithm: "ES256"},
	}}
	e.Server = httptest.NewTLSServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *elsewhere) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.handler != nil {
		e.handler(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		about := map[string]any{"issuer": e.URL, "jwks_uri": e.URL + "/keys"}
		for name, value := range e.about {
			about[name] = value
		}
		_ = json.NewEncoder(w).Encode(about)
	case "/keys":
		e.asked.Add(1)
		set := jose.JSONWebKeySet{}
		for _, key := range e.keys {
			if public := key.Public(); public.Key != nil {
				key = public
			}
			set.Keys = append(set.Keys, key)
		}
		_ = json.NewEncoder(w).Encode(set)
	default:
		http.NotFound(w, r)
	}
}

func (e *elsewhere) change(apply func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	apply()
}

// breaks has it answer 500 from now on, or as before.
func (e *elsewhere) breaks(broken bool) {
	e.change(func() {
		e.handler = nil
		if broken {
			e.handler = func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, strings.Repeat("broken ", 10_000), http.StatusInternalServerError)
			}
		}
	})
}

// claims are those of a good token, as at the start.
func (e *elsewhere) claims() map[string]any {
	return map[string]any{
		"iss": e.URL, "aud": "licensor", "sub": "robot-7", "iat": start.Unix(), "exp": start.Add(time.Hour).Unix(),
		"preferred_username": "ann@contoso.example", "roles": []string{"admin", "unheard-of"},
	}
}

// sign signs what the claims are after the changes: nil takes one away.
func (e *elsewhere) sign(
	t testing.TB, key jose.JSONWebKey, algorithm jose.SignatureAlgorithm, changes map[string]any,
) string {
	t.Helper()
	claims := e.claims()
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return signWith(t, signer, mustJSON(t, claims))
}

// token is a good token but for the changes.
func (e *elsewhere) token(t testing.TB, changes map[string]any) string {
	t.Helper()
	e.mu.Lock()
	key := e.keys[0]
	e.mu.Unlock()
	return e.sign(t, key, jose.RS256, changes)
}

// trust is how Contoso trusts it, tokens being applications'.
func (e *elsewhere) trust() Trusted {
	return Trusted{contoso, directory.TrustedIssuer{
		Issuer: e.URL, Audiences: []string{"licensor"}, PermissionsClaim: "roles",
		Permissions: map[string][]string{"admin": {"User.ReadWrite.All", "Group.Read.All"}, "reader": {"Group.Read.All"}},
	}}
}

// trusting is a town with trust in issuers.
type trusting struct {
	*town
	trusts []Trusted
}

func (p *trusting) TrustedIssuers(
	_ context.Context, issuer string, audiences []string,
) (found []Trusted, known bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := func(audience string) bool { return slices.Contains(audiences, audience) }
	for _, t := range p.trusts {
		if t.Issuer != issuer {
			continue
		}
		if known = true; slices.ContainsFunc(t.Audiences, asked) {
			found = append(found, t)
		}
	}
	return found, known, nil
}

func (p *trusting) UserByName(ctx context.Context, tenant uuid.UUID, name string) (User, error) {
	names := map[string]uuid.UUID{"ann@contoso.example": ann, "ben@contoso.example": ben, "carol@contoso.example": carol}
	return p.User(ctx, tenant, names[strings.ToLower(name)])
}

// notes takes a log.
type notes struct {
	mu   sync.Mutex
	text strings.Builder
}

func (n *notes) Write(line []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(line)
}

func (n *notes) lines() (lines, bytes int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Count(n.text.String(), "\n"), n.text.Len()
}

// newTrustingWorld is a world where the trusts are, which may be changed.
func newTrustingWorld(t testing.TB, e *elsewhere, trusts ...Trusted) (world, *trusting, *notes) {
	t.Helper()
	issuers, log := &trusting{trusts: slices.Clone(trusts)}, &notes{}
	w := newWorld(t, func(c *Config) {
		issuers.town = c.Tenants.(*town)
		c.Issuers, c.Client, c.Log = issuers, e.Client(), slog.New(slog.NewTextHandler(log, nil))
	})
	w.town.change(func() {
		w.town.users[ann] = User{ID: ann, Enabled: true, DisplayName: "Ann", Roles: []uuid.UUID{UserAdministrator.ID}}
	})
	return w, issuers, log
}

// firstRSA is a key of no one's.
func firstRSA() (*rsa.PrivateKey, error) {
	ring, err := parseKeys(otherKeys())
	if err != nil {
		return nil, err
	}
	return ring.keys[0].Key.(*rsa.PrivateKey), nil
}

// bringing is a token with its key, or its address, in the header.
func bringing(t *testing.T, e *elsewhere, header string) string {
	t.Helper()
	key := jose.JSONWebKey{KeyID: "mine", Key: must(firstRSA())}
	options := (&jose.SignerOptions{}).WithHeader("kid", "mine")
	switch header {
	case "jwk":
		options = options.WithHeader("jwk", key.Public())
	case "jku":
		options = options.WithHeader("jku", "https://evil.example/keys")
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key.Key}, options)
	if err != nil {
		t.Fatal(err)
	}
	return signWith(t, signer, mustJSON(t, e.claims()))
}

// twice is a token with an audience that differs by who reads it.
func twice(t *testing.T, e *elsewhere) string {
	t.Helper()
	key := jose.JSONWebKey{KeyID: "rsa", Key: foreignRSA()}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return signWith(t, signer, []byte(`{"aud":"another",`+string(mustJSON(t, e.claims())[1:])))
}

func lastPart(raw string) string { return raw[strings.LastIndexByte(raw, '.')+1:] }

package identity

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	lru "github.com/hashicorp/golang-lru/v2"

	"licensor/internal/directory"
)

// ForeignKeys checks signatures of other issuers by the keys they publish (OpenID Connect Discovery
// 1.0). It caches keys, so that neither many callers nor many invented key ids cause many requests
// to an issuer:
//
//   - Keys are fetched again after an hour, because an issuer may have revoked some.
//   - For an unknown key id they are fetched sooner, because an issuer may have new ones, but at
//     most once a minute.
//   - If the issuer does not respond, the last fetched keys are used for a day.
type ForeignKeys struct {
	client  *http.Client
	now     func() time.Time
	log     *slog.Logger
	issuers *lru.Cache[string, *issuerKeys]
}

const (
	keysFresh    = time.Hour
	keysUsable   = 24 * time.Hour
	fetchPause   = time.Minute
	fetchTime    = 10 * time.Second
	maxFetched   = 1 << 20
	maxKeys      = 100
	knownIssuers = 1000
)

// foreignAlgorithms are the algorithms for tokens of other issuers: with public keys only, so that
// a published key cannot be used as a password.
var foreignAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256}

// NewForeignKeys returns ForeignKeys that use the client, with limits and without following
// redirects: an issuer's keys must be at the URL that it publishes.
func NewForeignKeys(client *http.Client, now func() time.Time, log *slog.Logger) (*ForeignKeys, error) {
	issuers, err := lru.New[string, *issuerKeys](knownIssuers)
	if err != nil {
		return nil, fmt.Errorf("create the issuer cache: %w", err)
	}
	log = cmp.Or(log, slog.Default())
	bounded := *client
	bounded.Transport = boundedBodies{client.Transport}
	bounded.Timeout = fetchTime
	bounded.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &ForeignKeys{client: &bounded, now: now, log: log, issuers: issuers}, nil
}

// boundedBodies aborts responses that are too long.
type boundedBodies struct{ through http.RoundTripper }

func (b boundedBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	through := b.through
	if through == nil {
		through = http.DefaultTransport
	}
	answer, err := through.RoundTrip(r)
	if err == nil {
		answer.Body = http.MaxBytesReader(nil, answer.Body, maxFetched)
	}
	return answer, err
}

// UnreachableError reports that an issuer's keys cannot be fetched, so that a token cannot be
// verified: 503.
type UnreachableError struct {
	Issuer string
	err    error
}

// Error includes the cause, which is for the log.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the keys of the issuer %s cannot be fetched: %v", e.Issuer, e.err)
}

func (e *UnreachableError) Unwrap() error { return e.err }

// Payload returns the payload of a token if its signature is by a key of the issuer. Otherwise the
// error is an *UnauthorizedError or an *UnreachableError. It does not check the issuer and the
// audience of the token.
func (f *ForeignKeys) Payload(ctx context.Context, issuer, raw string) ([]byte, error) {
	if err := checkForm(raw); err != nil {
		return nil, err
	}
	parsed, err := jose.ParseSignedCompact(raw, foreignAlgorithms)
	if unexpected := (*jose.ErrUnexpectedSignatureAlgorithm)(nil); errors.As(err, &unexpected) {
		return nil, &UnauthorizedError{
			"Access token validation failure. Invalid algorithm: only RS256, PS256 and ES256 are accepted.",
		}
	}
	if err != nil {
		return nil, malformed("its header, payload or signature cannot be read")
	}
	if !OneSpelling(raw) {
		return nil, &UnauthorizedError{invalidSignature}
	}
	header := parsed.Signatures[0].Protected
	candidates, err := f.keysOf(issuer).find(ctx, header.KeyID)
	if err != nil {
		return nil, err
	}
	for _, key := range candidates {
		if key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		if payload, err := parsed.Verify(key.Key); err == nil {
			return payload, nil
		}
	}
	return nil, &UnauthorizedError{invalidSignature}
}

func (f *ForeignKeys) keysOf(issuer string) *issuerKeys {
	if known, ok := f.issuers.Get(issuer); ok {
		return known
	}
	made := &issuerKeys{issuer: issuer, ForeignKeys: f, fetching: make(chan struct{}, 1)}
	if before, ok, _ := f.issuers.PeekOrAdd(issuer, made); ok {
		return before
	}
	return made
}

// issuerKeys is the cache of one issuer.
type issuerKeys struct {
	*ForeignKeys
	issuer   string
	current  atomic.Pointer[fetchedKeys]
	fetching chan struct{} // semaphore of the fetching goroutine; guards the following fields
	tried    time.Time
	failure  error // of the last try
}

// fetchedKeys are keys that were fetched at a time.
type fetchedKeys struct {
	keys []jose.JSONWebKey
	at   time.Time
}

// with returns the keys with an id; the receiver may be nil.
func (f *fetchedKeys) with(id string) (found []jose.JSONWebKey) {
	if f == nil {
		return nil
	}
	for _, key := range f.keys {
		if key.KeyID == id {
			found = append(found, key)
		}
	}
	return found
}

// within reports whether the keys are younger than an age.
func (f *fetchedKeys) within(age time.Duration, now time.Time) bool {
	return f != nil && now.Before(f.at.Add(age))
}

// find returns the issuer's keys with an id, normally one.
func (k *issuerKeys) find(ctx context.Context, id string) ([]jose.JSONWebKey, error) {
	if id == "" {
		return nil, &UnauthorizedError{
			"Access token validation failure. Invalid signature. The token does not name its key (kid).",
		}
	}
	have := k.current.Load()
	found := have.with(id)
	if len(found) > 0 && have.within(keysFresh, k.now()) {
		return found, nil
	}
	failure, err := k.refresh(ctx, len(found) > 0 && have.within(keysUsable, k.now()))
	if err != nil {
		return nil, err
	}
	have = k.current.Load()
	if !have.within(keysUsable, k.now()) {
		return nil, &UnreachableError{k.issuer, failure}
	}
	if found = have.with(id); len(found) > 0 {
		return found, nil
	}
	if failure != nil {
		return nil, &UnreachableError{k.issuer, failure}
	}
	return nil, &UnauthorizedError{
		"Access token validation failure. Invalid signature. The key is not one that its issuer publishes.",
	}
}

// refresh fetches the keys unless that was tried within the pause, and returns the error of the
// last try. If another goroutine is fetching them, it waits, unless the existing keys are
// sufficient. The second error is that of ctx.
func (k *issuerKeys) refresh(ctx context.Context, canDo bool) (failure, err error) {
	if canDo {
		select {
		case k.fetching <- struct{}{}:
		default:
			return nil, nil
		}
	} else {
		select {
		case k.fetching <- struct{}{}:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the keys of the issuer %s: %w", k.issuer, ctx.Err())
		}
	}
	defer func() { <-k.fetching }()
	if !k.tried.IsZero() && k.now().Before(k.tried.Add(fetchPause)) {
		return k.failure, nil
	}
	k.tried = k.now()
	// Others will use the result, so the fetch must not end with this request.
	fetched, failure := k.fetch(context.WithoutCancel(ctx))
	if k.failure = failure; failure != nil {
		k.log.WarnContext(ctx, "the keys of an issuer cannot be fetched, and tokens of it may be refused",
			"issuer", k.issuer, "error", failure)
		return failure, nil
	}
	k.current.Store(&fetchedKeys{fetched, k.tried})
	return nil, nil
}

// fetch reads the keys that the issuer's configuration points to.
//
// The key set of go-oidc is not used: it fetches for every unknown key id, and never removes a key.
func (k *issuerKeys) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	address, err := k.keysURI(ctx)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := k.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", address, answer.Status)
	}
	return readForeignKeys(json.NewDecoder(answer.Body))
}

// keysURI returns the URL of the keys from the issuer's configuration, which must name the issuer.
func (k *issuerKeys) keysURI(ctx context.Context) (string, error) {
	if !directory.SafeIssuer(k.issuer) {
		return "", errors.New("it is not an https address")
	}
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, k.client), k.issuer)
	if err != nil {
		return "", fmt.Errorf("%.300s", err.Error()) // it may contain a whole page of the issuer
	}
	var about struct {
		KeysURI string `json:"jwks_uri"`
	}
	if err := provider.Claims(&about); err != nil {
		return "", err
	}
	if !safeKeysURI(about.KeysURI, k.issuer) {
		return "", fmt.Errorf("its keys are at %q, which is not an https address", about.KeysURI)
	}
	return about.KeysURI, nil
}

// safeKeysURI requires https for the keys of an issuer with https: a server must not be made to
// send requests to internal addresses.
func safeKeysURI(address, issuer string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	return u.Scheme == "https" && u.Hostname() != "" || directory.OnThisMachine(u) && strings.HasPrefix(issuer, "http:")
}

// readForeignKeys returns the keys for our algorithms, and skips the others (RFC 7517 section 5).
func readForeignKeys(body *json.Decoder) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := body.Decode(&set); err != nil {
		return nil, fmt.Errorf("read its keys: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("it has %d keys, more than %d", len(set.Keys), maxKeys)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err == nil && verifies(&key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("none of its keys is for RS256, PS256 or ES256")
	}
	return keys, nil
}

func verifies(key *jose.JSONWebKey) bool {
	if key.KeyID == "" || key.Use != "" && key.Use != "sig" {
		return false
	}
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		return public.N.BitLen() >= keyBits && public.N.BitLen() <= 4*keyBits
	case *ecdsa.PublicKey:
		return public.Curve == elliptic.P256()
	}
	return false
}

package identity

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
)

// Config configures an Authority. All fields except PublicURL and those about other issuers are
// required.
type Config struct {
	Keys    Keys
	Tenants Directory
	Now     func() time.Time
	Random  io.Reader

	// PublicURL is the scheme and host that clients use, such as https://licensor.example.com, if
	// the server sees another one (behind a proxy that terminates TLS). If empty, responses use the
	// host of the request (A2).
	PublicURL string

	// Issuers are the other issuers whose tokens are accepted; nil for none. Client fetches their
	// keys, and failures are logged to Log.
	Issuers Issuers
	Client  *http.Client
	Log     *slog.Logger
}

// Authority issues tokens and verifies them. It is safe for concurrent use.
type Authority struct {
	tenants   Directory
	now       func() time.Time
	publicURL string
	vault     Keys
	keys      atomic.Pointer[keyRing]
	issuers   Issuers // may be nil
	foreign   *ForeignKeys

	// Tokens with a valid signature, by the hash of their text: a client uses the same token for an
	// hour, and checking its signature costs more than most requests. Everything that can change is
	// checked every time.
	signed *lru.Cache[[sha256.Size]byte, *token]

	mu     sync.Mutex // guards random, which need not be safe for concurrent use
	random io.Reader
}

// signedTokens is the number of remembered tokens, about 2 KB each.
const signedTokens = 4096

// New returns an authority. Its signing key is read from the keys, or created there at the first
// start.
func New(ctx context.Context, config Config) (*Authority, error) {
	publicURL, err := ParsePublicURL(config.PublicURL)
	if err != nil {
		return nil, err
	}
	keys, err := openKeys(ctx, config.Keys, config.Now)
	if err != nil {
		return nil, err
	}
	signed, err := lru.New[[sha256.Size]byte, *token](signedTokens)
	if err != nil {
		return nil, fmt.Errorf("make the memory of signed tokens: %w", err)
	}
	a := &Authority{
		tenants: config.Tenants, now: config.Now, publicURL: publicURL,
		vault: config.Keys, signed: signed, random: config.Random,
	}
	a.keys.Store(keys)
	if config.Issuers != nil {
		a.issuers = config.Issuers
		a.foreign, err = NewForeignKeys(config.Client, config.Now, config.Log)
	}
	return a, err
}

// ParsePublicURL returns the root of a Config's PublicURL, in lower case and without a slash at its
// end.
func ParsePublicURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	root := strings.TrimSuffix(strings.ToLower(text), "/")
	u, err := url.Parse(root)
	if err != nil || !validHost(u.Host) || u.Scheme+"://"+u.Host != root || !isHTTP(u.Scheme) {
		return "", fmt.Errorf("the public URL %q is not usable: give a scheme and host only, such as "+
			"https://licensor.example.com", text)
	}
	return root, nil
}

func isHTTP(scheme string) bool { return scheme == "https" || scheme == "http" }

// Root returns the scheme and host for responses to a request: the public URL, or the host that the
// client used. The Host header is controlled by the client, so it is only ever written back to that
// client (in URLs and in the issuer of its tokens) and never determines whether a token is valid;
// see issuer.
func (a *Authority) Root(r *http.Request) string {
	if a.publicURL != "" {
		return a.publicURL
	}
	scheme, host := "http", strings.ToLower(r.Host)
	if r.TLS != nil {
		scheme = "https"
	}
	if !validHost(host) {
		host = "localhost"
	}
	return scheme + "://" + host
}

// validHost reports whether a host, with or without a port, has only the characters of names and
// addresses, so that a header or a document can contain it without encoding.
func validHost(host string) bool {
	if host == "" || len(host) > 255 {
		return false
	}
	for _, c := range []byte(host) {
		if !isLetter(c) && (c < '0' || c > '9') && !strings.ContainsRune("-.:[]_", rune(c)) {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' }

// Challenge returns the WWW-Authenticate header of a 401 response to the request
// (docs/spec/protocol.md P11).
func (a *Authority) Challenge(r *http.Request) string {
	return fmt.Sprintf(`Bearer realm="", authorization_uri="%s/common/oauth2/v2.0/authorize", `+
		`client_id="%s"`, a.Root(r), GraphAppID)
}

// PublicKeys returns the keys that verify our tokens; they are the same for all tenants.
func (a *Authority) PublicKeys() jose.JSONWebKeySet { return a.keys.Load().published(a.now()) }

// NewID generates a random UUID.
func (a *Authority) NewID() (uuid.UUID, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id, err := uuid.NewRandomFromReader(a.random)
	if err != nil {
		return uuid.Nil, fmt.Errorf("make an identifier: %w", err)
	}
	return id, nil
}

package identity

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Keys stores the secrets of the installation: its signing keys.
type Keys interface {
	// Secret returns a named secret, which create creates if it does not exist. Concurrent callers,
	// in any process, all get the same value.
	Secret(ctx context.Context, name string, create func() ([]byte, error)) ([]byte, error)
	// ReplaceSecret atomically replaces the value of a named secret by the result of change; old is
	// nil if it does not exist. If change returns an error, nothing is changed.
	ReplaceSecret(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error
}

const (
	signingKeys = "signing-keys"
	keyBits     = 2048
)

// keyRing is a set of our own RSA keys. The first one signs; the others have been replaced, and
// verify their signatures for KeyOverlap.
type keyRing struct {
	keys   []ownKey
	signer jose.Signer
}

// ownKey is a private key and its times, which are zero if they are unknown: then it verifies
// forever.
type ownKey struct {
	jose.JSONWebKey
	public        *rsa.PublicKey
	made, retired time.Time
}

// storedKeys is how a ring is stored: a JSON Web Key Set of private keys, with the times of each by
// its kid (RFC 7517 section 5 lets a set have other members).
type storedKeys struct {
	Keys    []jose.JSONWebKey    `json:"keys"`
	Made    map[string]time.Time `json:"made,omitempty"`
	Retired map[string]time.Time `json:"retired,omitempty"`
}

func openKeys(ctx context.Context, keys Keys, now func() time.Time) (*keyRing, error) {
	stored, err := keys.Secret(ctx, signingKeys, func() ([]byte, error) { return firstKeys(now()) })
	if err != nil {
		return nil, fmt.Errorf("read the signing keys: %w", err)
	}
	return parseKeys(stored)
}

func parseKeys(stored []byte) (*keyRing, error) {
	ring, err := readKeys(stored)
	if err != nil {
		return nil,
			fmt.Errorf("the secret %q is damaged, restore it from a backup or remove it to create new keys: %w",
				signingKeys, err)
	}
	return ring, nil
}

func readKeys(stored []byte) (*keyRing, error) {
	var set storedKeys
	if err := json.Unmarshal(stored, &set); err != nil {
		return nil, err
	}
	if len(set.Keys) == 0 {
		return nil, fmt.Errorf("it holds no key")
	}
	ring := &keyRing{}
	for _, key := range set.Keys {
		private, ok := key.Key.(*rsa.PrivateKey)
		if !ok || private.N.BitLen() < keyBits || key.KeyID == "" {
			return nil, fmt.Errorf("key %q is not a named private RSA key of at least %d bits", key.KeyID, keyBits)
		}
		ring.keys = append(ring.keys, ownKey{key, &private.PublicKey, set.Made[key.KeyID], set.Retired[key.KeyID]})
	}
	var err error
	first := jose.SigningKey{Algorithm: jose.RS256, Key: set.Keys[0]}
	ring.signer, err = jose.NewSigner(first, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("use signing key %q: %w", set.Keys[0].KeyID, err)
	}
	return ring, nil
}

// makeKey does not use the authority's source of randomness, because Go generates RSA keys only
// from the system's source.
func makeKey() (jose.JSONWebKey, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("make a signing key: %w", err)
	}
	key := jose.JSONWebKey{Key: private, Algorithm: string(jose.RS256), Use: "sig"}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("name a signing key: %w", err)
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return key, nil
}

// verifier returns the public key with an id, if it still verifies.
func (ring *keyRing) verifier(id string, now time.Time) (*rsa.PublicKey, bool) {
	for i := range ring.keys {
		if key := &ring.keys[i]; key.KeyID == id && !key.over(now) {
			return key.public, true
		}
	}
	return nil, false
}

// published returns the keys of tokens that are still valid.
func (ring *keyRing) published(now time.Time) (set jose.JSONWebKeySet) {
	for _, key := range ring.keys {
		if !key.over(now) {
			set.Keys = append(set.Keys, key.Public())
		}
	}
	return set
}

package identity

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// Keys keeps the signing keys: it answers a named secret, made by make when there is none yet. Of several callers at once,
// in any process, all get the same value.
type Keys interface {
	Secret(ctx context.Context, name string, make func() ([]byte, error)) ([]byte, error)
}

const (
	signingKeys = "signing-keys"
	keyBits     = 2048
)

// keyRing is a set of our own RSA keys. The first signs; all of them verify, so that a key can be replaced while tokens it
// has signed are in use. It is stored as the JSON Web Key Set of its private keys.
type keyRing struct {
	private []jose.JSONWebKey
	public  jose.JSONWebKeySet
	byID    map[string]*rsa.PublicKey
}

func openKeys(ctx context.Context, keys Keys) (keyRing, error) {
	stored, err := keys.Secret(ctx, signingKeys, makeKeys)
	if err != nil {
		return keyRing{}, fmt.Errorf("read the signing keys: %w", err)
	}
	ring, err := parseKeys(stored)
	if err != nil {
		return keyRing{}, fmt.Errorf("the secret %q is damaged, restore it from a backup or remove it to have new keys made: %w", signingKeys, err)
	}
	return ring, nil
}

// makeKeys makes a set of one key. It does not use the authority's source of randomness, because Go makes RSA keys from the
// system's only.
func makeKeys() ([]byte, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	key := jose.JSONWebKey{Key: private, Algorithm: string(jose.RS256), Use: "sig"}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("name a signing key: %w", err)
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key}})
}

func parseKeys(stored []byte) (keyRing, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(stored, &set); err != nil {
		return keyRing{}, err
	}
	if len(set.Keys) == 0 {
		return keyRing{}, fmt.Errorf("it holds no key")
	}
	ring := keyRing{private: set.Keys, byID: map[string]*rsa.PublicKey{}}
	for _, key := range set.Keys {
		private, ok := key.Key.(*rsa.PrivateKey)
		if !ok || private.N.BitLen() < keyBits || key.KeyID == "" {
			return keyRing{}, fmt.Errorf("key %q is no named private RSA key of at least %d bits", key.KeyID, keyBits)
		}
		ring.byID[key.KeyID] = &private.PublicKey
		ring.public.Keys = append(ring.public.Keys, key.Public())
	}
	return ring, nil
}

func (ring keyRing) signer() (jose.Signer, error) {
	key := jose.SigningKey{Algorithm: jose.RS256, Key: ring.private[0]}
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("use signing key %q: %w", ring.private[0].KeyID, err)
	}
	return signer, nil
}

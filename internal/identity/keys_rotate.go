package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// KeyOverlap is how long a key still verifies after it was replaced: longer than the lifetime of
// tokens for clients (Lifetime), and of most tokens made at the command line.
const KeyOverlap = 24 * time.Hour

// over reports whether a key no longer verifies.
func (key *ownKey) over(now time.Time) bool {
	return !key.retired.IsZero() && !now.Before(key.retired.Add(KeyOverlap))
}

// RotateKeys creates a new signing key. The previous keys still verify their signatures for
// KeyOverlap, so no one has to sign in again, and are removed by a later rotation after that. A
// running Authority does not notice the change.
func RotateKeys(ctx context.Context, keys Keys, now time.Time) error {
	_, err := replaceKeys(ctx, keys, now, func(*keyRing) bool { return true })
	return err
}

// RevokeKeys is RotateKeys for stolen keys: the old ones are removed immediately, and all tokens
// issued before are refused. It does not read the old keys: they may be damaged, or encrypted with
// a sealing key that was lost. The new one is encrypted with the given sealing key, which is
// required if the old ones are encrypted.
func RevokeKeys(ctx context.Context, stored Keys, sealingKey []byte, now time.Time) error {
	seal, err := seal(stored, sealingKey)
	if err != nil {
		return err
	}
	first, err := firstKeys(now)
	if err != nil {
		return err
	}
	return stored.ReplaceSecret(ctx, signingKeys, func(old []byte) ([]byte, error) {
		if _, is := sealedWith(old); is && sealingKey == nil {
			_, err := seal.open(signingKeys, old)
			return nil, err
		}
		return seal.seal(signingKeys, first), nil
	})
}

// RotateAfter is RotateKeys for a running authority, if the signing key is older than an age. It
// must be called regularly.
func (a *Authority) RotateAfter(ctx context.Context, age time.Duration) error {
	now := a.now()
	old := func(ring *keyRing) bool { return !now.Before(ring.keys[0].made.Add(age)) }
	if !old(a.keys.Load()) {
		return nil
	}
	ring, err := replaceKeys(ctx, a.vault, now, old)
	if err != nil {
		return err
	}
	a.keys.Store(ring)
	return nil
}

// replaceKeys adds a new key before the stored ones if they are due for rotation, and returns the
// stored keys. Generating it takes a tenth of a second, during which the vault is not locked.
func replaceKeys(ctx context.Context, keys Keys, now time.Time, due func(*keyRing) bool) (*keyRing, error) {
	fresh, err := makeKey()
	if err != nil {
		return nil, err
	}
	var stored []byte
	err = keys.ReplaceSecret(ctx, signingKeys, func(old []byte) (_ []byte, err error) {
		ring := &keyRing{}
		if old != nil {
			if ring, err = parseKeys(old); err != nil {
				return nil, err
			} else if stored = old; !due(ring) {
				return old, nil
			}
		}
		stored, err = ring.rotated(fresh, now)
		return stored, err
	})
	if err != nil {
		return nil, fmt.Errorf("rotate the signing keys: %w", err)
	}
	return parseKeys(stored)
}

// keysOfProcess are generated once.
var keysOfProcess = sync.OnceValues(func() ([]byte, error) { return firstKeys(time.Time{}) })

// ShareKeys makes installations without signing keys share one set in this process: for tests,
// because generating a key takes a tenth of a second.
func ShareKeys(ctx context.Context, keys Keys) error {
	_, err := keys.Secret(ctx, signingKeys, keysOfProcess)
	return err
}

// firstKeys is a stored ring of one key.
func firstKeys(now time.Time) ([]byte, error) {
	fresh, err := makeKey()
	if err != nil {
		return nil, err
	}
	return new(keyRing).rotated(fresh, now)
}

// rotated returns the stored form of a ring with a new key at the front, without those that no
// longer verify.
func (ring *keyRing) rotated(fresh jose.JSONWebKey, now time.Time) ([]byte, error) {
	now = now.UTC().Truncate(time.Second)
	set := storedKeys{
		Keys: []jose.JSONWebKey{fresh}, Made: map[string]time.Time{fresh.KeyID: now}, Retired: map[string]time.Time{},
	}
	for _, key := range ring.keys {
		if key.retired.IsZero() {
			key.retired = now
		}
		if key.over(now) {
			continue
		}
		set.Keys = append(set.Keys, key.JSONWebKey)
		set.Retired[key.KeyID] = key.retired
		if !key.made.IsZero() {
			set.Made[key.KeyID] = key.made
		}
	}
	return json.Marshal(set)
}

// KeyInfo is the public data of a signing key.
type KeyInfo struct {
	ID      string
	Created time.Time // zero if unknown
	Until   time.Time // when it ceases to verify; zero for the current signing key
}

// ErrNoKeys means that the signing keys have not been generated yet, which the first start does.
var ErrNoKeys = errors.New("there are no signing keys yet: the first start of the server makes them")

// ListKeys returns the signing keys that are in use at a time, the current one first.
func ListKeys(ctx context.Context, keys Keys, now time.Time) ([]KeyInfo, error) {
	stored, err := keys.Secret(ctx, signingKeys, func() ([]byte, error) { return nil, ErrNoKeys })
	if err != nil {
		return nil, err
	}
	ring, err := parseKeys(stored)
	if err != nil {
		return nil, err
	}
	var list []KeyInfo
	for _, key := range ring.keys {
		info := KeyInfo{ID: key.KeyID, Created: key.made}
		if !key.retired.IsZero() {
			info.Until = key.retired.Add(KeyOverlap)
		}
		if !key.over(now) {
			list = append(list, info)
		}
	}
	return list, nil
}

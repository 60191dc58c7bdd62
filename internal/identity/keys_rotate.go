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

// KeyOverlap is how long a key still verifies after another has taken its place: longer than any
// token that clients are given lasts (Lifetime), and than most that people make at the command
// line.
const KeyOverlap = 24 * time.Hour

// over says whether a key is of no use any more.
func (key *ownKey) over(now time.Time) bool {
	return !key.retired.IsZero() && !now.Before(key.retired.Add(KeyOverlap))
}

// RotateKeys makes a new key that signs from now on. Those before it still verify what they have
// signed for KeyOverlap, so nobody has to log in again, and are removed when a later rotation finds
// that over. A running Authority does not notice.
func RotateKeys(ctx context.Context, keys Keys, now time.Time) error {
	_, err := replaceKeys(ctx, keys, now, func(*keyRing) bool { return true })
	return err
}

// RevokeKeys is RotateKeys for keys that somebody may have taken: the old ones are removed at once,
// and every token that was given out is refused from then on. The old ones are not read: they may
// be damaged, or encrypted with a sealing key that was lost. The new one is encrypted with the
// sealing key given; where the old ones are encrypted there must be one.
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

// RotateAfter is RotateKeys for a running authority, when the key that signs is older than an age.
// To be called now and then.
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

// replaceKeys puts a new key before the stored ones when they are due, and returns what is stored
// then. Making it takes a tenth of a second, for which the vault is not held up.
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

// keysOfProcess are made once.
var keysOfProcess = sync.OnceValues(func() ([]byte, error) { return firstKeys(time.Time{}) })

// ShareKeys has the signing keys of an installation that has none yet be those of all that share
// them in this process: for tests, since to make one takes a tenth of a second.
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

// rotated is what to store for a ring with a new key in front, and without those that are over.
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

// KeyInfo is what may be told of a signing key.
type KeyInfo struct {
	ID    string
	Made  time.Time // zero when it is not known
	Until time.Time // when it ceases to verify; zero for the one that signs
}

// ErrNoKeys says that the first start is yet to make the signing keys.
var ErrNoKeys = errors.New("there are no signing keys yet: the first start of the server makes them")

// ListKeys returns the signing keys that are in use at a time, the one that signs first.
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
		info := KeyInfo{ID: key.KeyID, Made: key.made}
		if !key.retired.IsZero() {
			info.Until = key.retired.Add(KeyOverlap)
		}
		if !key.over(now) {
			list = append(list, info)
		}
	}
	return list, nil
}

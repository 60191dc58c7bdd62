package identity

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"time"
)

const secretBytes = 32

// NewSecret generates the text of a client secret: 256 random bits in base64url, 43 characters.
// Show it once and store only its HashSecret.
func NewSecret(random io.Reader) (string, error) {
	var bits [secretBytes]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return "", fmt.Errorf("make a client secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(bits[:]), nil
}

// HashSecret returns the stored form of a secret. A plain hash is sufficient and fast: 256 random
// bits cannot be guessed, so a salt or a slow hash would add no protection.
func HashSecret(text string) [32]byte { return sha256.Sum256([]byte(text)) }

// Secret returns the application's secret with a text. All are compared, each in constant time; of
// two equal ones the one that is valid for longer counts.
func (app App) Secret(text string) (found Secret, ok bool) {
	hash := HashSecret(text)
	for _, secret := range app.Secrets {
		if subtle.ConstantTimeCompare(hash[:], secret.Hash[:]) == 1 && (!ok || secret.outlasts(found)) {
			found, ok = secret, true
		}
	}
	return found, ok
}

// Expired reports whether the secret has expired.
func (s Secret) Expired(now time.Time) bool { return !s.Expires.IsZero() && !now.Before(s.Expires) }

func (s Secret) outlasts(other Secret) bool {
	return s.Expires.IsZero() || (!other.Expires.IsZero() && s.Expires.After(other.Expires))
}

package identity

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// PasswordCost is the cost of checking a password, which makes guessing expensive. Each hash
// contains its cost, so the cost can be changed at any time.
type PasswordCost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// UsualCost is the minimum that OWASP's Password Storage Cheat Sheet recommends for argon2id: 19
// MiB, two passes, one thread. It takes about 25 ms.
var UsualCost = PasswordCost{Memory: 19 << 10, Passes: 2, Threads: 1}

// MaxPassword is the maximum length of a password in bytes, as in the real service.
const MaxPassword = 256

// LeastPassword is the minimum number of characters of a password: NIST SP 800-63B only requires a
// length.
const LeastPassword = 8

// HasName reports whether a password contains the name of its user, the part before the @, which
// attackers would try first. Names of fewer than three characters do not count, because most words
// contain them.
func HasName(password, userPrincipalName string) bool {
	local, _, _ := strings.Cut(strings.ToLower(userPrincipalName), "@")
	return len(local) >= 3 && strings.Contains(strings.ToLower(password), local)
}

// UnfitPassword says why a password cannot be that of the user with a name, without repeating it:
// "has 5 characters: it must have 8 or more". It returns "" when the password can be used.
func UnfitPassword(password, userPrincipalName string) string {
	switch n := utf8.RuneCountInString(password); {
	case n < LeastPassword:
		return fmt.Sprintf("has %d characters: it must have %d or more", n, LeastPassword)
	case len(password) > MaxPassword:
		return fmt.Sprintf("has %d bytes: it must have %d or fewer", len(password), MaxPassword)
	case HasName(password, userPrincipalName):
		return "has the name of its user in it: choose one that does not"
	}
	return ""
}

const (
	saltBytes = 16
	hashBytes = 32
	phcPrefix = "$argon2id$v=19$"
)

// hashing limits concurrent hashing to one per core: more would not be faster, and each takes
// memory.
var hashing atomic.Pointer[chan struct{}]

func init() { BoundHashing(math.MaxInt64) }

// BoundHashing limits the memory for hashing passwords, in bytes, assuming UsualCost; one at a time
// is always possible. It must be called before any hashing.
func BoundHashing(bytes int64) {
	atOnce := make(chan struct{}, max(1, min(int64(runtime.NumCPU()), bytes/(int64(UsualCost.Memory)<<10))))
	hashing.Store(&atOnce)
}

// HashPassword returns the stored form of a password, argon2id in the PHC string format. It waits
// for its turn until ctx ends.
func HashPassword(ctx context.Context, random io.Reader, cost PasswordCost, password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("make the salt of a password: %w", err)
	}
	sum, err := cost.hash(ctx, password, salt)
	if err != nil {
		return "", err
	}
	return cost.text(salt, sum), nil
}

// text returns the PHC string format.
func (c PasswordCost) text(salt, sum []byte) string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("%sm=%d,t=%d,p=%d$%s$%s", phcPrefix, c.Memory, c.Passes, c.Threads, encode(salt), encode(sum))
}

// CheckPassword reports whether a password is the one that was hashed. An empty hash matches none;
// see NoPassword.
func CheckPassword(ctx context.Context, hash, password string) (bool, error) {
	if hash == "" {
		return false, nil
	}
	cost, salt, want, err := parsePassword(hash)
	if err != nil {
		return false, err
	}
	got, err := cost.hash(ctx, password, salt)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// NoPassword returns a hash that no password has, to check instead of that of a user who is unknown
// or has none: it takes the same time as any other, so the time does not reveal whether an account
// exists.
func (c PasswordCost) NoPassword() string {
	return c.text(make([]byte, saltBytes), make([]byte, hashBytes))
}

func (c PasswordCost) hash(ctx context.Context, password string, salt []byte) ([]byte, error) {
	atOnce := *hashing.Load()
	select {
	case atOnce <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to check a password: %w", ctx.Err())
	}
	defer func() { <-atOnce }()
	return argon2.IDKey([]byte(password), salt, c.Passes, c.Memory, c.Threads, hashBytes), nil
}

// errPasswordHash does not show the hash: errors end up in logs.
var errPasswordHash = errors.New("the hash of a password is not argon2id in the PHC string format: give the user a " +
	"new password")

// parsePassword parses the result of HashPassword. Its limits ensure that argon2 does not panic and
// a check does not take all memory.
func parsePassword(hash string) (cost PasswordCost, salt, sum []byte, err error) {
	rest, ok := strings.CutPrefix(hash, phcPrefix)
	parts := strings.Split(rest, "$")
	if !ok || len(parts) != 3 {
		return cost, nil, nil, errPasswordHash
	}
	_, err = fmt.Sscanf(parts[0], "m=%d,t=%d,p=%d", &cost.Memory, &cost.Passes, &cost.Threads)
	if err != nil || cost.Memory > 1<<20 || cost.Passes < 1 ||
		cost.Passes > 16 || cost.Threads < 1 || cost.Threads > 16 {
		return cost, nil, nil, errPasswordHash
	}
	salt, errSalt := base64.RawStdEncoding.Strict().DecodeString(parts[1])
	sum, errSum := base64.RawStdEncoding.Strict().DecodeString(parts[2])
	if errSalt != nil || errSum != nil || len(salt) < 8 || len(sum) != hashBytes {
		return cost, nil, nil, errPasswordHash
	}
	return cost, salt, sum, nil
}

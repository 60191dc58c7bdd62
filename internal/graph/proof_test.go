package graph

import (
	"crypto/rand"
	"crypto/rsa"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// provingKey is the key of the certificate that scenarios add to applications; all have the same,
// because it takes long to make.
var provingKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// proving returns what scenarios name <certificate> and, with the object id of what has it,
// <proof:…>.
func proving(t *testing.T, now time.Time, id string) string {
	t.Helper()
	key, err := provingKey()
	if err != nil {
		t.Fatal(err)
	}
	if id == "" {
		return certificateFor(t, key, key.Public(), now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: id, Audience: jwt.Audience{"00000002-0000-0000-c000-000000000000"},
		NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(10 * time.Minute)),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

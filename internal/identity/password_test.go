package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
)

var cheapCost = PasswordCost{Memory: 64, Passes: 1, Threads: 1}

func TestAPasswordIsKnownByItsHash(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"Correct horse 1", "", "pässwörd ☃", strings.Repeat("x", MaxPassword)} {
		hash, err := HashPassword(t.Context(), rand.Reader, cheapCost, password)
		if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=1,p=1$") || (password != "" && strings.Contains(hash, password)) {
			t.Fatalf("hash is %q, %v", hash, err)
		}
		again, err := HashPassword(t.Context(), rand.Reader, cheapCost, password)
		if err != nil || again == hash {
			t.Error("two hashes of one password are alike")
		}
		for attempt, want := range map[string]bool{
			password: true, password + "x": false, strings.ToUpper(password) + "?": false,
		} {
			if got, err := CheckPassword(t.Context(), hash, attempt); err != nil || got != want {
				t.Errorf("%q for %q: %v, %v", attempt, password, got, err)
			}
		}
	}
}

// The vector is of the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16
// -p 1 -l 32, of its README.
func TestTheHashIsArgon2id(t *testing.T) {
	t.Parallel()
	const known = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, err := CheckPassword(t.Context(), known, "password"); !ok || err != nil {
		t.Errorf("answered %v, %v", ok, err)
	}
}

func TestNoPasswordIsNeverRight(t *testing.T) {
	t.Parallel()
	none := UsualCost.NoPassword()
	for _, attempt := range []string{"", "x", none, strings.Repeat("\x00", hashBytes)} {
		if ok, err := CheckPassword(t.Context(), none, attempt); ok || err != nil {
			t.Errorf("%q: %v, %v", attempt, ok, err)
		}
	}
	if ok, err := CheckPassword(t.Context(), "", ""); ok || err != nil {
		t.Errorf("an empty hash: %v, %v", ok, err)
	}
}

func TestADamagedHashIsAnErrorThatDoesNotShowIt(t *testing.T) {
	t.Parallel()
	good, err := HashPassword(t.Context(), rand.Reader, cheapCost, "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, hash := range []string{
		"plain", good[:len(good)-1], good + "A", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "t=1", "t=0", 1), strings.Replace(good, "p=1", "p=0", 1), strings.Replace(good, "m=64", "m=4294967295", 1),
		strings.Replace(good, "m=64", "m=-1", 1), "$argon2id$v=19$m=64,t=1,p=1$$",
	} {
		ok, err := CheckPassword(t.Context(), hash, "x")
		if ok || !errors.Is(err, errPasswordHash) || strings.Contains(err.Error(), hash) {
			t.Errorf("%q: %v, %v", hash, ok, err)
		}
	}
}

func TestPasswordsWaitForTheirTurnAsLongAsTheCallerDoes(t *testing.T) { // not parallel: it takes all turns
	BoundHashing(1) // one at a time is always possible
	defer BoundHashing(math.MaxInt64)
	hashing := *hashing.Load()
	if cap(hashing) != 1 {
		t.Errorf("%d are hashed at once", cap(hashing))
	}
	for range cap(hashing) {
		hashing <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := CheckPassword(ctx, cheapCost.NoPassword(), "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("answered %v", err)
	}
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if _, err := HashPassword(t.Context(), rand.Reader, cheapCost, "x"); err != nil {
			t.Error(err)
		}
	})
	for range cap(hashing) {
		<-hashing
	}
	waiting.Wait()
}

func TestWithoutRandomnessThereIsNoHash(t *testing.T) {
	t.Parallel()
	empty := errors.New("no randomness")
	if hash, err := HashPassword(t.Context(), failing{empty}, cheapCost, "x"); !errors.Is(err, empty) || hash != "" {
		t.Errorf("answered %q, %v", hash, err)
	}
	if secret, err := NewSecret(failing{empty}); !errors.Is(err, empty) || secret != "" {
		t.Errorf("answered %q, %v", secret, err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestANameInAPassword(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		password, name string
		want           bool
	}{
		{"Hello-DORA-99", "dora@contoso.example", true},
		{"dora@contoso.example", "Dora@contoso.example", true},
		{"contoso.example", "dora@contoso.example", false},
		{"Adorable-99", "do@contoso.example", false},
		{"Tulip-5-tree", "", false},
	} {
		if got := HasName(c.password, c.name); got != c.want {
			t.Errorf("%q has %q: %t", c.password, c.name, got)
		}
	}
}

package identity

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

var (
	sealingKey      = bytes.Repeat([]byte{7}, SealingKeySize)
	otherSealingKey = bytes.Repeat([]byte{8}, SealingKeySize)
)

func mustSeal(t *testing.T, keys Keys, key []byte) Keys {
	t.Helper()
	sealed, err := Seal(keys, key)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// wantSecret reads a secret that must be there.
func wantSecret(t *testing.T, keys Keys, name, want string) {
	t.Helper()
	got, err := keys.Secret(t.Context(), name, func() ([]byte, error) { return nil, errors.New("it is not there") })
	if err != nil || string(got) != want {
		t.Errorf("the secret %s is %q, %v; want %q", name, got, err, want)
	}
}

func wantRefused(t *testing.T, keys Keys, name string, saying ...string) error {
	t.Helper()
	unused := func() ([]byte, error) { return nil, errors.New("it is not there") }
	got, err := keys.Secret(t.Context(), name, unused)
	replaced := keys.ReplaceSecret(t.Context(), name, func([]byte) ([]byte, error) { return []byte("lost"), nil })
	if err == nil || got != nil || replaced == nil {
		t.Fatalf("read as %q, %v, and replaced with %v", got, err, replaced)
	}
	for _, part := range saying {
		if !strings.Contains(err.Error(), part) || !strings.Contains(replaced.Error(), part) {
			t.Errorf("the errors are %q and %q, want %q in both", err, replaced, part)
		}
	}
	return err
}

func making(value string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(value), nil }
}

func TestSecretsAreEncryptedWhereTheyAreStored(t *testing.T) {
	t.Parallel()
	stored := safe{}
	keys := mustSeal(t, stored, sealingKey)
	if _, err := keys.Secret(t.Context(), "a", making("plain text")); err != nil {
		t.Fatal(err)
	}
	wantSecret(t, keys, "a", "plain text")
	if bytes.Contains(stored["a"], []byte("plain")) || len(stored["a"]) < 16+8+12+10+16 {
		t.Errorf("stored is %q", stored["a"])
	}
	err := keys.ReplaceSecret(t.Context(), "a", func(old []byte) ([]byte, error) { return append(old, "s"...), nil })
	if err != nil {
		t.Fatal(err)
	}
	wantSecret(t, keys, "a", "plain texts")
	wantSecret(t, mustSeal(t, stored, slices.Clone(sealingKey)), "a", "plain texts")
	if bytes.Contains(stored["a"], []byte("plain")) {
		t.Errorf("after a replacement, stored is %q", stored["a"])
	}
	err = keys.ReplaceSecret(t.Context(), "b", func(old []byte) ([]byte, error) {
		if old != nil {
			t.Errorf("a secret that is not there was %q", old)
		}
		return []byte("plain text"), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantSecret(t, keys, "b", "plain text")
	if bytes.Equal(stored["a"][24:], stored["b"][24:]) {
		t.Error("two secrets have the same ciphertext")
	}
}

func TestAPlainSecretIsSealedWhenItIsRead(t *testing.T) {
	t.Parallel()
	stored := newSafe()
	plainKeys := stored[signingKeys]
	before := newWorld(t, func(c *Config) { c.Keys = mustSeal(t, stored, nil) })
	if !bytes.Equal(stored[signingKeys], plainKeys) {
		t.Error("without a key the secret is not left as it is")
	}
	after := newWorld(t, func(c *Config) { c.Keys = mustSeal(t, stored, sealingKey) })
	after.wantMessage(t, before.issue(t, robot()), "")
	if id, is := sealedWith(stored[signingKeys]); !is || id != SealingKeyID(sealingKey) {
		t.Errorf("after opening, the keys are sealed with %q, %t", id, is)
	}
	wantSecret(t, mustSeal(t, stored, sealingKey), signingKeys, string(plainKeys))
}

func TestASealedSecretNeedsItsKey(t *testing.T) {
	t.Parallel()
	stored := safe{}
	if _, err := mustSeal(t, stored, sealingKey).Secret(t.Context(), "a", making("secret")); err != nil {
		t.Fatal(err)
	}
	whole := slices.Clone(stored["a"])
	right, wrong := SealingKeyID(sealingKey), SealingKeyID(otherSealingKey)
	if err := wantRefused(t, mustSeal(t, stored, nil), "a", `"a"`, right, "no key was given"); !errors.Is(err, ErrSealed) {
		t.Errorf("%v is no ErrSealed", err)
	}
	if err := wantRefused(t, mustSeal(t, stored, otherSealingKey), "a", `"a"`, right, wrong); !errors.Is(err, ErrSealed) {
		t.Errorf("%v is no ErrSealed", err)
	}
	if !bytes.Equal(stored["a"], whole) {
		t.Error("a refused secret was changed")
	}
	for _, size := range []int{0, 16, 31, 33} {
		if _, err := Seal(stored, make([]byte, size)); err == nil {
			t.Errorf("a key of %d bytes is taken", size)
		}
	}
}

func TestASealedSecretCannotBeChanged(t *testing.T) {
	t.Parallel()
	stored := safe{}
	keys := mustSeal(t, stored, sealingKey)
	if _, err := keys.Secret(t.Context(), "a", making("secret")); err != nil {
		t.Fatal(err)
	}
	whole := stored["a"]
	stored["b"] = whole
	wantRefused(t, keys, "b", "damaged, or was moved here from another name")
	for i := len(sealMagic) + sealIDBytes; i < len(whole); i++ {
		stored["a"] = slices.Clone(whole)
		stored["a"][i] ^= 1
		wantRefused(t, keys, "a", "damaged")
	}
	for end := len(sealMagic) + sealIDBytes; end < len(whole); end++ {
		stored["a"] = whole[:end]
		wantRefused(t, keys, "a", "damaged")
	}
	for end := len(sealMagic); end < len(sealMagic)+sealIDBytes; end++ {
		stored["a"] = whole[:end]
		wantRefused(t, keys, "a", "with the key")
	}
}

func TestRevokingNeedsASealingKeyButNotTheOldOne(t *testing.T) {
	t.Parallel()
	stored := newSafe()
	if err := Reseal(t.Context(), stored, nil, sealingKey); err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(stored[signingKeys])
	err := RevokeKeys(t.Context(), stored, nil, start)
	if !errors.Is(err, ErrSealed) || !bytes.Equal(stored[signingKeys], before) {
		t.Errorf("without a key, encrypted keys are replaced: %v", err)
	}
	if err := RevokeKeys(t.Context(), stored, otherSealingKey, start); err != nil {
		t.Fatal(err)
	}
	if list, err := ListKeys(t.Context(), mustSeal(t, stored, otherSealingKey), start); err != nil || len(list) != 1 {
		t.Errorf("after revoking with another key there are %v, %v", list, err)
	}
	stored[signingKeys] = []byte("damaged")
	if err := RevokeKeys(t.Context(), stored, nil, start); err != nil {
		t.Error(err)
	}
	newWorld(t, func(c *Config) { c.Keys = stored })
}

func TestTheSealingKeyCanBeChanged(t *testing.T) {
	t.Parallel()
	stored := safe{}
	if err := Reseal(t.Context(), stored, nil, sealingKey); !errors.Is(err, ErrNoKeys) || len(stored) != 0 {
		t.Errorf("without keys: %v", err)
	}
	stored[signingKeys] = ourKeys()
	for _, step := range []struct{ before, after []byte }{
		{nil, sealingKey}, {sealingKey, otherSealingKey}, {otherSealingKey, nil},
	} {
		if err := Reseal(t.Context(), stored, step.before, step.after); err != nil {
			t.Fatal(err)
		}
		wantSecret(t, mustSeal(t, stored, step.after), signingKeys, string(ourKeys()))
		if bytes.Equal(stored[signingKeys], ourKeys()) != (step.after == nil) {
			t.Error("it is plain with a key, or sealed without")
		}
	}
	if err := Reseal(t.Context(), stored, nil, sealingKey); err != nil {
		t.Fatal(err)
	}
	if err := Reseal(t.Context(), stored, otherSealingKey, nil); !errors.Is(err, ErrSealed) {
		t.Errorf("with a wrong key: %v", err)
	}
	wantSecret(t, mustSeal(t, stored, sealingKey), signingKeys, string(ourKeys()))
}

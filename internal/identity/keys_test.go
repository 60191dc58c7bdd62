package identity

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func (w world) kids() (ids []string) {
	for _, key := range w.PublicKeys().Keys {
		ids = append(ids, key.KeyID)
	}
	return ids
}

func (w world) kidOf(t *testing.T, raw string) string {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Signatures[0].Protected.KeyID
}

func newSafe() safe { return safe{signingKeys: ourKeys()} }

func TestAfterARotationOldTokensAreGoodUntilTheyExpire(t *testing.T) {
	t.Parallel()
	keys := newSafe()
	w := newWorld(t, func(c *Config) { c.Keys = keys })
	first, before := w.keyID(), w.issue(t, robot())
	w.wantMessage(t, before, "") // it is remembered
	unseen := w.issue(t, robot())
	w.clock.advance(time.Minute)
	if err := w.RotateAfter(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	after := w.issue(t, robot())
	second := w.keyID()
	if second == first || w.kidOf(t, after) != second || !slices.Equal(w.kids(), []string{second, first}) {
		t.Errorf("the keys are %q, a new token is signed with %q", w.kids(), w.kidOf(t, after))
	}
	for _, raw := range []string{before, unseen, after} {
		w.wantMessage(t, raw, "")
	}
	restarted := newWorld(t, func(c *Config) { c.Keys = keys; c.Now = w.clock.now })
	restarted.wantMessage(t, before, "")
	if restarted.keyID() != w.keyID() {
		t.Error("after a restart another key signs")
	}
	w.clock.advance(Lifetime - time.Minute + skew)
	w.wantMessage(t, before, "Lifetime validation failed, the token is expired.")
	w.wantMessage(t, after, "")
}

func TestARetiredKeyEndsWithItsOverlap(t *testing.T) {
	t.Parallel()
	keys := newSafe()
	w := newWorld(t, func(c *Config) { c.Keys = keys })
	long := robot()
	long.Expires = start.Add(1000 * time.Hour)
	first, remembered, unseen := w.keyID(), w.issue(t, long), ""
	if err := w.RotateAfter(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	second := w.keyID()
	w.clock.advance(KeyOverlap - time.Second)
	w.wantMessage(t, remembered, "")
	long.NotBefore = start
	unseen = w.issue(t, long)
	w.clock.advance(time.Second)
	w.wantMessage(t, remembered, foreignKey)
	w.wantMessage(t, unseen, "")
	if got := w.kids(); !slices.Equal(got, []string{second}) {
		t.Errorf("published are %q, want only %q", got, second)
	}
	if !strings.Contains(string(keys[signingKeys]), first) {
		t.Error("the retired key was removed before a rotation")
	}
	if err := w.RotateAfter(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(keys[signingKeys]), first) {
		t.Error("a rotation keeps a key that is of no use any more")
	}
	if got := w.kids(); len(got) != 2 || got[1] != second {
		t.Errorf("published are %q, want a new one and %q", got, second)
	}
}

func TestKeysRotateWhenTheyAreOld(t *testing.T) {
	t.Parallel()
	keys := newSafe()
	w := newWorld(t, func(c *Config) { c.Keys = keys })
	other := newWorld(t, func(c *Config) { c.Keys = keys; c.Now = w.clock.now })
	const age = 90 * 24 * time.Hour
	first := w.keyID()
	for _, step := range []struct {
		wait    time.Duration
		rotates bool
	}{{0, false}, {age - time.Second, false}, {time.Second, true}, {age / 2, false}, {age / 2, true}} {
		w.clock.advance(step.wait)
		if err := w.RotateAfter(t.Context(), age); err != nil {
			t.Fatal(err)
		}
		if rotated := w.keyID() != first; rotated != step.rotates {
			t.Errorf("after %s more: rotated is %t", step.wait, rotated)
		}
		first = w.keyID()
	}
	// One that has not noticed finds the key of the other, and makes none.
	if err := other.RotateAfter(t.Context(), age); err != nil || other.keyID() != w.keyID() {
		t.Errorf("another authority over the same keys makes its own, %v", err)
	}
}

func TestKeysOfACommandLine(t *testing.T) {
	t.Parallel()
	keys := safe{}
	if _, err := ListKeys(t.Context(), keys, start); !errors.Is(err, ErrNoKeys) || len(keys) != 0 {
		t.Errorf("listing without keys answers %v and leaves %d", err, len(keys))
	}
	for _, at := range []time.Time{start, start.Add(time.Hour), start.Add(2 * time.Hour)} {
		if err := RotateKeys(t.Context(), keys, at); err != nil {
			t.Fatal(err)
		}
	}
	list, err := ListKeys(t.Context(), keys, start.Add(KeyOverlap+time.Hour))
	if err != nil || len(list) != 2 {
		t.Fatalf("listed %v, %v; want the one that signs and the one before", list, err)
	}
	if !list[0].Created.Equal(start.Add(2*time.Hour)) || !list[0].Until.IsZero() ||
		!list[1].Created.Equal(start.Add(time.Hour)) || !list[1].Until.Equal(start.Add(2*time.Hour+KeyOverlap)) {
		t.Errorf("listed %v", list)
	}
	w := newWorld(t, func(c *Config) { c.Keys = keys })
	raw := w.issue(t, robot())
	if err := RevokeKeys(t.Context(), keys, nil, start); err != nil {
		t.Fatal(err)
	}
	newWorld(t, func(c *Config) { c.Keys = keys }).wantMessage(t, raw, foreignKey)
	if list, err := ListKeys(t.Context(), keys, start); err != nil || len(list) != 1 {
		t.Errorf("after revoking there are %v, %v", list, err)
	}
}

// A set of before there were rotations has no times: its keys verify, the first signs.
func TestKeysWithoutTimes(t *testing.T) {
	t.Parallel()
	before := newWorld(t)
	raw := before.issue(t, robot())
	var ours, others storedKeys
	if err := errors.Join(json.Unmarshal(ourKeys(), &ours), json.Unmarshal(otherKeys(), &others)); err != nil {
		t.Fatal(err)
	}
	both := mustJSON(t, jose.JSONWebKeySet{Keys: append(others.Keys, ours.Keys...)})
	keys := safe{signingKeys: both}
	after := newWorld(t, func(c *Config) { c.Keys = keys })
	after.wantMessage(t, raw, "")
	after.wantMessage(t, after.issue(t, robot()), "")
	before.wantMessage(t, after.issue(t, robot()), foreignKey)
	if err := after.RotateAfter(t.Context(), 1000*time.Hour); err != nil {
		t.Fatal(err)
	}
	if len(after.kids()) != 3 {
		t.Errorf("a key of unknown age is not replaced, or the others are gone: %q", after.kids())
	}
	after.wantMessage(t, raw, "")
	after.clock.advance(KeyOverlap)
	if len(after.kids()) != 1 {
		t.Errorf("keys without times do not end after their rotation: %q", after.kids())
	}
}

func TestARotationThatFailsLeavesTheKeys(t *testing.T) {
	t.Parallel()
	keys := safe{signingKeys: []byte("damaged")}
	if err := RotateKeys(t.Context(), keys, start); err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("answered %v", err)
	}
	if string(keys[signingKeys]) != "damaged" {
		t.Error("the stored keys were replaced")
	}
	w := newWorld(t, func(c *Config) { c.Keys = keys; keys[signingKeys] = ourKeys() })
	first := w.keyID()
	keys[signingKeys] = []byte("damaged")
	if err := w.RotateAfter(t.Context(), 0); err == nil || w.keyID() != first {
		t.Errorf("answered %v, and the key that signs is another", err)
	}
}

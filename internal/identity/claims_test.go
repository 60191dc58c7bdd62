package identity

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// A20
func TestATokenSaysHowItsClientHasShownWhoItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct {
		claims Claims
		proof  Proof
		want   string
	}{
		{robot(), "", "1"},
		{robot(), ProofSecret, "1"},
		{robot(), ProofAssertion, "2"},
		{user(ann), "", "0"},
		{user(ann), ProofNone, "0"},
		{user(ann), ProofSecret, "1"},
		{user(ann), ProofAssertion, "2"},
	} {
		test.claims.Proof = test.proof
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(w.issue(t, test.claims), ".")[1])
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(payload, &got); err != nil {
			t.Fatal(err)
		}
		if got["appidacr"] != test.want || got["azpacr"] != test.want {
			t.Errorf("%+v: %v and %v, want %s", test.claims, got["appidacr"], got["azpacr"], test.want)
		}
	}
}

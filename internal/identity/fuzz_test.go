package identity

import (
	"errors"
	"reflect"
	"testing"
)

// FuzzVerify: whatever is sent, it is refused in our words, or it is a token of ours and says what
// we wrote.
func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	good := w.issue(f, robot())
	want, err := w.Verify(f.Context(), good)
	if err != nil {
		f.Fatal(err)
	}
	payload := mustJSON(f, w.payloadOf(robot()))
	f.Add(good)
	f.Add(w.issue(f, user(ben)))
	f.Add(good[:len(good)/2])
	f.Add(good + good)
	f.Add(forge([]byte(`{"alg":"none"}`), payload, unsigned))
	f.Add(forge([]byte(`{"alg":"RS256","b64":false,"crit":["b64"],"kid":"`+w.keyID()+`"}`), payload, unsigned))
	f.Add(signWith(f, stranger(f, nil, w.keyID()), payload))
	f.Add("..")
	f.Fuzz(func(t *testing.T, raw string) {
		caller, err := w.Verify(t.Context(), raw)
		if refusal := (*UnauthorizedError)(nil); err != nil {
			if !errors.As(err, &refusal) || refusal.Message == "" || len(refusal.Message) > 200 {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		// Only the unused bits of the last letter of a part can differ.
		if !reflect.DeepEqual(caller, want) || len(raw) != len(good) {
			t.Fatalf("%q is accepted as %+v", raw, caller)
		}
	})
}

// FuzzVerifyForeign is the same for the tokens of an issuer that is trusted.
func FuzzVerifyForeign(f *testing.F) {
	e := newElsewhere(f)
	w, _, _ := newTrustingWorld(f, e, e.trust())
	good := e.token(f, nil)
	want, err := w.Verify(f.Context(), good)
	if err != nil {
		f.Fatal(err)
	}
	payload := mustJSON(f, e.claims())
	f.Add(good)
	f.Add(e.token(f, map[string]any{"aud": []any{"another", 7, nil}}))
	f.Add(e.token(f, map[string]any{"exp": "soon"}))
	f.Add(forge([]byte(`{"alg":"none"}`), payload, unsigned))
	f.Add(forge([]byte(`{"alg":"ES256","kid":"ec"}`), payload, unsigned))
	f.Add(forge([]byte(`{"alg":"PS256","kid":"ec"}`), payload, unsigned))
	f.Add(forge([]byte(`{"alg":"RS256","kid":"rsa"}`), payload[:len(payload)/2], unsigned))
	f.Fuzz(func(t *testing.T, raw string) {
		caller, err := w.Verify(t.Context(), raw)
		if refusal := (*UnauthorizedError)(nil); err != nil {
			if !errors.As(err, &refusal) || refusal.Message == "" || len(refusal.Message) > 200 {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		if !reflect.DeepEqual(caller, want) || len(raw) != len(good) {
			t.Fatalf("%q is accepted as %+v", raw, caller)
		}
	})
}

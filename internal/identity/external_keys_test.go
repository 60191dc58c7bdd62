package identity

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// wantUnreachable verifies a token of which no one can report whether it is good.
func (w world) wantUnreachable(t *testing.T, raw string, saying ...string) {
	t.Helper()
	_, err := w.Verify(t.Context(), raw)
	unreachable, ok := errors.AsType[*UnreachableError](err)
	if !ok {
		t.Fatalf("answered %v, want UnreachableError", err)
	}
	for _, part := range saying {
		if !strings.Contains(unreachable.Error(), part) {
			t.Errorf("the error is %v, and does not say %q", unreachable, part)
		}
	}
}

func TestManyInventedKeysMakeFewRequests(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t)
	w, _, _ := newTrustingWorld(t, e, e.trust())
	stranger := must(firstRSA())
	flood := func() {
		var all sync.WaitGroup
		for i := range 50 {
			raw := e.sign(t, jose.JSONWebKey{KeyID: fmt.Sprint("invented ", i), Key: stranger}, jose.RS256, nil)
			all.Go(func() {
				var refusal *UnauthorizedError
				_, err := w.Verify(t.Context(), raw)
				if !errors.As(err, &refusal) || refusal.Message != unpublishedKey {
					t.Errorf("an invented key is answered with %v", err)
				}
			})
		}
		all.Wait()
	}
	for minute := range int64(3) {
		flood()
		if asked := e.asked.Load(); asked != minute+1 {
			t.Errorf("after %d minutes of invented keys the keys were fetched %d times", minute, asked)
		}
		w.clock.advance(fetchPause - time.Second)
		flood()
		w.clock.advance(time.Second)
	}
}

func TestAnIssuersNewKeyIsFoundAndAnOldOneForgotten(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t)
	w, _, _ := newTrustingWorld(t, e, e.trust())
	lasting := map[string]any{"exp": start.Add(48 * time.Hour).Unix()}
	old := e.token(t, lasting)
	w.wantMessage(t, old, "")
	e.change(func() { e.keys = []jose.JSONWebKey{{KeyID: "new", Key: newEC(elliptic.P256())}} })
	fresh := e.sign(t, e.keys[0], jose.ES256, lasting)
	w.wantMessage(t, fresh, unpublishedKey) // asked a moment ago
	w.clock.advance(fetchPause)
	w.wantMessage(t, fresh, "")
	w.wantMessage(t, old, unpublishedKey)
	e.change(func() { e.keys[0].KeyID = "newer" })
	w.clock.advance(keysFresh - time.Second)
	w.wantMessage(t, fresh, "")
	w.clock.advance(time.Second)
	w.wantMessage(t, fresh, unpublishedKey) // withdrawn
}

func TestAnIssuerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t)
	w, _, log := newTrustingWorld(t, e, e.trust())
	raw := e.token(t, map[string]any{"exp": start.Add(100 * time.Hour).Unix()})
	e.breaks(true)
	for range 3 {
		w.wantUnreachable(t, raw, e.URL, "500")
	}
	if lines, size := log.lines(); lines != 1 || size > 1000 {
		t.Errorf("the log has %d lines of %d bytes about one failure", lines, size)
	}
	e.breaks(false)
	w.wantUnreachable(t, raw) // asked a moment ago
	w.clock.advance(fetchPause)
	w.wantMessage(t, raw, "")

	e.breaks(true)
	w.clock.advance(keysUsable - time.Second)
	w.wantMessage(t, raw, "") // with what is known
	w.wantUnreachable(t, e.sign(t, jose.JSONWebKey{KeyID: "new", Key: foreignRSA()}, jose.RS256, nil))
	w.clock.advance(time.Second)
	w.wantUnreachable(t, raw)
	e.breaks(false)
	w.clock.advance(fetchPause)
	w.wantMessage(t, raw, "")
}

func TestWhoWaitsForAnIssuerMayGiveUp(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t)
	w, _, _ := newTrustingWorld(t, e, e.trust())
	raw := e.token(t, nil)
	asked, answer := make(chan struct{}), make(chan struct{})
	e.change(func() {
		e.handler = func(http.ResponseWriter, *http.Request) {
			close(asked)
			<-answer
		}
	})
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := w.Verify(t.Context(), raw); err == nil {
			t.Error("a token is good without keys")
		}
	})
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Verify(ctx, raw); !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up is told %v", err)
	}
	close(answer)
	all.Wait()
}

// What cannot be the configuration or the keys of the issuer is not taken for them.
func TestAnIssuerThatAnswersStrangely(t *testing.T) {
	t.Parallel()
	bare := func(keys ...jose.JSONWebKey) func(e *elsewhere) {
		return func(e *elsewhere) { e.keys = keys }
	}
	for name, test := range map[string]struct {
		strange func(e *elsewhere)
		saying  string
	}{
		"another issuer":          {func(e *elsewhere) { e.about["issuer"] = "https://evil.example" }, "evil.example"},
		"the issuer with a slash": {func(e *elsewhere) { e.about["issuer"] = e.URL + "/" }, "issuer"},
		"no keys":                 {func(e *elsewhere) { e.about["jwks_uri"] = "" }, "not an https address"},
		"keys of http":            {func(e *elsewhere) { e.about["jwks_uri"] = "http://keys.example/keys" }, "not an https address"},
		"keys on our machine":     {func(e *elsewhere) { e.about["jwks_uri"] = "http://127.0.0.1:1/keys" }, "not an https address"},
		"keys in a file":          {func(e *elsewhere) { e.about["jwks_uri"] = "file:///etc/passwd" }, "not an https address"},
		"keys behind a password":  {func(e *elsewhere) { e.about["jwks_uri"] = strings.Replace(e.URL, "https://", "https://a:b@", 1) }, "not an https address"},
		"keys that are missing":   {func(e *elsewhere) { e.about["jwks_uri"] = e.URL + "/nowhere" }, "404"},
		"keys that are no JSON":   {func(e *elsewhere) { e.about["jwks_uri"] = e.URL + "/.well-known/" }, "404"},
		"no key":                  {bare(), "none of its keys"},
		"a weak key":              {bare(jose.JSONWebKey{KeyID: "rsa", Key: weakRSA()}), "none of its keys"},
		"a key for encryption":    {bare(jose.JSONWebKey{KeyID: "rsa", Key: foreignRSA(), Use: "enc"}), "none of its keys"},
		"a key without a name":    {bare(jose.JSONWebKey{Key: foreignRSA()}), "none of its keys"},
		"a password":              {bare(jose.JSONWebKey{KeyID: "rsa", Key: []byte("password of 32 bytes, or nearly so")}), "none of its keys"},
		"a key of another curve":  {bare(jose.JSONWebKey{KeyID: "rsa", Key: newEC(elliptic.P384())}), "none of its keys"},
		"a redirect": {func(e *elsewhere) {
			e.handler = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://evil.example"+r.URL.Path, http.StatusFound)
			}
		}, "302"},
		"an endless answer": {func(e *elsewhere) {
			e.handler = func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(`{"issuer":"`))
				for range 3 {
					_, _ = w.Write(bytes.Repeat([]byte("x"), maxFetched/2))
				}
			}
		}, "too large"},
		"an answer that is cut off": {func(e *elsewhere) {
			e.handler = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"issuer":`)) }
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newElsewhere(t)
			raw := e.token(t, nil)
			e.change(func() { test.strange(e) })
			w, _, _ := newTrustingWorld(t, e, e.trust())
			w.wantUnreachable(t, raw, test.saying)
		})
	}
}

func TestKeysThatAreNotForUsArePassedOver(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t)
	w, _, _ := newTrustingWorld(t, e, e.trust())
	rsa := string(mustJSON(t, jose.JSONWebKey{KeyID: "rsa", Key: &foreignRSA().PublicKey, Algorithm: "RS256"}))
	e.change(func() {
		about := map[string]any{"issuer": e.URL, "jwks_uri": e.URL + "/keys"}
		e.handler = func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/keys" {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write(mustJSON(t, about))
				return
			}
			_, _ = w.Write([]byte(`{"keys":[{"kty":"OKP","crv":"Ed448","x":"AAAA"},{"kty":"future"},7,{"kty":"RSA"},` + rsa + `]}`))
		}
	})
	w.wantMessage(t, e.token(t, nil), "")
	// The key is for RS256 only.
	w.wantMessage(t, e.sign(t, jose.JSONWebKey{KeyID: "rsa", Key: foreignRSA()}, jose.PS256, nil), badSignature)
}

// An address that was trusted before it would be refused is not fetched from either.
func TestAnIssuerOfHTTPIsNotAsked(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t)
	trust := e.trust()
	trust.Issuer = "http://keycloak.example"
	w, _, _ := newTrustingWorld(t, e, trust)
	w.wantUnreachable(t, e.token(t, map[string]any{"iss": trust.Issuer}), "not an https address")
}

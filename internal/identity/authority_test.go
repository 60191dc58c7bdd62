package identity

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTheFirstStartMakesTheKeysAndLaterOnesFindThem(t *testing.T) {
	t.Parallel()
	keys := safe{}
	use := func(c *Config) { c.Keys = keys }
	first := newWorld(t, use)
	second := newWorld(t, use)
	second.wantMessage(t, first.issue(t, robot()), "")
	if len(keys) != 1 || len(keys[signingKeys]) == 0 {
		t.Errorf("the safe holds %d secrets", len(keys))
	}
	newWorld(t).wantMessage(t, first.issue(t, robot()), foreignKey)
}

type brokenKeys struct{ Keys }

func (brokenKeys) Secret(context.Context, string, func() ([]byte, error)) ([]byte, error) {
	return nil, errUnreadable
}

func TestKeysThatCannotBeUsedStopTheStart(t *testing.T) {
	t.Parallel()
	if _, err := New(t.Context(), Config{Keys: brokenKeys{}}); !errors.Is(err, errUnreadable) {
		t.Errorf("answered %v", err)
	}
	public := string(mustJSON(t, newWorld(t).PublicKeys()))
	for _, stored := range []string{"x", "{}", `{"keys":[]}`, `{"keys":[{"kty":"oct","k":"AAAA","kid":"a"}]}`, public} {
		_, err := New(t.Context(), Config{Keys: safe{signingKeys: []byte(stored)}})
		if err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
			t.Errorf("%s: answered %v", stored, err)
		}
	}
}

func TestAPublicURLIsASchemeAndAHost(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://licensor.example.com":       "https://licensor.example.com",
		"https://Licensor.Example.com:8443/": "https://licensor.example.com:8443",
		"http://[::1]:8080":                  "http://[::1]:8080",
		"licensor.example.com":               "",
		"https://":                           "",
		"ftp://licensor.example.com":         "",
		"https://licensor.example.com/x":     "",
		"https://a@licensor.example.com":     "",
		"https://licensor.example.com?x":     "",
		"https://licensor.example.com#x":     "",
	} {
		got, err := ParsePublicURL(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
		if err != nil && !strings.Contains(err.Error(), text) {
			t.Errorf("%q: the error does not name it: %v", text, err)
		}
	}
	if _, err := New(t.Context(), Config{PublicURL: "x"}); err == nil {
		t.Error("a bad public URL is taken")
	}
}

func TestTheRootIsTheAddressTheClientUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for host, want := range map[string]string{
		"localhost:8443":         "localhost:8443",
		"Licensor.Example":       "licensor.example",
		"[::1]:8443":             "[::1]:8443",
		"":                       "localhost",
		`evil", client_id="x`:    "localhost",
		"evil.example/path":      "localhost",
		"a@evil.example":         "localhost",
		"evil\r\nSet-Cookie: x":  "localhost",
		strings.Repeat("a", 256): "localhost",
	} {
		r := &http.Request{Host: host, TLS: &tls.ConnectionState{}}
		if got := w.Root(r); got != "https://"+want {
			t.Errorf("host %q: %q", host, got)
		}
		r.TLS = nil
		if got := w.Root(r); got != "http://"+want {
			t.Errorf("host %q: %q", host, got)
		}
	}
	fixed := newWorld(t, func(c *Config) { c.PublicURL = "https://licensor.example" })
	if got := fixed.Root(&http.Request{Host: "evil.example"}); got != "https://licensor.example" {
		t.Errorf("root is %q", got)
	}
}

// P11
func TestTheChallengeNamesTheAuthority(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "https://localhost:8443/v1.0/users", nil)
	const want = `Bearer realm="", authorization_uri="https://localhost:8443/common/oauth2/v2.0/authorize", client_id="00000003-0000-0000-c000-000000000000"`
	if got := newWorld(t).Challenge(r); got != want {
		t.Errorf("challenge is %s", got)
	}
}

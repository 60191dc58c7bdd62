package oauth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // the name of a certificate
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"licensor/internal/identity"
)

// identityCard is a key with its certificate.
type identityCard struct {
	key *rsa.PrivateKey
	der []byte
}

var cards = sync.OnceValue(func() [2]identityCard { return [2]identityCard{newCard(), newCard()} })

func newCard() identityCard {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "robot"},
		NotBefore: start.Add(-time.Hour), NotAfter: start.Add(30 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return identityCard{key, der}
}

func (c identityCard) x5t() string {
	sum := sha1.Sum(c.der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (c identityCard) x5t256() string {
	sum := sha256.Sum256(c.der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// sign writes a token by the card's key.
func (c identityCard) sign(t testing.TB, algorithm jose.SignatureAlgorithm, header, claims map[string]any) string {
	t.Helper()
	options := &jose.SignerOptions{}
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: c.key}, options)
	if err != nil {
		t.Fatal(err)
	}
	return signText(t, signer, claims)
}

func signText(t testing.TB, signer jose.Signer, claims map[string]any) string {
	t.Helper()
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// assertionOf is the claims of a good assertion, changed by pairs of name and value; nil removes.
func (w world) assertionOf(pairs ...any) map[string]any {
	claims := map[string]any{
		"iss": robot.String(), "sub": robot.String(), "aud": w.https.URL + "/" + contoso.String() + "/oauth2/v2.0/token",
		"exp": w.clock.now().Add(10 * time.Minute).Unix(), "nbf": w.clock.now().Unix(), "jti": uuid.NewString(),
	}
	for i := 0; i < len(pairs); i += 2 {
		if claims[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
			delete(claims, pairs[i].(string))
		}
	}
	return claims
}

func assertionForm(raw string) url.Values {
	return form("client_secret", "", "client_assertion_type", assertionType, "client_assertion", raw)
}

func (w world) registerCard(card identityCard) {
	w.town.changeApp(robot, func(app *identity.App) {
		app.Certificates = []identity.Certificate{{DER: card.der, Expires: start.Add(20 * 24 * time.Hour)}}
	})
}

// A10
func TestACertificateIsAsGoodAsASecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	card := cards()[0]
	w.registerCard(card)
	thumbprint := sha1.Sum(card.der)
	thumbprint256 := sha256.Sum256(card.der)
	root := w.https.URL
	for name, test := range map[string]struct {
		algorithm jose.SignatureAlgorithm
		header    map[string]any
		audience  string
	}{
		"x5t":              {jose.RS256, map[string]any{"x5t": card.x5t()}, root + "/" + contoso.String() + "/oauth2/v2.0/token"},
		"x5t with padding": {jose.RS256, map[string]any{"x5t": card.x5t() + "="}, root + "/" + contoso.String() + "/oauth2/v2.0/token"},
		"x5t#S256 as MSAL for Go has": {
			jose.PS256,
			map[string]any{"x5t#S256": base64.StdEncoding.EncodeToString(thumbprint256[:])},
			root + "/" + contoso.String() + "/oauth2/v2.0/token",
		},
		"x5t#S256 and PS256": {jose.PS256, map[string]any{"x5t#S256": card.x5t256()}, root + "/" + contosoDomain + "/oauth2/v2.0/token"},
		"both": {
			jose.PS256,
			map[string]any{"x5t#S256": card.x5t256(), "x5t": card.x5t()},
			root + "/" + contosoDomain + "/oauth2/v2.0/token",
		},
		"the thumbprint as kid": {
			jose.RS256,
			map[string]any{"kid": strings.ToUpper(hex.EncodeToString(thumbprint[:]))},
			root + "/" + contoso.String() + "/oauth2/token",
		},
		"x5t as kid, and the issuer":   {jose.RS256, map[string]any{"kid": card.x5t()}, root + "/" + contoso.String() + "/v2.0"},
		"the tenant's name in capital": {jose.RS256, map[string]any{"x5t": card.x5t()}, root + "/" + strings.ToUpper(contoso.String()) + "/oauth2/v2.0/token"},
	} {
		raw := card.sign(t, test.algorithm, test.header, w.assertionOf("aud", test.audience))
		got := w.post(t, tokenPath, assertionForm(raw))
		if got.status != http.StatusOK {
			t.Errorf("%s: %d %s", name, got.status, got.text)
			continue
		}
		if claims := claimsOf(t, got.body["access_token"]); claims["azpacr"] != "2" || claims["appidacr"] != "2" {
			t.Errorf("%s: claims are %v", name, claims)
		}
	}
}

func claimsOf(t testing.TB, raw any) map[string]any {
	t.Helper()
	text, _ := raw.(string)
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		t.Fatalf("%v is no token", raw)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestABadAssertionIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	card, other := cards()[0], cards()[1]
	w.registerCard(card)
	header := map[string]any{"x5t": card.x5t()}
	good := func(pairs ...any) string { return card.sign(t, jose.RS256, header, w.assertionOf(pairs...)) }
	encode := base64.RawURLEncoding.EncodeToString
	forge := func(algorithm string, sign func(string) []byte) string {
		text, _ := json.Marshal(w.assertionOf())
		input := encode([]byte(`{"alg":"`+algorithm+`","x5t":"`+card.x5t()+`"}`)) + "." + encode(text)
		return input + "." + encode(sign(input))
	}
	hash := func(input string) []byte {
		mac := hmac.New(sha256.New, card.der)
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
	now := w.clock.now()
	for name, raw := range map[string]string{
		"no token":                   "x",
		"alg none":                   forge("none", func(string) []byte { return nil }),
		"alg none in capitals":       forge("NONE", func(string) []byte { return nil }),
		"HS256 with the certificate": forge("HS256", hash),
		"RS256 with a hash":          forge("RS256", hash),
		"RS384":                      card.sign(t, jose.RS384, header, w.assertionOf()),
		"another key":                other.sign(t, jose.RS256, header, w.assertionOf()),
		"another certificate":        other.sign(t, jose.RS256, map[string]any{"x5t": other.x5t()}, w.assertionOf()),
		"no name of a certificate":   card.sign(t, jose.RS256, nil, w.assertionOf()),
		"one of two names wrong":     card.sign(t, jose.RS256, map[string]any{"x5t": card.x5t(), "x5t#S256": other.x5t256()}, w.assertionOf()),
		"another tenant's endpoint":  good("aud", w.https.URL+"/"+fabrikam.String()+"/oauth2/v2.0/token"),
		"any tenant's endpoint":      good("aud", w.https.URL+"/common/oauth2/v2.0/token"),
		"another host":               good("aud", "https://login.example/"+contoso.String()+"/oauth2/v2.0/token"),
		"another endpoint":           good("aud", w.https.URL+"/"+contoso.String()+"/oauth2/v2.0/authorize"),
		"a longer path":              good("aud", w.https.URL+"/"+contoso.String()+"/oauth2/v2.0/token/x"),
		"two audiences":              good("aud", []string{w.https.URL + "/" + contoso.String() + "/oauth2/v2.0/token", "https://evil.example"}),
		"no audience":                good("aud", nil),
		"another subject":            good("sub", portal.String()),
		"no subject":                 good("sub", nil),
		"another issuer":             good("iss", portal.String()),
		"expired":                    good("exp", now.Add(-5*time.Minute).Unix()),
		"too long":                   good("exp", now.Add(24*time.Hour+time.Second).Unix()),
		"no end":                     good("exp", nil),
		"not yet":                    good("nbf", now.Add(5*time.Minute+time.Second).Unix()),
		"no jti":                     good("jti", nil),
		"a claim that is no text":    good("sub", 7),
		"a key that it brings itself": other.sign(t, jose.RS256, map[string]any{
			"x5t": card.x5t(), "x5c": []string{base64.StdEncoding.EncodeToString(other.der)},
		}, w.assertionOf()),
	} {
		t.Run(name, func(t *testing.T) {
			got := w.post(t, tokenPath, assertionForm(raw))
			code := 700027
			if name == "another issuer" {
				code = 700213
			}
			wantRefusal(t, got, http.StatusUnauthorized, "invalid_client", code)
		})
	}
	t.Run("another type", func(t *testing.T) {
		wantRefusal(t, w.post(t, tokenPath, with(assertionForm(good()), "client_assertion_type", "saml")), http.StatusUnauthorized, "invalid_client", 700027)
	})
	t.Run("with a secret", func(t *testing.T) {
		wantRefusal(t, w.post(t, tokenPath, with(assertionForm(good()), "client_secret", goodSecret)),
			http.StatusBadRequest, "invalid_request", 9002313)
	})
	t.Run("of another client", func(t *testing.T) {
		wantRefusal(t, w.post(t, tokenPath, with(assertionForm(good()), "client_id", portal.String())),
			http.StatusUnauthorized, "invalid_client", 700213)
	})
}

func TestAnExpiredCertificateIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	card := cards()[0]
	w.registerCard(card)
	ask := func() answer {
		return w.post(t, tokenPath,
			assertionForm(card.sign(t, jose.RS256, map[string]any{"x5t": card.x5t()}, w.assertionOf())))
	}
	w.clock.advance(20*24*time.Hour - time.Second)
	if got := ask(); got.status != http.StatusOK {
		t.Fatalf("answered %d %s", got.status, got.text)
	}
	w.clock.advance(time.Second) // the end that is registered
	if got := ask(); got.status != http.StatusUnauthorized {
		t.Errorf("answered %d %s", got.status, got.text)
	}
	w.town.changeApp(robot, func(app *identity.App) { app.Certificates[0].Expires = time.Time{} })
	if got := ask(); got.status != http.StatusOK {
		t.Errorf("answered %d %s", got.status, got.text)
	}
	w.clock.advance(10*24*time.Hour + time.Second) // the certificate's own
	if got := ask(); got.status != http.StatusUnauthorized {
		t.Errorf("answered %d %s", got.status, got.text)
	}
}

func TestAnAssertionIsGoodOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	card := cards()[0]
	w.registerCard(card)
	w.town.changeApp(portal, func(app *identity.App) { app.Certificates = []identity.Certificate{{DER: card.der}} })
	header := map[string]any{"x5t": card.x5t()}
	raw := card.sign(t, jose.RS256, header, w.assertionOf("jti", "one"))
	if got := w.post(t, tokenPath, assertionForm(raw)); got.status != http.StatusOK {
		t.Fatalf("answered %d %s", got.status, got.text)
	}
	for _, later := range []time.Duration{0, time.Minute, 9*time.Minute + 59*time.Second} {
		w.clock.advance(later)
		// Another text with the same jti is not a better.
		again := card.sign(t, jose.RS256, header, w.assertionOf("jti", "one"))
		for _, raw := range []string{raw, again} {
			if got := w.post(t, tokenPath, assertionForm(raw)); got.status != http.StatusUnauthorized {
				t.Errorf("used twice: %d %s", got.status, got.text)
			}
		}
	}
	own := w.assertionOf("jti", "one", "iss", portal.String(), "sub", portal.String())
	got := w.post(t, tokenPath, with(assertionForm(card.sign(t, jose.RS256, header, own)), "client_id", portal.String()))
	if got.status != http.StatusOK {
		t.Errorf("another client may not use the same jti: %s", got.text)
	}
}

func TestOfManyAtOnceOneUsesAnAssertion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	card := cards()[0]
	w.registerCard(card)
	raw := card.sign(t, jose.RS256, map[string]any{"x5t": card.x5t()}, w.assertionOf())
	wantOneWinner(t, func() answer { return w.post(t, tokenPath, assertionForm(raw)) })
}

// wantOneWinner asks 32 times at once.
func wantOneWinner(t *testing.T, ask func() answer) {
	t.Helper()
	var won atomic.Int32
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			switch got := ask(); got.status {
			case http.StatusOK:
				won.Add(1)
			case http.StatusBadRequest, http.StatusUnauthorized:
			default:
				t.Errorf("answered %d %s", got.status, got.text)
			}
		})
	}
	if all.Wait(); won.Load() != 1 {
		t.Errorf("%d of 32 were given tokens", won.Load())
	}
}

// otherIssuer is an authority of someone else, over http on the loopback address.
func otherIssuer(t *testing.T, card identityCard) string {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, 200, map[string]any{"issuer": server.URL, "jwks_uri": server.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, 200, jose.JSONWebKeySet{
			Keys: []jose.JSONWebKey{{Key: &card.key.PublicKey, KeyID: "k", Algorithm: "RS256", Use: "sig"}},
		})
	})
	return server.URL
}

func TestATokenOfATrustedIssuerIsAsGoodAsASecret(t *testing.T) {
	t.Parallel()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	w := newWorld(t, func(c *Config) { c.Client = &http.Client{Transport: transport, Timeout: 5 * time.Second} })
	card, stranger := cards()[0], cards()[1]
	issuer := otherIssuer(t, card)
	w.town.changeApp(robot, func(app *identity.App) {
		app.Federated = []identity.Federated{
			{Issuer: "http://evil.example", Subject: "x", Audiences: []string{"api://AzureADTokenExchange"}},
			{Issuer: "https://127.0.0.1:1", Subject: "x", Audiences: []string{"api://AzureADTokenExchange"}},
			{Issuer: issuer, Subject: "system:serviceaccount:robots:robot", Audiences: []string{"api://AzureADTokenExchange"}},
		}
	})
	claims := func(pairs ...any) map[string]any {
		return w.assertionOf(append([]any{"iss", issuer, "sub", "system:serviceaccount:robots:robot", "aud", []string{"api://AzureADTokenExchange"}, "jti", nil}, pairs...)...)
	}
	header := map[string]any{"kid": "k"}
	raw := card.sign(t, jose.RS256, header, claims())
	for range 2 { // a workload uses what it is handed until it expires
		got := w.post(t, tokenPath, assertionForm(raw))
		if got.status != http.StatusOK || claimsOf(t, got.body["access_token"])["azpacr"] != "2" {
			t.Fatalf("answered %d %s", got.status, got.text)
		}
	}
	for name, test := range map[string]struct {
		raw  string
		code int
	}{
		"another subject":       {card.sign(t, jose.RS256, header, claims("sub", "other")), 700213},
		"another audience":      {card.sign(t, jose.RS256, header, claims("aud", "x")), 700213},
		"another issuer":        {card.sign(t, jose.RS256, header, claims("iss", "https://evil.example")), 700213},
		"a longer issuer":       {card.sign(t, jose.RS256, header, claims("iss", issuer+"/")), 700213},
		"another key":           {stranger.sign(t, jose.RS256, header, claims()), 700027},
		"an unknown key":        {stranger.sign(t, jose.RS256, map[string]any{"kid": "z"}, claims()), 700027},
		"expired":               {card.sign(t, jose.RS256, header, claims("exp", start.Add(-skew).Unix())), 700027},
		"no end":                {card.sign(t, jose.RS256, header, claims("exp", nil)), 700027},
		"not yet valid":         {card.sign(t, jose.RS256, header, claims("nbf", start.Add(skew+time.Second).Unix())), 700027},
		"an issuer of http":     {card.sign(t, jose.RS256, header, claims("iss", "http://evil.example", "sub", "x")), 700213},
		"an issuer that is off": {card.sign(t, jose.RS256, header, claims("iss", "https://127.0.0.1:1", "sub", "x")), 50166},
	} {
		t.Run(name, func(t *testing.T) {
			wantRefusal(t, w.post(t, tokenPath, assertionForm(test.raw)), http.StatusUnauthorized, "invalid_client", test.code)
		})
	}
}

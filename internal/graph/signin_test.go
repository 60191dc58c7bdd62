package graph

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/tenant"
)

// elsewhere is another issuer, on this machine.
type elsewhere struct {
	*httptest.Server
	signer jose.Signer
	broken bool
}

func newElsewhere(t *testing.T) *elsewhere {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e := &elsewhere{}
	signing := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{KeyID: "one", Key: key}}
	e.signer, err = jose.NewSigner(signing, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "one", Key: &key.PublicKey}}}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case e.broken:
			http.Error(w, "broken", http.StatusBadGateway)
		case r.URL.Path == "/keys":
			_ = json.NewEncoder(w).Encode(set)
		default:
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, e.URL, e.URL+"/keys")
		}
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *elsewhere) token(w *world, claims string) string {
	signed, err := e.signer.Sign(fmt.Appendf(nil, `{"iss":%q,"aud":"licensor","sub":"robot","exp":%d,%s}`, e.URL, w.now().Add(time.Hour).Unix(), claims))
	w.must(err)
	raw, err := signed.CompactSerialize()
	w.must(err)
	return raw
}

// trusted is the body that has the issuer trusted.
func (e *elsewhere) trusted(more string) string {
	return fmt.Sprintf(`{"trustedIssuers":[{"issuer":%q,"audiences":["licensor"],"permissionsClaim":"roles",%s}]}`, e.URL, more)
}

func TestWhoComesFromATrustedIssuerIsLetIn(t *testing.T) {
	t.Parallel()
	w, e := newWorld(t), newElsewhere(t)
	admin := w.appToken("Policy.ReadWrite.Authorization")
	reader := e.token(w, `"roles":["reader"]`)
	want := func(method, path, token, body string, status int) answer {
		t.Helper()
		got := w.do(method, path, token, body)
		if got.status != status {
			t.Errorf("%s %s: %d %s, want %d", method, path, got.status, got.body, status)
		}
		return got
	}
	want("GET", "/v1.0/users", reader, "", http.StatusUnauthorized)
	want("PATCH", "/licensor/v1/signIn", admin, e.trusted(`"permissions":{"reader":["User.Read.All"]}`), http.StatusNoContent)
	want("GET", "/v1.0/users", reader, "", http.StatusOK)
	want("POST", "/v1.0/users", reader, `{}`, http.StatusForbidden)
	want("GET", "/v1.0/users", e.token(w, `"roles":["other"]`), "", http.StatusForbidden)
	want("GET", "/v1.0/me", reader, "", http.StatusBadRequest)

	created := want("POST", "/v1.0/users", w.appToken("User.ReadWrite.All"), `{"accountEnabled":true,"displayName":"Ann","mailNickname":"ann",`+
		`"userPrincipalName":"ann@contoso.example","passwordProfile":{"password":"Tulip-5-tree!"}}`, http.StatusCreated)
	want("PATCH", "/licensor/v1/signIn", admin, e.trusted(`"userClaim":"upn","permissions":{"reader":["User.Read"]}`), http.StatusNoContent)
	w.clock.Add(60)
	me := want("GET", "/v1.0/me", e.token(w, fmt.Sprintf(`"roles":["reader"],"upn":"Ann@contoso.example","iat":%d`, w.now().Unix())), "", http.StatusOK)
	var one, two struct{ ID string }
	if json.Unmarshal([]byte(created.body), &one) != nil || json.Unmarshal([]byte(me.body), &two) != nil ||
		one.ID != two.ID || one.ID == "" {
		t.Errorf("me is %s, want %s", two.ID, one.ID)
	}
	want("GET", "/v1.0/me", e.token(w, `"roles":["reader"],"upn":"bob@contoso.example"`), "", http.StatusUnauthorized)
}

func TestAnIssuerThatDoesNotAnswerIs503(t *testing.T) {
	t.Parallel()
	w, e := newWorld(t), newElsewhere(t)
	e.broken = true
	got := w.do("PATCH", "/licensor/v1/signIn", w.appToken("Policy.ReadWrite.Authorization"), e.trusted(`"permissions":{"reader":["User.Read.All"]}`))
	if got.status != http.StatusNoContent {
		t.Fatal(got.body)
	}
	got = w.do("GET", "/v1.0/users", e.token(w, `"roles":["reader"]`), "")
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || strings.Contains(got.body, e.URL) {
		t.Errorf("answered %d %v %s", got.status, got.header, got.body)
	}
	if !strings.Contains(w.logged(), e.URL) || !strings.Contains(w.logged(), "502") {
		t.Errorf("the log does not say why: %s", w.logged())
	}
}

// Two tenants that trust an issuer for the same audience would both be meant by its tokens: the
// second is told.
func TestAnAudienceIsOneTenants(t *testing.T) {
	t.Parallel()
	w, e := newWorld(t), newElsewhere(t)
	fabrikam := contoso()
	fabrikam.VerifiedDomains[0].Name = "fabrikam.example"
	other, err := w.tenants.Create(t.Context(), uuid.New(), fabrikam, catalog.BuiltIn())
	w.must(err)
	trusted := []directory.TrustedIssuer{
		{Issuer: e.URL, Audiences: []string{"another", "licensor"}, PermissionsClaim: "roles"},
	}
	_, err = other.Do(t.Context(), "system", tenant.UpdateSignIn{SignIn: directory.SignIn{TrustedIssuers: trusted}})
	w.must(err)
	admin := w.appToken("Policy.ReadWrite.Authorization")
	got := w.do("PATCH", "/licensor/v1/signIn", admin, e.trusted(`"permissions":{}`))
	if got.status != http.StatusBadRequest || !strings.Contains(got.body, "api://"+w.tenant.ID().String()) ||
		strings.Contains(got.body, other.ID().String()) {
		t.Errorf("answered %d %s", got.status, got.body)
	}
	got = w.do("PATCH", "/licensor/v1/signIn", admin, strings.Replace(e.trusted(`"permissions":{}`), "licensor", "third", 1))
	if got.status != http.StatusNoContent {
		t.Errorf("answered %d %s", got.status, got.body)
	}
}

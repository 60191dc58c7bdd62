package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"hash"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// signedAs writes a token with any header, signed as RS256 by our own key: what is wrong with it is
// the header alone.
func (w world) signedAs(t testing.TB, header string, payload []byte) string {
	t.Helper()
	return forge([]byte(header), payload, signRSA(t, w.private(t)))
}

func (w world) private(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	return w.keys.Load().keys[0].Key.(*rsa.PrivateKey)
}

func signRSA(t testing.TB, key *rsa.PrivateKey) func([]byte) []byte {
	return func(input []byte) []byte {
		sum := sha256.Sum256(input)
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
}

// RFC 8725 section 3.1: the key says the algorithm, and no other is tried, whatever the token's
// header says and whatever it is signed with.
func TestNoOtherAlgorithmOpensATokenOfOurKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	payload := mustJSON(t, w.payloadOf(robot()))
	elliptic256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for algorithm, key := range map[jose.SignatureAlgorithm]any{
		jose.RS384: w.private(t), jose.RS512: w.private(t),
		jose.PS256: w.private(t), jose.PS384: w.private(t), jose.PS512: w.private(t),
		jose.ES256: elliptic256, jose.EdDSA: edwards, jose.HS256: make([]byte, 32),
	} {
		t.Run(string(algorithm)+" by a key of its own", func(t *testing.T) {
			options := (&jose.SignerOptions{}).WithHeader("kid", w.keyID())
			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
			if err != nil {
				t.Fatal(err)
			}
			w.wantMessage(t, signWith(t, signer, payload), badAlgorithm)
		})
	}
	for _, algorithm := range []string{"none", "None", "NONE", "nonE", "none ", "\u0000none", "RS256\u0000", "RS256,none", "ＲＳ256", "NULL", "true", "0"} {
		t.Run(algorithm+" with our signature", func(t *testing.T) {
			header := string(mustJSON(t, map[string]string{"alg": algorithm, "kid": w.keyID()}))
			w.wantMessage(t, w.signedAs(t, header, payload), badAlgorithm)
			w.wantMessage(t, forge([]byte(header), payload, unsigned), badAlgorithm)
			w.wantMessage(t, strings.TrimSuffix(forge([]byte(header), payload, unsigned), "."), badParts)
		})
	}
}

// Every form in which someone can have our public key, as the password of every HMAC.
func TestNoFormOfThePublicKeyIsAPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	public := w.PublicKeys().Keys[0]
	key := public.Key.(*rsa.PublicKey)
	pkix, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}))
	jwk := mustJSON(t, public)
	for name, password := range map[string]string{
		"PEM": text, "PEM without its last line end": strings.TrimSpace(text), "PEM with CRLF": strings.ReplaceAll(text, "\n", "\r\n"),
		"DER": string(pkix), "PKCS#1": string(x509.MarshalPKCS1PublicKey(key)), "modulus": string(key.N.Bytes()), "modulus in hexadecimal": key.N.Text(16),
		"modulus in decimal": key.N.String(), "JWK": string(jwk), "JWK Set": string(mustJSON(t, w.PublicKeys())), "kid": public.KeyID, "nothing": "",
	} {
		for algorithm, digest := range map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New} {
			t.Run(algorithm+" with the "+name, func(t *testing.T) {
				sign := func(input []byte) []byte {
					mac := hmac.New(digest, []byte(password))
					mac.Write(input)
					return mac.Sum(nil)
				}
				payload := mustJSON(t, w.payloadOf(robot()))
				header := map[string]any{"alg": algorithm, "kid": public.KeyID, "typ": "JWT"}
				w.wantMessage(t, forge(mustJSON(t, header), payload, sign), badAlgorithm)
				header["alg"] = "RS256"
				w.wantMessage(t, forge(mustJSON(t, header), payload, sign), badSignature)
			})
		}
	}
}

// RFC 8725 section 3.10: nothing is fetched from where a token says. The server is there, and has
// the key.
func TestAKeyIsNotFetchedFromWhereATokenSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	strange, err := parseKeys(otherKeys())
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = answer.Write(mustJSON(t, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{strange.keys[0].Public()}}))
	}))
	defer server.Close()
	payload := w.payloadOf(robot())
	for _, parameter := range []string{"jku", "x5u", "kid", "jwks_uri", "iss"} {
		for _, kid := range []string{w.keyID(), strange.keys[0].KeyID} {
			options := (&jose.SignerOptions{}).WithHeader("kid", kid).WithHeader(jose.HeaderKey(parameter), server.URL+"/keys")
			want := foreignKey
			if kid == w.keyID() && parameter != "kid" {
				want = badSignature
			}
			w.wantMessage(t, signWith(t, stranger(t, options, kid), mustJSON(t, payload)), want)
		}
	}
	payload["iss"] = server.URL + "/" + contoso.String() + "/v2.0" // whose discovery would name the keys
	w.wantMessage(t, signWith(t, stranger(t, nil, strange.keys[0].KeyID), mustJSON(t, payload)), foreignKey)
	if n := asked.Load(); n != 0 {
		t.Errorf("the server that tokens name was asked %d times", n)
	}
}

// A kid is looked for among our own, as a text; it leads nowhere else.
func TestAKeyIsOnlyFoundByItsExactName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	payload, kid := mustJSON(t, w.payloadOf(robot())), w.keyID()
	for name, test := range map[string]struct{ header, message string }{
		"as it is":               {`{"alg":"RS256","kid":"` + kid + `"}`, ""},
		"no kid":                 {`{"alg":"RS256"}`, foreignKey},
		"empty":                  {`{"alg":"RS256","kid":""}`, foreignKey},
		"null":                   {`{"alg":"RS256","kid":null}`, foreignKey},
		"a number":               {`{"alg":"RS256","kid":0}`, badEncoding},
		"a list":                 {`{"alg":"RS256","kid":["` + kid + `"]}`, badEncoding},
		"an object":              {`{"alg":"RS256","kid":{"kid":"` + kid + `"}}`, badEncoding},
		"twice":                  {`{"alg":"RS256","kid":"` + kid + `","kid":"` + kid + `"}`, badEncoding},
		"twice, once escaped":    {`{"alg":"RS256","kid":"` + kid + `","\u006bid":"x"}`, badEncoding},
		"in capitals":            {`{"alg":"RS256","KID":"` + kid + `"}`, foreignKey},
		"with a space":           {`{"alg":"RS256","kid":"` + kid + ` "}`, foreignKey},
		"with a zero":            {`{"alg":"RS256","kid":"` + kid + `\u0000"}`, foreignKey},
		"its start":              {`{"alg":"RS256","kid":"` + kid[:10] + `"}`, foreignKey},
		"its letters in capital": {`{"alg":"RS256","kid":"` + strings.ToUpper(kid) + `"}`, foreignKey},
		"as x5t":                 {`{"alg":"RS256","x5t":"` + kid + `"}`, foreignKey},
		"a path":                 {`{"alg":"RS256","kid":"../../etc/passwd"}`, foreignKey},
		"a file":                 {`{"alg":"RS256","kid":"/dev/null"}`, foreignKey},
		"a query":                {`{"alg":"RS256","kid":"x' UNION SELECT 'key' -- "}`, foreignKey},
		"a command":              {`{"alg":"RS256","kid":"| /bin/true"}`, foreignKey},
		"a pattern":              {`{"alg":"RS256","kid":"%"}`, foreignKey},
		"very long":              {`{"alg":"RS256","kid":"` + strings.Repeat("k", 9000) + `"}`, foreignKey},
		"no UTF-8":               {`{"alg":"RS256","kid":"` + kid + "\xff" + `"}`, foreignKey},
	} {
		t.Run(name, func(t *testing.T) { w.wantMessage(t, w.signedAs(t, test.header, payload), test.message) })
	}
}

// RFC 7515 section 4.1.11, RFC 7797 and RFC 8725 section 3.9: these are signed by our own key,
// which never writes such a thing; that they are refused is what remains if it ever could be
// brought to.
func TestWhatAHeaderSaysBesidesIsRefusedOrWithoutEffect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	payload, start := mustJSON(t, w.payloadOf(robot())), `{"alg":"RS256","kid":"`+w.keyID()+`",`
	nested := w.issue(t, robot())
	for name, test := range map[string]struct {
		header  string
		payload []byte
		message string
	}{
		"crit of what nobody knows":    {`"crit":["exp"],"exp":1}`, payload, badSignature},
		"crit of nothing there":        {`"crit":["x"]}`, payload, badSignature},
		"crit as text":                 {`"crit":"exp"}`, payload, badSignature},
		"crit of numbers":              {`"crit":[1]}`, payload, badSignature},
		"b64 as text, without effect":  {`"crit":["b64"],"b64":"false"}`, payload, ""},
		"a payload that is not base64": {`"crit":["b64"],"b64":false}`, payload, badSignature},
		"alg once more":                {`"alg":"RS256"}`, payload, badEncoding},
		"data behind the header":       {`"typ":"JWT"} {"alg":"none"}`, payload, badEncoding},
		"a comment in the header":      {`"typ":"JWT"/* */}`, payload, badEncoding},
		"a comma at the end":           {`"typ":"JWT",}`, payload, badEncoding},
		"single quotes":                {`'typ':'JWT'}`, payload, badEncoding},
		"a token within a token":       {`"cty":"JWT"}`, []byte(nested), unreadableClaims},
		"a quoted token within":        {`"cty":"JWT"}`, mustJSON(t, nested), unreadableClaims},
		"compressed claims":            {`"zip":"DEF"}`, []byte("\xabV\xcaLQ\xb2\x02\x00"), unreadableClaims},
		"a type of nobody":             {`"typ":"x"}`, payload, ""},
		"zip without effect":           {`"zip":"DEF"}`, payload, ""},
		"claims in the header":         {`"tid":"` + fabrikam.String() + `","roles":["Directory.ReadWrite.All"]}`, payload, ""},
	} {
		t.Run(name, func(t *testing.T) {
			raw := w.signedAs(t, start+test.header, test.payload)
			w.wantMessage(t, raw, test.message)
			caller, err := w.Verify(t.Context(), raw)
			if err == nil && (caller.Tenant != contoso || caller.Permissions.Has("Directory.ReadWrite.All")) {
				t.Errorf("the header has made the caller %+v", caller)
			}
		})
	}
}

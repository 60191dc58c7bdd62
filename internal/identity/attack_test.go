package identity

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// forge joins a token of a header, a payload and a signature over both.
func forge(header, payload []byte, sign func(input []byte) []byte) string {
	encode := base64.RawURLEncoding.EncodeToString
	input := encode(header) + "." + encode(payload)
	return input + "." + encode(sign([]byte(input)))
}

func unsigned([]byte) []byte { return nil }

func mustJSON(t testing.TB, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// stranger signs with a key that is not ours.
func stranger(t testing.TB, options *jose.SignerOptions, keyID string) jose.Signer {
	t.Helper()
	ring, err := parseKeys(otherKeys())
	if err != nil {
		t.Fatal(err)
	}
	key := ring.keys[0].JSONWebKey
	key.KeyID = keyID
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func signWith(t testing.TB, signer jose.Signer, payload []byte) string {
	t.Helper()
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

const (
	badAlgorithm = "Access token validation failure. Invalid algorithm: only RS256 is accepted."
	badSignature = "Access token validation failure. Invalid signature."
	foreignKey   = "Access token validation failure. Invalid signature. The key does not belong to this server: request the token from its own authority."
	badParts     = "JWT is not well formed: it does not have three parts."
	badEncoding  = "JWT is not well formed: its header, payload or signature cannot be read."
)

func TestATokenDoesNotChooseItsAlgorithm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	payload, kid := mustJSON(t, w.payloadOf(robot())), w.keyID()
	for _, algorithm := range []string{"none", "None", "NONE", "nOnE", "", " RS256", "rs256", "RS384", "RS512", "PS256", "HS256", "ES256", "EdDSA", "dir"} {
		raw := forge(mustJSON(t, map[string]any{"alg": algorithm, "kid": kid, "typ": "JWT"}), payload, unsigned)
		w.wantMessage(t, raw, badAlgorithm)
	}
	for header, message := range map[string]string{
		`{"kid":"` + kid + `"}`:                            badAlgorithm,
		`{"alg":null,"kid":"` + kid + `"}`:                 badAlgorithm,
		`{"ALG":"RS256","kid":"` + kid + `"}`:              badAlgorithm,
		`{"alg":["RS256"],"kid":"` + kid + `"}`:            badAlgorithm,
		`{"alg":"RS256","alg":"none","kid":"` + kid + `"}`: badEncoding,
		`{"alg":"none","alg":"RS256","kid":"` + kid + `"}`: badEncoding,
	} {
		t.Run(header, func(t *testing.T) { w.wantMessage(t, forge([]byte(header), payload, unsigned), message) })
	}
}

// The classic: a server that lets the token choose would take its own public key for the password
// of HS256.
func TestOurPublicKeyIsNoPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	public := w.PublicKeys().Keys[0]
	der := x509.MarshalPKCS1PublicKey(public.Key.(*rsa.PublicKey))
	pkix, err := x509.MarshalPKIXPublicKey(public.Key)
	if err != nil {
		t.Fatal(err)
	}
	passwords := [][]byte{
		der, pkix, mustJSON(t, public), public.Key.(*rsa.PublicKey).N.Bytes(),
		pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}), pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: der}),
	}
	for _, algorithm := range []string{"HS256", "RS256"} {
		for _, password := range passwords {
			header := mustJSON(t, map[string]any{"alg": algorithm, "kid": public.KeyID})
			raw := forge(header, mustJSON(t, w.payloadOf(robot())), func(input []byte) []byte {
				mac := hmac.New(sha256.New, password)
				mac.Write(input)
				return mac.Sum(nil)
			})
			want := badAlgorithm
			if algorithm == "RS256" {
				want = badSignature
			}
			w.wantMessage(t, raw, want)
		}
	}
}

func TestAKeyThatATokenBringsAlongIsNotUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	payload, kid := mustJSON(t, w.payloadOf(robot())), w.keyID()
	strange, err := parseKeys(otherKeys())
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		key, value string
		kid        string
		message    string
	}{
		"jku":         {"jku", "https://evil.example/keys", kid, badSignature},
		"x5u":         {"x5u", "https://evil.example/chain.pem", kid, badSignature},
		"jku, no kid": {"jku", "https://evil.example/keys", "", foreignKey},
		"unknown kid": {"cty", "JWT", "another", foreignKey},
		"path as kid": {"cty", "JWT", "../../../dev/null", foreignKey},
		"sql as kid":  {"cty", "JWT", "' UNION SELECT 'key' --", foreignKey},
		"long kid":    {"cty", "JWT", strings.Repeat("k", 8000), foreignKey},
	} {
		t.Run(name, func(t *testing.T) {
			options := (&jose.SignerOptions{}).WithHeader(jose.HeaderKey(test.key), test.value)
			w.wantMessage(t, signWith(t, stranger(t, options, test.kid), payload), test.message)
		})
	}
	t.Run("jwk", func(t *testing.T) {
		options := (&jose.SignerOptions{}).WithHeader("jwk", strange.keys[0].Public()).WithHeader("kid", kid)
		w.wantMessage(t, signWith(t, stranger(t, options, ""), payload), badSignature)
		w.wantMessage(t, signWith(t, stranger(t, &jose.SignerOptions{EmbedJWK: true}, ""), payload), foreignKey)
	})
	t.Run("x5c", func(t *testing.T) {
		template := &x509.Certificate{}
		private := strange.keys[0].JSONWebKey.Key.(*rsa.PrivateKey)
		certificate, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
		if err != nil {
			t.Fatal(err)
		}
		options := (&jose.SignerOptions{}).WithHeader("x5c", []string{base64.StdEncoding.EncodeToString(certificate)})
		w.wantMessage(t, signWith(t, stranger(t, options, kid), payload), badSignature)
	})
}

func TestASignatureIsOfTheWholeToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.issue(t, robot())
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	admin := robot()
	admin.Permissions = []string{"Directory.ReadWrite.All"}
	_, other, _ := strings.Cut(w.issue(t, admin), ".")
	otherPayload, _, _ := strings.Cut(other, ".")
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecSigner, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: ec}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ raw, message string }{
		"another payload":            {header + "." + otherPayload + "." + signature, badSignature},
		"no signature":               {header + "." + payload + ".", badSignature},
		"a signature cut short":      {good[:len(good)-8], badSignature},
		"a payload cut short":        {header + "." + payload[:len(payload)-4] + "." + signature, badSignature},
		"another header":             {base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"`+w.keyID()+`"}`)) + "." + rest, badSignature},
		"a signature of zeros":       {header + "." + payload + "." + strings.Repeat("A", len(signature)), badSignature},
		"a signature by another key": {signWith(t, stranger(t, nil, w.keyID()), mustJSON(t, w.payloadOf(robot()))), badSignature},
		"an elliptic curve":          {signWith(t, ecSigner, mustJSON(t, w.payloadOf(robot()))), badAlgorithm},
	} {
		t.Run(name, func(t *testing.T) { w.wantMessage(t, test.raw, test.message) })
	}
}

func TestATokenIsWellFormed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.issue(t, robot())
	parts := strings.Split(good, ".")
	const noDots = "IDX14100: JWT is not well formed, there are no dots (.)."
	for name, test := range map[string]struct{ raw, message string }{
		"empty":                 {"", "Access token is empty."},
		"a word":                {"token", noDots},
		"a header alone":        {parts[0], noDots},
		"two parts":             {parts[0] + "." + parts[1], badParts},
		"four parts":            {good + ".x", badParts},
		"an encrypted token":    {"a.b.c.d.e", badParts},
		"many dots":             {strings.Repeat(".", 5000), badParts},
		"dots only":             {"..", badAlgorithm},
		"no header":             {"." + parts[1] + "." + parts[2], badAlgorithm},
		"padding":               {parts[0] + "=." + parts[1] + "." + parts[2], badEncoding},
		"standard base64":       {"e+/." + parts[1] + "." + parts[2], badEncoding},
		"a space before":        {" " + good, badEncoding},
		"a scheme before":       {"Bearer " + good, badEncoding},
		"a line end in between": {good[:20] + "\n" + good[20:], "JWT is not well formed: it contains a line end."},
		"a zero byte":           {good + "\x00", badEncoding},
		"a header of text":      {forge([]byte(`"RS256"`), nil, unsigned), badEncoding},
		"a header of null":      {forge([]byte(`null`), nil, unsigned), badEncoding},
		"a header of nests":     {forge(bytes.Repeat([]byte(`{"a":`), 2000), nil, unsigned), badEncoding},
		"JSON serialization":    {`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"} . .`, badEncoding},
		"oversized":             {good + strings.Repeat("A", maxToken), "JWT is not well formed: it is longer than 16 KB."},
	} {
		t.Run(name, func(t *testing.T) { w.wantMessage(t, test.raw, test.message) })
	}
}

// Two readers may take two different claims of one name, so there may only be one.
func TestAClaimStandsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	payload := string(mustJSON(t, w.payloadOf(robot())))
	const twice = "JWT is not well formed: its claims cannot be read, or one is a duplicate."
	for name, test := range map[string]struct{ claim, message string }{
		"the tenant twice":                          {`"tid":"` + fabrikam.String() + `",`, twice},
		"the tenant twice, alike":                   {`"tid":"` + contoso.String() + `",`, twice},
		"the tenant twice, escaped":                 {`"\u0074id":"` + fabrikam.String() + `",`, twice},
		"an unknown claim twice":                    {`"x":1,"x":2,`, twice},
		"another claim, of capitals":                {`"TID":"` + fabrikam.String() + `",`, ""},
		"permissions in capitals are not looked at": {`"Roles":["Directory.ReadWrite.All"],`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			signed, err := w.keys.Load().signer.Sign([]byte("{" + test.claim + payload[1:]))
			if err != nil {
				t.Fatal(err)
			}
			raw, err := signed.CompactSerialize()
			if err != nil {
				t.Fatal(err)
			}
			w.wantMessage(t, raw, test.message)
			if caller, err := w.Verify(t.Context(), raw); err == nil &&
				(caller.Tenant != contoso || caller.Permissions.Has("Directory.ReadWrite.All")) {
				t.Errorf("caller is %+v", caller)
			}
		})
	}
}

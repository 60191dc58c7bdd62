package graph

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
)

func TestRedirectAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address           string
		web, page, public bool // good for
	}{
		{"https://red.contoso.example/back", true, true, true},
		{"https://red.contoso.example:8443/back?x=1", true, true, true},
		{"http://localhost", true, true, true},
		{"http://LOCALHOST:8080/back", true, true, true},
		{"http://127.0.0.1:5000", true, true, true},
		{"http://[::1]:5000/back", true, true, true},
		{"red-robot://back", false, false, true},
		{"com.contoso.red:/back", false, false, true},
		{"urn:ietf:wg:oauth:2.0:oob", true, false, true},
		{"urn:", false, false, false},
		{"http://red.contoso.example/back", false, false, false},
		{"http://localhost.evil.example", false, false, false},
		{"http://127.0.0.1.evil.example", false, false, false},
		{"http://127.0.0.2", false, false, false},
		{"https://*.contoso.example/back", false, false, false},
		{"https://red.contoso.example/back#x", false, false, false},
		{"https://red.contoso.example/back#", false, false, false},
		{"https://ann@red.contoso.example/back", false, false, false},
		{"https://red.contoso.example\\@evil.example", false, false, false},
		{"https://red.contoso.example/ back", false, false, false},
		{"https://", false, false, false},
		{"https:red.contoso.example", false, false, false},
		{"//red.contoso.example", false, false, false},
		{"/back", false, false, false},
		{"", false, false, false},
		{"javascript:alert(1)", false, false, false},
		{"JavaScript:alert(1)", false, false, false},
		{"data:text/html,x", false, false, false},
		{"file:///etc/passwd", false, false, false},
		{"red-robot:", false, false, false},
		{"https://red.contoso.example/" + strings.Repeat("x", 256), false, false, false},
	} {
		for kind, want := range map[client]bool{webClient: c.web, pageClient: c.page, publicClient: c.public} {
			if got := kind.checkRedirect(c.address) == ""; got != want {
				t.Errorf("%q for kind %d: %v, want %v", c.address, kind, got, want)
			}
		}
	}
}

// certificateFor is base64 of a certificate.
func certificateFor(t *testing.T, key any, public any, from, to time.Time) string {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Red"}, NotBefore: from, NotAfter: to,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func TestKeysOfApplications(t *testing.T) {
	t.Parallel()
	large, errLarge := rsa.GenerateKey(rand.Reader, 2048)
	small, errSmall := rsa.GenerateKey(rand.Reader, 1024)
	curve, errCurve := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if errLarge != nil || errSmall != nil || errCurve != nil {
		t.Fatal(errLarge, errSmall, errCurve)
	}
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	year := func(n int) time.Time { return now.AddDate(n, 0, 0) }
	good := certificateFor(t, large, &large.PublicKey, year(-1), year(1))
	der, _ := base64.StdEncoding.DecodeString(good)
	inPEM := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	key := func(text, more string) string {
		return fmt.Sprintf(`[{"type":"AsymmetricX509Cert","usage":"Verify","key":%q%s}]`, text, more)
	}
	for name, c := range map[string]struct{ body, want string }{
		"good":                              {key(good, ""), ""},
		"in PEM":                            {key(inPEM, ""), ""},
		"for a shorter time":                {key(good, `,"endDateTime":"2026-06-30T00:00:00Z"`), ""},
		"for longer than the certificate":   {key(good, `,"endDateTime":"2027-02-01T00:00:00Z"`), "Key credential end date is invalid"},
		"from before the certificate":       {key(good, `,"startDateTime":"2024-02-01T00:00:00Z"`), "Key credential start date is invalid"},
		"until before it begins":            {key(good, `,"startDateTime":"2026-06-30T00:00:00Z","endDateTime":"2026-05-30T00:00:00Z"`), "Key credential end date is invalid"},
		"past":                              {key(certificateFor(t, large, &large.PublicKey, year(-2), year(-1)), ""), "Key credential end date is invalid"},
		"of a small key":                    {key(certificateFor(t, small, &small.PublicKey, year(-1), year(1)), ""), "keyCredentials.key"},
		"of a curve":                        {key(certificateFor(t, curve, &curve.PublicKey, year(-1), year(1)), ""), "keyCredentials.key"},
		"no certificate":                    {key(base64.StdEncoding.EncodeToString([]byte("x")), ""), "keyCredentials.key"},
		"no base64":                         {key("!", ""), "keyCredentials.key"},
		"another type":                      {strings.Replace(key(good, ""), "AsymmetricX509Cert", "Symmetric", 1), "keyCredentials.type"},
		"another usage":                     {strings.Replace(key(good, ""), "Verify", "Sign", 1), "keyCredentials.usage"},
		"without a key":                     {`[{"type":"AsymmetricX509Cert","usage":"Verify"}]`, "A value is required for property 'keyCredentials.key'"},
		"by an id that nothing has":         {`[{"keyId":"11111111-1111-4111-8111-111111111111"}]`, "A value is required for property 'keyCredentials.key'"},
		"one id twice":                      {strings.Replace(key(good, `,"keyId":"11111111-1111-4111-8111-111111111111"`)+key(good, `,"keyId":"11111111-1111-4111-8111-111111111111"`), "][", ",", 1), "keyCredentials.keyId"},
		"an unknown property":               {key(good, `,"colour":"red"`), "Invalid property 'keyCredentials.colour'."},
		"an id that is none":                {key(good, `,"keyId":"x"`), "Edm.Guid"},
		"no list":                           {`{}`, "keyCredentials"},
		"null":                              {`null`, "keyCredentials"},
		"a name that is too long":           {key(good, `,"displayName":"`+strings.Repeat("x", 121)+`"`), "keyCredentials.displayName"},
		"a time that is none":               {key(good, `,"endDateTime":"tomorrow"`), "keyCredentials.endDateTime"},
		"a certificate that is rather long": {key(base64.StdEncoding.EncodeToString(make([]byte, maxCertificate+1)), ""), "keyCredentials.key"},
	} {
		var a directory.Client
		set := setKeys(func(a *directory.Client) *[]directory.Certificate { return &a.Certificates })
		at := wire.Place{Resource: applicationResource, Path: "keyCredentials"}
		err := set(editor{applicationResource, uuid.New, now, false}, &a, at, json.RawMessage(c.body))
		switch {
		case c.want == "" && (err != nil || len(a.Certificates) != 1 ||
			a.Certificates[0].KeyID == uuid.Nil || string(a.Certificates[0].DER) != string(der)):
			t.Errorf("%s: %v, %+v", name, err, a.Certificates)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || len(a.Certificates) > 0):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Several who change one application at once, each another thing, all find their change in it.
func TestNoChangeOfAnApplicationIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(allPermissions...)
	path := "/v1.0/applications/" + w.app.ID.String()
	var all sync.WaitGroup
	const each = 8
	for i := range each {
		all.Go(func() {
			if got := w.do("POST", path+"/addPassword", token, fmt.Sprintf(`{"passwordCredential":{"displayName":"secret %d"}}`, i)); got.status != http.StatusOK {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
		all.Go(func() {
			body := fmt.Sprintf(`{"name":"name-%d","issuer":"https://issuer.example","subject":"subject %d","audiences":["a"]}`, i, i)
			if got := w.do("POST", path+"/federatedIdentityCredentials", token, body); got.status != http.StatusCreated {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	all.Wait()
	app, _ := w.tenant.Image().Client(w.app.AppID)
	if len(app.Secrets) != each || len(app.Federated) != each {
		t.Errorf("%d secrets and %d federated credentials, want %d of each", len(app.Secrets), len(app.Federated), each)
	}
	for _, s := range app.Secrets {
		if want := identity.HashSecret(theSecret(t)); string(s.Hash) != string(want[:]) || s.Hint == "" {
			t.Errorf("the hash of a secret is %x", s.Hash)
		}
	}
}

// What is read from an image stays as it is, whatever is changed afterwards.
func TestAnImageKeepsItsApplications(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(allPermissions...)
	path := "/v1.0/applications/" + w.app.ID.String()
	const first = `{"name":"abc","issuer":"https://issuer.example","subject":"s","audiences":["first"]}`
	if got := w.do("POST", path+"/federatedIdentityCredentials", token, first); got.status != http.StatusCreated {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := w.do("PATCH", path, token, `{"tags":["first"],"web":{"redirectUris":["https://first.example"]}}`); got.status != http.StatusNoContent {
		t.Fatalf("%d %s", got.status, got.body)
	}
	app, _ := w.tenant.Image().Client(w.app.AppID)
	before := string(app.Document())
	for at, body := range map[string]string{
		path + "/federatedIdentityCredentials/abc": `{"audiences":["other"],"subject":"t"}`,
		path: `{"tags":["other"],"web":{"redirectUris":["https://other.example"],"homePageUrl":"https://other.example"},"displayName":"Other"}`,
	} {
		if got := w.do("PATCH", at, token, body); got.status != http.StatusNoContent {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	if after := string(app.Document()); after != before {
		t.Errorf("an image has changed:\n%s\n%s", before, after)
	}
	if now, _ := w.tenant.Image().Client(w.app.AppID); !strings.Contains(string(now.Document()), `"other"`) {
		t.Errorf("nothing has changed: %s", now.Document())
	}
}

// theSecret is what the tests' source of randomness makes.
func theSecret(t *testing.T) string {
	t.Helper()
	text, err := identity.NewSecret(counting{})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Of many who give one role to one user, one succeeds; of two administrators who take the role from
// each other, one keeps it.
func TestTheLastAdministratorStaysWhoeverIsFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(allPermissions...)
	var ids []string
	for _, name := range []string{"ann", "bob"} {
		made := w.do("POST", "/v1.0/users", token, fmt.Sprintf(`{"accountEnabled":true,"displayName":%[1]q,"mailNickname":%[1]q,"userPrincipalName":"%[1]s@contoso.example","passwordProfile":{"password":"Tulip-5-tree!"}}`, name))
		var user struct{ ID string }
		w.must(json.Unmarshal([]byte(made.body), &user))
		ids = append(ids, user.ID)
		got := w.do("POST", "/v1.0/roleManagement/directory/roleAssignments", token, fmt.Sprintf(
			`{"principalId":%q,"roleDefinitionId":%q,"directoryScopeId":"/"}`, user.ID, identity.GlobalAdministrator.ID))
		if got.status != http.StatusCreated {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	statuses := make([]int, 4)
	var all sync.WaitGroup
	for i := range statuses {
		user := uuid.MustParse(ids[i/2])
		all.Go(func() {
			path := "/v1.0/directoryRoles(roleTemplateId='" + identity.GlobalAdministrator.ID.String() + "')/members/" + user.String() + "/$ref"
			if i%2 == 1 {
				path = "/v1.0/users/" + user.String()
			}
			own := w.userToken(user, allPermissions, []uuid.UUID{identity.GlobalAdministrator.ID}, false)
			statuses[i] = w.do("DELETE", path, own, "").status
		})
	}
	all.Wait()
	holders := 0
	for user, roles := range w.tenant.Image().Roles {
		ordinal, ok := w.tenant.Image().Directory.UserByID(user)
		if ok && !w.tenant.Image().Directory.UserDeleted(ordinal) {
			holders += len(roles)
		}
	}
	if holders != 1 {
		t.Errorf("%d administrators are left; the answers are %v", holders, statuses)
	}
}

package identity

import (
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
)

const (
	foreignAlgorithm = "Access token validation failure. Invalid algorithm: only RS256, PS256 and ES256 are accepted."
	unpublishedKey   = "Access token validation failure. Invalid signature. The key is not one that its issuer publishes."
	namelessKey      = "Access token validation failure. Invalid signature. The token does not name its key (kid)."
	wrongIssuer      = "Access token validation failure. Invalid issuer."
	wrongAudience    = "Access token validation failure. Invalid audience."
	twiceTrusted     = "Access token validation failure. Its issuer is trusted more than once for its audience, so it is not clear what it may do: use an audience of its own for each tenant."
)

func (w world) verified(t *testing.T, raw string) *Caller {
	t.Helper()
	caller, err := w.Verify(t.Context(), raw)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return caller
}

func TestATokenOfATrustedIssuerIsAnApplications(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t)
	w, trusting, _ := newTrustingWorld(t, e, e.trust())
	caller := w.verified(t, e.token(t, nil))
	if caller.Tenant != contoso || caller.Delegated || caller.Personal || caller.Name != "robot-7" || len(caller.Roles) != 0 ||
		!slices.Equal(caller.Permissions, []string{"Group.Read.All", "User.ReadWrite.All"}) {
		t.Errorf("caller is %+v", caller)
	}
	want := uuid.NewSHA1(contoso, []byte(e.URL+"\nrobot-7"))
	if caller.ObjectID != want || caller.AppID != want || caller.Actor() != "app "+want.String() {
		t.Errorf("ids are %s and %s, want %s", caller.ObjectID, caller.AppID, want)
	}
	if other := w.verified(t, e.token(t, map[string]any{"sub": "robot-8"})); other.ObjectID == caller.ObjectID {
		t.Error("two subjects have one id")
	}
	for _, sign := range []struct {
		key       jose.JSONWebKey
		algorithm jose.SignatureAlgorithm
	}{{e.keys[0], jose.RS256}, {e.keys[0], jose.PS256}, {e.keys[1], jose.ES256}} {
		w.wantMessage(t, e.sign(t, sign.key, sign.algorithm, nil), "")
	}
	if asked := e.asked.Load(); asked != 1 {
		t.Errorf("the keys were fetched %d times", asked)
	}
	w.wantMessage(t, w.issue(t, robot()), "") // our own are as good as before
	trusting.town.change(func() { trusting.trusts = nil })
	w.wantMessage(t, e.token(t, nil), foreignKey)
}

func TestATokenOfATrustedIssuerNamesAUser(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t)
	trust := e.trust()
	trust.UserClaim = "preferred_username"
	w, trusting, _ := newTrustingWorld(t, e, trust)
	for _, name := range []string{"ann@contoso.example", "Ann@Contoso.example", ann.String()} {
		caller := w.verified(t, e.token(t, map[string]any{"preferred_username": name}))
		if caller.Tenant != contoso || !caller.Delegated || caller.ObjectID != ann ||
			caller.AppID != uuid.Nil || caller.Name != "Ann" ||
			!slices.Equal(caller.Roles, []uuid.UUID{UserAdministrator.ID}) || !caller.Permissions.Has("User.ReadWrite.All") {
			t.Errorf("%s is %+v", name, caller)
		}
	}
	for name, value := range map[string]any{
		"unknown": "nobody@contoso.example", "an unknown id": nowhere.String(), "disabled": ben.String(), "missing": nil, "empty": "", "a list": []string{ann.String()}, "a number": 7,
		"in another tenant": "ann@fabrikam.example",
	} {
		t.Run(name, func(t *testing.T) {
			w.wantMessage(t, e.token(t, map[string]any{"preferred_username": value}), disabledUser)
		})
	}
	if _, err := w.Verify(t.Context(), e.token(t, map[string]any{"preferred_username": "carol@contoso.example"})); !errors.Is(err, errUnreadable) {
		t.Errorf("a user who cannot be read: %v", err)
	}
	w.town.change(func() {
		user := w.town.users[ann]
		user.SessionsFrom = start.Add(time.Second)
		w.town.users[ann] = user
	})
	w.wantMessage(t, e.token(t, nil), endedSession)
	w.wantMessage(t, e.token(t, map[string]any{"iat": nil}), endedSession)
	w.wantMessage(t, e.token(t, map[string]any{"iat": start.Unix() + 1}), "")
	// Fabrikam trusts the same issuer, for tokens of its own audience: they are no one's who is in
	// Contoso.
	other := trust
	other.Tenant, other.Audiences = fabrikam, []string{"fabrikam"}
	trusting.town.change(func() { trusting.trusts = append(trusting.trusts, other) })
	w.wantMessage(t, e.token(t, map[string]any{"aud": "fabrikam", "iat": start.Unix() + 1}), disabledUser)
	w.wantMessage(t, e.token(t, map[string]any{"aud": "fabrikam", "preferred_username": ann.String()}), disabledUser)
}

func TestAnAddressNamesAUserOnlyWhenItWasVerified(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t)
	trust := e.trust()
	trust.UserClaim = "email"
	w, _, _ := newTrustingWorld(t, e, trust)
	const unverified = "Access token validation failure. The issuer has not verified the user's email address (email_verified)."
	for _, verified := range []any{nil, false, "true", 1} {
		w.wantMessage(t, e.token(t, map[string]any{"email": "ann@contoso.example", "email_verified": verified}), unverified)
	}
	w.wantMessage(t, e.token(t, map[string]any{"email": "ann@contoso.example", "email_verified": true}), "")
}

func TestWordsBecomePermissions(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t)
	all, read := []string{"Group.Read.All", "User.ReadWrite.All"}, []string{"Group.Read.All"}
	for _, test := range []struct {
		claim string
		value any
		want  []string
	}{
		{"roles", []string{"admin", "reader"}, all},
		{"roles", []string{"reader", "Admin", "User.ReadWrite.All"}, read},
		{"roles", "reader  admin", all},
		{"roles", "reader,admin", nil},
		{"roles", []any{7, nil, "reader", []string{"admin"}}, read},
		{"roles", map[string]any{"admin": true}, nil},
		{"roles", 7, nil},
		{"roles", nil, nil},
		{"realm.roles", []string{"admin"}, all}, // a claim with a dot in its name
	} {
		trust := e.trust()
		trust.PermissionsClaim = test.claim
		w, _, _ := newTrustingWorld(t, e, trust)
		got := w.verified(t, e.token(t, map[string]any{test.claim: test.value})).Permissions
		if !slices.Equal(got, test.want) {
			t.Errorf("%s %v: %q, want %q", test.claim, test.value, got, test.want)
		}
	}
	trust := e.trust()
	trust.PermissionsClaim = "resource_access.licensor.roles"
	w, _, _ := newTrustingWorld(t, e, trust)
	inside := map[string]any{"licensor": map[string]any{"roles": []string{"reader"}}, "other": map[string]any{"roles": []string{"admin"}}}
	if got := w.verified(t, e.token(t, map[string]any{"resource_access": inside})).Permissions; !slices.Equal(got, read) {
		t.Errorf("inside objects: %q", got)
	}
	for _, outside := range []any{nil, "x", []any{inside}, map[string]any{"licensor": "roles"}} {
		if got := w.verified(t, e.token(t, map[string]any{"resource_access": outside})).Permissions; len(got) != 0 {
			t.Errorf("%v: %q", outside, got)
		}
	}
}

// Each of these is refused: the attacks of RFC 8725 on an issuer that is trusted.
func TestAttacksInTheNameOfATrustedIssuer(t *testing.T) {
	t.Parallel()
	e, other := newElsewhere(t), newElsewhere(t)
	w, _, _ := newTrustingWorld(t, e, e.trust(), func() Trusted {
		trust := other.trust()
		trust.Tenant = fabrikam
		return trust
	}(), func() Trusted { // an audience that two tenants share
		trust := e.trust()
		trust.Audiences = []string{"shared"}
		return trust
	}(), func() Trusted {
		trust := e.trust()
		trust.Tenant, trust.Audiences = fabrikam, []string{"shared"}
		return trust
	}())
	other.keys[0].Key = must(firstRSA())
	good := jose.JSONWebKey{KeyID: "rsa", Key: foreignRSA()}
	with := func(claim string, value any) string { return e.token(t, map[string]any{claim: value}) }
	by := func(key any, id string, algorithm jose.SignatureAlgorithm) string {
		return e.sign(t, jose.JSONWebKey{KeyID: id, Key: key}, algorithm, nil)
	}
	payload := mustJSON(t, e.claims())
	der := x509.MarshalPKCS1PublicKey(&foreignRSA().PublicKey)
	mac := func(input []byte) []byte {
		h := hmac.New(sha256.New, der)
		h.Write(input)
		return h.Sum(nil)
	}
	for name, test := range map[string]struct{ raw, message string }{
		"no algorithm":                    {forge([]byte(`{"alg":"none","kid":"rsa"}`), payload, unsigned), foreignAlgorithm},
		"no signature":                    {forge([]byte(`{"alg":"RS256","kid":"rsa"}`), payload, unsigned), badSignature},
		"HMAC with the public key":        {forge([]byte(`{"alg":"HS256","kid":"rsa"}`), payload, mac), foreignAlgorithm},
		"HMAC called RS256":               {forge([]byte(`{"alg":"RS256","kid":"rsa"}`), payload, mac), badSignature},
		"another algorithm":               {by(foreignRSA(), "rsa", jose.RS512), foreignAlgorithm},
		"a key that is not published":     {by(must(firstRSA()), "mine", jose.RS256), unpublishedKey},
		"the name of a published key":     {by(must(firstRSA()), "rsa", jose.RS256), badSignature},
		"a key of our own":                {e.sign(t, must(parseKeys(ourKeys())).keys[0].JSONWebKey, jose.RS256, nil), wrongIssuer},
		"no name of a key":                {by(foreignRSA(), "", jose.RS256), namelessKey},
		"an algorithm the key is not for": {by(newEC(elliptic.P256()), "rsa", jose.ES256), badSignature},
		"a key the token brings along":    {bringing(t, e, "jwk"), unpublishedKey},
		"an address the token brings":     {bringing(t, e, "jku"), unpublishedKey},
		"the key of another issuer":       {e.sign(t, other.keys[0], jose.RS256, nil), badSignature},
		"in the name of another issuer":   {e.token(t, map[string]any{"iss": other.URL}), badSignature},
		"an issuer nobody trusts":         {with("iss", "https://evil.example"), foreignKey},
		"the issuer with a slash":         {with("iss", e.URL+"/"), foreignKey},
		"a list of issuers":               {with("iss", []string{e.URL}), foreignKey},
		"no issuer":                       {with("iss", nil), foreignKey},
		"another audience":                {with("aud", "another"), wrongAudience},
		"Graph as the audience":           {with("aud", GraphURL), wrongAudience},
		"no audience":                     {with("aud", nil), wrongAudience},
		"audiences in one text":           {with("aud", "licensor another"), wrongAudience},
		"an audience in an object":        {with("aud", map[string]any{"licensor": true}), wrongAudience},
		"an audience of two tenants":      {with("aud", "shared"), twiceTrusted},
		"audiences with different trust":  {with("aud", []string{"licensor", "shared"}), twiceTrusted},
		"a tenant of its own choice":      {e.token(t, map[string]any{"aud": "another", "tid": contoso.String()}), wrongAudience},
		"expired":                         {with("exp", start.Add(-skew).Unix()), expiredToken},
		"without an end":                  {with("exp", nil), expiredToken},
		"an end that is text":             {with("exp", "9999999999"), expiredToken},
		"an end far away":                 {with("exp", 1e300), expiredToken},
		"not yet valid":                   {with("nbf", start.Add(skew+time.Second).Unix()), earlyToken},
		"a beginning that is text":        {with("nbf", "0"), earlyToken},
		"no subject":                      {with("sub", nil), "Access token validation failure. The token has no subject (sub)."},
		"a claim twice":                   {twice(t, e), foreignKey},
		"a critical extension":            {forge([]byte(`{"alg":"RS256","kid":"rsa","crit":["x"],"x":1}`), payload, unsigned), badSignature},
		"a payload that is not encoded":   {forge([]byte(`{"alg":"RS256","b64":false,"crit":["b64"],"kid":"rsa"}`), payload, unsigned), badSignature},
		"longer than a token may be":      {with("x", string(make([]byte, maxToken))), "JWT is not well formed: it is longer than 16 KB."},
		"with another token's signature": {
			forge([]byte(`{"alg":"RS256","kid":"rsa"}`), mustJSON(t, map[string]any{"iss": e.URL}), unsigned) +
				lastPart(by(foreignRSA(), "rsa", jose.RS256)),
			badSignature,
		},
		"encrypted":                        {"a.b.c.d.e", badParts},
		"a line end":                       {e.sign(t, good, jose.RS256, nil) + "\n", "JWT is not well formed: it contains a line end."},
		"signed for what it may do itself": {with("scp", "Directory.ReadWrite.All"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w.wantMessage(t, test.raw, test.message)
			caller, err := w.Verify(t.Context(), test.raw)
			if test.message != "" && caller != nil || err == nil && caller.Permissions.Has("Directory.ReadWrite.All") {
				t.Errorf("the caller is %+v, %v", caller, err)
			}
		})
	}
	for name, raw := range map[string]string{
		"expired a moment ago": with("exp", start.Add(-skew+time.Second).Unix()), "valid in a moment": with("nbf", start.Add(skew).Unix()),
		"several audiences": with("aud", []string{"another", "licensor"}), "a fraction of a second": with("exp", float64(start.Unix())+0.5),
	} {
		t.Run(name, func(t *testing.T) { w.wantMessage(t, raw, "") })
	}
	if caller := w.verified(t, other.token(t, nil)); caller.Tenant != fabrikam {
		t.Errorf("the other issuer's token is for %s", caller.Tenant)
	}
}

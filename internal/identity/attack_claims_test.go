package identity

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

const (
	unreadableClaims = "JWT is not well formed: its claims cannot be read, or one is a duplicate."
	expiredToken     = "Lifetime validation failed, the token is expired."
	earlyToken       = "Lifetime validation failed, the token is not yet valid."
	strangeTenant    = "Access token validation failure. Invalid tenant."
	strangeIssuer    = "Access token validation failure. Invalid issuer."
	strangeAudience  = "Access token validation failure. Invalid audience."
)

// spoiled is a token of our key whose payload is a good one's with some claims replaced by texts
// that need not be JSON. It may be given more than one text for what follows the last claim.
func (w world) spoiled(t testing.TB, claims map[string]string, behind string) string {
	t.Helper()
	parts := map[string]string{}
	for name, value := range w.payloadOf(robot()) {
		parts[name] = string(mustJSON(t, value))
	}
	maps.Copy(parts, claims)
	var payload []string
	for name, value := range parts {
		payload = append(payload, `"`+name+`":`+value)
	}
	return w.signedAs(t, `{"alg":"RS256","kid":"`+w.keyID()+`"}`, []byte("{"+strings.Join(payload, ",")+"}"+behind))
}

// The clock of the tests is at start, and five minutes are tolerated.
func TestTheTimesOfATokenAreNumbersWithinReach(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, test := range map[string]struct{ claim, value, message string }{
		"exp as text":                {"exp", `"4102444800"`, unreadableClaims},
		"exp as a fraction":          {"exp", `4102444800.5`, unreadableClaims},
		"exp as a power":             {"exp", `4e9`, unreadableClaims},
		"exp too large for 64 bits":  {"exp", `9223372036854775808`, unreadableClaims},
		"exp of a thousand digits":   {"exp", strings.Repeat("9", 1000), unreadableClaims},
		"exp as large as can be":     {"exp", `9223372036854775807`, ""},
		"exp as small as can be":     {"exp", `-9223372036854775808`, expiredToken},
		"exp of zero":                {"exp", `0`, expiredToken},
		"exp of minus zero":          {"exp", `-0`, expiredToken},
		"exp negative":               {"exp", `-1`, expiredToken},
		"exp null":                   {"exp", `null`, expiredToken},
		"exp true":                   {"exp", `true`, unreadableClaims},
		"exp in a list":              {"exp", `[4102444800]`, unreadableClaims},
		"exp in hexadecimal":         {"exp", `0xF4865700`, unreadableClaims},
		"exp with a plus":            {"exp", `+4102444800`, unreadableClaims},
		"exp with a leading zero":    {"exp", `04102444800`, unreadableClaims},
		"exp infinite":               {"exp", `Infinity`, unreadableClaims},
		"exp not a number":           {"exp", `NaN`, unreadableClaims},
		"exp in milliseconds is far": {"exp", `4102444800000`, ""},
		"nbf as text":                {"nbf", `"0"`, unreadableClaims},
		"nbf as large as can be":     {"nbf", `9223372036854775807`, earlyToken},
		"nbf as small as can be":     {"nbf", `-9223372036854775808`, ""},
		"iat as text":                {"iat", `"now"`, unreadableClaims},
	} {
		t.Run(name, func(t *testing.T) {
			w.wantMessage(t, w.spoiled(t, map[string]string{test.claim: test.value}, ""), test.message)
		})
	}
}

// A22: the tolerance is five minutes to the second at both ends.
func TestTheToleranceEndsToTheSecond(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		starts, ends time.Duration // from the clock's time
		message      string
	}{
		"ended 4:59 ago":        {-time.Hour, -299 * time.Second, ""},
		"ended 5:00 ago":        {-time.Hour, -300 * time.Second, expiredToken},
		"starts in 5:00":        {300 * time.Second, time.Hour, ""},
		"starts in 5:01":        {301 * time.Second, time.Hour, earlyToken},
		"ends before it starts": {200 * time.Second, 100 * time.Second, ""},
		"both out of reach":     {time.Hour, -time.Hour, expiredToken},
		"valid for 250 years":   {0, 250 * 365 * 24 * time.Hour, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			claims := robot()
			claims.NotBefore, claims.Expires = w.now().Add(test.starts), w.now().Add(test.ends)
			w.wantMessage(t, w.issue(t, claims), test.message)
		})
	}
}

// RFC 8725 sections 3.7, 3.8 and 3.9.
func TestTheClaimsAreTextsOfOneReading(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := `"` + fabrikam.String() + `"`
	const issuerOf = "https://localhost:8443/"
	for name, test := range map[string]struct {
		claims  map[string]string
		message string
	}{
		"aud in a list":                     {map[string]string{"aud": `["` + GraphURL + `"]`}, unreadableClaims},
		"aud in a list with another":        {map[string]string{"aud": `["` + GraphURL + `","https://evil.example"]`}, unreadableClaims},
		"aud in an object":                  {map[string]string{"aud": `{"0":"` + GraphURL + `"}`}, unreadableClaims},
		"aud null":                          {map[string]string{"aud": `null`}, strangeAudience},
		"aud empty":                         {map[string]string{"aud": `""`}, strangeAudience},
		"aud with a slash":                  {map[string]string{"aud": `"` + GraphURL + `/"`}, strangeAudience},
		"aud with a space":                  {map[string]string{"aud": `"` + GraphURL + ` "`}, strangeAudience},
		"aud with a longer host":            {map[string]string{"aud": `"` + GraphURL + `.evil.example"`}, strangeAudience},
		"aud two in one":                    {map[string]string{"aud": `"` + GraphURL + ` https://evil.example"`}, strangeAudience},
		"aud the client, as in an id token": {map[string]string{"aud": `"` + appID.String() + `"`}, strangeAudience},
		"aud the older Graph":               {map[string]string{"aud": `"00000002-0000-0000-c000-000000000000"`}, strangeAudience},
		"aud the token endpoint":            {map[string]string{"aud": `"` + localRoot + "/" + contoso.String() + `/oauth2/v2.0/token"`}, strangeAudience},
		"iss null":                          {map[string]string{"iss": `null`}, strangeIssuer},
		"iss in a list":                     {map[string]string{"iss": `["` + localRoot + `"]`}, unreadableClaims},
		"iss of version 1":                  {map[string]string{"iss": `"https://sts.windows.net/` + contoso.String() + `/"`}, strangeIssuer},
		"iss of version 1 with our end":     {map[string]string{"iss": `"https://sts.windows.net/` + fabrikam.String() + `/v2.0"`}, strangeTenant},
		"iss without a tenant":              {map[string]string{"iss": `"` + issuerOf + `v2.0"`}, strangeIssuer},
		"iss common":                        {map[string]string{"iss": `"` + issuerOf + `common/v2.0"`}, strangeIssuer},
		"iss organizations":                 {map[string]string{"iss": `"` + issuerOf + `organizations/v2.0"`}, strangeIssuer},
		"iss the placeholder":               {map[string]string{"iss": `"` + issuerOf + `{tenantid}/v2.0"`}, strangeIssuer},
		"iss two tenants": {
			map[string]string{"iss": `"` + issuerOf + fabrikam.String() + "/" + contoso.String() + `/v2.0"`},
			strangeIssuer,
		},
		"iss with dots": {
			map[string]string{"iss": `"` + issuerOf + fabrikam.String() + "/../" + contoso.String() + `/v2.0"`},
			strangeIssuer,
		},
		"iss with a query":                {map[string]string{"iss": `"` + issuerOf + contoso.String() + `/v2.0?x"`}, strangeIssuer},
		"iss javascript":                  {map[string]string{"iss": `"javascript://localhost/` + contoso.String() + `/v2.0"`}, strangeIssuer},
		"tid of another tenant":           {map[string]string{"tid": other}, strangeTenant},
		"iss of another tenant":           {map[string]string{"iss": `"` + issuerOf + fabrikam.String() + `/v2.0"`}, strangeTenant},
		"both of another tenant":          {map[string]string{"tid": other, "iss": `"` + issuerOf + fabrikam.String() + `/v2.0"`}, unknownCaller},
		"tid null":                        {map[string]string{"tid": `null`}, strangeTenant},
		"tid in a list":                   {map[string]string{"tid": `["` + contoso.String() + `"]`}, unreadableClaims},
		"tid in capitals":                 {map[string]string{"tid": `"` + strings.ToUpper(contoso.String()) + `"`}, strangeTenant},
		"tid in braces":                   {map[string]string{"tid": `"{` + contoso.String() + `}"`}, strangeTenant},
		"tid as a URN":                    {map[string]string{"tid": `"urn:uuid:` + contoso.String() + `"`}, strangeTenant},
		"tid with a zero":                 {map[string]string{"tid": `"` + contoso.String() + `\u0000"`}, strangeTenant},
		"tid that is no UTF-8":            {map[string]string{"tid": `"` + contoso.String() + "\xff" + `"`}, strangeTenant},
		"ver as a number":                 {map[string]string{"ver": `2.0`}, unreadableClaims},
		"oid of another application":      {map[string]string{"oid": `"` + ann.String() + `"`}, unknownCaller},
		"oid null":                        {map[string]string{"oid": `null`}, unknownCaller},
		"oid zero":                        {map[string]string{"oid": `"` + uuid.Nil.String() + `"`}, unknownCaller},
		"idtyp in capitals":               {map[string]string{"idtyp": `"APP"`}, unknownCaller},
		"idtyp in a list":                 {map[string]string{"idtyp": `["app","user"]`}, unreadableClaims},
		"roles as one text":               {map[string]string{"roles": `"Directory.ReadWrite.All"`}, unreadableClaims},
		"roles of lists":                  {map[string]string{"roles": `[["Directory.ReadWrite.All"]]`}, unreadableClaims},
		"roles as an object":              {map[string]string{"roles": `{"Directory.ReadWrite.All":true}`}, unreadableClaims},
		"a claim in depth of 3000":        {map[string]string{"x": strings.Repeat("[", 3000) + strings.Repeat("]", 3000)}, ""},
		"a claim of a huge number":        {map[string]string{"x": "1e999999999"}, ""},
		"a claim that does not end":       {map[string]string{"x": "{"}, unreadableClaims},
		"a comment":                       {map[string]string{"x": "1/* x */"}, unreadableClaims},
		"a claim nobody reads, ambiguous": {map[string]string{"x": `{"a":1,"a":2}`}, ""},
	} {
		t.Run(name, func(t *testing.T) { w.wantMessage(t, w.spoiled(t, test.claims, ""), test.message) })
	}
	for name, behind := range map[string]string{"an object": "{}", "a word": "x", "a zero": "\x00", "a comma": ",", "a second payload": `{"tid":"x"}`} {
		t.Run(name+" behind the claims", func(t *testing.T) { w.wantMessage(t, w.spoiled(t, nil, behind), unreadableClaims) })
	}
	for _, payload := range []string{"", "null", "[]", `""`, "0", "\xef\xbb\xbf{}"} {
		t.Run("claims that are "+payload, func(t *testing.T) {
			raw := w.signedAs(t, `{"alg":"RS256","kid":"`+w.keyID()+`"}`, []byte(payload))
			if caller, err := w.Verify(t.Context(), raw); err == nil {
				t.Errorf("it is accepted as %+v", caller)
			}
		})
	}
}

package identity

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestAnApplicationTokenNamesItsCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	caller, err := w.Verify(t.Context(), w.issue(t, robot()))
	if err != nil {
		t.Fatal(err)
	}
	want := &Caller{Tenant: contoso, ObjectID: principal, AppID: appID, Permissions: Permissions{"User.Read.All"}, Name: "Robot"}
	if !reflect.DeepEqual(caller, want) {
		t.Errorf("caller is %+v, want %+v", caller, want)
	}
	if got := caller.Actor(); got != "app "+appID.String() {
		t.Errorf("actor is %q", got)
	}
}

func TestADelegatedTokenNamesItsUserWithRolesOfTokenAndDirectory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	raw := w.issue(t, user(ann))
	for range 2 { // the second time it is remembered
		caller, err := w.Verify(t.Context(), raw)
		if err != nil {
			t.Fatal(err)
		}
		want := &Caller{
			Tenant: contoso, ObjectID: ann, AppID: appID, Delegated: true, Name: "Ann",
			Permissions: Permissions{"User.Read", "User.ReadWrite.All"},
			Roles:       []uuid.UUID{GroupsAdministrator.ID, UserAdministrator.ID},
		}
		if !reflect.DeepEqual(caller, want) {
			t.Errorf("caller is %+v, want %+v", caller, want)
		}
		if got := caller.Actor(); got != "user "+ann.String() {
			t.Errorf("actor is %q", got)
		}
	}
}

func TestATokenIsGoodForEachAudienceThatMeansUs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, audience := range []string{"", GraphURL, GraphAppID, localRoot} {
		claims := robot()
		claims.Audience = audience
		if _, err := w.Verify(t.Context(), w.issue(t, claims)); err != nil {
			t.Errorf("audience %q: %v", audience, err)
		}
	}
}

func TestATokenIsGoodUnderAnyNameOfTheAuthority(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, root := range []string{"", "https://127.0.0.1:8443", "https://[::1]:8443", "http://licensor", "https://login.microsoftonline.com"} {
		claims := robot()
		claims.Root = root
		if _, err := w.Verify(t.Context(), w.issue(t, claims)); err != nil {
			t.Errorf("root %q: %v", root, err)
		}
	}
}

// payloadOf is a good token's claims, for tests to spoil.
func (w world) payloadOf(claims Claims) map[string]any {
	set := claims.set(w.now())
	payload := map[string]any{
		"aud": set.Audience, "iss": set.Issuer, "iat": set.IssuedAt, "nbf": set.NotBefore, "exp": set.Expires, "appid": set.AppID,
		"idtyp": set.IdentityType, "oid": set.ObjectID, "sub": set.Subject, "tid": set.Tenant, "ver": set.Version,
	}
	if claims.Delegated {
		payload["scp"] = set.Scopes
	} else {
		payload["roles"] = set.Roles
	}
	return payload
}

// Each check of A21 and A23 with its message. Every token is signed with our own key.
func TestEveryCheckOfASignedTokenHasItsMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const (
		badIssuer   = "Access token validation failure. Invalid issuer."
		badAudience = "Access token validation failure. Invalid audience."
		badTenant   = "Access token validation failure. Invalid tenant."
		badVersion  = "Access token validation failure. Invalid version."
		expired     = "Lifetime validation failed, the token is expired."
		early       = "Lifetime validation failed, the token is not yet valid."
		unreadable  = "JWT is not well formed: its claims cannot be read, or one is a duplicate."
	)
	at := func(d time.Duration) int64 { return start.Add(d).Unix() }
	tests := []struct {
		name    string
		spoil   map[string]any // nil removes
		message string
	}{
		{"nothing spoiled", nil, ""},
		{"no issuer", map[string]any{"iss": nil}, badIssuer},
		{"issuer of the real service's v1.0", map[string]any{"iss": "https://sts.windows.net/" + contoso.String() + "/"}, badIssuer},
		{"issuer without a scheme", map[string]any{"iss": "localhost/" + contoso.String() + "/v2.0"}, badIssuer},
		{"issuer of another scheme", map[string]any{"iss": "ftp://localhost/" + contoso.String() + "/v2.0"}, badIssuer},
		{"issuer with a longer path", map[string]any{"iss": localRoot + "/x/" + contoso.String() + "/v2.0"}, badIssuer},
		{"issuer with a user", map[string]any{"iss": "https://a@localhost/" + contoso.String() + "/v2.0"}, badIssuer},
		{"issuer whose tenant is a domain", map[string]any{"iss": localRoot + "/" + contosoDomain + "/v2.0"}, badIssuer},
		{"issuer whose tenant is in capitals", map[string]any{"iss": localRoot + "/" + strings.ToUpper(contoso.String()) + "/v2.0"}, badIssuer},
		{"issuer with a slash at its end", map[string]any{"iss": localRoot + "/" + contoso.String() + "/v2.0/"}, badIssuer},
		{"no audience", map[string]any{"aud": nil}, badAudience},
		{"another audience", map[string]any{"aud": "https://management.azure.com"}, badAudience},
		{"a client as audience, as id tokens have it", map[string]any{"aud": appID.String()}, badAudience},
		{"the root of another name", map[string]any{"aud": "https://evil.example"}, badAudience},
		{"an audience in capitals", map[string]any{"aud": "HTTPS://GRAPH.MICROSOFT.COM"}, badAudience},
		{"a list of audiences", map[string]any{"aud": []string{GraphURL}}, unreadable},
		{"no expiry", map[string]any{"exp": nil}, expired},
		{"expired in the last five minutes", map[string]any{"exp": at(-5*time.Minute + time.Second)}, ""},
		{"expired five minutes ago", map[string]any{"exp": at(-5 * time.Minute)}, expired},
		{"expired long ago", map[string]any{"exp": int64(-1 << 62)}, expired},
		{"valid in five minutes", map[string]any{"nbf": at(5 * time.Minute)}, ""},
		{"valid in more than five minutes", map[string]any{"nbf": at(5*time.Minute + time.Second)}, early},
		{"valid in the far future", map[string]any{"nbf": int64(1<<63 - 1)}, early},
		{"an expiry that is text", map[string]any{"exp": "9999999999"}, unreadable},
		{"an expiry that is no number of ours", map[string]any{"exp": 1e300}, unreadable},
		{"no tenant", map[string]any{"tid": nil}, badTenant},
		{"another tenant than the issuer's", map[string]any{"tid": fabrikam.String()}, badTenant},
		{"another tenant's issuer", map[string]any{"iss": localRoot + "/" + fabrikam.String() + "/v2.0"}, badTenant},
		{"the tenant's domain", map[string]any{"tid": contosoDomain}, badTenant},
		{"a tenant that is not there", map[string]any{"tid": nowhere.String(), "iss": localRoot + "/" + nowhere.String() + "/v2.0"}, badTenant},
		{"the zero tenant", map[string]any{"tid": uuid.Nil.String(), "iss": localRoot + "/" + uuid.Nil.String() + "/v2.0"}, badTenant},
		{"no version", map[string]any{"ver": nil}, badVersion},
		{"version 1.0", map[string]any{"ver": "1.0"}, badVersion},
		{"no kind of caller", map[string]any{"idtyp": nil}, unknownCaller},
		{"an unknown kind of caller", map[string]any{"idtyp": "device"}, unknownCaller},
		{"no application", map[string]any{"appid": nil}, unknownCaller},
		{"an application of another tenant", map[string]any{"tid": fabrikam.String(), "iss": localRoot + "/" + fabrikam.String() + "/v2.0"}, unknownCaller},
		{"a disabled application", map[string]any{"appid": brokenApp.String(), "oid": brokenApp.String()}, unknownCaller},
		{"an application with another principal", map[string]any{"oid": ann.String()}, unknownCaller},
		{"an application that calls itself a user", map[string]any{"idtyp": "user"}, disabledUser},
		{"a user without an object id", map[string]any{"idtyp": "user", "oid": nil}, disabledUser},
		{"a user by an application that is not there", map[string]any{"idtyp": "user", "oid": ann.String(), "appid": nowhere.String()}, unknownCaller},
		{"a user by an application without a proper id", map[string]any{"idtyp": "user", "oid": ann.String(), "appid": "x"}, unknownCaller},
		{"a disabled user", map[string]any{"idtyp": "user", "oid": ben.String()}, disabledUser},
		{"a user without an application", map[string]any{"idtyp": "user", "oid": ann.String(), "appid": nil}, ""},

		// The order of A21: of two mistakes the earlier is told.
		{"issuer before audience", map[string]any{"iss": "x", "aud": "x"}, badIssuer},
		{"audience before expiry", map[string]any{"aud": "x", "exp": 0}, badAudience},
		{"expiry before tenant", map[string]any{"exp": 0, "tid": "x"}, expired},
		{"tenant before version", map[string]any{"tid": "x", "ver": "x"}, badTenant},
		{"version before the caller", map[string]any{"ver": "x", "oid": "x"}, badVersion},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			payload := w.payloadOf(robot())
			maps.Copy(payload, test.spoil)
			maps.DeleteFunc(payload, func(_ string, value any) bool { return value == nil })
			raw, err := w.Sign(payload)
			if err != nil {
				t.Fatal(err)
			}
			w.wantMessage(t, raw, test.message)
		})
	}
}

// wantMessage verifies twice, for the second time the signature is remembered.
func (w world) wantMessage(t *testing.T, raw, message string) {
	t.Helper()
	for range 2 {
		_, err := w.Verify(t.Context(), raw)
		if message == "" {
			if err != nil {
				t.Errorf("refused: %v", err)
			}
			continue
		}
		refusal := (*UnauthorizedError)(nil)
		if !errors.As(err, &refusal) {
			t.Fatalf("answered %v, want UnauthorizedError: %s", err, message)
		}
		if refusal.Message != message {
			t.Errorf("message is %q, want %q", refusal.Message, message)
		}
	}
}

func TestATokenEndsWithItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	raw := w.issue(t, robot())
	w.wantMessage(t, raw, "")
	w.clock.advance(Lifetime + skew - time.Second)
	w.wantMessage(t, raw, "")
	w.clock.advance(time.Second)
	w.wantMessage(t, raw, "Lifetime validation failed, the token is expired.")
}

func TestAnExpiredTokenCanBeIssued(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claims := robot()
	claims.NotBefore, claims.Expires = start.Add(-2*time.Hour), start.Add(-time.Hour)
	w.wantMessage(t, w.issue(t, claims), "Lifetime validation failed, the token is expired.")
}

// A23: a token that is remembered does not outlive its caller.
func TestACallerThatIsDisabledOrDeletedIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app, delegated := w.issue(t, robot()), w.issue(t, user(ann))
	w.wantMessage(t, app, "")
	w.wantMessage(t, delegated, "")

	w.town.change(func() { w.town.users[ann] = User{Enabled: false} })
	w.wantMessage(t, delegated, disabledUser)
	w.town.change(func() { delete(w.town.users, ann) })
	w.wantMessage(t, delegated, disabledUser)

	w.town.change(func() { w.town.users[ann] = User{Enabled: true}; delete(w.town.apps, appID) })
	w.wantMessage(t, app, unknownCaller)
	w.wantMessage(t, delegated, unknownCaller)
}

func TestRolesOfTheDirectoryEndAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	raw := w.issue(t, user(ann))
	if _, err := w.Verify(t.Context(), raw); err != nil {
		t.Fatal(err)
	}
	w.town.change(func() { w.town.users[ann] = User{Enabled: true} })
	caller, err := w.Verify(t.Context(), raw)
	if err != nil || !slices.Equal(caller.Roles, []uuid.UUID{GroupsAdministrator.ID}) {
		t.Errorf("roles are %v (%v), want only that of the token", caller.Roles, err)
	}
}

func TestADirectoryThatCannotBeReadIsNoFaultOfTheToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.Verify(t.Context(), w.issue(t, user(carol)))
	if refusal := (*UnauthorizedError)(nil); !errors.Is(err, errUnreadable) || errors.As(err, &refusal) {
		t.Errorf("answered %v, want the directory's error", err)
	}
}

// A22
func TestPersonalAccountsAreKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	guest, stranger := user(ann), user(nowhere)
	guest.Personal = true
	stranger.Tenant = PersonalTenant
	for name, claims := range map[string]Claims{"a guest": guest, "of the personal tenant": stranger} {
		caller, err := w.Verify(t.Context(), w.issue(t, claims))
		if err != nil || !caller.Personal || !caller.Delegated {
			t.Errorf("%s: caller %+v, error %v", name, caller, err)
		}
	}
}

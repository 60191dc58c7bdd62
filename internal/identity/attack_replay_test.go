package identity

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/google/uuid"
)

// twoTenants is a town in which an application and a user are in both tenants, under one client id
// and two names.
func twoTenants(t *testing.T) world {
	w := newWorld(t)
	w.Authority.tenants = twins{w.town}
	return w
}

// twins has in Fabrikam what Contoso has, with other object ids.
type twins struct{ *town }

var (
	fabrikamPrincipal = uuid.MustParse("aaaaaaaa-0000-4000-8000-0000000000fb")
	fabrikamUser      = uuid.MustParse("cccccccc-0000-4000-8000-0000000000fb")
)

func (d twins) Application(ctx context.Context, tenant, id uuid.UUID) (App, error) {
	app, err := d.town.Application(ctx, contoso, id)
	if tenant == fabrikam {
		app.ID = fabrikamPrincipal
	}
	return app, err
}

func (w world) resigned(t *testing.T, claims Claims, spoil map[string]any) string {
	t.Helper()
	payload := w.payloadOf(claims)
	maps.Copy(payload, spoil)
	maps.DeleteFunc(payload, func(_ string, value any) bool { return value == nil })
	raw, err := w.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// An application of many tenants has a principal in each, and a token of one tenant says nothing in
// another.
func TestATokenOfOneTenantIsNoneOfAnother(t *testing.T) {
	t.Parallel()
	w := twoTenants(t)
	issuerOf := func(tenant uuid.UUID) string { return Issuer(localRoot, tenant) }
	inFabrikam := robot()
	inFabrikam.Tenant, inFabrikam.ObjectID = fabrikam, fabrikamPrincipal
	caller, err := w.Verify(t.Context(), w.issue(t, inFabrikam))
	if err != nil || caller.Tenant != fabrikam {
		t.Fatalf("caller is %+v (%v), want Fabrikam's", caller, err)
	}
	for name, test := range map[string]struct {
		claims  Claims
		spoil   map[string]any
		message string
	}{
		"the tenant alone":         {robot(), map[string]any{"tid": fabrikam.String()}, strangeTenant},
		"the issuer alone":         {robot(), map[string]any{"iss": issuerOf(fabrikam)}, strangeTenant},
		"tenant and issuer":        {robot(), map[string]any{"tid": fabrikam.String(), "iss": issuerOf(fabrikam)}, unknownCaller},
		"the principal alone":      {robot(), map[string]any{"oid": fabrikamPrincipal.String()}, unknownCaller},
		"a user in another tenant": {user(ann), map[string]any{"tid": fabrikam.String(), "iss": issuerOf(fabrikam)}, disabledUser},
		"a user of another tenant": {user(fabrikamUser), nil, disabledUser},
		"a tenant that is gone":    {robot(), map[string]any{"tid": nowhere.String(), "iss": issuerOf(nowhere)}, strangeTenant},
		"the personal tenant":      {robot(), map[string]any{"tid": PersonalTenant.String()}, strangeTenant},
	} {
		t.Run(name, func(t *testing.T) { w.wantMessage(t, w.resigned(t, test.claims, test.spoil), test.message) })
	}
}

// What else we sign with the same key is not an access token: an ID token by its audience and
// because it lacks a kind of caller, and a token of one kind of caller does not take the
// permissions of the other.
func TestWhatIsNoAccessTokenIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, test := range map[string]struct {
		claims  Claims
		spoil   map[string]any
		message string
	}{
		"an id token": {
			user(ann), map[string]any{"aud": appID.String(), "idtyp": nil, "nonce": "x"}, strangeAudience,
		},
		"an id token for Graph's own client": {user(ann), map[string]any{"aud": GraphAppID, "idtyp": nil, "appid": nil, "scp": nil}, unknownCaller},
		"a client assertion": {
			robot(),
			map[string]any{"iss": appID.String(), "sub": appID.String(), "aud": localRoot + "/common/oauth2/v2.0/token"},
			strangeIssuer,
		},
		"for another resource":                    {robot(), map[string]any{"aud": "https://vault.azure.net"}, strangeAudience},
		"a user's token that says it is an app's": {user(ann), map[string]any{"idtyp": "app"}, unknownCaller},
		"an app's token that says it is a user's": {robot(), map[string]any{"idtyp": "user", "scp": "User.ReadWrite.All"}, disabledUser},
	} {
		t.Run(name, func(t *testing.T) { w.wantMessage(t, w.resigned(t, test.claims, test.spoil), test.message) })
	}
	t.Run("scopes do nothing for an application", func(t *testing.T) {
		caller, err := w.Verify(t.Context(), w.resigned(t, robot(), map[string]any{
			"scp": "Directory.ReadWrite.All", "wids": []string{GlobalAdministrator.ID.String()},
		}))
		if err != nil || caller.Delegated || len(caller.Roles) != 0 || caller.Permissions.Has("Directory.ReadWrite.All") {
			t.Errorf("caller is %+v (%v)", caller, err)
		}
	})
	t.Run("an application's permissions do nothing for a user", func(t *testing.T) {
		caller, err := w.Verify(t.Context(), w.resigned(t, user(ann), map[string]any{"roles": []string{"Directory.ReadWrite.All"}}))
		if err != nil || !caller.Delegated || caller.Permissions.Has("Directory.ReadWrite.All") {
			t.Errorf("caller is %+v (%v)", caller, err)
		}
	})
}

// A23, for tokens that have been seen before and those that have not.
func TestATokenFollowsItsCaller(t *testing.T) {
	t.Parallel()
	enabled := User{Enabled: true}
	for name, test := range map[string]struct {
		claims  Claims
		change  func(*town)
		message string
		back    func(*town) // after which the token is good again; nil: it never is
	}{
		"a user that is disabled": {
			user(ann), func(d *town) { d.users[ann] = User{} },
			disabledUser, func(d *town) { d.users[ann] = enabled },
		},
		"a user that is deleted": {
			user(ann), func(d *town) { delete(d.users, ann) },
			disabledUser, func(d *town) { d.users[ann] = enabled },
		},
		"an application that is disabled":             {robot(), func(d *town) { d.enable(false) }, unknownCaller, func(d *town) { d.enable(true) }},
		"the application of a user's token, disabled": {user(ann), func(d *town) { d.enable(false) }, unknownCaller, func(d *town) { d.enable(true) }},
		"an application that is deleted and made again": {robot(), func(d *town) {
			app := d.apps[appID]
			app.ID = uuid.New()
			d.apps[appID] = app
		}, unknownCaller, nil},
		"sessions ended after the token was given": {user(ann), func(d *town) { d.sessions(time.Second) }, endedSession, nil},
		"sessions ended before":                    {user(ann), func(d *town) { d.sessions(-time.Second) }, "", nil},
		"sessions ended in the same second":        {user(ann), func(d *town) { d.sessions(0) }, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			seen, unseen := w.issue(t, test.claims), w.issue(t, test.claims)
			w.wantMessage(t, seen, "")
			w.town.change(func() { test.change(w.town) })
			w.wantMessage(t, seen, test.message)
			w.wantMessage(t, unseen, test.message)
			if test.back != nil {
				w.town.change(func() { test.back(w.town) })
				w.wantMessage(t, seen, "")
			}
		})
	}
}

func (d *town) enable(on bool) {
	app := d.apps[appID]
	app.Enabled = on
	d.apps[appID] = app
}

// sessions ends those of Ann that began before some time after the clock's start.
func (d *town) sessions(after time.Duration) {
	d.users[ann] = User{Enabled: true, SessionsFrom: start.Add(after)}
}

// A23: what a token was given for is looked up again. What was made by hand, for a command line or
// a test, is taken at its word.
func TestWhatIsTakenBackIsNoLongerInForce(t *testing.T) {
	t.Parallel()
	for _, earned := range []bool{true, false} {
		w := newWorld(t)
		app, delegated := robot(), user(ann)
		app.Permissions = []string{"LicenseAssignment.ReadWrite.All", "User.Read.All", "Directory.ReadWrite.All"}
		app.Earned, delegated.Earned = earned, earned
		appToken, userToken := w.issue(t, app), w.issue(t, user(ann))
		if earned {
			userToken = w.issue(t, delegated)
		}
		for range 2 {
			caller, err := w.Verify(t.Context(), appToken)
			if err != nil || caller.Permissions.Has("Directory.ReadWrite.All") == earned || !caller.Permissions.Has("User.Read.All") {
				t.Errorf("earned %v: an application's permissions are %v (%v)", earned, caller.Permissions, err)
			}
			caller, err = w.Verify(t.Context(), userToken)
			if err != nil || caller.hasAny([]Role{GroupsAdministrator}) == earned ||
				!caller.hasAny([]Role{UserAdministrator}) {
				t.Errorf("earned %v: a user's roles are %v (%v)", earned, caller.Roles, err)
			}
		}
		w.town.change(func() {
			app := w.town.apps[appID]
			app.Permissions = nil
			w.town.apps[appID] = app
		})
		if caller, err := w.Verify(t.Context(), appToken); err != nil || (len(caller.Permissions) == 0) != earned {
			t.Errorf("earned %v: permissions after all were taken back are %v (%v)", earned, caller.Permissions, err)
		}
	}
}

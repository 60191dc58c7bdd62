package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/identity"
	"licensor/internal/people"
	"licensor/internal/tenant"
)

// reused is a tenant in which an object is permanently deleted and another one gets its id, all
// within a second or two.
type reused struct {
	*testing.T
	s      *Server
	in     *engine.Tenant
	client directory.Client
	user   uuid.UUID
}

const reusedName, reusedPassword = "ann@contoso.example", "Correct horse 9 battery"

func (r *reused) do(c tenant.Command) tenant.Done {
	r.Helper()
	done, err := r.in.Do(r.Context(), Author, c)
	if err != nil {
		r.Fatal(err)
	}
	return done
}

// comes imports the user, always with the same id.
func (r *reused) comes() uint32 {
	r.Helper()
	members, err := directory.Members([]byte(`{"accountEnabled":true,"displayName":"Ann","mailNickname":"ann","userPrincipalName":"` + reusedName +
		`","signInSessionsValidFromDateTime":"2020-01-01T00:00:00Z","createdDateTime":"2020-01-01T00:00:00Z"}`))
	if err != nil {
		r.Fatal(err)
	}
	patch, err := directory.ParseUserImport(members)
	if err != nil {
		r.Fatal(err)
	}
	done := r.do(tenant.Import{Rows: []tenant.ImportRow{{Line: 1, User: &tenant.ImportUser{ID: r.user, Patch: patch}}}})
	if len(done.Rows) > 0 {
		r.Fatal(done.Rows[0].Problem)
	}
	ordinal, err := r.in.Image().LiveUser(r.user.String())
	if err != nil {
		r.Fatal(err)
	}
	return ordinal
}

// allow gives the user a password, and the application what it asks for in the user's name.
func (r *reused) allow(user uint32) {
	r.Helper()
	hash, err := identity.HashPassword(r.Context(), fixedRandom{},
		identity.PasswordCost{Memory: 64, Passes: 1, Threads: 1}, reusedPassword)
	if err != nil {
		r.Fatal(err)
	}
	r.do(tenant.SetPassword{User: user, Hash: hash})
	r.do(tenant.SetGrant{Grant: directory.Grant{Client: r.client.Principal.ID, User: r.user, Scopes: []string{"User.Read"}}})
}

type fixedRandom struct{}

func (fixedRandom) Read(b []byte) (int, error) { return len(b), nil }

// ask sends a form to the token endpoint, and returns what it answers.
func (r *reused) ask(form url.Values) (tokens map[string]any, status int) {
	form.Set("client_id", r.client.AppID.String())
	form.Set("scope", "https://graph.microsoft.com/User.Read offline_access openid")
	request := httptest.NewRequest(http.MethodPost, "/"+r.in.ID().String()+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	r.s.ServeHTTP(answer, request)
	_ = json.Unmarshal(answer.Body.Bytes(), &tokens)
	return tokens, answer.Code
}

func (r *reused) signsIn() (map[string]any, int) {
	return r.ask(url.Values{"grant_type": {"password"}, "username": {reusedName}, "password": {reusedPassword}})
}

func (r *reused) wantGood(what string, tokens map[string]any) {
	r.Helper()
	if got := r.me(tokens); got != http.StatusOK {
		r.Errorf("%s: the access token is answered %d", what, got)
	}
}

// wantOver checks that nothing of what was given out is good.
func (r *reused) wantOver(what string, tokens map[string]any) {
	r.Helper()
	if got := r.me(tokens); got != http.StatusUnauthorized {
		r.Errorf("%s: the access token is answered %d", what, got)
	}
	refresh, _ := tokens["refresh_token"].(string)
	if more, status := r.ask(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}); status == http.StatusOK {
		r.Errorf("%s: the refresh token is good for %v", what, more)
	}
}

func (r *reused) me(tokens map[string]any) int {
	access, _ := tokens["access_token"].(string)
	request := httptest.NewRequest(http.MethodGet, "/v1.0/me", nil)
	request.Header.Set("Authorization", "Bearer "+access)
	answer := httptest.NewRecorder()
	r.s.ServeHTTP(answer, request)
	return answer.Code
}

// A user, and an application, that gets the id of one that is permanently deleted gets nothing that
// was issued to it: no access or refresh token, no password, no consent, no role.
func TestWhoGetsAnIDGetsNothingIssuedBefore(t *testing.T) {
	t.Parallel()
	inFounded(t, func(s *Server, first *engine.Tenant) {
		r := &reused{T: t, s: s, in: first, user: uuid.New(), client: directory.Client{
			Application: directory.Application{ID: uuid.New(), AppID: uuid.New(), DisplayName: "Tool", PublicClient: true},
			Principal:   directory.ServicePrincipal{ID: uuid.New()},
		}}
		r.do(tenant.UpdateSignIn{SignIn: directory.SignIn{AllowPasswordGrant: true}})
		r.do(tenant.SetClient{Client: r.client})
		user := r.comes()
		r.allow(user)
		r.do(tenant.SetRole{Role: identity.GlobalReader.ID, Principal: r.user})
		tokens, status := r.signsIn()
		if status != http.StatusOK {
			t.Fatal(tokens)
		}
		r.wantGood("at first", tokens)

		r.do(tenant.DeleteUser{User: user})
		r.do(tenant.PurgeUser{User: user})
		r.wantOver("after the user is gone", tokens)
		user = r.comes()
		r.wantOver("of another with the id", tokens)
		if again, status := r.signsIn(); status == http.StatusOK {
			t.Errorf("another with the id has the password: %v", again)
		}
		if roles := first.Image().RolesOf(user); len(roles) > 0 {
			t.Errorf("another with the id has roles: %v", roles)
		}
		scopes, err := people.Directory{Tenants: s.tenants}.Scopes(
			t.Context(), first.ID(), r.client.Principal.ID, r.user)
		if err != nil || len(scopes) > 0 {
			t.Errorf("another with the id has consented: %v", scopes)
		}
		r.allow(user)
		r.wantOver("after another with the id may sign in", tokens)

		next, status := r.signsIn()
		if status != http.StatusOK {
			t.Fatal(next)
		}
		r.wantGood("of the other", next)
		r.do(tenant.DeletePrincipal{ID: r.client.Principal.ID})
		r.do(tenant.PurgePrincipal{ID: r.client.Principal.ID})
		r.do(tenant.SetClient{Client: r.client})
		r.do(tenant.SetGrant{Grant: directory.Grant{Client: r.client.Principal.ID, User: r.user, Scopes: []string{"User.Read"}}})
		r.wantOver("of another service principal", next)
		last, status := r.signsIn()
		if status != http.StatusOK {
			t.Fatal(last)
		}
		r.wantGood("of the other service principal", last)
	})
}

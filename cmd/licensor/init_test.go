package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/identity"
	"licensor/internal/server"
)

// inDatabase opens a database to read its first tenant, or to change it.
func inDatabase(t *testing.T, data string, do func(s *server.Server, first *engine.Tenant)) {
	t.Helper()
	s, err := server.Open(t.Context(), server.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	ids, err := s.Tenants().IDs(t.Context())
	if err != nil || len(ids) == 0 {
		t.Fatalf("the tenants are %v, %v", ids, err)
	}
	first, err := s.Tenants().Tenant(t.Context(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	do(s, first)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// account reads a user, and reports whether the password is the user's.
func account(t *testing.T, in *engine.Tenant, name, password string) (u *directory.User, right bool) {
	t.Helper()
	ordinal, err := in.Image().LiveUser(name)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := in.Password(t.Context(), ordinal)
	if err == nil {
		right, err = identity.CheckPassword(t.Context(), hash, password)
	}
	if err == nil {
		u, err = in.User(t.Context(), in.Image(), ordinal)
	}
	if err != nil {
		t.Fatal(err)
	}
	return u, right
}

func mustChange(u *directory.User) bool {
	return u.PasswordProfile != nil && u.PasswordProfile.ForceChangePasswordNextSignIn != nil &&
		*u.PasswordProfile.ForceChangePasswordNextSignIn
}

// initialized runs init and returns what it printed as JSON.
func initialized(t *testing.T, data string, args ...string) (login server.Login) {
	t.Helper()
	code, stdout, stderr := call(t, rootCommand(), append([]string{"init", "--data", data, "--json"}, args...)...)
	if code != exitDone {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &login); err != nil {
		t.Fatal(err)
	}
	return login
}

func TestInitMakesAnAdministratorAndAnApplication(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "licensor.db")
	login := initialized(t, data, "--domain", "Contoso.example", "--organization", "Contoso", "--country", "de", "--admin", "root", "--application", "Deployment")
	inDatabase(t, data, func(_ *server.Server, first *engine.Tenant) {
		u, right := account(t, first, "root@contoso.example", login.AdminPassword)
		if !right || !mustChange(u) || !u.AccountEnabled || login.AdminName != u.UserPrincipalName {
			t.Errorf("password right: %v, %+v", right, u)
		}
		img := first.Image()
		roles := img.Roles[u.ID]
		if !slices.Equal(roles, []uuid.UUID{identity.GlobalAdministrator.ID}) || len(img.Roles) != 1 {
			t.Errorf("roles %v", img.Roles)
		}
		if all := img.Clients(); len(all) != 1 || all[0].AppID.String() != login.ClientID ||
			!slices.Equal(all[0].Principal.Permissions, server.AllPermissions) {
			t.Errorf("applications %+v", all)
		}
		if login.TenantID != first.ID().String() || img.Organization.DisplayName != "Contoso" ||
			img.Organization.CountryLetterCode != "DE" {
			t.Errorf("tenant %s, %+v", login.TenantID, img.Organization)
		}
	})
	kept, err := os.ReadFile(data)
	if err != nil || bytes.Contains(kept, []byte(login.AdminPassword)) ||
		bytes.Contains(kept, []byte(login.ClientSecret)) {
		t.Errorf("the database has the password or the secret as it is, %v", err)
	}
	if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the database: %v, %v", info.Mode(), err)
	}
}

func TestAnApplicationWithAllPermissionsMayDoEverything(t *testing.T) {
	t.Parallel()
	for operation, need := range identity.Needs {
		access, err := operation.Check(&identity.Caller{Permissions: server.AllPermissions}, identity.RelationOther)
		if access != identity.AccessFull {
			t.Errorf("it may not %s, which takes one of %q: %v", operation, need.Full, err)
		}
	}
}

func TestInitTellsWhatMustBeKept(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "licensor.db")
	code, stdout, stderr := call(t, rootCommand(), "init", "--data", data, "--domain", "contoso.example")
	found := regexp.MustCompile(`administrator +admin@contoso\.example\n +password +(\S+) `).FindStringSubmatch(stdout)
	if code != exitDone || found == nil || !strings.Contains(stdout, "not shown again") || !strings.Contains(stdout, "licensor serve --data "+data) {
		t.Fatalf("exit code %d, %s%s", code, stdout, stderr)
	}
	if strings.Contains(stdout, "client") || strings.Contains(stderr, found[1]) {
		t.Errorf("it tells of an application that nobody asked for, or logs the password:\n%s%s", stdout, stderr)
	}
	inDatabase(t, data, func(_ *server.Server, first *engine.Tenant) {
		if _, right := account(t, first, "admin@contoso.example", found[1]); !right || len(first.Image().Clients()) != 0 {
			t.Errorf("password right: %v, applications %v", right, first.Image().Clients())
		}
	})
}

func TestInitLeavesATenantAlone(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	before, err := os.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--data", data}, "has a tenant already, contoso.example: name another one with --data or --database, or add a tenant with --add"},
		{[]string{"--data", data, "--add", "--domain", "CONTOSO.example"}, "belongs to tenant"},
		{[]string{"--data", data + "x", "--add"}, "there is no database"},
		{[]string{"--data", data, "--add", "--domain", "fabrikam.example", "--admin", "root@contoso.example"}, `--admin is "root@contoso.example", which is not in the domain fabrikam.example`},
	} {
		code, stdout, stderr := call(t, rootCommand(), append([]string{"init"}, test.args...)...)
		if code == exitDone || stdout != "" || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: exit code %d, %s%s", test.args, code, stdout, stderr)
		}
	}
	after, err := os.ReadFile(data)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the database changed, %v", err)
	}
	if _, err := os.Stat(data + "x"); err == nil {
		t.Error("a database was made")
	}
}

func TestInitAddsATenant(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	login := initialized(t, data, "--add", "--domain", "fabrikam.example")
	inDatabase(t, data, func(s *server.Server, first *engine.Tenant) {
		second, err := s.Tenants().ByDomain(t.Context(), "fabrikam.example")
		if err != nil || second == first || second.ID().String() != login.TenantID {
			t.Fatal("no second tenant")
		}
		if _, right := account(t, second, login.AdminName, login.AdminPassword); !right {
			t.Error("its administrator has another password")
		}
		if _, err := first.Image().LiveUser(login.AdminName); err == nil {
			t.Error("the administrator is in the first tenant too")
		}
	})
}

func TestServeMakesNothingByItself(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "licensor.db")
	empty := filepath.Join(t.TempDir(), "licensor.db")
	s, err := server.Open(t.Context(), server.Options{Data: empty})
	if err == nil {
		err = s.Close(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{missing: "there is no database " + missing, empty: "has no tenant yet"} {
		for _, command := range [][]string{{"serve"}, {"token"}, {"admin", "reset-password", "--user", "x"}} {
			code, _, stderr := call(t, rootCommand(), append(command, "--data", path)...)
			if code != exitFailed || !strings.Contains(stderr, want) || !strings.Contains(stderr, "licensor init") {
				t.Errorf("%q: exit code %d, %s", command, code, stderr)
			}
		}
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a database was made")
	}
}

func TestResetPassword(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "licensor.db")
	login := initialized(t, data, "--domain", "contoso.example")
	code, stdout, stderr := call(t, rootCommand(), "admin", "reset-password", "--data", data, "--user", "ADMIN@contoso.example")
	if code != exitDone {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	inDatabase(t, data, func(_ *server.Server, first *engine.Tenant) {
		u, right := account(t, first, login.AdminName, strings.TrimSpace(stdout))
		if !right || !mustChange(u) {
			t.Errorf("password right: %v, %+v", right, u.PasswordProfile)
		}
		if _, right := account(t, first, login.AdminName, login.AdminPassword); right {
			t.Error("the old password is right too")
		}
		if img := first.Image(); img.At.Sub(u.SignInSessionsValidFromDateTime).Abs().Seconds() > 1 {
			t.Errorf("sessions from before %v stay", u.SignInSessionsValidFromDateTime)
		}
	})
	code, _, stderr = call(t, rootCommand(), "admin", "reset-password", "--data", data, "--user", "nobody@contoso.example")
	if code != exitFailed || !strings.Contains(stderr, "nobody@contoso.example") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if code, _, _ := call(t, rootCommand(), "admin", "reset-password", "--data", data); code != exitUsage {
		t.Errorf("without a user: exit code %d", code)
	}
}

func TestInitLetsPeopleSignInWithTheToolsTheyHave(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "licensor.db")
	login := initialized(t, data, "--domain", "contoso.example", "--first-party-clients")
	inDatabase(t, data, func(s *server.Server, first *engine.Tenant) {
		if all := first.Image().Clients(); len(all) > 0 {
			t.Errorf("the tenant has their applications: %+v", all)
		}
		form := url.Values{"client_id": {"04b07795-8ddb-461a-bbee-02f9e1bf7b46"}, "scope": {"https://graph.microsoft.com/.default offline_access openid profile"}}
		request := httptest.NewRequest(http.MethodPost, "/"+login.TenantID+"/oauth2/v2.0/devicecode", strings.NewReader(form.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer := httptest.NewRecorder()
		if s.ServeHTTP(answer, request); answer.Code != http.StatusOK {
			t.Errorf("a sign-in begins with %d %s", answer.Code, answer.Body)
		}
	})
}

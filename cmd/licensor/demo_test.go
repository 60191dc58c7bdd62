package main

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/identity"
	"licensor/internal/server"
)

// runDemo runs the demo until it has told everything, does something with its file of credentials,
// stops it, and returns what it printed.
func runDemo(t *testing.T, meanwhile func(info string, login server.Login), args ...string) string {
	t.Helper()
	info := filepath.Join(t.TempDir(), "info.json")
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	out := new(output)
	ended := make(chan int, 1)
	go func() {
		args := append([]string{"demo", "--listen", "127.0.0.1:0", "--info", info}, args...)
		ended <- execute(ctx, rootCommand(), args, strings.NewReader(""), out, out)
	}()
	for !strings.Contains(out.String(), "scope=User.Read") && len(ended) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	login, err := readInfo(info)
	if err != nil || login.ClientSecret == "" || !strings.Contains(out.String(), login.Graph) {
		t.Errorf("the file of credentials has %+v, %v", login, err)
	}
	if meanwhile != nil && err == nil {
		meanwhile(info, login)
	}
	stop()
	if code := <-ended; code != exitDone {
		t.Fatalf("the demo ended with %d:\n%s", code, out)
	}
	return out.String()
}

func TestTheDemoTellsItsStory(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "demo.db")
	var login server.Login
	meanwhile := func(info string, told server.Login) {
		login = told
		code, costs, stderr := call(t, rootCommand(), "costs", "--csv", "--info", info)
		if code != exitDone || !strings.Contains(costs, "\nEUR,7031.00,") {
			t.Errorf("the costs: exit code %d, %s%s", code, costs, stderr)
		}
		form := url.Values{"client_id": {told.PublicClientID}, "scope": {"User.Read"}}
		response, err := http.PostForm(told.Authority+"/"+told.TenantID+"/oauth2/v2.0/devicecode", form)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("the public client cannot begin a sign-in: %v, %v", response, err)
		}
		if err == nil {
			_ = response.Body.Close()
		}
	}
	out := runDemo(t, meanwhile, "--data", data)
	for _, want := range []string{
		"CountViolation", "MutuallyExclusiveViolation", "DependencyViolation", `"error":"Other"`,
		"/reprocessLicenseAssignment\n< 200 OK", "curl -s -H",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the story does not have %q", want)
		}
	}
	inDatabase(t, data, func(_ *server.Server, first *engine.Tenant) { checkSignIns(t, first, login, out) })
}

// checkSignIns looks at who can sign in to the demo, and that this was told.
func checkSignIns(t *testing.T, first *engine.Tenant, login server.Login, out string) {
	t.Helper()
	img := first.Image()
	for _, who := range []struct {
		name, password string
		roles          []uuid.UUID
	}{
		{login.AdminName, login.AdminPassword, []uuid.UUID{identity.GlobalAdministrator.ID}},
		{login.UserName, login.UserPassword, nil},
	} {
		u, right := account(t, first, who.name, who.password)
		if !right || mustChange(u) || !slices.Equal(img.Roles[u.ID], who.roles) ||
			!strings.Contains(out, who.name+"  "+who.password) {
			t.Errorf("%s: password right %v, to be changed %v, roles %v", who.name, right, mustChange(u), img.Roles[u.ID])
		}
	}
	if login.UserName != "clara.jung@contoso.example" || login.AdminPassword == login.UserPassword {
		t.Errorf("told %+v", login)
	}
	for _, app := range img.Clients() {
		if app.AppID.String() == login.PublicClientID {
			if !app.PublicClient || len(app.Secrets)+len(app.Principal.Permissions) > 0 ||
				!slices.Equal(app.Redirects.Public, []string{"http://localhost"}) || img.Grants.Len() > 0 {
				t.Errorf("the public client is %+v", app)
			}
			return
		}
	}
	t.Errorf("there is no public client %s", login.PublicClientID)
}

func TestTheDemoLeavesAFileThatIsThereAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mine.db")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if code := execute(t.Context(), rootCommand(), []string{"demo", "--data", path}, nil, &out, &out); code != exitFailed {
		t.Errorf("ended with %d: %s", code, out.String())
	}
	if data, _ := os.ReadFile(path); string(data) != "mine" {
		t.Error("the file is not as it was")
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"licensor/internal/server"
)

// TestSecretsAreNotToldAgain runs the real program with all its logging and sends it secrets, right
// ones and wrong ones, wherever clients put them, and where they put them by mistake. None is in
// the log, in an error, or in a list.
func TestSecretsAreNotToldAgain(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts the real program")
	}
	s := startSpeaking(t)
	tokens := s.sendSecrets()
	s.stop()
	log := s.log.String()
	if !strings.Contains(log, "a sign-in failed") {
		t.Fatalf("the log does not even tell that a sign-in failed:\n%s", log)
	}
	for name, secret := range s.secrets(tokens) {
		if secret == "" {
			t.Errorf("there is no %s to look for", name)
		} else if strings.Contains(log, secret) {
			t.Errorf("the log has the %s", name)
		}
	}
}

// What is wrong is as secret as what is right: it is often right elsewhere.
const (
	wrongSecret   = "Wrong-secret-7d1f2a"
	wrongPassword = "Wrong-password-93ab11"
	firstPassword = "New-password-55cd20"
	strayToken    = "stray.token.b7e4"
)

// speaking is a program that serves the demo, and what it logs.
type speaking struct {
	t       *testing.T
	process *exec.Cmd
	log     output
	login   server.Login
	client  *http.Client
}

func startSpeaking(t *testing.T) *speaking {
	t.Helper()
	info := filepath.Join(t.TempDir(), "info.json")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &speaking{t: t, client: &http.Client{Jar: jar, Timeout: time.Minute}}
	s.process = exec.Command(buildProgram(t), "demo", "--listen", "127.0.0.1:0", "--info", info, "--log-level", "debug", "--log-format", "json")
	s.process.Stdout, s.process.Stderr = io.Discard, &s.log
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.process.Process.Kill() })
	for until := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if s.login, err = readInfo(info); err == nil {
			return s
		}
		if time.Now().After(until) {
			t.Fatalf("the demo does not start: %v\n%s", err, &s.log)
		}
	}
}

func (s *speaking) stop() {
	s.t.Helper()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Error(err)
	}
	if err := s.process.Wait(); err != nil {
		s.t.Errorf("the demo ended with %v", err)
	}
}

func (s *speaking) secrets(tokens map[string]string) map[string]string {
	all := map[string]string{
		"client secret": s.login.ClientSecret, "administrator's password": s.login.AdminPassword, "user's password": s.login.UserPassword,
		"wrong secret": wrongSecret, "wrong password": wrongPassword, "new password": firstPassword, "stray token": strayToken,
	}
	for name, token := range tokens {
		all[name] = token
	}
	return all
}

// sendSecrets sends the secrets and returns those that the program has made.
func (s *speaking) sendSecrets() map[string]string {
	s.t.Helper()
	endpoint := "/" + s.login.TenantID + "/oauth2/v2.0/"
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {s.login.ClientID}, "client_secret": {s.login.ClientSecret},
		"scope": {"https://graph.microsoft.com/.default"},
	}
	token := s.post(endpoint+"token", form, 200, "access_token")
	asClient := func(change ...string) url.Values {
		f := url.Values{}
		for name := range form {
			f.Set(name, form.Get(name))
		}
		for i := 0; i < len(change); i += 2 {
			f.Set(change[i], change[i+1])
		}
		return f
	}
	s.post(endpoint+"token", asClient("client_secret", wrongSecret), 401, "")
	s.post(endpoint+"token?client_secret="+wrongSecret, asClient("client_secret", ""), 401, "")
	s.post(endpoint+"token", asClient("client_assertion", strayToken, "client_secret", ""), 401, "")
	s.post(endpoint+"token", asClient("grant_type", "password", "username", s.login.UserName, "password", wrongPassword), 400, "")
	s.post(endpoint+"token", asClient("grant_type", "refresh_token", "refresh_token", strayToken), 400, "")
	s.post(endpoint+"token", asClient("grant_type", "authorization_code", "code", strayToken, "redirect_uri", "http://localhost", "code_verifier", strayToken), 400, "")
	deviceCode := s.post(endpoint+"devicecode", url.Values{"client_id": {s.login.PublicClientID}, "scope": {"User.Read"}}, 200, "device_code")

	s.signIn(endpoint+"authorize?client_id="+s.login.PublicClientID+"&response_type=code&redirect_uri=http%3A%2F%2Flocalhost&scope=User.Read"+
		"&code_challenge="+strings.Repeat("a", 43)+"&code_challenge_method=S256&login_hint="+s.login.UserName, wrongPassword)

	s.graph("GET", "/v1.0/users?access_token="+strayToken, strayToken, "", 401)
	s.graph("POST", "/v1.0/users", token, `{"accountEnabled":true,"displayName":"New","mailNickname":"hired","userPrincipalName":"hired@contoso.example","passwordProfile":{"password":"`+firstPassword+`"}}`, 201)
	s.graph("POST", "/v1.0/users", token, `{"displayName":"Broken","passwordProfile":{"password":"`+firstPassword+`"`, 400)
	s.graph("PATCH", "/v1.0/users/hired@contoso.example", token, `{"passwordProfile":{"password":["`+firstPassword+`"]}}`, 400)
	s.graph("GET", "/v1.0/users/hired@contoso.example?$select=passwordProfile,displayName", token, "", 200)
	s.graph("GET", "/v1.0/applications", token, "", 200)
	s.graph("GET", "/v1.0/servicePrincipals", token, "", 200)
	return map[string]string{"access token": token, "device code": deviceCode}
}

// post sends a form and returns a member of what comes.
func (s *speaking) post(path string, form url.Values, status int, member string) string {
	s.t.Helper()
	response, err := s.client.PostForm(s.login.Authority+path, form)
	if err != nil {
		s.t.Fatal(err)
	}
	body := s.read(response, path, status)
	if member == "" {
		return ""
	}
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		s.t.Fatal(err)
	}
	text, _ := answer[member].(string)
	return text
}

func (s *speaking) graph(method, path, token, body string, status int) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.login.Graph+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.read(response, path, status)
}

var formToken = regexp.MustCompile(`name="token" value="([^"]+)"`)

// signIn enters a password on the page.
func (s *speaking) signIn(page, password string) {
	s.t.Helper()
	response, err := s.client.Get(s.login.Authority + page)
	if err != nil {
		s.t.Fatal(err)
	}
	found := formToken.FindSubmatch(s.read(response, page, 200))
	if found == nil {
		s.t.Fatal("the sign-in page has no form")
	}
	response, err = s.client.PostForm(s.login.Authority+page, url.Values{
		"token": {string(found[1])}, "username": {s.login.UserName}, "password": {password}, "action": {"signin"},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.read(response, page, response.StatusCode)
}

// read returns the body, in which there is no secret but those that were just made.
func (s *speaking) read(response *http.Response, path string, status int) []byte {
	s.t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if response.StatusCode != status {
		s.t.Errorf("%s: %d, want %d: %s", path, response.StatusCode, status, body)
	}
	for name, secret := range s.secrets(nil) {
		if bytes.Contains(body, []byte(secret)) {
			s.t.Errorf("%s: the answer has the %s", path, name)
		}
	}
	return body
}

package oauth

import (
	"fmt"
	"net/url"
	"slices"
	"sync"
	"testing"

	"licensor/internal/signins"
)

// seen takes the sign-ins that a server reports.
type seen struct {
	mu   sync.Mutex
	list []string
}

// Report implements SignIns.
func (s *seen) Report(in signins.SignIn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, fmt.Sprint(in.Kind, " ", in.Name, " ", in.Error))
}

func (s *seen) want(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.list, want) {
		t.Errorf("reported are %q, want %q", s.list, want)
	}
	s.list = nil
}

func newSeenWorld(t *testing.T) (world, *seen) {
	t.Helper()
	reported := new(seen)
	return newWorld(t, func(c *Config) { c.SignIns = reported }), reported
}

// TestU33PasswordsOnAPage: each attempt is one sign-in, also of a disabled and of an unknown user.
func TestU33PasswordsOnAPage(t *testing.T) {
	t.Parallel()
	w, reported := newSeenWorld(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect))
	b.press("signin", "username", annName, "password", "wrong")
	b.press("signin", "username", "ben@contoso.example", "password", goodPassword)
	b.press("signin", "username", "no one", "password", goodPassword)
	b.signIn(annName)
	reported.want(t, "interactiveUser "+annName+" 50126", "interactiveUser ben@contoso.example 50057", "interactiveUser  50126",
		"interactiveUser "+annName+" 0")
}

// TestU33Sessions: a session that is used soon by the application that the password was entered for
// is a part of that sign-in.
func TestU33Sessions(t *testing.T) {
	t.Parallel()
	w, reported := newSeenWorld(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect)).signIn(annName)
	reported.want(t, "interactiveUser "+annName+" 0")
	b.open(authorizePath, request(portal, portalRedirect))
	reported.want(t)
	b.open(authorizePath, request(page, pageRedirect))
	reported.want(t, "nonInteractiveUser "+annName+" 0")
	w.clock.advance(sameSignIn)
	b.open(authorizePath, request(portal, portalRedirect))
	reported.want(t, "nonInteractiveUser "+annName+" 0")
}

// TestU33RefreshTokens: redeeming a code is not a sign-in, and each refresh is one.
func TestU33RefreshTokens(t *testing.T) {
	t.Parallel()
	w, reported := newSeenWorld(t)
	tokens := w.tokens(t)
	reported.want(t, "interactiveUser "+annName+" 0")
	got := w.post(t, tokenPath, url.Values{
		"grant_type": {"refresh_token"}, "client_id": {portal.String()}, "client_secret": {goodSecret},
		"refresh_token": {tokens.body["refresh_token"].(string)},
	})
	if got.status != 200 {
		t.Fatal(got.text)
	}
	reported.want(t, "nonInteractiveUser "+annName+" 0")
}

package oauth

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"licensor/internal/identity"
)

// serials gives everyone a serial number.
func (t *town) serials() {
	t.changeUser(ann, func(u *identity.User) { u.Serial = 2 })
	for _, app := range []uuid.UUID{portal, tool, service, robot} {
		t.changeApp(app, func(a *identity.App) { a.Serial = 7 })
	}
}

// replacements make another object of one, which keeps its ids: it was permanently deleted, and
// another came with them.
var replacements = map[string]struct {
	replace func(*town)
	ends    bool
}{
	"nothing":             {func(*town) {}, false},
	"another user":        {func(t *town) { t.changeUser(gil, func(u *identity.User) { u.Serial = 9 }) }, false},
	"the user":            {func(t *town) { t.changeUser(ann, func(u *identity.User) { u.Serial = 3 }) }, true},
	"the server":          {func(t *town) { t.changeApp(portal, func(a *identity.App) { a.Serial = 8 }) }, true},
	"the program":         {func(t *town) { t.changeApp(tool, func(a *identity.App) { a.Serial = 8 }) }, true},
	"sessions end before": {func(t *town) { t.changeUser(ann, func(u *identity.User) { u.SessionsFrom = start }) }, false},
}

// What was given to a user, or to an application, is not good for another one that has its id
// later, and all of it happens in one second.
func TestNothingIsGoodForAnotherWithTheSameID(t *testing.T) {
	t.Parallel()
	for name, test := range replacements {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.town.serials()
			w.town.change(func() { w.town.grants[[2]uuid.UUID{principalOf(service)}] = []string{"User.Read"} })
			code, refresh := w.code(t, portal, portalRedirect), w.tokens(t)
			approved := w.device(t, contosoDomain)
			deviceURL(w.browser(t), approved).press("code", "code", approved.body["user_code"].(string)).signIn(annName).press("approve")
			forService := w.serviceToken(t, "api://"+service.String()+"/x")
			signedIn := w.browser(t).open(authorizePath, request(portal, portalRedirect)).signIn(annName)

			test.replace(w.town)
			ofServer, ofProgram := test.ends && name != "the program", test.ends && name != "the server"
			want := func(what string, got answer, ends bool) {
				t.Helper()
				if ended := got.status != http.StatusOK; ended != ends {
					t.Errorf("%s: %d %s", what, got.status, got.text)
				}
			}
			want("the code", w.post(t, tokenPath, codeForm(portal, portalRedirect, code)), ofServer)
			want("the refresh token", w.post(t, tokenPath, refreshForm(refresh.body["refresh_token"])), ofServer)
			want("the device", w.poll(t, approved), ofProgram)
			want("the token for a service", w.post(t, tokenPath, onBehalfForm(forService)), ofServer)
			if _, err := w.config.Authority.Verify(t.Context(), refresh.body["access_token"].(string)); (err != nil) != ofServer {
				t.Errorf("the access token: %v", err)
			}
			if name == "the user" {
				signedIn.open(authorizePath, request(portal, portalRedirect)).wantPage("Sign in", http.StatusOK)
			}
		})
	}
}

// An application that has the ids of another gets a token of its own, and not the one that was
// given out before.
func TestATokenInMemoryIsNotGivenToAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.town.serials()
	first := w.post(t, tokenPath, form())
	w.town.changeApp(robot, func(a *identity.App) { a.Serial = 8 })
	second := w.post(t, tokenPath, form())
	if first.body["access_token"] == second.body["access_token"] {
		t.Error("it is given the same token")
	}
	if _, err := w.config.Authority.Verify(t.Context(), first.body["access_token"].(string)); err == nil {
		t.Error("the token of the first is good for the second")
	}
	if _, err := w.config.Authority.Verify(t.Context(), second.body["access_token"].(string)); err != nil {
		t.Error(err)
	}
}

// A family of an earlier version has no serial numbers. It gets them when it is used.
func TestAFamilyOfAnEarlierVersionLearnsWhoseItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.tokens(t)
	w.town.serials()
	if got = w.post(t, tokenPath, refreshForm(got.body["refresh_token"])); got.status != http.StatusOK {
		t.Fatal(got.text)
	}
	w.town.changeUser(ann, func(u *identity.User) { u.Serial = 3 })
	if got = w.post(t, tokenPath, refreshForm(got.body["refresh_token"])); got.status == http.StatusOK {
		t.Error("it is good for another user")
	}
}

// An assertion, and a token of ours that is handed back, are written in one way.
func TestATokenThatIsHandedOverHasOneSpelling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	card := cards()[0]
	w.registerCard(card)
	assertion := card.sign(t, jose.RS256, map[string]any{"x5t": card.x5t()}, w.assertionOf())
	w.town.change(func() { w.town.grants[[2]uuid.UUID{principalOf(service)}] = []string{"User.Read"} })
	forService := w.serviceToken(t, "api://"+service.String()+"/x").(string)
	for _, other := range spellings(assertion) {
		if got := w.post(t, tokenPath, assertionForm(other)); got.status != http.StatusUnauthorized {
			t.Errorf("an assertion that ends with %q: %d %s", other[len(other)-4:], got.status, got.text)
		}
	}
	for _, other := range spellings(forService) {
		if got := w.post(t, tokenPath, onBehalfForm(other)); got.status != http.StatusBadRequest {
			t.Errorf("a user's token that ends with %q: %d %s", other[len(other)-4:], got.status, got.text)
		}
		if _, err := w.readOwn(other); err == nil {
			t.Errorf("a token of ours is read that ends with %q", other[len(other)-4:])
		}
	}
	if got := w.post(t, tokenPath, assertionForm(assertion)); got.status != http.StatusOK {
		t.Errorf("the assertion itself: %d %s", got.status, got.text)
	}
	if got := w.post(t, tokenPath, onBehalfForm(forService)); got.status != http.StatusOK {
		t.Errorf("the user's token itself: %d %s", got.status, got.text)
	}
}

// spellings are texts that a lenient decoder reads as the same token.
func spellings(raw string) (others []string) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(letters, raw[len(raw)-1]) // 256 bytes of signature leave 4 bits
	for bits := range 16 {
		if letter := letters[last&^15|bits]; letter != raw[len(raw)-1] {
			others = append(others, raw[:len(raw)-1]+string(letter))
		}
	}
	return append(others, raw+"\n", raw+"==")
}

// Devices that ask at once have codes of their own, though the codes are drawn from few.
func TestDevicesThatAskAtOnceHaveTheirOwnCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Random = fewCodes{} })
	codes, start := make([]any, 16), make(chan struct{})
	var group sync.WaitGroup
	for i := range codes {
		group.Go(func() {
			<-start
			codes[i] = w.device(t, contosoDomain).body["user_code"]
		})
	}
	close(start)
	group.Wait()
	seen := map[any]bool{}
	for _, code := range codes {
		if code == nil || seen[code] {
			t.Errorf("the code %v is given twice, or is none", code)
		}
		seen[code] = true
	}
}

// fewCodes is random, but for the letters of user codes, which are mostly the same.
type fewCodes struct{}

func (fewCodes) Read(b []byte) (int, error) {
	n, err := rand.Read(b)
	if len(b) == 1 {
		b[0] /= 128 // two letters, so there are 512 codes
	}
	return n, err
}

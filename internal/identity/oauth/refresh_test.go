package oauth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

func refreshForm(token any, pairs ...string) url.Values {
	text, _ := token.(string)
	return with(url.Values{
		"grant_type": {"refresh_token"}, "client_id": {portal.String()}, "client_secret": {goodSecret}, "refresh_token": {text},
	}, pairs...)
}

// A11
func TestRefreshTokensRotate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.tokens(t)
	for range 3 {
		before := got.body["refresh_token"]
		w.clock.advance(time.Hour)
		got = w.post(t, tokenPath, refreshForm(before))
		if got.status != http.StatusOK || got.body["refresh_token"] == before || got.body["refresh_token"] == nil || got.body["scope"] != "User.Read openid profile email offline_access" {
			t.Fatalf("answered %d %s", got.status, got.text)
		}
		caller, err := w.config.Authority.Verify(t.Context(), got.body["access_token"].(string))
		if err != nil || caller.ObjectID != ann {
			t.Errorf("caller is %+v, %v", caller, err)
		}
		id := claimsOf(t, got.body["id_token"])
		if id["auth_time"] != float64(start.Unix()) || id["iat"] != float64(w.clock.now().Unix()) || id["nonce"] != nil {
			t.Errorf("the id token says %v", id)
		}
	}
}

func TestReuseOfARefreshTokenEndsItsFamily(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.tokens(t).body["refresh_token"]
	other := w.tokens(t).body["refresh_token"]
	second := w.post(t, tokenPath, refreshForm(first)).body["refresh_token"]
	third := w.post(t, tokenPath, refreshForm(second)).body["refresh_token"]
	got := w.post(t, tokenPath, refreshForm(first)) // two generations old
	wantRefusal(t, got, http.StatusBadRequest, "invalid_grant", 70008)
	wantRefusal(t, w.post(t, tokenPath, refreshForm(third)), http.StatusBadRequest, "invalid_grant", 70008)
	if got := w.post(t, tokenPath, refreshForm(other)); got.status != http.StatusOK {
		t.Errorf("another sign-in has ended too: %s", got.text)
	}
}

func TestOfManyAtOnceOneUsesARefreshToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.tokens(t).body["refresh_token"]
	next := make(chan any, 32)
	wantOneWinner(t, func() answer {
		got := w.post(t, tokenPath, refreshForm(token))
		if got.status == http.StatusOK {
			next <- got.body["refresh_token"]
		}
		return got
	})
	if got := w.post(t, tokenPath, refreshForm(<-next)); got.status != http.StatusBadRequest {
		t.Errorf("the family of a token that was used twice is still good: %d %s", got.status, got.text)
	}
}

func TestARefreshTokenIsBoundToItsClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.tokens(t).body["refresh_token"]
	for _, test := range []struct {
		name, path string
		form       url.Values
		status     int
		error      string
		code       int
	}{
		{"another client", tokenPath, refreshForm(token, "client_id", robot.String()), 400, "invalid_grant", 70000},
		{"another tenant", "/" + fabrikamDomain + "/oauth2/v2.0/token", refreshForm(token), 400, "invalid_grant", 700005},
		{"no secret", tokenPath, refreshForm(token, "client_secret", ""), 401, "invalid_client", 7000218},
		{"no token", tokenPath, refreshForm(nil, "refresh_token", ""), 400, "invalid_request", 900144},
		{"no such token", tokenPath, refreshForm("x.y"), 400, "invalid_grant", 70008},
		{"no such token, in any tenant", "/organizations/oauth2/v2.0/token", refreshForm("x.y"), 400, "invalid_grant", 70008},
		{"a scope that was not consented to", tokenPath, refreshForm(token, "scope", "Group.Read.All"), 400, "invalid_grant", 65001},
		{"a bad scope", tokenPath, refreshForm(token, "scope", "x/y"), 400, "invalid_scope", 70011},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantRefusal(t, w.post(t, test.path, test.form), test.status, test.error, test.code)
		})
	}
	got := w.post(t, "/common/oauth2/v2.0/token", refreshForm(token, "scope", identity.GraphURL+"/.default openid"))
	want := identity.GraphURL + "/User.Read " + identity.GraphURL + "/User.ReadWrite.All " + identity.GraphURL + "/.default openid"
	if got.status != http.StatusOK || got.body["scope"] != want || got.body["refresh_token"] == nil {
		t.Errorf("answered %d %s", got.status, got.text)
	}
}

func TestRefreshTokensEnd(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	w := newWorld(t)
	idle := w.tokens(t).body["refresh_token"]
	used := w.tokens(t).body["refresh_token"]
	back := w.code(t, page, pageRedirect)
	pages := w.post(t, tokenPath, codeForm(page, pageRedirect, back), "Origin", pageOrigin).body["refresh_token"]
	ofPage := func() answer {
		got := w.post(t, tokenPath, refreshForm(pages, "client_id", page.String(), "client_secret", ""), "Origin", pageOrigin)
		pages = got.body["refresh_token"]
		return got
	}
	w.clock.advance(day - time.Second)
	if got := ofPage(); got.status != http.StatusOK {
		t.Errorf("of a page: %s", got.text)
	}
	w.clock.advance(time.Second)
	if got := ofPage(); got.status != http.StatusBadRequest {
		t.Errorf("of a page, after a day: %s", got.text)
	}
	w.clock.advance(88 * day)
	got := w.post(t, tokenPath, refreshForm(used))
	w.clock.advance(day)
	if got := w.post(t, tokenPath, refreshForm(idle)); got.status != http.StatusBadRequest {
		t.Errorf("not used for 90 days: %s", got.text)
	}
	w.clock.advance(88 * day) // 178 since the sign-in
	got = w.post(t, tokenPath, refreshForm(got.body["refresh_token"]))
	if got.status != http.StatusOK {
		t.Fatalf("used: %s", got.text)
	}
	w.clock.advance(2 * day)
	if got := w.post(t, tokenPath, refreshForm(got.body["refresh_token"])); got.status != http.StatusBadRequest {
		t.Errorf("180 days after the sign-in: %s", got.text)
	}
}

func TestWhatHappensToTheUserEndsRefreshing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*town)
		status int
		code   int
	}{
		"disabled": {func(t *town) { t.changeUser(ann, func(u *identity.User) { u.Enabled = false }) }, 400, 50057},
		"deleted":  {func(t *town) { t.change(func() { delete(t.users, ann) }) }, 400, 50057},
		"sessions ended": {
			func(t *town) { t.changeUser(ann, func(u *identity.User) { u.SessionsFrom = start.Add(time.Minute) }) },
			400, 50173,
		},
		"consent withdrawn": {func(t *town) { t.change(func() { t.grants = map[[2]uuid.UUID][]string{} }) }, 400, 65001},
		"one scope less": {func(t *town) {
			t.change(func() { t.grants[[2]uuid.UUID{principalOf(portal)}] = []string{"User.ReadWrite.All"} })
		}, 400, 65001},
		"application disabled": {func(t *town) { t.changeApp(portal, func(a *identity.App) { a.Enabled = false }) }, 400, 7000112},
		"application deleted":  {func(t *town) { t.change(func() { delete(t.apps, portal) }) }, 400, 700016},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			token := w.tokens(t).body["refresh_token"]
			test.change(w.town)
			got := w.post(t, tokenPath, refreshForm(token))
			if got.status != test.status || got.body["error_codes"].([]any)[0] != float64(test.code) {
				t.Errorf("answered %d %s, want %d", got.status, got.text, test.code)
			}
		})
	}
}

func TestTheStoreHoldsNothingThatCouldBeUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.code(t, portal, portalRedirect)
	ticket, err := w.config.Tickets.Ticket(t.Context(), forCode.id(code))
	if err != nil {
		t.Fatal(err)
	}
	text := string(ticket.ID[:]) + string(ticket.Data)
	if strings.Contains(text, code) || strings.Contains(text, verifier) {
		t.Errorf("the ticket shows its secret: %s", text)
	}
	for _, secret := range []string{code, goodPassword, goodSecret, verifier} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log shows %q: %s", secret, w.log)
		}
	}
}

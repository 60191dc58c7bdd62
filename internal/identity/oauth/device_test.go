package oauth

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// device asks for a code for the tool.
func (w world) device(t testing.TB, tenant string, pairs ...string) answer {
	t.Helper()
	got := w.post(t, "/"+tenant+"/oauth2/v2.0/devicecode", with(url.Values{"client_id": {tool.String()}, "scope": {"openid User.Read offline_access"}}, pairs...))
	if got.status != http.StatusOK {
		t.Fatalf("answered %d %s", got.status, got.text)
	}
	return got
}

func (w world) poll(t testing.TB, device answer, pairs ...string) answer {
	t.Helper()
	text, _ := device.body["device_code"].(string)
	return w.post(t, tokenPath, with(url.Values{"grant_type": {grantDevice}, "client_id": {tool.String()}, "device_code": {text}}, pairs...))
}

func deviceURL(b *browser, device answer) *browser {
	return b.open("/devicelogin", url.Values{"otc": {device.body["user_code"].(string)}})
}

// A12
func TestAUserSignsInOnAnotherDevice(t *testing.T) {
	t.Parallel()
	for _, tenant := range []string{contosoDomain, contoso.String(), "common", "organizations"} {
		w := newWorld(t)
		device := w.device(t, tenant)
		code := device.body["user_code"].(string)
		want := map[string]any{
			"device_code": device.body["device_code"], "user_code": code, "verification_uri": w.https.URL + "/devicelogin", "expires_in": 900, "interval": 5,
			"message": fmt.Sprintf("To sign in, use a web browser to open the page %s/devicelogin and enter the code %s to authenticate.", w.https.URL, code),
		}
		if fmt.Sprint(device.body) != fmt.Sprint(want) || len(code) != 9 {
			t.Fatalf("answered %s", device.text)
		}
		wantRefusal(t, w.poll(t, device), http.StatusBadRequest, "authorization_pending", 70016)

		b := deviceURL(w.browser(t), device)
		b.wantPage("Enter the code", http.StatusOK)
		if !strings.Contains(b.text, `value="`+code+`"`) {
			t.Errorf("the code is not filled in: %s", b.text)
		}
		b.press("code", "code", " "+strings.ToLower(code[:4])+"-"+code[4:]+" ")
		if tenant == "common" || tenant == "organizations" {
			b.wantPage("Who are you?", http.StatusOK)
			b.press("account", "username", annName)
		}
		b.wantPage("Sign in", http.StatusOK)
		b.signIn(annName)
		b.wantPage("Sign in on another device", http.StatusOK)
		if !strings.Contains(b.text, "<strong>Tool</strong>") || !strings.Contains(b.text, code) {
			t.Errorf("the page does not name what is asked: %s", b.text)
		}
		b.press("approve").wantPage("You have signed in", http.StatusOK)

		w.clock.advance(5 * time.Second)
		got := w.poll(t, device, "client_info", "1")
		if got.status != http.StatusOK || got.body["refresh_token"] == nil || got.body["client_info"] != clientInfo(ann, contoso) {
			t.Fatalf("answered %d %s", got.status, got.text)
		}
		caller, err := w.config.Authority.Verify(t.Context(), got.body["access_token"].(string))
		if err != nil || caller.ObjectID != ann || caller.AppID != tool {
			t.Errorf("caller is %+v, %v", caller, err)
		}
		w.clock.advance(5 * time.Second)
		wantOver(t, w.poll(t, device), "invalid_grant", 54005)
		again := refreshForm(got.body["refresh_token"], "client_id", tool.String(), "client_secret", "")
		if got := w.post(t, "/organizations/oauth2/v2.0/token", again); got.status != http.StatusOK {
			t.Errorf("answered %d %s", got.status, got.text)
		}
	}
}

// wantOver is wantRefusal at any time.
func wantOver(t *testing.T, got answer, name string, code int) {
	t.Helper()
	if got.status != http.StatusBadRequest || got.body["error"] != name ||
		!strings.Contains(got.text, fmt.Sprintf(`"error_codes":[%d]`, code)) {
		t.Errorf("answered %d %s, want %s %d", got.status, got.text, name, code)
	}
}

func TestADeviceThatAsksTooOftenIsSlowedDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	device := w.device(t, contosoDomain)
	for i, step := range []struct {
		wait time.Duration
		want string
	}{
		{0, "authorization_pending"},
		{5 * time.Second, "authorization_pending"},
		{time.Second, "slow_down"},
		{5 * time.Second, "slow_down"}, // 10 seconds are asked for now
		{15 * time.Second, "authorization_pending"},
	} {
		w.clock.advance(step.wait)
		if got := w.poll(t, device); got.body["error"] != step.want {
			t.Errorf("step %d: %s", i, got.text)
		}
	}
	if got := w.poll(t, w.device(t, contosoDomain)); got.body["error"] != "authorization_pending" {
		t.Errorf("another device: %s", got.text)
	}
}

func TestADeviceIsDeclinedOrWaitsTooLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	declined, late := w.device(t, contosoDomain), w.device(t, contosoDomain)
	b := deviceURL(w.browser(t), declined)
	b.press("code", "code", declined.body["user_code"].(string)).signIn(annName).press("deny").wantPage("You have not signed in", http.StatusOK)
	wantOver(t, w.poll(t, declined), "authorization_declined", 65004)
	b = deviceURL(w.browser(t), late)
	b.press("code", "code", late.body["user_code"].(string)).signIn(annName)
	w.clock.advance(15 * time.Minute)
	wantOver(t, w.poll(t, late), "expired_token", 70020)
	b.press("approve").wantPage("Enter the code", http.StatusBadRequest)
	wantOver(t, w.poll(t, late), "expired_token", 70020)
}

func TestOfManyAtOnceOneIsGivenTheTokensOfADevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	device := w.device(t, contosoDomain)
	deviceURL(w.browser(t), device).press("code", "code", device.body["user_code"].(string)).signIn(annName).press("approve")
	wantOneWinner(t, func() answer { return w.poll(t, device) })
}

func TestTheFirstWordAboutADeviceCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	device := w.device(t, contosoDomain)
	one := deviceURL(w.browser(t), device).press("code", "code", device.body["user_code"].(string)).signIn(annName)
	two := deviceURL(w.browser(t), device).press("code", "code", device.body["user_code"].(string)).signIn("gil@contoso.example")
	one.press("deny").wantPage("You have not signed in", http.StatusOK)
	two.press("approve").wantPage("Enter the code", http.StatusBadRequest)
	wantOver(t, w.poll(t, device), "authorization_declined", 65004)
}

func TestADeviceCodeIsBoundToItsClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	device := w.device(t, contosoDomain)
	deviceURL(w.browser(t), device).press("code", "code", device.body["user_code"].(string)).signIn(annName).press("approve")
	secret := []string{"client_secret", goodSecret}
	wantOver(t, w.poll(t, device, append(secret, "client_id", portal.String())...), "invalid_grant", 70000)
	wantOver(t, w.post(t, "/"+fabrikamDomain+"/oauth2/v2.0/token", url.Values{
		"grant_type": {grantDevice}, "client_id": {tool.String()}, "device_code": {device.body["device_code"].(string)},
	}), "invalid_grant", 700005)
	wantOver(t, w.poll(t, device, "device_code", device.body["user_code"].(string)), "expired_token", 70020)
	wantOver(t, w.poll(t, device, "device_code", ""), "invalid_request", 900144)
	w.town.changeUser(ann, func(u *identity.User) { u.Enabled = false })
	wantOver(t, w.poll(t, device), "invalid_grant", 50057)
	w.town.changeUser(ann, func(u *identity.User) { u.Enabled = true })
	if got := w.poll(t, device); got.status != http.StatusOK {
		t.Errorf("answered %d %s", got.status, got.text)
	}
}

func TestAServerNeedsItsSecretForADeviceToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	device := w.device(t, contosoDomain, "client_id", portal.String())
	deviceURL(w.browser(t), device).press("code", "code", device.body["user_code"].(string)).signIn(annName).press("approve")
	got := w.poll(t, device, "client_id", portal.String())
	if got.status != http.StatusUnauthorized {
		t.Errorf("answered %d %s", got.status, got.text)
	}
	if got = w.poll(t, device, "client_id", portal.String(), "client_secret", goodSecret); got.status != http.StatusOK {
		t.Fatalf("answered %d %s", got.status, got.text)
	}
	again := w.post(t, tokenPath, refreshForm(got.body["refresh_token"], "client_secret", ""))
	if again.status != http.StatusUnauthorized {
		t.Errorf("refreshed without the secret: %s", again.text)
	}
}

func TestRefusalsOfTheDeviceEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(pairs ...string) answer {
		return w.post(t, "/"+contosoDomain+"/oauth2/v2.0/devicecode", with(url.Values{"client_id": {tool.String()}, "scope": {"User.Read"}}, pairs...))
	}
	wantOver(t, ask("client_id", ""), "invalid_request", 900144)
	wantOver(t, ask("client_id", nowhere.String()), "unauthorized_client", 700016)
	wantOver(t, ask("client_id", brokenApp.String()), "unauthorized_client", 7000112)
	wantOver(t, ask("scope", ""), "invalid_request", 900144)
	wantOver(t, ask("scope", "Mail.Explode"), "invalid_scope", 70011)
	if got := w.get(t, "/"+contosoDomain+"/oauth2/v2.0/devicecode"); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "POST" {
		t.Errorf("answered %d %s", got.status, got.text)
	}
}

// Codes for people are short. No one tries out many.
func TestGuessingCodesOfDevicesIsSlowedDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	device := w.device(t, contosoDomain)
	b := w.browser(t).open("/devicelogin", nil)
	for i := range freeOfAddress + 4 { // of which the last wait for 1, 2, 4 and 8 seconds
		b.press("code", "code", fmt.Sprintf("BCDFGHJ%02d", i))
		b.wantPage("Enter the code", http.StatusBadRequest)
	}
	if waited := w.clock.now().Sub(start); waited != 15*time.Second {
		t.Errorf("waited for %v", waited)
	}
	b.press("code", "code", device.body["user_code"].(string)).wantPage("Enter the code", http.StatusTooManyRequests)
	w.browser(t).open("/"+contosoDomain+"/oauth2/deviceauth", url.Values{"code": {device.body["user_code"].(string)}}).
		wantPage("Enter the code", http.StatusTooManyRequests)

	signedIn := w.browser(t).open(authorizePath, request(portal, portalRedirect)).signIn(annName)
	signedIn.open("/devicelogin", url.Values{"otc": {"x"}}).press("code", "code", device.body["user_code"].(string)).wantPage("Sign in on another device", http.StatusOK)

	w.clock.advance(16 * time.Second)
	b.press("code", "code", device.body["user_code"].(string)).wantPage("Sign in", http.StatusOK)
}

func TestOneAddressIsGivenSoManyCodesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func() answer {
		return w.post(t, "/"+contosoDomain+"/oauth2/v2.0/devicecode", url.Values{"client_id": {tool.String()}, "scope": {"User.Read"}})
	}
	for range devicesAtOnce {
		if got := ask(); got.status != http.StatusOK {
			t.Fatalf("answered %d %s", got.status, got.text)
		}
	}
	wantRefusal(t, ask(), http.StatusTooManyRequests, "temporarily_unavailable", 90055)
	w.clock.advance(time.Second)
	if got := ask(); got.status != http.StatusOK {
		t.Errorf("a second later: %d %s", got.status, got.text)
	}
}

func TestUserCodesAreAsLikelyAsOneAnother(t *testing.T) {
	t.Parallel()
	counts := map[rune]int{}
	w := newWorld(t)
	for range 2000 {
		code, err := newUserCode(w.config.Random)
		if err != nil || len(code) != userCodeLength {
			t.Fatalf("%q, %v", code, err)
		}
		for _, letter := range code {
			counts[letter]++
		}
	}
	if len(counts) != len(userCodeLetters) {
		t.Errorf("letters are %v", counts)
	}
	for letter, count := range counts { // 900 each; five standard deviations
		if count < 750 || count > 1050 {
			t.Errorf("%c is there %d times", letter, count)
		}
	}
}

func TestConsentIsAskedForOnADeviceToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.town.change(func() { w.town.grants = map[[2]uuid.UUID][]string{} })
	device := w.device(t, contosoDomain)
	b := deviceURL(w.browser(t), device).press("code", "code", device.body["user_code"].(string)).signIn(annName).press("approve")
	b.wantPage("Permissions requested", http.StatusOK)
	wantOver(t, w.poll(t, device), "authorization_pending", 70016)
	b.press("accept").wantPage("You have signed in", http.StatusOK)
	w.clock.advance(5 * time.Second)
	if got := w.poll(t, device); got.status != http.StatusOK {
		t.Errorf("answered %d %s", got.status, got.text)
	}
	device = w.device(t, contosoDomain, "scope", "Group.ReadWrite.All")
	b = deviceURL(w.browser(t), device).press("code", "code", device.body["user_code"].(string)).signIn(annName).press("approve")
	b.wantPage("Approval required", http.StatusForbidden)
	b.press("cancel").wantPage("You have not signed in", http.StatusOK)
}

// As ADAL asks: at the older endpoint, by GET or POST, for a resource.
func TestADeviceOfTheOlderEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := url.Values{"client_id": {tool.String()}, "resource": {identity.GraphURL}}
	for _, device := range []answer{w.get(t, "/common/oauth2/devicecode?"+asked.Encode()), w.post(t, "/"+contosoDomain+"/oauth2/devicecode", asked)} {
		if device.status != http.StatusOK || device.body["verification_url"] != w.https.URL+"/devicelogin" || device.body["verification_uri"] != nil ||
			device.body["expires_in"] != "900" || device.body["interval"] != "5" {
			t.Fatalf("answered %d %s", device.status, device.text)
		}
		poll := url.Values{"grant_type": {"device_code"}, "client_id": {tool.String()}, "code": {device.body["device_code"].(string)}, "resource": {identity.GraphURL}}
		wantRefusal(t, w.post(t, "/common/oauth2/token", poll), http.StatusBadRequest, "authorization_pending", 70016)
	}
	wantRefusal(t, w.get(t, "/common/oauth2/devicecode?resource=x"), http.StatusBadRequest, "invalid_request", 900144)
	wantRefusal(t, w.get(t, "/common/oauth2/devicecode?client_id=x&client_id=y"), http.StatusBadRequest, "invalid_request", 9002313)
}

package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// guess tries a password from an address, and reports whether it was right, or not even checked,
// and how long that took.
func (w world) guess(
	t testing.TB, remote, name, password string, cookies ...*http.Cookie,
) (right, checked bool, took time.Duration) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	r.RemoteAddr = remote
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	before := w.clock.now()
	c := &call{Request: r, w: httptest.NewRecorder(), root: w.https.URL, tenant: contoso}
	_, err := w.logIn(c, attempt{onPage: true}, name, password)
	took = w.clock.now().Sub(before)
	switch refused := asRefusal(err); {
	case err == nil:
		return true, true, took
	case refused == nil:
		t.Fatal(err)
	case refused.code == 50053:
		return false, false, took
	}
	return false, true, took
}

// wantIn wants the right password to be checked within ten seconds.
func (w world) wantIn(t testing.TB, remote, name string, cookies ...*http.Cookie) {
	t.Helper()
	if right, checked, took := w.guess(t, remote, name, goodPassword, cookies...); !right || took > 10*time.Second {
		t.Fatalf("at %v from %s: right %v, checked %v after %v", w.clock.now().Sub(start), remote, right, checked, took)
	}
}

// hours counts what happens, and returns the most in any hour.
type hours struct{ at []time.Time }

func (h *hours) most() (most int) {
	first := 0
	for i, at := range h.at {
		for at.Sub(h.at[first]) > time.Hour {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// address is one of many that are close to each other, afar is one of as many that are not.
func address(n int) string { return fmt.Sprintf("10.%d.%d.9:1000", n>>8&0xff, n&0xff) }
func afar(n int) string    { return fmt.Sprintf("%d.%d.1.9:1000", 11+n>>8&0xff, n&0xff) }

// One address guesses 17 times in 240 s, as much as it likes besides; the owner comes from
// elsewhere.
func TestTheOwnerGetsInWhileOneAddressGuesses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	guessed := 0
	for i := range 120 {
		if i%7 == 0 {
			if _, checked, _ := w.guess(t, "198.51.100.1:1000", annName, "wrong"); checked {
				guessed++
			}
		}
		w.wantIn(t, "192.0.2.7:1000", annName)
		w.clock.advance(2 * time.Second)
	}
	if guessed < 5 || guessed > 17 {
		t.Errorf("%d guesses were checked", guessed)
	}
	for i := range 20 { // also an owner who has never been here
		w.guess(t, "198.51.100.1:1000", "gil@contoso.example", fmt.Sprint("wrong", i))
	}
	w.wantIn(t, "203.0.113.5:1000", "gil@contoso.example")
}

// Of strangers, however many and from wherever, a hundred guesses in an hour are checked. Meanwhile
// the owner gets in from a device and from an address that have signed in before, and from others
// in its range.
func TestAHundredGuessesOfStrangersAreCheckedInAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect))
	b.signIn(annName)
	device := b.open(authorizePath, request(portal, portalRedirect, "prompt", "login")).deviceCookie()
	w.wantIn(t, "192.0.2.77:1000", annName)
	var checked hours
	for i := range 6000 {
		if _, ok, _ := w.guess(t, afar(i%1500), annName, "wrong"); ok {
			checked.at = append(checked.at, w.clock.now())
		}
		w.clock.advance(2 * time.Second)
		if i%10 == 0 {
			w.wantIn(t, afar(i%1500), annName, device)
			w.wantIn(t, "192.0.2.77:1000", annName)
			w.wantIn(t, "192.0.2.99:1000", annName)
		}
	}
	most := checked.most()
	if most > guessesPerHour || most < guessesPerHour*9/10 || len(checked.at) < 2*guessesPerHour {
		t.Errorf("%d guesses in an hour, %d in all", most, len(checked.at))
	}
}

// No one has a count forgotten by trying names of no account.
func TestManyNamesDoNotRenewABudget(t *testing.T) {
	t.Parallel()
	a := newAttempts()
	tried := func(name string) bool {
		_, err := a.begin(start, stranger, []limit{{key: ofAccount(contoso.String(), name), hourly: guessesPerHour}})
		a.lines = [2]line{}
		return err == nil
	}
	for range guessesPerHour / 2 {
		tried(annName)
	}
	for i := range 2 * keptLanes {
		tried(fmt.Sprint(i))
	}
	if tried(annName) {
		t.Error("a guess more was checked")
	}
}

func TestGuessingFromOneAddressIsSlowedDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var checked hours
	for range 7200 {
		if _, ok, took := w.guess(t, "198.51.100.1:1000", strings.ToUpper(annName), "wrong"); ok {
			checked.at = append(checked.at, w.clock.now())
		} else if took > 0 {
			t.Fatalf("refused after %v", took)
		}
		w.clock.advance(time.Second)
	}
	if most := checked.most(); most > 28 {
		t.Errorf("%d in an hour", most)
	}
	for i := 5; i < 9; i++ { // after the free ones each waits twice as long
		if gap := checked.at[i].Sub(checked.at[i-1]); gap < time.Second<<(i-5) || gap > time.Second<<(i-5)+time.Second {
			t.Errorf("guess %d came after %v", i, gap)
		}
	}
	w.clock.advance(forgotten)
	for range freeOfLane {
		if _, ok, took := w.guess(t, "198.51.100.1:1000", annName, "wrong"); !ok || took > 0 {
			t.Errorf("an hour later: %v after %v", ok, took)
		}
	}
}

// Anyone who has mistyped the password at a known place over and over waits five seconds, and signs
// in.
func TestAnOwnerWhoMistypesWaitsForSeconds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wantIn(t, "192.0.2.7:1000", annName)
	for i := range guessesPerHour/2 - 1 {
		if _, checked, took := w.guess(t, "192.0.2.7:1000", annName, "wrong"); !checked || took > longestOfKnown {
			t.Fatalf("attempt %d: %v after %v", i, checked, took)
		}
	}
	w.wantIn(t, "192.0.2.7:1000", "  "+strings.ToUpper(annName)+" ")
	if _, checked, took := w.guess(t, "192.0.2.7:1000", annName, "wrong"); !checked || took > 0 {
		t.Errorf("afterwards: %v after %v", checked, took)
	}
}

func TestGuessingOfManyAccountsFromOneAddressIsSlowedDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wantIn(t, "198.51.100.1:1000", "gil@contoso.example")
	refused := 0
	for i := range 100 {
		if _, checked, _ := w.guess(t, "198.51.100.1:1000", fmt.Sprintf("user%d@contoso.example", i), "Summer2026"); !checked {
			refused++
		}
	}
	if refused != 100-freeOfAddress-4 { // four have waited for 1, 2, 4 and 8 seconds
		t.Errorf("%d of 100 were refused", refused)
	}
	w.wantIn(t, "198.51.100.1:1000", "gil@contoso.example") // a guesser who has an account, too, gains nothing by it
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect))
	b.send(b.fields("signin", "username", annName, "password", goodPassword), remoteHeader, "198.51.100.1:1000")
	b.wantPage("Sign in", http.StatusTooManyRequests)
	if !strings.Contains(b.text, "AADSTS50053") || !strings.Contains(b.text, "Wait 16s and") {
		t.Errorf("the page is %s", b.text)
	}
}

// The device is known again after a restart, and so is the address, whichever way the owner signs
// in.
func TestARestartDoesNotForgetWhoHasSignedIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect))
	b.signIn(annName)
	device := b.open(authorizePath, request(portal, portalRedirect, "prompt", "login")).deviceCookie()
	again, err := New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.Server = again
	again.attempts.wait = w.clock.wait
	for i := range 200 {
		w.guess(t, afar(i), annName, "wrong")
	}
	if _, checked, _ := w.guess(t, "203.0.113.5:1000", annName, goodPassword); checked {
		t.Error("a stranger is not counted with the others")
	}
	w.wantIn(t, "203.0.113.5:1000", annName, device)
	w.wantIn(t, "192.0.2.7:1000", annName)
}

// A cookie is good for the accounts that have signed in with it, and only as we have made it.
func TestACookieOfADeviceCannotBeMadeUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cookie := w.remembered(t, annName, nil)
	if !cookie.HttpOnly || !cookie.Secure || cookie.Path != "/" ||
		cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge != 180*24*3600 {
		t.Errorf("the cookie is %v", cookie)
	}
	isKnown := func(name string, cookie *http.Cookie) bool {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.AddCookie(cookie)
		d, ok := w.knownDevice(&call{Request: r, root: w.https.URL})
		return ok && d.has(ofAccount(contoso.String(), name))
	}
	if !isKnown(annName, cookie) || isKnown("gil@contoso.example", cookie) {
		t.Error("the cookie is not that of the account")
	}
	data, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		forged := *cookie
		changed := append([]byte{}, data...)
		changed[i] ^= 1
		forged.Value = base64.RawURLEncoding.EncodeToString(changed)
		if isKnown(annName, &forged) {
			t.Fatalf("byte %d does not matter", i)
		}
	}
	for _, value := range []string{"", "x", cookie.Value[:40], cookie.Value + "A"} {
		forged := *cookie
		if forged.Value = value; isKnown(annName, &forged) {
			t.Errorf("%q is taken", value)
		}
	}
	for i := range 2 * mostAccounts { // of a device that many share, the last ones
		cookie = w.remembered(t, fmt.Sprint(i), cookie)
	}
	if isKnown(annName, cookie) || !isKnown("9", cookie) ||
		!isKnown("5", cookie) || isKnown("4", cookie) || len(cookie.Value) > 200 {
		t.Errorf("the cookie is %s", cookie.Value)
	}
	w.clock.advance(deviceLasts + time.Second)
	if isKnown("9", cookie) {
		t.Error("the cookie is good for ever")
	}
}

// remembered is the cookie of a device after an account has signed in there.
func (w world) remembered(t *testing.T, name string, before *http.Cookie) *http.Cookie {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if before != nil {
		r.AddCookie(before)
	}
	answer := httptest.NewRecorder()
	err := w.rememberDevice(&call{Request: r, w: answer, root: w.https.URL}, ofAccount(contoso.String(), name))
	if err != nil {
		t.Fatal(err)
	}
	return answer.Result().Cookies()[0]
}

func TestAnAccountHasTheLastPlacesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account := ofAccount(contoso.String(), annName)
	from := func(remote string) *call {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = remote
		return &call{Request: r, tenant: contoso}
	}
	remember := func(remote string) {
		t.Helper()
		if err := w.rememberPlace(from(remote), account, ann); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 * mostPlaces {
		remember(address(i))
	}
	found, _, _, err := w.places(from(""), account)
	if err != nil || len(found.Places) != mostPlaces || found.Places[0].Network.String() != "10.0.31.9/32" {
		t.Fatalf("places are %v, %v", found, err)
	}
	w.clock.advance(placesLast - time.Hour)
	remember(address(31))
	w.clock.advance(2 * time.Hour)
	if found, _, _, err = w.places(from(""), account); err != nil || len(found.Places) != 1 {
		t.Errorf("after 90 days places are %v, %v", found, err)
	}
}

// Waiting attempts are limited in number and time, and strangers do not take the places of others.
func TestTheLineIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAttempts()
		begun := time.Now()
		var checked, refused, slowest atomic.Int64
		var all sync.WaitGroup
		for i := range 20_000 {
			all.Go(func() {
				place := limit{key: keyOfAttempts(fmt.Sprint(i % 1000)), free: freeOfLane, longest: longestOfStranger}
				leave, err := a.enter(t.Context(), time.Now(), stranger, place)
				if err != nil {
					refused.Add(1)
					return
				}
				defer leave()
				checked.Add(1)
				for took := int64(time.Since(begun)); ; {
					if most := slowest.Load(); took <= most || slowest.CompareAndSwap(most, took) {
						break
					}
				}
				time.Sleep(time.Second) // it takes long
			})
		}
		synctest.Wait()
		if a.lines[stranger].checking > mostChecking || a.lines[stranger].waiting > mostWaiting {
			t.Errorf("the lines are %+v", a.lines)
		}
		leave, err := a.enter(t.Context(), time.Now(), known, limit{
			key: keyOfAttempts("owner"), free: freeOfLane, longest: longestOfKnown,
		})
		if err != nil {
			t.Fatalf("the owner is told %v", err)
		}
		leave()
		all.Wait()
		if checked.Load()+refused.Load() != 20_000 || checked.Load() > mostChecking+mostWaiting ||
			time.Duration(slowest.Load()) > longestLine {
			t.Errorf("%d checked, %d refused, the last after %v", checked.Load(), refused.Load(), time.Duration(slowest.Load()))
		}
		if a.lines != [2]line{} {
			t.Errorf("in the end the lines are %+v", a.lines)
		}
	})
}

func TestWhoHasGoneLeavesTheLine(t *testing.T) {
	t.Parallel()
	a := newAttempts()
	place := limit{key: keyOfAttempts("place"), free: 1, longest: longestOfStranger}
	leave, err := a.enter(t.Context(), start, stranger, place)
	if err != nil {
		t.Fatal(err)
	}
	leave()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.enter(gone, start, stranger, place); asRefusal(err) == nil || errors.Is(err, context.Canceled) {
		t.Errorf("told %v", err)
	}
	if a.lines != [2]line{} {
		t.Errorf("the lines are %+v", a.lines)
	}
}

// A clock that is set back, as in development, does not shut out anyone.
func TestAttemptsSurviveAClockThatIsSetBack(t *testing.T) {
	t.Parallel()
	a := newAttempts()
	limits := []limit{
		{key: keyOfAttempts("place"), free: freeOfLane, longest: longestOfStranger},
		{key: keyOfAttempts("account"), hourly: guessesPerHour},
	}
	for i := range 200 {
		_, _ = a.begin(start.Add(time.Duration(i)*time.Minute), stranger, limits)
		a.lines = [2]line{}
	}
	for i := range freeOfLane {
		if wait, err := a.begin(start.Add(-time.Hour*24), stranger, limits); wait != 0 || err != nil {
			t.Fatalf("attempt %d waits %v, %v", i, wait, err)
		}
	}
}

// On the loopback address is a proxy that is not named, behind which everyone is.
func TestOneGuesserBehindALocalProxyDoesNotShutOutTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 1000 {
		if _, checked, took := w.guess(t, "127.0.0.1:7000", fmt.Sprintf("user%d@contoso.example", i), "wrong"); !checked || took > 0 {
			t.Fatalf("attempt %d must wait", i)
		}
	}
}

// deviceCookie is the cookie by which the browser is known.
func (b *browser) deviceCookie() *http.Cookie {
	b.t.Helper()
	for _, cookie := range b.client.Jar.Cookies(b.url) {
		if cookie.Name == "__Host-licensor-device" {
			return cookie
		}
	}
	b.t.Fatal("there is no cookie for the device")
	return nil
}

package oauth

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// counting counts what is stored.
type counting struct {
	Tickets
	mu             sync.Mutex
	added, longest int
}

func (c *counting) AddTicket(ctx context.Context, t store.Ticket) error {
	c.mu.Lock()
	c.added, c.longest = c.added+1, max(c.longest, len(t.Data))
	c.mu.Unlock()
	return c.Tickets.AddTicket(ctx, t)
}

// Callers without a token store nothing but what a device needs, for applications that someone has.
func TestADeviceStoresNothingOfWhatItSends(t *testing.T) {
	t.Parallel()
	stored := &counting{}
	w := newWorld(t, func(c *Config) { stored.Tickets, c.Tickets = c.Tickets, stored })
	azure := uuid.MustParse("04b07795-8ddb-461a-bbee-02f9e1bf7b46")
	for _, path := range []string{"/common/oauth2/v2.0/devicecode", "/organizations/oauth2/v2.0/devicecode", "/" + contosoDomain + "/oauth2/v2.0/devicecode"} {
		for _, id := range []string{strings.Repeat("x", 60_000), "x", nowhere.String()} {
			got := w.post(t, path, url.Values{"client_id": {id}, "scope": {"User.Read"}})
			wantRefusal(t, got, http.StatusBadRequest, "unauthorized_client", 700016)
			if len(got.text) > 2000 {
				t.Errorf("the answer has %d bytes", len(got.text))
			}
		}
		wantRefusal(t, w.post(t, path, url.Values{"client_id": {tool.String()}, "scope": {"User.Read " + strings.Repeat(" ", maxScope)}}),
			http.StatusBadRequest, "invalid_request", 9002313)
	}
	if stored.added != 0 {
		t.Errorf("%d tickets were stored", stored.added)
	}
	for _, id := range []string{tool.String(), azure.String(), strings.ToUpper(tool.String())} {
		got := w.post(t, "/common/oauth2/v2.0/devicecode", url.Values{"client_id": {id}, "scope": {"User.Read"}})
		if got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", id, got.status, got.text)
		}
		poll := url.Values{"grant_type": {grantDevice}, "client_id": {id}, "device_code": {got.body["device_code"].(string)}}
		wantRefusal(t, w.post(t, "/common/oauth2/v2.0/token", poll), http.StatusBadRequest, "authorization_pending", 70016)
	}
	if stored.longest > 300 {
		t.Errorf("a ticket has %d bytes", stored.longest)
	}
}

func TestCodesOfDevicesAreBounded(t *testing.T) {
	t.Parallel()
	b := newDeviceBounds()
	most := func(at time.Time, addresses func(i int) string) (given int) {
		for i := range 2 * machineDevicesAtOnce {
			if b.ask(addresses(i), at) == nil {
				given++
			}
		}
		return given
	}
	if got := most(start, func(int) string { return "198.51.100.1:1" }); got != devicesAtOnce {
		t.Errorf("one address is given %d", got)
	}
	if got := most(start, func(i int) string { return fmt.Sprintf("203.0.113.%d:1", i%256) }); got != rangeDevicesAtOnce {
		t.Errorf("one range is given %d", got)
	}
	if got := most(start, func(i int) string { return fmt.Sprintf("[2001:db8:0:%x::1]:1", i) }); got != rangeDevicesAtOnce {
		t.Errorf("one range is given %d", got)
	}
	if got := most(start, func(int) string { return "127.0.0.1:1" }); got != machineDevicesAtOnce {
		t.Errorf("this machine is given %d", got)
	}
	if got := most(start.Add(time.Second), func(int) string { return "198.51.100.1:1" }); got != 1 {
		t.Errorf("a second later an address is given %d", got)
	}
	for i := range devicesInAll {
		if err := b.give(start); err != nil {
			t.Fatalf("number %d: %v", i, err)
		}
	}
	if b.give(start.Add(deviceLife-time.Second)) == nil {
		t.Error("one more is given")
	}
	if b.give(start.Add(deviceLife)) != nil || len(b.given) != 1 {
		t.Error("those that have expired count")
	}
	if b.give(start.Add(-time.Hour)) != nil || len(b.given) != 1 {
		t.Error("those of a clock that was set back count")
	}
}

func TestANonceIsShort(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect, "nonce", strings.Repeat("n", maxNonce+1)))
	if back := b.back(portalRedirect); back.Get("error") != "invalid_request" || !strings.Contains(back.Get("error_description"), "'nonce' is longer than 512 characters") {
		t.Errorf("sent back with %v", back)
	}
	w.browser(t).open(authorizePath, request(portal, portalRedirect, "nonce", strings.Repeat("n", maxNonce))).
		wantPage("Sign in", http.StatusOK)
}

// A browser that is signed in cannot have codes stored without end.
func TestAUserIsGivenSoManyCodesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t).open(authorizePath, request(portal, portalRedirect))
	b.signIn(annName)
	for range codesAtOnce - 1 {
		if back := b.open(authorizePath, request(portal, portalRedirect)).back(portalRedirect); back.Get("code") == "" {
			t.Fatalf("sent back with %v", back)
		}
	}
	back := b.open(authorizePath, request(portal, portalRedirect)).back(portalRedirect)
	if !strings.Contains(back.Get("error_description"), "AADSTS90055") {
		t.Errorf("sent back with %v", back)
	}
	w.clock.advance(codesEvery)
	if back := b.open(authorizePath, request(portal, portalRedirect)).back(portalRedirect); back.Get("code") == "" {
		t.Errorf("later: sent back with %v", back)
	}
}

// Of the refresh tokens of a user and an application, and of the sessions of a user, the newest are
// kept.
func TestTheOldestRefreshTokensEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.town.change(func() { w.town.signIn.AllowPasswordGrant = true })
	first := w.post(t, tokenPath, passwordForm())
	refresh := func(token any) answer {
		return w.post(t, tokenPath, url.Values{"grant_type": {grantRefresh}, "client_id": {tool.String()}, "refresh_token": {token.(string)}})
	}
	second := w.post(t, tokenPath, passwordForm())
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	c := &call{Request: r, tenant: contoso}
	for range mostFamilies - 1 {
		if err := w.newestFamily(c, "refresh "+tool.String(), ann, uuid.New(), refreshMost); err != nil {
			t.Fatal(err)
		}
	}
	wantRefusal(t, refresh(first.body["refresh_token"]), http.StatusBadRequest, "invalid_grant", 70008)
	if got := refresh(second.body["refresh_token"]); got.status != http.StatusOK {
		t.Errorf("answered %d %s", got.status, got.text)
	}
	var found newest
	_, ok, err := w.ticket(t.Context(), forNewest.id(contoso.String()+" "+ann.String()+" refresh "+tool.String()), &found)
	if err != nil || !ok || len(found.Families) != 16*mostFamilies {
		t.Errorf("%d bytes of families, %v, %v", len(found.Families), ok, err)
	}
}

func TestAnApplicationHasSoManyAssertionsRememberedOnly(t *testing.T) {
	t.Parallel()
	r := newRates(assertionsAtOnce, assertionsEvery)
	live := func(life time.Duration) (most int) {
		var ends []time.Time
		for i := range 30 {
			now := start.Add(time.Duration(i) * time.Hour)
			if life <= time.Hour {
				now = start.Add(time.Duration(i) * time.Minute)
			}
			for r.take(life.String(), max(1, life.Seconds()/usualAssertion.Seconds()), now) {
				ends = append(ends, now.Add(life))
			}
			for len(ends) > 0 && !ends[0].After(now) {
				ends = ends[1:]
			}
			most = max(most, len(ends))
		}
		return most
	}
	for _, life := range []time.Duration{skew, usualAssertion, longestAssertion + skew} {
		if most := live(life); most > 15_000 {
			t.Errorf("%d assertions of %v are remembered", most, life)
		}
	}
}

func TestRatesSurviveAClockThatIsSetBack(t *testing.T) {
	t.Parallel()
	r := newRates(3, time.Second)
	for i := range 5 {
		if got := r.take("one", 1, start); got != (i < 3) {
			t.Errorf("number %d: %v", i, got)
		}
	}
	if !r.take("two", 1, start) || !r.take("one", 1, start.Add(time.Second)) || r.take("one", 1, start.Add(time.Second)) {
		t.Error("names are not told apart, or nothing comes back")
	}
	if !r.take("one", 1, start.Add(-time.Hour)) {
		t.Error("refused after the clock was set back")
	}
}

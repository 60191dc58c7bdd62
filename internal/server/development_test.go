package server

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"licensor/internal/graph/devkit"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

func TestFaultsAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]devkit.Fault{
		"POST /groups/*/assignLicense=429;retryAfter=2;times=3": {Method: "POST", Path: "/groups/*/assignLicense", Status: 429, RetryAfter: 2, Times: 3},
		"/users=503":                                    {Path: "/users", Status: 503},
		"get  /users = 503 ; probability=0.5":           {Method: "GET", Path: "/users", Status: 503, Probability: 0.5},
		"/**=latency=2s":                                {Path: "/**", Latency: 2 * time.Second},
		"PATCH /users/*=504;latency=100ms":              {Method: "PATCH", Path: "/users/*", Status: 504, Latency: 100 * time.Millisecond},
		"/users/ann@contoso.example=times=1;status=500": {Path: "/users/ann@contoso.example", Status: 500, Times: 1},
	} {
		if got, err := parseFault(text); err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"/users":               "write it as 'POST",
		"=503":                 "write it as 'POST",
		"GET /users now=503":   "write it as 'POST",
		"/users=abc":           `status cannot be "abc"`,
		"/users=503;times=x":   `times cannot be "x"`,
		"/users=503;latency=1": `latency cannot be "1"`,
		"/users=503;after=1":   `there is no "after"`,
		"/users=":              `status cannot be ""`,
	} {
		if got, err := parseFault(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %+v, %v; want an error with %q", text, got, err, want)
		}
	}
}

func TestAServerGoesOnWhereItsClockWas(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "licensor.db")
	ahead := time.Now().Add(1000 * time.Hour).UTC()
	s, err := Open(t.Context(), Options{Data: data, Development: true, Quick: true, Clock: ahead})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Found(t.Context(), Founding{Name: "Contoso", Domain: "contoso.example", Country: "DE", Admin: "admin"}); err != nil {
		t.Fatal(err)
	}
	first := firstTenant(t, s)
	failure := licensing.Failure("error")
	if _, err := first.Do(t.Context(), "test", tenant.UpdateSettings{ReprocessFailure: &failure}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), Options{Data: data, Development: true}); err != nil {
		t.Fatal(err)
	}
	if now := s.Now(); now.Before(first.Image().At) {
		t.Errorf("it is %s, but the last change was at %s", now, first.Image().At)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

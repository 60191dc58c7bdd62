package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"licensor/internal/identity/oauth"
	"licensor/internal/people"
)

// serveFault returns the address of a server whose authority panics as soon as it asks for a
// tenant.
func serveFault(t *testing.T) string {
	t.Helper()
	s, err := Open(t.Context(), Options{Memory: true, Development: true, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	s.logins, err = oauth.New(oauth.Config{
		Authority: s.authority, Tenants: people.Directory{}, Tickets: s.store,
		Now: time.Now, Random: rand.Reader, Log: slog.Default(), Client: http.DefaultClient,
		DeviceKey: make([]byte, 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.routes())
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return server.URL
}

func TestAPanicOfTheAuthorityIsAnsweredAndTheServerLivesOn(t *testing.T) {
	t.Parallel()
	root := serveFault(t)
	response, err := http.Get(root + "/contoso.example/v2.0/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Error       string
		Description string `json:"error_description"`
		TraceID     string `json:"trace_id"`
		Codes       []int  `json:"error_codes"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusInternalServerError || answer.Error != "server_error" || len(answer.Codes) != 1 ||
		answer.TraceID == "" || !strings.Contains(answer.Description, answer.TraceID) ||
		strings.Contains(answer.Description, "nil pointer") {
		t.Errorf("answered %s %+v", response.Status, answer)
	}
	health, err := http.Get(root + "/healthz")
	if err != nil || health.StatusCode != http.StatusOK {
		t.Fatalf("after that: %v, %v", health, err)
	}
	_ = health.Body.Close()
	metrics, err := http.Get(root + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer metrics.Body.Close()
	if text, err := io.ReadAll(metrics.Body); err != nil || !strings.Contains(string(text), `licensor_http_requests_total{code="500",method="get"} 1`) {
		t.Errorf("the 500 is not counted: %v", err)
	}
}

func TestWhatAPanicLeavesOfAnAnswer(t *testing.T) {
	t.Parallel()
	s := &Server{settings: &settings{Options: Options{Log: slog.Default()}}, now: time.Now}
	server := httptest.NewServer(s.recovering(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session=secret")
		if r.URL.Path == "/begun" {
			_, _ = io.WriteString(w, "half an ans")
		}
		panic("fault")
	})))
	defer server.Close()
	response, err := http.Get(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusInternalServerError || response.Header.Get("Set-Cookie") != "" {
		t.Errorf("answered %s with %v", response.Status, response.Header)
	}
	if response, err = http.Get(server.URL + "/begun"); err == nil { // the cut can come before the header has left
		defer response.Body.Close()
		if text, err := io.ReadAll(response.Body); err == nil {
			t.Errorf("half an answer looks like a whole one: %q", text)
		}
	}
}

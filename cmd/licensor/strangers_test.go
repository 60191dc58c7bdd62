package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"licensor/internal/server"
)

// Callers without a token cannot make the file larger, whatever they send.
func TestStrangersDoNotFillTheDisk(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	s, err := server.Open(t.Context(), server.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		web.Close()
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	size := func() (bytes int64) {
		for _, name := range []string{data, data + "-wal"} {
			if info, err := os.Stat(name); err == nil {
				bytes += info.Size()
			}
		}
		return bytes
	}
	before := size()
	long := url.Values{"client_id": {strings.Repeat("x", 60_000)}, "scope": {"User.Read"}}
	unknown := url.Values{"client_id": {"99999999-9999-4999-8999-999999999999"}, "scope": {"User.Read"}}
	for _, form := range []url.Values{long, unknown} {
		for range 100 {
			response, err := http.PostForm(web.URL+"/common/oauth2/v2.0/devicecode", form)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != http.StatusBadRequest {
				t.Fatalf("answered %s", response.Status)
			}
		}
	}
	if grown := size() - before; grown > 64<<10 {
		t.Errorf("the files have grown by %d bytes", grown)
	}
}

// linesPerSecond is how many lines of a kind the log gets in a second.
const linesPerSecond = 10

// The log of the program has so many lines of a kind in a second, however many wrong secrets are
// sent.
func TestStrangersDoNotFillTheLog(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and runs the program")
	}
	t.Parallel()
	s := startSpeaking(t)
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {s.login.ClientID}, "client_secret": {"wrong"}, "scope": {"https://graph.microsoft.com/.default"},
	}
	begun := time.Now()
	for range 500 {
		response, err := s.client.PostForm(s.login.Authority+"/"+s.login.TenantID+"/oauth2/v2.0/token", form)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	most := linesPerSecond * (int(time.Since(begun).Seconds()) + 2)
	s.stop()
	if lines := strings.Count(s.log.String(), `"msg":"an application failed to authenticate"`); lines < linesPerSecond || lines > most {
		t.Errorf("there are %d lines, at most %d are expected", lines, most)
	}
}

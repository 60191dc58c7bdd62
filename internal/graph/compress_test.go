package graph

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"licensor/internal/graph/problem"
)

// ask sends a request to the API itself, past what the client of HTTP does about compression.
func (w *world) ask(path, acceptEncoding string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	request.Header.Set("Authorization", "Bearer "+w.appToken(allPermissions...))
	request.Header.Set("Accept-Encoding", acceptEncoding)
	got := httptest.NewRecorder()
	w.server.Config.Handler.ServeHTTP(got, request)
	return got
}

func TestLargeAnswersAreCompressedForWhoTakesThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const large, small = "/v1.0/$metadata", "/v1.0/users"
	plain := w.ask(large, "").Body.String()
	for _, c := range []struct {
		path, accept string
		compressed   bool
	}{
		{large, "gzip", true},
		{large, "br, GZIP;q=0.5", true},
		{large, "gzip;q=0", false},
		{large, "gzip; q=0.0", false},
		{large, "br", false},
		{large, "", false},
		{small, "gzip", false},
	} {
		got := w.ask(c.path, c.accept)
		if is := got.Header().Get("Content-Encoding") == "gzip"; is != c.compressed || got.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s for %q: compressed is %v, Vary %q", c.path, c.accept, is, got.Header().Get("Vary"))
		}
		if !c.compressed {
			continue
		}
		z, err := gzip.NewReader(got.Body)
		w.must(err)
		text, err := io.ReadAll(z)
		w.must(err)
		if string(text) != plain {
			t.Errorf("%q: %s is not %s", c.accept, problem.Clip(string(text)), problem.Clip(plain))
		}
	}
}

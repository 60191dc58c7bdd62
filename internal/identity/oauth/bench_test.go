package oauth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkClientCredentials is a token request through the handler: of an application that asks
// again within five minutes, and of one whose token is signed again each time.
func BenchmarkClientCredentials(b *testing.B) {
	for name, again := range map[string]bool{"again": true, "anew": false} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			handler, body := w.Handler(), form().Encode()
			b.ReportAllocs()
			for b.Loop() {
				if !again {
					w.given.tokens.Purge()
				}
				r := httptest.NewRequest(http.MethodPost, tokenPath, strings.NewReader(body))
				r.Header.Set("Content-Type", formType)
				recorder := httptest.NewRecorder()
				if handler.ServeHTTP(recorder, r); recorder.Code != http.StatusOK {
					b.Fatal(recorder.Body)
				}
			}
		})
	}
}

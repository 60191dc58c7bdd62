package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestClientsBehindProxies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"a proxy", "10.0.0.5:1000", []string{"203.0.113.7"}, "203.0.113.7:0"},
		{"a proxy, with the client's port", "10.0.0.5:1000", []string{"203.0.113.7:4711"}, "203.0.113.7:0"},
		{"two proxies", "10.0.0.5:1000", []string{"203.0.113.7, 10.1.2.3"}, "203.0.113.7:0"},
		{"two proxies, a line each", "10.0.0.5:1000", []string{"203.0.113.7", "10.1.2.3"}, "203.0.113.7:0"},
		{"a client that makes one up", "10.0.0.5:1000", []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7:0"},
		{"IPv6", "[2001:db8::1]:1000", []string{"2001:db9::7"}, "[2001:db9::7]:0"},
		{"a proxy by IPv4 in IPv6", "[::ffff:10.0.0.5]:1000", []string{"203.0.113.7"}, "203.0.113.7:0"},
		{"a proxy for itself", "10.0.0.5:1000", []string{"10.0.0.6"}, "10.0.0.6:0"},
		{"a proxy that says nothing", "10.0.0.5:1000", nil, "10.0.0.5:1000"},
		{"nonsense", "10.0.0.5:1000", []string{"203.0.113.7, unknown"}, "10.0.0.5:1000"},
		{"not a proxy", "192.0.2.1:1000", []string{"203.0.113.7"}, "192.0.2.1:1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, err := Options{Memory: true, TrustedProxies: []string{"10.0.0.0/8", "2001:db8::1"}}.validated()
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			r.Header["X-Forwarded-For"] = c.forwarded
			got := ""
			note := func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr }
			o.proxies.before(http.HandlerFunc(note)).ServeHTTP(nil, r)
			if got != c.want {
				t.Errorf("%s, forwarded for %q, is taken for %s, want %s", c.peer, c.forwarded, got, c.want)
			}
		})
	}
}

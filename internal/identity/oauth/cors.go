package oauth

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"licensor/internal/identity"
)

// preflight lets a page ask. Nothing is told by it: whether the page may read the answer is said
// with the answer, when it is known for which client it asks.
func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Content-Type, Authorization, client-request-id, return-client-request-id, X-AnchorMailbox, x-client-SKU, x-client-Ver")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// allowOrigin lets a page of one of the application's own origins read the answer, and says whether
// it is one.
func allowOrigin(c *call, app identity.App) bool {
	origin := c.Header.Get("Origin")
	if origin == "" ||
		!slices.ContainsFunc(app.Redirects.SPA, func(redirect string) bool { return originOf(redirect) == origin }) {
		return false
	}
	c.w.Header().Set("Access-Control-Allow-Origin", origin)
	c.w.Header().Add("Vary", "Origin")
	return true
}

// originOf is the scheme, host and port of an address of http, as browsers write them; otherwise
// empty.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return ""
	}
	host := strings.ToLower(u.Host)
	if (u.Scheme == "https" && u.Port() == "443") || (u.Scheme == "http" && u.Port() == "80") {
		host = host[:strings.LastIndexByte(host, ':')]
	}
	return u.Scheme + "://" + host
}

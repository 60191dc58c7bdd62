package oauth

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"licensor/internal/identity"
)

// preflight permits requests of pages. It reveals nothing: the response to the request itself
// determines whether the page may read it, when the client is known.
func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Content-Type, Authorization, client-request-id, "+
		"return-client-request-id, X-AnchorMailbox, x-client-SKU, x-client-Ver")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// allowOrigin lets a page of one of the application's own origins read the response, and reports
// whether it is one.
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

// originOf returns the scheme, host and port of an HTTP URL, as browsers write them; otherwise
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

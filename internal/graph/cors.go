package graph

import (
	"net/http"
	"slices"
	"strings"
)

// exposed are the response headers that a page's script may read: all that clients use.
const exposed = "Allow, ETag, Location, OData-EntityId, OData-Version, Preference-Applied, RateLimit-Limit, " +
	"RateLimit-Remaining, RateLimit-Reset, Retry-After, WWW-Authenticate, " +
	"client-request-id, request-id, x-ms-ags-diagnostic, x-ms-resource-unit, x-ms-throttle-information, " +
	"x-ms-throttle-limit-percentage, x-ms-throttle-scope"

// allowOrigin tells a browser whether a page may call (CORS). It answers preflight requests, which
// have no token and reveal nothing. Tokens are not cookies: a page of another origin has none
// unless its user gave it one, so Access-Control-Allow-Credentials is not needed.
func (api *API) allowOrigin(w http.ResponseWriter, hr *http.Request) (answered bool) {
	if len(api.config.Origins) == 0 {
		return false
	}
	h := w.Header()
	h["Vary"] = []string{"Origin"}
	origin := hr.Header.Get("Origin")
	if origin == "" {
		return false
	}
	if api.mayCall(origin) {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", exposed)
	}
	if hr.Method != http.MethodOptions || hr.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	if api.mayCall(origin) {
		h.Set("Access-Control-Allow-Methods", "GET, POST, PATCH, PUT, DELETE")
		if headers := hr.Header.Get("Access-Control-Request-Headers"); headers != "" {
			h.Set("Access-Control-Allow-Headers", headers) // SDKs have many of their own; all are harmless
		}
		h.Set("Access-Control-Max-Age", "7200")
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// mayCall reports whether pages of an origin may call. A configured port * matches any port.
func (api *API) mayCall(origin string) bool {
	return slices.ContainsFunc(api.config.Origins, func(allowed string) bool {
		if host, anyPort := strings.CutSuffix(allowed, ":*"); anyPort {
			rest, is := strings.CutPrefix(origin, host)
			return is && (rest == "" || rest[0] == ':' && strings.Trim(rest[1:], "0123456789") == "")
		}
		return strings.EqualFold(allowed, origin)
	})
}

package oauth

import (
	"net/url"
	"slices"
	"strings"

	"licensor/internal/identity"
)

// platformOf finds a redirect address among those registered (A11). They must be equal; only for a
// program on a device that listens on its loopback address any port matches, because it cannot
// choose the port in advance (RFC 8252 section 7.3).
func platformOf(app identity.App, redirect string) (platform, bool) {
	switch {
	case !usableRedirect(redirect):
		return "", false
	case slices.Contains(app.Redirects.Web, redirect):
		return web, true
	case slices.Contains(app.Redirects.SPA, redirect):
		return spa, true
	case slices.Contains(app.Redirects.Public, redirect):
		return native, true
	}
	return native, slices.ContainsFunc(app.Redirects.Public, func(registered string) bool {
		return sameLoopback(registered, redirect)
	})
}

// usableRedirect refuses addresses that are never valid: with a fragment (RFC 6749 section 3.1.2)
// or a user, and those that a browser would execute.
func usableRedirect(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || strings.ContainsAny(text, "#\\\r\n\t ") || u.User != nil || len(text) > 2048 {
		return false
	}
	return !slices.Contains([]string{"javascript", "data", "vbscript", "file", "blob", "about", "view-source"}, strings.ToLower(u.Scheme))
}

func sameLoopback(registered, redirect string) bool {
	want, errWant := url.Parse(registered)
	got, err := url.Parse(redirect)
	return errWant == nil && err == nil && want.Scheme == "http" && got.Scheme == "http" &&
		isLoopback(want.Hostname()) && got.Hostname() == want.Hostname() && got.Host == hostWithPort(got) &&
		orSlash(got.EscapedPath()) == orSlash(want.EscapedPath()) &&
		got.RawQuery == want.RawQuery && got.ForceQuery == want.ForceQuery
}

func isLoopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// hostWithPort returns the canonical form of the host, so that other spellings differ from it.
func hostWithPort(u *url.URL) string {
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	return host
}

func orSlash(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// formTarget returns a redirect address in the form of a Content-Security-Policy.
func formTarget(redirect string) string {
	scheme, _, _ := strings.Cut(redirect, ":")
	origin := originOf(redirect)
	if _, host, _ := strings.Cut(origin, "://"); host == "" || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") != "" {
		return scheme + ":" // a host may contain characters with a meaning in a policy
	}
	return origin
}

// withValues adds the response to a redirect address, which may have a query already.
func withValues(redirect, mode string, values url.Values) string {
	if mode == modeFragment {
		return redirect + "#" + values.Encode()
	}
	separator := "?"
	if strings.Contains(redirect, "?") {
		separator = "&"
	}
	return redirect + separator + values.Encode()
}

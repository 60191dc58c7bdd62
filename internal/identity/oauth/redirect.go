package oauth

import (
	"net/url"
	"slices"
	"strings"

	"licensor/internal/identity"
)

// platformOf finds a redirect address among those registered (A11). They match letter by letter;
// only for a program on a device that listens on its own loopback address the port is left open,
// which it cannot choose before (RFC 8252 section 7.3).
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

// usableRedirect refuses what no registration makes good: addresses with a fragment (RFC 6749
// section 3.1.2) or a user, and such that a browser would run.
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

// hostWithPort writes the host as it is to be, so that other spellings of the same differ from it.
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

// formTarget is a redirect address as a Content-Security-Policy names it.
func formTarget(redirect string) string {
	scheme, _, _ := strings.Cut(redirect, ":")
	origin := originOf(redirect)
	if _, host, _ := strings.Cut(origin, "://"); host == "" || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") != "" {
		return scheme + ":" // a host may have signs that mean something in a policy
	}
	return origin
}

// withValues adds the answer to a redirect address, which may have a query of its own.
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

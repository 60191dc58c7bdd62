package oauth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// redirectTricks are addresses that look like a registered one, by the client.
var redirectTricks = map[string]struct {
	app      uuid.UUID
	redirect string
}{
	"a longer path":               {portal, portalRedirect + "/x"},
	"a suffix":                    {portal, portalRedirect + "x"},
	"a prefix of it":              {portal, portalRedirect[:len(portalRedirect)-1]},
	"another host before":         {portal, "https://evil.example/?u=" + portalRedirect},
	"a longer host":               {portal, "https://portal.contoso.example.evil.example/back"},
	"a subdomain":                 {portal, "https://x.portal.contoso.example/back"},
	"a user":                      {portal, "https://portal.contoso.example@evil.example/back"},
	"a user of the same host":     {portal, "https://x@portal.contoso.example/back"},
	"a port":                      {portal, "https://portal.contoso.example:444/back"},
	"the usual port":              {portal, "https://portal.contoso.example:443/back"},
	"http":                        {portal, "http://portal.contoso.example/back"},
	"a fragment":                  {portal, portalRedirect + "#x"},
	"an empty fragment":           {portal, portalRedirect + "#"},
	"another query":               {portal, portalRedirect + "?x=2"},
	"an empty query":              {portal, portalRedirect + "?"},
	"a longer query":              {portal, portalRedirect + "?x=1&y=2"},
	"another case of the path":    {portal, "https://portal.contoso.example/Back"},
	"another case of the host":    {portal, "https://PORTAL.contoso.example/back"},
	"an encoded path":             {portal, "https://portal.contoso.example/b%61ck"},
	"an encoded slash":            {portal, "https://portal.contoso.example%2fback"},
	"a path that goes up":         {portal, "https://portal.contoso.example/x/../back"},
	"a backslash":                 {portal, `https://evil.example\@portal.contoso.example/back`},
	"a line end":                  {portal, portalRedirect + "\r\nSet-Cookie: x=y"},
	"a space before":              {portal, " " + portalRedirect},
	"a tab":                       {portal, "https://portal.contoso.example/\tback"},
	"no scheme":                   {portal, "//portal.contoso.example/back"},
	"a script":                    {portal, "javascript:alert(1)//" + portalRedirect},
	"of another client":           {portal, pageRedirect},
	"loopback of a server":        {portal, "http://localhost:1234"},
	"loopback, another path":      {tool, "http://localhost:1234/x"},
	"loopback, https":             {tool, "https://localhost:1234"},
	"loopback, another host":      {tool, "http://127.0.0.2:1234/back"},
	"loopback by another name":    {tool, "http://127.0.0.1:1234"},
	"loopback with a user":        {tool, "http://localhost:1234@evil.example"},
	"loopback of another domain":  {tool, "http://localhost.evil.example"},
	"loopback in other numbers":   {tool, "http://127.1:1234/back"},
	"loopback, another case":      {tool, "http://LOCALHOST:1234"},
	"loopback, a query":           {tool, "http://localhost:1234?x=1"},
	"loopback, no port":           {tool, "http://localhost:"},
	"loopback, an odd port":       {tool, "http://localhost:12x"},
	"loopback, path of many dots": {tool, "http://127.0.0.1:1234/./back"},
	"another scheme":              {tool, "contoso-toolx://back"},
	"a longer one of a scheme":    {tool, "contoso-tool://back/x"},
}

func TestNothingIsSentToAnAddressThatIsNotTheClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, trick := range redirectTricks {
		t.Run(name, func(t *testing.T) {
			// Each with a mistake that would be told to the client.
			for _, query := range []url.Values{
				request(trick.app, trick.redirect), request(trick.app, trick.redirect, "response_type", "x"),
				request(trick.app, trick.redirect, "prompt", "none"),
			} {
				b := w.browser(t).open(authorizePath, query)
				b.wantPage("Sorry, that did not work", http.StatusBadRequest)
				if !strings.Contains(b.text, "AADSTS50011") || b.header.Get("Location") != "" {
					t.Errorf("the page is %s, %v", b.text, b.header)
				}
			}
		})
	}
}

func TestUntilTheClientIsKnownErrorsAreShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	twice := request(portal, portalRedirect)
	twice.Add("redirect_uri", "https://evil.example/")
	scopes := request(portal, portalRedirect)
	scopes.Add("scope", "openid")
	malformed := w.get(t, authorizePath+"?"+request(portal, portalRedirect).Encode()+"&x=%zz;y")
	if malformed.status != http.StatusBadRequest || !strings.Contains(malformed.text, "AADSTS9002313") {
		t.Errorf("a malformed query: %d %s", malformed.status, malformed.text)
	}
	for name, test := range map[string]struct {
		path  string
		query url.Values
		code  string
	}{
		"no client":               {authorizePath, request(portal, portalRedirect, "client_id", ""), "AADSTS900144"},
		"no address":              {authorizePath, request(portal, "", "redirect_uri", ""), "AADSTS900144"},
		"two addresses":           {authorizePath, twice, "AADSTS9002313"},
		"a parameter twice":       {authorizePath, scopes, "AADSTS9002313"},
		"an unknown client":       {authorizePath, request(nowhere, "https://evil.example/"), "AADSTS700016"},
		"a client that is no id":  {authorizePath, request(portal, "https://evil.example/", "client_id", "<script>"), "AADSTS700016"},
		"a disabled client":       {authorizePath, request(brokenApp, portalRedirect), "AADSTS7000112"},
		"an unknown tenant":       {"/evil.example/oauth2/v2.0/authorize", request(portal, portalRedirect), "AADSTS90002"},
		"personal accounts":       {"/consumers/oauth2/v2.0/authorize", request(portal, portalRedirect), "AADSTS90002"},
		"a client of elsewhere":   {"/" + fabrikamDomain + "/oauth2/v2.0/authorize", request(page, pageRedirect), "AADSTS700016"},
		"a client's script":       {authorizePath, request(portal, `"><script>alert(1)</script>`), "AADSTS50011"},
		"the older, without code": {"/" + contosoDomain + "/oauth2/authorize", request(portal, "https://evil.example", "resource", "x"), "AADSTS50011"},
	} {
		t.Run(name, func(t *testing.T) {
			b := w.browser(t).open(test.path, test.query)
			b.wantPage("Sorry, that did not work", http.StatusBadRequest)
			if !strings.Contains(b.text, test.code) || strings.Contains(b.text, "<script>") || b.header.Get("Location") != "" {
				t.Errorf("the page is %s", b.text)
			}
		})
	}
}

package oauth

import (
	"licensor/internal/identity"
)

// platform is what waits at a redirect address, and so whether it can keep a secret.
type platform string

// The platforms: a server, a page in a browser, and a program on a device.
const (
	web    platform = "web"
	spa    platform = "spa"
	native platform = "public"
)

// admits says whether a client may take what was given to a redirect address of the platform: a
// server must have shown who it is; a page must ask from its own origin, so that nobody else's
// server can use what a page was given.
func (p platform) admits(c *call, client client) error {
	switch {
	case p == web && client.public():
		return noProof()
	case p == spa && !client.public():
		return badClient(700025, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.")
	case p == spa && !allowOrigin(c, client.App):
		return refuse(9002327, "invalid_request", "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests, from the origin of one of its redirect addresses.")
	case p != spa && c.Header.Get("Origin") != "" && c.Header.Get("Origin") != c.root:
		return refuse(9002326, "invalid_request", "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. Request origin: '%s'.", short(c.Header.Get("Origin")))
	}
	return nil
}

// mayBePublic says whether an application may act for users without showing who it is, where no
// redirect address decides.
func mayBePublic(app identity.App) bool {
	return app.PublicClient || len(app.Redirects.Public) > 0
}

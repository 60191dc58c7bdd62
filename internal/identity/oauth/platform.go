package oauth

import (
	"licensor/internal/identity"
)

// platform is the kind of program at a redirect address, which determines whether it can keep a
// secret.
type platform string

// The platforms: a server, a page in a browser, and a program on a device.
const (
	web    platform = "web"
	spa    platform = "spa"
	native platform = "public"
)

// admits reports whether a client may redeem a code that was sent to a redirect address of the
// platform: a server must have authenticated; a page must send the request from its own origin, so
// that another server cannot redeem a page's code.
func (p platform) admits(c *call, client client) error {
	switch {
	case p == web && client.public():
		return noProof()
	case p == spa && !client.public():
		return badClient(700025, "Client is public so neither 'client_assertion' nor 'client_secret' should be "+
			"presented.")
	case p == spa && !allowOrigin(c, client.App):
		return refuse(9002327, "invalid_request", "Tokens issued for the 'Single-Page Application' client-type may "+
			"only be redeemed via cross-origin requests, from the origin of one of its redirect addresses.")
	case p != spa && c.Header.Get("Origin") != "" && c.Header.Get("Origin") != c.root:
		return refuse(9002326, "invalid_request", "Cross-origin token redemption is permitted only for the "+
			"'Single-Page Application' client-type. Request origin: '%s'.", short(c.Header.Get("Origin")))
	}
	return nil
}

// mayBePublic reports whether an application may act for users without authenticating in flows
// without a redirect address.
func mayBePublic(app identity.App) bool {
	return app.PublicClient || len(app.Redirects.Public) > 0
}

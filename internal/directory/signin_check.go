package directory

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Limits of a SignIn: generous, and small enough to process all entries for every token.
const (
	maxIssuers     = 20
	maxAudiences   = 20
	maxWords       = 200
	maxWordGrants  = 100
	maxClaimLength = 256
)

// Check validates the settings. It does not check whether the permissions exist.
func (s SignIn) Check() error {
	if len(s.TrustedIssuers) > maxIssuers {
		return badSignIn("", fmt.Sprint(len(s.TrustedIssuers)), fmt.Sprintf("at most %d issuers", maxIssuers))
	}
	seen := map[[2]string]bool{}
	for _, t := range s.TrustedIssuers {
		if err := t.check(); err != nil {
			return err
		}
		for _, audience := range t.Audiences {
			pair := [2]string{t.Issuer, audience}
			if seen[pair] {
				return badSignIn("audiences", audience,
					"an audience that is named once for its issuer: it decides what a token may do")
			}
			seen[pair] = true
		}
	}
	return nil
}

func (t TrustedIssuer) check() error {
	if !SafeIssuer(t.Issuer) {
		return badSignIn("issuer", t.Issuer, "the address of an issuer as its tokens have it in iss: of https, or "+
			"of http on this machine")
	}
	if len(t.Audiences) == 0 || len(t.Audiences) > maxAudiences {
		return badSignIn("audiences", fmt.Sprint(len(t.Audiences)), fmt.Sprintf("1 to %d audiences", maxAudiences))
	}
	for _, audience := range t.Audiences {
		if !claimText(audience) {
			return badSignIn("audiences", audience, "what its tokens have in aud, such as api://licensor")
		}
	}
	if t.UserClaim != "" && !claimText(t.UserClaim) {
		return badSignIn("userClaim", t.UserClaim, "the name of a claim, such as preferred_username")
	}
	if !claimText(t.PermissionsClaim) {
		return badSignIn("permissionsClaim", t.PermissionsClaim, "the name of a claim, such as roles or realm_access.roles")
	}
	return t.checkPermissions()
}

func (t TrustedIssuer) checkPermissions() error {
	if len(t.Permissions) > maxWords {
		return badSignIn("permissions", fmt.Sprint(len(t.Permissions)), fmt.Sprintf("at most %d words", maxWords))
	}
	for word, grants := range t.Permissions {
		if !claimText(word) || strings.Contains(word, " ") {
			return badSignIn("permissions", word, "words without spaces")
		}
		if len(grants) > maxWordGrants {
			return badSignIn("permissions."+word, fmt.Sprint(len(grants)),
				fmt.Sprintf("at most %d permissions for a word", maxWordGrants))
		}
	}
	return nil
}

func badSignIn(property, value, want string) error {
	name := "trustedIssuers"
	if property != "" {
		name += "." + property
	}
	return &InvalidError{Kind: InvalidValue, Resource: "signIn", Property: name, Value: value, Want: want}
}

// claimText reports whether a text can be the name or the value of a claim.
func claimText(text string) bool {
	return text != "" && len(text) <= maxClaimLength && strings.TrimSpace(text) == text &&
		!strings.ContainsFunc(text, func(c rune) bool { return c < ' ' })
}

// SafeIssuer reports whether a text is the URL of an issuer whose keys can be fetched safely: with
// https, so that they cannot be replaced on the network, or with http on this machine (OpenID
// Connect Discovery 1.0 section 4).
func SafeIssuer(text string) bool {
	u, err := url.Parse(text)
	return err == nil && claimText(text) && u.User == nil &&
		u.RawQuery == "" && !u.ForceQuery && !strings.Contains(text, "#") &&
		(u.Scheme == "https" && u.Hostname() != "" || OnThisMachine(u))
}

// OnThisMachine reports whether a URL has the scheme http and refers to this machine.
func OnThisMachine(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

package directory

import (
	"encoding/json"
	"fmt"
)

// SignIn has the ways to sign in to a tenant in addition to its own applications and its users'
// passwords on the sign-in page.
type SignIn struct {
	AllowPasswordGrant bool            `json:"allowPasswordGrant"` // an application may send a user's password itself (docs/spec/auth.md A13)
	TrustedIssuers     []TrustedIssuer `json:"trustedIssuers"`
}

// TrustedIssuer is another authority whose tokens are valid here, with the permissions that it is
// given.
type TrustedIssuer struct {
	// The iss of its tokens, exactly; its OpenID configuration is below it.
	Issuer    string   `json:"issuer"`
	Audiences []string `json:"audiences"` // one of which must be the aud of its tokens
	// A claim with the id or userPrincipalName of a user here; if empty, its tokens are
	// applications'.
	UserClaim string `json:"userClaim,omitempty"`
	// A claim with words, as a list or separated by spaces; realm_access.roles is inside an object.
	PermissionsClaim string              `json:"permissionsClaim"`
	Permissions      map[string][]string `json:"permissions"` // the permissions of each word
}

// ParseSignIn parses the result of Document.
func ParseSignIn(document []byte) (SignIn, error) {
	var s SignIn
	if err := Unmarshal(document, &s); err != nil {
		return SignIn{}, fmt.Errorf("document of a SignIn: %w", err)
	}
	return s, nil
}

// Document returns the stored form.
func (s SignIn) Document() []byte {
	document, err := json.Marshal(s)
	if err != nil { // texts, lists and maps of them can always be encoded
		panic(fmt.Errorf("document of a SignIn: %w", err))
	}
	return document
}

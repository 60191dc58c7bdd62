package directory

import (
	"encoding/json"
	"fmt"
)

// SignIn is how a tenant lets people and programs in, besides its own applications and its users'
// passwords on the sign-in page.
type SignIn struct {
	AllowPasswordGrant bool            `json:"allowPasswordGrant"` // an application may ask for a user's password itself (docs/spec/auth.md A13)
	TrustedIssuers     []TrustedIssuer `json:"trustedIssuers"`
}

// TrustedIssuer is another authority whose tokens are good here, as far as the permissions go that
// it is given.
type TrustedIssuer struct {
	// The iss of its tokens, exactly; its OpenID configuration is below it.
	Issuer    string   `json:"issuer"`
	Audiences []string `json:"audiences"` // one of which is the aud of its tokens
	// A claim with the id or userPrincipalName of a user here; none: its tokens are applications'.
	UserClaim string `json:"userClaim,omitempty"`
	// A claim with words, as a list or with spaces between; realm_access.roles is inside an object.
	PermissionsClaim string              `json:"permissionsClaim"`
	Permissions      map[string][]string `json:"permissions"` // what each word lets the caller do
}

// ParseSignIn reads what Document wrote.
func ParseSignIn(document []byte) (SignIn, error) {
	var s SignIn
	if err := Unmarshal(document, &s); err != nil {
		return SignIn{}, fmt.Errorf("document of a SignIn: %w", err)
	}
	return s, nil
}

// Document is it as it is stored.
func (s SignIn) Document() []byte {
	document, err := json.Marshal(s)
	if err != nil { // texts, lists and maps of them can be written
		panic(fmt.Errorf("document of a SignIn: %w", err))
	}
	return document
}

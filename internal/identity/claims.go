package identity

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The two names of Microsoft Graph as a resource. As the audience of a token both mean this server,
// and so does its own root (A14).
const (
	GraphURL   = "https://graph.microsoft.com"
	GraphAppID = "00000003-0000-0000-c000-000000000000"
)

// PersonalTenant is the tenant of personal Microsoft accounts; it has no directory here (A22).
var PersonalTenant = uuid.MustParse("9188040d-6c67-4c5b-b112-36a304b66dad")

// personalProvider is the idp claim of a guest with a personal account (A22).
const personalProvider = "live.com"

// Lifetime is the default lifetime of a token: an hour, minus one second because some clients round
// (A20).
const Lifetime = 3599 * time.Second

// Region is the region of a tenant's data: worldwide, as for nearly all tenants of the real
// service.
const Region = "WW"

// tokenVersion is the ver claim; tokens of the v1.0 endpoint would say 1.0.
const tokenVersion = "2.0"

// Claims are the contents of a token. Issue does not validate them: it checks no permission and
// looks nothing up.
type Claims struct {
	Root        string // scheme and host of the authority; https://localhost if empty
	Audience    string // GraphURL if empty
	Tenant      uuid.UUID
	ObjectID    uuid.UUID // of the user, or of the application's service principal
	AppID       uuid.UUID // client id; optional in a delegated token
	Serial      uint32    // of the user, or of the application's service principal; see User
	AppSerial   uint32    // of a delegated token: of the application's service principal
	Delegated   bool      // a user is signed in; otherwise the application acts as itself
	Personal    bool      // the user is a personal Microsoft account
	Permissions []string  // roles of an application token, scp of a delegated one
	Roles       []uuid.UUID
	AppName     string // display name of the application
	User        User   // of a delegated token: its Name, DisplayName, GivenName, Surname and Guest are stated
	// How the client has authenticated; if empty, a user's client has not, and others have with a
	// secret.
	Proof Proof
	// Issued by a grant: permissions that were revoked since are not in force. Other tokens are
	// valid as they are.
	Earned    bool
	NotBefore time.Time // now if zero
	Expires   time.Time // Lifetime after NotBefore if zero
}

// claimSet is a token's payload (A20). Times are seconds since 1970.
type claimSet struct {
	Audience     string   `json:"aud"`
	Issuer       string   `json:"iss"`
	IssuedAt     int64    `json:"iat"`
	NotBefore    int64    `json:"nbf"`
	Expires      int64    `json:"exp"`
	Minted       bool     `json:"minted,omitempty"` // made by hand: see Claims.Earned
	Account      *int     `json:"acct,omitempty"`   // 0 for a member, 1 for a guest
	ACR          string   `json:"acr,omitempty"`
	AMR          []string `json:"amr,omitempty"`
	AppName      string   `json:"app_displayname,omitempty"`
	AppSerial    uint32   `json:"app_serial,omitempty"`
	AppID        string   `json:"appid,omitempty"`
	AppIDACR     Proof    `json:"appidacr,omitempty"`
	AZP          string   `json:"azp,omitempty"`
	AZPACR       Proof    `json:"azpacr,omitempty"`
	FamilyName   string   `json:"family_name,omitempty"`
	GivenName    string   `json:"given_name,omitempty"`
	Provider     string   `json:"idp,omitempty"`
	IdentityType string   `json:"idtyp"`
	Name         string   `json:"name,omitempty"`
	ObjectID     string   `json:"oid"`
	Serial       uint32   `json:"oid_serial,omitempty"`
	Roles        []string `json:"roles,omitempty"`
	Scopes       string   `json:"scp,omitempty"`
	Subject      string   `json:"sub"`
	Region       string   `json:"tenant_region_scope"`
	Tenant       string   `json:"tid"`
	UniqueName   string   `json:"unique_name,omitempty"`
	UPN          string   `json:"upn,omitempty"`
	ID           string   `json:"uti"`
	Version      string   `json:"ver"`
	RoleIDs      []string `json:"wids,omitempty"`
}

// Proof is how a client has authenticated: the appidacr claim.
type Proof string

// The kinds of proof: none, for a public client; a secret; a certificate or another issuer's token.
const (
	ProofNone      Proof = "0"
	ProofSecret    Proof = "1"
	ProofAssertion Proof = "2"
)

// The values of idtyp.
const (
	typeApp  = "app"
	typeUser = "user"
)

// Issue returns a signed token with the claims, valid or not: it can be expired or for an unknown
// tenant. It takes an RSA signature, about a millisecond.
func (a *Authority) Issue(claims Claims) (string, error) {
	id, err := a.NewID()
	if err != nil {
		return "", err
	}
	set := claims.set(a.now())
	set.ID = base64.RawURLEncoding.EncodeToString(id[:])
	return a.Sign(set)
}

// Sign returns a token with any payload, such as an ID token.
func (a *Authority) Sign(payload any) (string, error) {
	text, err := json.Marshal(payload)
	if err != nil {
		return "", fmt.Errorf("write the claims of a token: %w", err)
	}
	signed, err := a.keys.Load().signer.Sign(text)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return signed.CompactSerialize()
}

func (c Claims) set(now time.Time) claimSet {
	c.fillIn(now)
	set := claimSet{
		Audience: c.Audience, Issuer: issuer{root: c.Root, tenant: c.Tenant}.String(),
		IssuedAt: c.NotBefore.Unix(), NotBefore: c.NotBefore.Unix(), Expires: c.Expires.Unix(),
		ObjectID: c.ObjectID.String(), Subject: c.ObjectID.String(), Tenant: c.Tenant.String(), Region: Region,
		AppName: c.AppName, Version: tokenVersion, Minted: !c.Earned, Serial: c.Serial, AppSerial: c.AppSerial,
	}
	if c.Delegated {
		c.setUser(&set)
	} else {
		set.IdentityType, set.AppIDACR = typeApp, cmp.Or(c.Proof, ProofSecret)
		set.Roles, set.Provider = c.Permissions, set.Issuer
	}
	if c.AppID != uuid.Nil {
		set.AppID, set.AZP, set.AZPACR = c.AppID.String(), c.AppID.String(), set.AppIDACR
	}
	for _, role := range c.Roles {
		set.RoleIDs = append(set.RoleIDs, role.String())
	}
	return set
}

// setUser sets who has signed in and how: with a password.
func (c *Claims) setUser(set *claimSet) {
	set.IdentityType, set.AppIDACR = typeUser, cmp.Or(c.Proof, ProofNone)
	set.Scopes = strings.Join(c.Permissions, " ")
	set.UPN, set.UniqueName, set.Name = c.User.Name, c.User.Name, c.User.DisplayName
	set.GivenName, set.FamilyName = c.User.GivenName, c.User.Surname
	set.ACR, set.AMR, set.Account = "1", []string{"pwd"}, new(0)
	if c.User.Guest {
		set.Account = new(1)
	}
	if c.Personal {
		set.Provider = personalProvider
	}
}

func (c *Claims) fillIn(now time.Time) {
	if c.Root == "" {
		c.Root = "https://localhost"
	}
	if c.Audience == "" {
		c.Audience = GraphURL
	}
	if c.NotBefore.IsZero() {
		c.NotBefore = now
	}
	if c.Expires.IsZero() {
		c.Expires = c.NotBefore.Add(Lifetime)
	}
}

package directory

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Application is the registration of a program in a tenant. It acts there through its service
// principal.
type Application struct {
	ID              uuid.UUID `json:"id"`    // object id
	AppID           uuid.UUID `json:"appId"` // the client id that it signs in with
	DisplayName     string    `json:"displayName"`
	CreatedDateTime time.Time `json:"createdDateTime,omitzero"`
	DeletedDateTime time.Time `json:"deletedDateTime,omitzero"` // zero: it is not deleted

	Secrets      []Secret              `json:"secrets,omitempty"`
	Certificates []Certificate         `json:"certificates,omitempty"`
	Federated    []FederatedCredential `json:"federated,omitempty"`
	Redirects    Redirects             `json:"redirects,omitzero"`
	PublicClient bool                  `json:"publicClient,omitempty"` // it may act for users without authenticating (isFallbackPublicClient)
	Audience     string                `json:"signInAudience,omitempty"`

	Properties map[string]json.RawMessage `json:"properties,omitempty"` // by name: properties that are stored and shown but have no effect here
}

// ServicePrincipal is the identity of an application in a tenant. Without one it cannot sign in.
type ServicePrincipal struct {
	ID          uuid.UUID `json:"id"`          // object id: the oid of its tokens
	AppID       uuid.UUID `json:"appId"`       // of its application
	DisplayName string    `json:"displayName"` // the application's, unless changed

	DeletedDateTime time.Time `json:"deletedDateTime,omitzero"` // zero: it is not deleted

	Permissions []string `json:"permissions,omitempty"` // permissions granted to itself, such as User.ReadWrite.All
	Disabled    bool     `json:"disabled,omitempty"`    // accountEnabled is false
	// Granted has the times when permissions were granted, by their names; not of those granted by
	// a version before format 5.
	Granted map[string]time.Time `json:"granted,omitempty"`

	AssignmentRequired bool `json:"appRoleAssignmentRequired,omitempty"`

	Secrets      []Secret      `json:"secrets,omitempty"` // in addition to those of its application
	Certificates []Certificate `json:"certificates,omitempty"`

	Properties map[string]json.RawMessage `json:"properties,omitempty"` // as those of Application
}

// Client is an application together with its service principal, which can sign in.
type Client struct {
	Application
	Principal ServicePrincipal // without ID if there is none
}

// SignInAudience returns who may sign in with the application. Users of other tenants cannot sign
// in here, whatever it is.
func (a *Application) SignInAudience() string { return cmp.Or(a.Audience, Audiences[0]) }

// Audiences are the possible values of an application's signInAudience, the default first.
var Audiences = []string{"AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"}

// Secret is a password of an application, which cannot be read again.
type Secret struct {
	KeyID       uuid.UUID `json:"keyId"`
	DisplayName string    `json:"displayName,omitempty"`
	Hash        []byte    `json:"hash"`
	Hint        string    `json:"hint"` // its first characters
	Starts      time.Time `json:"starts,omitzero"`
	Expires     time.Time `json:"expires"`
}

// Certificate is a certificate of an application, which proves that it has the private key when it
// signs in.
type Certificate struct {
	KeyID       uuid.UUID `json:"keyId"`
	DisplayName string    `json:"displayName,omitempty"`
	DER         []byte    `json:"der"`
	Starts      time.Time `json:"starts,omitzero"`
	Expires     time.Time `json:"expires"`
}

// FederatedCredential lets an application log in with a token that another issuer issued to a
// subject.
type FederatedCredential struct {
	ID          uuid.UUID `json:"id"`
	Name        string    `json:"name"`
	Issuer      string    `json:"issuer"`
	Subject     string    `json:"subject"`
	Audiences   []string  `json:"audiences"`
	Description string    `json:"description,omitempty"`
}

// Redirects are the addresses that responses to a sign-in may be sent to, by the kind of client.
type Redirects struct {
	Web    []string `json:"web,omitempty"`
	SPA    []string `json:"spa,omitempty"`
	Public []string `json:"public,omitempty"`
}

// AppRole is a permission that an application defines, and that others can be granted.
type AppRole struct {
	ID                 uuid.UUID `json:"id"`
	Value              string    `json:"value"`
	AllowedMemberTypes []string  `json:"allowedMemberTypes"`
	IsEnabled          bool      `json:"isEnabled"`
}

// Allows reports whether service principals, or otherwise users and groups, can have the role.
func (r AppRole) Allows(application bool) bool {
	if application {
		return slices.Contains(r.AllowedMemberTypes, "Application")
	}
	return slices.Contains(r.AllowedMemberTypes, "User")
}

// AppRole returns an enabled app role of the application.
func (a *Application) AppRole(id uuid.UUID) (AppRole, bool) {
	var roles []AppRole
	if raw, ok := a.Properties["appRoles"]; ok {
		_ = json.Unmarshal(raw, &roles) // it was validated when it was set
	}
	at := slices.IndexFunc(roles, func(r AppRole) bool { return r.ID == id && r.IsEnabled })
	if at < 0 {
		return AppRole{}, false
	}
	return roles[at], true
}

// ParseApplication parses the result of Document.
func ParseApplication(document []byte) (*Application, error) {
	a := new(Application)
	if err := Unmarshal(document, a); err != nil {
		return nil, fmt.Errorf("document of an Application: %w", err)
	}
	return a, nil
}

// Document returns the stored form of the application.
func (a *Application) Document() []byte { return documentOf(a, "application", a.ID) }

// ParsePrincipal parses the result of Document.
func ParsePrincipal(document []byte) (*ServicePrincipal, error) {
	p := new(ServicePrincipal)
	if err := Unmarshal(document, p); err != nil {
		return nil, fmt.Errorf("document of a ServicePrincipal: %w", err)
	}
	return p, nil
}

// Document returns the stored form of the service principal.
func (p *ServicePrincipal) Document() []byte { return documentOf(p, "service principal", p.ID) }

func documentOf(object any, kind string, id uuid.UUID) []byte {
	document, err := json.Marshal(object)
	if err != nil { // a year after 9999
		panic(fmt.Errorf("document of %s %s: %w", kind, id, err))
	}
	return document
}

// GraphAppID is the appId of Microsoft Graph.
var GraphAppID = uuid.MustParse("00000003-0000-0000-c000-000000000000")

// microsoft is the tenant of Microsoft's own applications in the real service.
var microsoft = uuid.MustParse("f8cdef31-a31e-4b4a-93e4-5f571e91255a")

// GraphPrincipal returns the service principal of Microsoft Graph in a tenant. Every tenant has it;
// its application is not in the tenant, and its app roles and scopes are the permissions that
// applications can be granted.
func GraphPrincipal(tenant uuid.UUID) ServicePrincipal {
	return ServicePrincipal{ID: uuid.NewSHA1(tenant, GraphAppID[:]), AppID: GraphAppID, DisplayName: "Microsoft Graph"}
}

// ParseFormerApplication reads a document of the first version, which stored an application and its
// service principal as one.
func ParseFormerApplication(document []byte) (*Client, error) {
	var both struct {
		Application
		PrincipalID         uuid.UUID                  `json:"id"`
		ObjectID            uuid.UUID                  `json:"objectId"`
		Permissions         []string                   `json:"permissions"`
		Disabled            bool                       `json:"disabled"`
		PrincipalProperties map[string]json.RawMessage `json:"principalProperties"`
	}
	if err := Unmarshal(document, &both); err != nil {
		return nil, fmt.Errorf("document of an Application: %w", err)
	}
	c := &Client{Application: both.Application}
	if c.ID = both.ObjectID; both.PrincipalID != uuid.Nil {
		c.Principal = ServicePrincipal{
			ID: both.PrincipalID, AppID: c.AppID, DisplayName: c.DisplayName,
			Permissions: both.Permissions, Disabled: both.Disabled, Properties: both.PrincipalProperties,
		}
	}
	return c, nil
}

// Grant lets an application act on behalf of one user or of all users: Graph's
// oAuth2PermissionGrant.
type Grant struct {
	Client uuid.UUID `json:"client" cbor:"1,keyasint"`        // object id of the application's service principal
	User   uuid.UUID `json:"user,omitzero" cbor:"2,keyasint"` // zero: all users
	Scopes []string  `json:"scopes" cbor:"3,keyasint"`        // such as User.Read
}

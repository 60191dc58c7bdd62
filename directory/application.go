package directory

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Application is a program that may log in to a tenant, with the service principal it acts as there.
type Application struct {
	ID              uuid.UUID `json:"id"`       // object id of the service principal: the oid of its tokens; zero: it has none and cannot log in
	ObjectID        uuid.UUID `json:"objectId"` // object id of the application
	AppID           uuid.UUID `json:"appId"`    // the client id it logs in with
	DisplayName     string    `json:"displayName"`
	CreatedDateTime time.Time `json:"createdDateTime,omitzero"`

	Permissions  []string              `json:"permissions,omitempty"` // it is granted for itself, such as User.ReadWrite.All
	Secrets      []Secret              `json:"secrets,omitempty"`
	Certificates []Certificate         `json:"certificates,omitempty"`
	Federated    []FederatedCredential `json:"federated,omitempty"`
	Redirects    Redirects             `json:"redirects,omitzero"`
	PublicClient bool                  `json:"publicClient,omitempty"` // it may act for users without showing who it is (isFallbackPublicClient)
	Disabled     bool                  `json:"disabled,omitempty"`     // accountEnabled of the service principal is false

	// What is kept and shown but has no effect here, by name: of the application, and of its service principal.
	Properties          map[string]json.RawMessage `json:"properties,omitempty"`
	PrincipalProperties map[string]json.RawMessage `json:"principalProperties,omitempty"`
}

// Secret is a password of an application, which nobody can read again.
type Secret struct {
	KeyID       uuid.UUID `json:"keyId"`
	DisplayName string    `json:"displayName,omitempty"`
	Hash        []byte    `json:"hash"`
	Hint        string    `json:"hint"` // its first characters
	Starts      time.Time `json:"starts,omitzero"`
	Expires     time.Time `json:"expires"`
}

// Certificate is one whose key an application proves to have when it logs in.
type Certificate struct {
	KeyID       uuid.UUID `json:"keyId"`
	DisplayName string    `json:"displayName,omitempty"`
	DER         []byte    `json:"der"`
	Starts      time.Time `json:"starts,omitzero"`
	Expires     time.Time `json:"expires"`
}

// FederatedCredential lets an application log in with a token that another issuer gave to a subject.
type FederatedCredential struct {
	ID          uuid.UUID `json:"id"`
	Name        string    `json:"name"`
	Issuer      string    `json:"issuer"`
	Subject     string    `json:"subject"`
	Audiences   []string  `json:"audiences"`
	Description string    `json:"description,omitempty"`
}

// Redirects are the addresses that answers to a sign-in may be sent to, by the kind of client that waits there.
type Redirects struct {
	Web    []string `json:"web,omitempty"`
	SPA    []string `json:"spa,omitempty"`
	Public []string `json:"public,omitempty"`
}

// ParseApplication reads what Document wrote.
func ParseApplication(document []byte) (*Application, error) {
	a := new(Application)
	if err := Unmarshal(document, a); err != nil {
		return nil, fmt.Errorf("document of an Application: %w", err)
	}
	return a, nil
}

// Document is the application as it is stored.
func (a *Application) Document() []byte {
	document, err := json.Marshal(a)
	if err != nil { // a year after 9999
		panic(fmt.Errorf("document of application %s: %w", a.ID, err))
	}
	return document
}

// Grant lets an application act in the name of one user or of all: Graph's oAuth2PermissionGrant.
type Grant struct {
	Client uuid.UUID `json:"client" cbor:"1,keyasint"`        // object id of the application's service principal
	User   uuid.UUID `json:"user,omitzero" cbor:"2,keyasint"` // zero: all users
	Scopes []string  `json:"scopes" cbor:"3,keyasint"`        // such as User.Read
}

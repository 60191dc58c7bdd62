package directory

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Application is a program that may log in to a tenant, with the service principal it acts as there.
type Application struct {
	ID          uuid.UUID `json:"id"`       // object id of the service principal: the oid of its tokens
	ObjectID    uuid.UUID `json:"objectId"` // object id of the application
	AppID       uuid.UUID `json:"appId"`    // the client id it logs in with
	DisplayName string    `json:"displayName"`
	Permissions []string  `json:"permissions,omitempty"` // such as User.ReadWrite.All
	Secrets     []Secret  `json:"secrets,omitempty"`
}

// Secret is a password of an application, which nobody can read again.
type Secret struct {
	KeyID   uuid.UUID `json:"keyId"`
	Hash    []byte    `json:"hash"`
	Hint    string    `json:"hint"` // its first characters
	Expires time.Time `json:"expires"`
}

// ParseApplication reads what Document wrote.
func ParseApplication(document []byte) (*Application, error) {
	a := new(Application)
	if err := json.Unmarshal(document, a); err != nil {
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

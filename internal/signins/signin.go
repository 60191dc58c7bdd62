package signins

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"licensor/internal/excerpt"
	"licensor/internal/store"
)

// Kind is the type of a sign-in, as Graph spells it.
type Kind string

// The kinds.
const (
	KindInteractive      Kind = "interactiveUser"
	KindNonInteractive   Kind = "nonInteractiveUser"
	KindServicePrincipal Kind = "servicePrincipal"
)

// SignIn is one sign-in of a user, or of an application for itself.
type SignIn struct {
	Tenant uuid.UUID `json:"-"`
	At     time.Time `json:"-"` // UTC, whole milliseconds
	ID     uuid.UUID `json:"-"`
	Number uint64    `json:"-"` // set by the store

	Kind        Kind      `json:"kind"`
	ObjectID    uuid.UUID `json:"objectId"` // of the user or service principal; zero for an unknown user
	Name        string    `json:"name,omitempty"`
	DisplayName string    `json:"displayName,omitempty"`
	AppID       uuid.UUID `json:"appId"`
	AppName     string    `json:"appName,omitempty"`
	Address     string    `json:"address,omitempty"`
	Agent       string    `json:"agent,omitempty"` // User-Agent
	Correlation uuid.UUID `json:"correlationId"`
	Browser     bool      `json:"browser,omitempty"` // on our pages
	Error       int       `json:"error,omitempty"`   // AADSTS code; 0 if it has succeeded

	UserSerial uint32 `json:"-"` // of the user, see identity.User; 0 for none
}

// maxText is how many characters of a name or User-Agent are kept, as in the audit log (U20).
const maxText = 200

// row returns the sign-in as a store keeps it.
func (s *SignIn) row() (store.SignIn, error) {
	data, err := json.Marshal(s)
	return store.SignIn{Tenant: s.Tenant, At: s.At, ID: s.ID, Data: data}, err
}

// bound shortens the texts and the time.
func (s *SignIn) bound() {
	for _, text := range []*string{&s.Name, &s.DisplayName, &s.AppName, &s.Agent} {
		*text = excerpt.Of(*text, maxText)
	}
	s.At = time.UnixMilli(s.At.UnixMilli()).UTC()
}

// of decodes a row.
func of(row store.SignIn) (s SignIn, err error) {
	if err := json.Unmarshal(row.Data, &s); err != nil {
		return s, fmt.Errorf("read sign-in %s: %w", row.ID, err)
	}
	s.Tenant, s.At, s.ID, s.Number = row.Tenant, row.At, row.ID, row.Number
	return s, nil
}

// activity returns when it was that the user was seen; false if no user was.
func (s *SignIn) activity() (store.Activity, bool) {
	seen := store.Seen{At: s.At, ID: s.ID}
	a := store.Activity{Tenant: s.Tenant, User: s.UserSerial - 1}
	switch {
	case s.UserSerial == 0:
		return a, false
	case s.Kind == KindInteractive && s.Error == 0:
		a.Interactive, a.Successful = seen, seen
	case s.Kind == KindInteractive:
		a.Interactive = seen
	case s.Kind == KindNonInteractive && s.Error == 0:
		a.NonInteractive = seen
	default:
		return a, false
	}
	return a, true
}

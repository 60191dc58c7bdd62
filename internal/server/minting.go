package server

import (
	"encoding/json"
	"time"

	"licensor/internal/duration"
)

// Minting describes a token, in the form of POST /licensor/v1/development/tokens.
// licensortest.Token documents its fields.
type Minting struct {
	User        string
	Client      string
	Scopes      []string
	Permissions []string
	Roles       []string
	Personal    bool
	Expired     bool
	Lifetime    time.Duration
	Audience    string
	Authority   string
}

// MarshalJSON omits fields that are not set.
func (m Minting) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		User        string   `json:"user,omitempty"`
		Client      string   `json:"client,omitempty"`
		Scopes      []string `json:"scopes,omitempty"`
		Permissions []string `json:"permissions,omitempty"`
		Roles       []string `json:"roles,omitempty"`
		Personal    bool     `json:"personal,omitempty"`
		Expired     bool     `json:"expired,omitempty"`
		Lifetime    string   `json:"lifetime"`
		Audience    string   `json:"audience,omitempty"`
		Authority   string   `json:"authority,omitempty"`
	}{
		m.User, m.Client, m.Scopes, m.Permissions, m.Roles, m.Personal, m.Expired,
		duration.Text(m.Lifetime), m.Audience, m.Authority,
	})
}

package oauth

import (
	"strings"
)

// realm is where the users of a domain sign in.
type realm struct {
	Version     string `json:"ver"`
	Account     string `json:"account_type"`
	Domain      string `json:"domain_name,omitempty"`
	Cloud       string `json:"cloud_instance_name"`
	AudienceURN string `json:"cloud_audience_urn"`
}

// userRealm answers GET /{tenant}/UserRealm/{upn}, which MSAL asks before it sends a user's password: here, when the domain is one of
// ours. Whether there is such a user is not told.
func (s *Server) userRealm(c *call) (any, error) {
	answer := realm{Version: "1.0", Account: "Unknown", Cloud: cloudName, AudienceURN: "urn:federation:MicrosoftOnline"}
	_, domain, _ := strings.Cut(strings.ToLower(strings.TrimSpace(c.PathValue("upn"))), "@")
	if _, ok := s.Tenants.Tenant(domain); ok && strings.Contains(domain, ".") { // a tenant's id is not a domain
		answer.Account, answer.Domain = "Managed", domain
	}
	return answer, nil
}

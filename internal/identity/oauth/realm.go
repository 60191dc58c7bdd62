package oauth

import (
	"encoding/xml"
	"strings"
)

// realm is the place where the users of a domain sign in.
type realm struct {
	Version     string `json:"ver"`
	Account     string `json:"account_type"`
	Domain      string `json:"domain_name,omitempty"`
	Cloud       string `json:"cloud_instance_name"`
	AudienceURN string `json:"cloud_audience_urn"`
}

// userRealm answers GET /{tenant}/UserRealm/{upn}, which MSAL requests before it sends a user's
// password: here, if the domain is one of ours. It does not reveal whether the user exists.
func (s *Server) userRealm(c *call) (any, error) {
	answer := realm{Version: "1.0", Account: "Unknown", Cloud: cloudName, AudienceURN: cloudIssuerURN}
	if domain, ok := s.domainOf(c.PathValue("upn")); ok {
		answer.Account, answer.Domain = "Managed", domain
	}
	return answer, nil
}

// domainOf returns the domain of a user name, if it is one of ours.
func (s *Server) domainOf(name string) (string, bool) {
	_, domain, _ := strings.Cut(strings.ToLower(strings.TrimSpace(name)), "@")
	_, ok := s.config.Tenants.Tenant(domain)
	return domain, ok && strings.Contains(domain, ".") // a tenant's id is not a domain
}

// oldRealm is realm in the form for programs older than ADAL.
type oldRealm struct {
	XMLName   xml.Name `json:"-" xml:"RealmInfo"`
	Success   bool     `json:"-" xml:"Success,attr"`
	State     int
	UserState int
	Login     string
	Account   string `json:"NameSpaceType" xml:"NameSpaceType"`
	Domain    string `json:"DomainName,omitempty" xml:"DomainName,omitempty"`
	Brand     string `json:"FederationBrandName,omitempty" xml:"FederationBrandName,omitempty"`
	Cloud     string `json:"CloudInstanceName" xml:"CloudInstanceName"`
	Issuer    string `json:"CloudInstanceIssuerUri" xml:"CloudInstanceIssuerUri"`
}

// oldUserRealm answers GET /getuserrealm.srf?login={upn}, in JSON or, with xml=1, in XML.
func (s *Server) oldUserRealm(c *call) (any, error) {
	query := c.URL.Query()
	answer := oldRealm{
		Success: true, State: 4, UserState: 1, Login: query.Get("login"),
		Account: "Unknown", Cloud: cloudName, Issuer: cloudIssuerURN,
	}
	if answer.Login == "" {
		return nil, missingQuery("login")
	}
	if domain, ok := s.domainOf(answer.Login); ok {
		answer.Account, answer.Domain, answer.Brand = "Managed", domain, domain
	}
	if query.Get("xml") != "1" {
		return answer, nil
	}
	c.w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	return nil, xml.NewEncoder(c.w).Encode(answer)
}

package oauth

import (
	"encoding/xml"
	"strings"

	"github.com/google/uuid"
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
	domain, err := s.domainOf(c, c.PathValue("upn"))
	if err != nil {
		return nil, err
	}
	if domain != "" {
		answer.Account, answer.Domain = "Managed", domain
	}
	return answer, nil
}

// domainOf is the domain of a user name, when it is one of ours.
func (s *Server) domainOf(c *call, name string) (string, error) {
	_, domain, _ := strings.Cut(strings.ToLower(strings.TrimSpace(name)), "@")
	if !strings.Contains(domain, ".") { // a tenant's id is not a domain
		return "", nil
	}
	id, err := s.config.Tenants.Tenant(c.Context(), domain)
	if err != nil || id == uuid.Nil {
		return "", err
	}
	return domain, nil
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
	domain, err := s.domainOf(c, answer.Login)
	if err != nil {
		return nil, err
	}
	if domain != "" {
		answer.Account, answer.Domain, answer.Brand = "Managed", domain, domain
	}
	if query.Get("xml") != "1" {
		return answer, nil
	}
	c.w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	return nil, xml.NewEncoder(c.w).Encode(answer)
}

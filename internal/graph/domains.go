package graph

import (
	"net/http"
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// domain is a domain of the organization, of which all are verified.
type domain struct {
	directory.VerifiedDomain
	image *tenant.Image
}

// domainFields are the properties of domain. Passwords do not expire here, and nobody sells
// domains.
var domainFields = newFieldSet("microsoft.graph.domain", []field[domain]{
	{name: "authenticationType", write: func(b []byte, d *domain) []byte { return jsontext.AppendText(b, d.authentication()) }, when: directory.ByDefault},
	{name: "availabilityStatus", write: appendNull[domain], when: directory.ByDefault},
	{name: "id", write: func(b []byte, d *domain) []byte { return jsontext.AppendText(b, d.Name) }, when: directory.ByDefault},
	{name: "isAdminManaged", write: appendTrue[domain], when: directory.ByDefault},
	{name: "isDefault", write: func(b []byte, d *domain) []byte { return jsontext.AppendBool(b, d.IsDefault) }, when: directory.ByDefault},
	{name: "isInitial", write: func(b []byte, d *domain) []byte { return jsontext.AppendBool(b, d.IsInitial) }, when: directory.ByDefault},
	{name: "isRoot", write: func(b []byte, d *domain) []byte { return jsontext.AppendBool(b, d.isRoot()) }, when: directory.ByDefault},
	{name: "isVerified", write: appendTrue[domain], when: directory.ByDefault},
	{name: "manufacturer", write: appendNull[domain], when: directory.ByDefault},
	{name: "model", write: appendNull[domain], when: directory.ByDefault},
	{name: "passwordNotificationWindowInDays", write: appendNull[domain], when: directory.ByDefault},
	{name: "passwordValidityPeriodInDays", write: appendNull[domain], when: directory.ByDefault},
	{name: "state", write: appendNull[domain], when: directory.ByDefault},
	{name: "supportedServices", write: func(b []byte, d *domain) []byte { return jsontext.AppendList(b, d.services(), jsontext.AppendText) }, when: directory.ByDefault},
}).in("domains")

// authentication says where the domain's users sign in: here, unless it is federated.
func (d *domain) authentication() string {
	if d.Type == "Federated" {
		return d.Type
	}
	return "Managed"
}

// isRoot says whether the domain is within no other of the organization.
func (d *domain) isRoot() bool {
	return !slices.ContainsFunc(d.image.Organization.VerifiedDomains, func(other directory.VerifiedDomain) bool {
		return strings.HasSuffix(strings.ToLower(d.Name), "."+strings.ToLower(other.Name))
	})
}

// services are the capabilities of the domain. Those of a default domain are the usual ones of a
// real tenant, unless others were noted.
func (d *domain) services() []string {
	if d.Capabilities == "" && d.IsDefault {
		return []string{"Email", "OfficeCommunicationsOnline"}
	}
	return strings.FieldsFunc(d.Capabilities, func(c rune) bool { return c == ',' || c == ' ' })
}

// listDomains answers GET /domains.
func listDomains(r *request) error {
	if err := r.allow("$select", "$expand", "$count"); err != nil {
		return err
	}
	fields, err := domainFields.withExpanded(r, nil)
	if err != nil {
		return err
	}
	rows := make([]domain, 0, len(r.image.Organization.VerifiedDomains))
	for _, d := range r.image.Organization.VerifiedDomains {
		rows = append(rows, domain{d, r.image})
	}
	return sendList(r, list[domain]{context: r.selected("domains"), rows: rows, count: r.countOf(len(rows)), write: objects(fields)})
}

// getDomain answers GET /domains/{domain}.
func getDomain(r *request) error {
	if err := r.allow("$select", "$expand"); err != nil {
		return err
	}
	fields, err := domainFields.withExpanded(r, nil)
	if err != nil {
		return err
	}
	domains := r.image.Organization.VerifiedDomains
	at := slices.IndexFunc(domains, func(d directory.VerifiedDomain) bool { return strings.EqualFold(d.Name, r.keys[0]) })
	if at < 0 {
		return problem.NotFound(r.keys[0])
	}
	return sendEntity(r, domainFields, http.StatusOK, "domains", fields, &domain{domains[at], r.image})
}

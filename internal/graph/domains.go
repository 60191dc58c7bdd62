package graph

import (
	"net/http"
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// domain is a domain of the organization; all are verified.
type domain struct {
	directory.VerifiedDomain
	image *tenant.Image
}

// domainFields are the properties of domain. Passwords do not expire here, and domains are not
// sold.
var domainFields = wire.NewFieldSet("microsoft.graph.domain", []wire.Field[domain]{
	wire.Default("authenticationType", jsontext.AppendText, (*domain).authentication),
	{Name: "availabilityStatus", Write: wire.AppendNull[domain], When: directory.ReturnedByDefault},
	wire.Default("id", jsontext.AppendText, func(d *domain) string { return d.Name }),
	{Name: "isAdminManaged", Write: wire.AppendTrue[domain], When: directory.ReturnedByDefault},
	wire.Default("isDefault", jsontext.AppendBool, func(d *domain) bool { return d.IsDefault }),
	wire.Default("isInitial", jsontext.AppendBool, func(d *domain) bool { return d.IsInitial }),
	wire.Default("isRoot", jsontext.AppendBool, (*domain).isRoot),
	{Name: "isVerified", Write: wire.AppendTrue[domain], When: directory.ReturnedByDefault},
	{Name: "manufacturer", Write: wire.AppendNull[domain], When: directory.ReturnedByDefault},
	{Name: "model", Write: wire.AppendNull[domain], When: directory.ReturnedByDefault},
	{Name: "passwordNotificationWindowInDays", Write: wire.AppendNull[domain], When: directory.ReturnedByDefault},
	{Name: "passwordValidityPeriodInDays", Write: wire.AppendNull[domain], When: directory.ReturnedByDefault},
	{Name: "state", Write: wire.AppendNull[domain], When: directory.ReturnedByDefault},
	{Name: "supportedServices", When: directory.ReturnedByDefault, Write: func(b []byte, d *domain) []byte {
		return jsontext.AppendList(b, d.services(), jsontext.AppendText)
	}},
}).In("domains")

// authentication returns where the domain's users sign in: here, unless it is federated.
func (d *domain) authentication() string {
	if d.Type == "Federated" {
		return d.Type
	}
	return "Managed"
}

// isRoot reports whether the domain is not within another domain of the organization.
func (d *domain) isRoot() bool {
	return !slices.ContainsFunc(d.image.Organization.VerifiedDomains, func(other directory.VerifiedDomain) bool {
		return strings.HasSuffix(strings.ToLower(d.Name), "."+strings.ToLower(other.Name))
	})
}

// services returns the capabilities of the domain. Those of a default domain are the usual ones of
// a real tenant, unless others are stored.
func (d *domain) services() []string {
	if d.Capabilities == "" && d.IsDefault {
		return []string{"Email", "OfficeCommunicationsOnline"}
	}
	return strings.FieldsFunc(d.Capabilities, func(c rune) bool { return c == ',' || c == ' ' })
}

// listDomains answers GET /domains.
func listDomains(r *wire.Request) error {
	if err := r.Allow("$select", "$expand", "$count"); err != nil {
		return err
	}
	fields, err := domainFields.WithExpanded(r, nil)
	if err != nil {
		return err
	}
	rows := make([]domain, 0, len(r.Image.Organization.VerifiedDomains))
	for _, d := range r.Image.Organization.VerifiedDomains {
		rows = append(rows, domain{d, r.Image})
	}
	return wire.SendList(r, wire.List[domain]{
		Context: r.Selected("domains"), Rows: rows, Count: r.CountOf(len(rows)), Write: wire.ObjectWriter(fields),
	})
}

// getDomain answers GET /domains/{domain}.
func getDomain(r *wire.Request) error {
	if err := r.Allow("$select", "$expand"); err != nil {
		return err
	}
	fields, err := domainFields.WithExpanded(r, nil)
	if err != nil {
		return err
	}
	domains := r.Image.Organization.VerifiedDomains
	at := slices.IndexFunc(domains, func(d directory.VerifiedDomain) bool {
		return strings.EqualFold(d.Name, r.Keys[0])
	})
	if at < 0 {
		return problem.NotFound(r.Keys[0])
	}
	return wire.SendEntity(r, domainFields, http.StatusOK, "domains", fields, &domain{domains[at], r.Image})
}

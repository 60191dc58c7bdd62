package directory

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Organization is Graph's organization: the owner of a tenant.
type Organization struct {
	ID                uuid.UUID
	DisplayName       string
	CountryLetterCode string // location of users without usageLocation (docs/spec/licensing.md L34)
	CreatedDateTime   time.Time
	VerifiedDomains   []VerifiedDomain

	BusinessPhones                       []string
	City                                 string
	Country                              string
	DefaultUsageLocation                 string
	MarketingNotificationEmails          []string
	PostalCode                           string
	PreferredLanguage                    string
	PrivacyProfile                       *PrivacyProfile
	SecurityComplianceNotificationMails  []string
	SecurityComplianceNotificationPhones []string
	State                                string
	Street                               string
	TechnicalNotificationMails           []string
	TenantType                           string
}

// VerifiedDomain is a domain that names of the organization's users may have.
type VerifiedDomain struct {
	Capabilities string
	IsDefault    bool
	IsInitial    bool
	Name         string
	Type         string
}

// PrivacyProfile is Graph's privacyProfile.
type PrivacyProfile struct{ ContactEmail, StatementURL string }

// ParseOrganization parses the result of Document.
func ParseOrganization(document []byte) (*Organization, error) {
	return organizationTable.parse(document)
}

// Document returns the stored form of the organization, like a user's.
func (o *Organization) Document() []byte { return organizationTable.document(o) }

// OrganizationProperty returns the property with the name, which is case-sensitive.
func OrganizationProperty(name string) (*Property[Organization], bool) {
	return organizationTable.property(name)
}

// OrganizationProperties returns all properties except those of licenses, in alphabetical order;
// all are shown by default. The slice is shared.
func OrganizationProperties() []*Property[Organization] { return organizationTable.all }

// ParseOrganizationPatch parses the body of an update. Errors are *InvalidError.
func ParseOrganizationPatch(members []Member) (OrganizationPatch, error) {
	patch, err := organizationTable.patch(members, fromClient)
	patch.fits = fitsOrganization
	return patch, err
}

func fitsOrganization(_, after *Organization) error { return after.Validate() }

// Validate returns an *InvalidError unless the organization has a name, only existing countries,
// and unique verified domains, of which one is the default and one the initial one.
func (o *Organization) Validate() error {
	switch {
	case o.DisplayName == "":
		return &InvalidError{Kind: InvalidMissing, Resource: "Organization", Property: "displayName", Want: "a name"}
	case o.CountryLetterCode != "" && !IsCountry(o.CountryLetterCode):
		return invalidOrganization("countryLetterCode", o.CountryLetterCode, wantCountry)
	case o.DefaultUsageLocation != "" && !IsCountry(o.DefaultUsageLocation):
		return invalidOrganization("defaultUsageLocation", o.DefaultUsageLocation, wantCountry)
	}
	defaults, initials := 0, 0
	seen := make(map[string]bool, len(o.VerifiedDomains))
	for _, d := range o.VerifiedDomains {
		name := strings.ToLower(d.Name)
		if !isDomain(name) || seen[name] {
			return invalidOrganization("verifiedDomains", d.Name, "names of domains, each once")
		}
		seen[name] = true
		defaults += count(d.IsDefault)
		initials += count(d.IsInitial)
	}
	if defaults != 1 || initials != 1 {
		return invalidOrganization("verifiedDomains", fmt.Sprintf("%d default, %d initial", defaults, initials),
			"one domain with isDefault and one with isInitial")
	}
	return nil
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

func invalidOrganization(property, value, want string) error {
	return &InvalidError{Kind: InvalidValue, Resource: "Organization", Property: property, Value: value, Want: want}
}

// HasDomain reports whether name is one of the verified domains, in any letter case.
func (o *Organization) HasDomain(name string) bool {
	for _, d := range o.VerifiedDomains {
		if strings.EqualFold(d.Name, name) {
			return true
		}
	}
	return false
}

// DefaultDomain returns the domain of new addresses; empty if there is none.
func (o *Organization) DefaultDomain() string {
	for _, d := range o.VerifiedDomains {
		if d.IsDefault {
			return d.Name
		}
	}
	return ""
}

// CheckName returns an *InvalidError unless the domain of a userPrincipalName is verified.
func (o *Organization) CheckName(userPrincipalName string) error {
	_, domain, _ := strings.Cut(userPrincipalName, "@")
	if o.HasDomain(domain) {
		return nil
	}
	return &InvalidError{
		Kind: InvalidValue, Resource: "User", Property: "userPrincipalName", Value: userPrincipalName,
		Want: "a name in one of the verified domains of the organization",
	}
}

// organizationTable has the properties of an organization. Graph sets its name, location and
// country elsewhere; here they are set like the others.
var organizationTable = newTable(
	"Organization",
	[]string{"assignedPlans", "provisionedPlans"},
	shown(
		texts("businessPhones", func(o *Organization) *[]string { return &o.BusinessPhones }),
		text("city", func(o *Organization) *string { return &o.City }),
		text("country", func(o *Organization) *string { return &o.Country }),
		text("countryLetterCode", func(o *Organization) *string { return &o.CountryLetterCode }).
			folded(upper).must(wantCountry, IsCountry),
		moment("createdDateTime", func(o *Organization) *time.Time { return &o.CreatedDateTime }).readOnly(),
		text("defaultUsageLocation", func(o *Organization) *string { return &o.DefaultUsageLocation }).
			folded(upper).must(wantCountry, IsCountry),
		fixed[Organization]("deletedDateTime", KindDateTime, "null"),
		text("displayName", func(o *Organization) *string { return &o.DisplayName }).max(256).needed(),
		identity("id", func(o *Organization) *uuid.UUID { return &o.ID }),
		texts("marketingNotificationEmails", func(o *Organization) *[]string { return &o.MarketingNotificationEmails }).must(wantMail, isMail),
		fixed[Organization]("mobileDeviceManagementAuthority", KindString, `"unknown"`),
		fixed[Organization]("onPremisesLastSyncDateTime", KindDateTime, "null"),
		fixed[Organization]("onPremisesSyncEnabled", KindBool, "null"),
		fixed[Organization]("partnerTenantType", KindString, "null"),
		text("postalCode", func(o *Organization) *string { return &o.PostalCode }),
		text("preferredLanguage", func(o *Organization) *string { return &o.PreferredLanguage }).must(wantLanguage, isLanguage),
		nested("privacyProfile", privacyTable, func(o *Organization) **PrivacyProfile { return &o.PrivacyProfile }),
		texts("securityComplianceNotificationMails",
			func(o *Organization) *[]string { return &o.SecurityComplianceNotificationMails }).must(wantMail, isMail),
		texts("securityComplianceNotificationPhones", func(o *Organization) *[]string { return &o.SecurityComplianceNotificationPhones }).max(64),
		text("state", func(o *Organization) *string { return &o.State }),
		text("street", func(o *Organization) *string { return &o.Street }),
		texts("technicalNotificationMails", func(o *Organization) *[]string { return &o.TechnicalNotificationMails }).must(wantMail, isMail),
		text("tenantType", func(o *Organization) *string { return &o.TenantType }).readOnly(),
		nestedAll("verifiedDomains", domainTable, func(o *Organization) *[]VerifiedDomain { return &o.VerifiedDomains }).readOnly(),
	)...,
)

func shown(all ...*Property[Organization]) []*Property[Organization] {
	for _, p := range all {
		p.Returned = ReturnedByDefault
	}
	return all
}

var domainTable = newTable(
	"verifiedDomain", nil,
	text("capabilities", func(d *VerifiedDomain) *string { return &d.Capabilities }),
	flag("isDefault", func(d *VerifiedDomain) *bool { return &d.IsDefault }),
	flag("isInitial", func(d *VerifiedDomain) *bool { return &d.IsInitial }),
	text("name", func(d *VerifiedDomain) *string { return &d.Name }).needed(),
	text("type", func(d *VerifiedDomain) *string { return &d.Type }),
)

var privacyTable = newTable(
	"privacyProfile", nil,
	text("contactEmail", func(p *PrivacyProfile) *string { return &p.ContactEmail }),
	text("statementUrl", func(p *PrivacyProfile) *string { return &p.StatementURL }),
)

package tenant

import (
	"bytes"
	"cmp"

	"licensor/internal/directory"
	"licensor/internal/licensing"
)

// Found is the first commit of a tenant.
type Found struct {
	Organization directory.Organization
	Catalog      *licensing.Catalog
}

func (Found) name() string { return "createTenant" }

func (cmd Found) run(c *change) error {
	if err := c.organize(&cmd.Organization); err != nil {
		return err
	}
	if err := c.addGraph(&cmd.Organization); err != nil {
		return err
	}
	return c.lic.SetCatalog(cmd.Catalog)
}

// UpdateOrganization changes properties of the organization.
type UpdateOrganization struct{ Patch directory.OrganizationPatch }

func (UpdateOrganization) name() string { return "updateOrganization" }

func (cmd UpdateOrganization) run(c *change) error {
	org, err := cmd.Patch.Apply(c.next.Organization)
	if err != nil {
		return err
	}
	if bytes.Equal(org.Document(), c.next.Organization.Document()) {
		return nil
	}
	return c.organize(org)
}

func (c *change) organize(org *directory.Organization) error {
	if err := org.Validate(); err != nil {
		return err
	}
	if err := c.claimDomains(org); err != nil {
		return err
	}
	country, err := licensing.ParseCountry(org.CountryLetterCode)
	if err != nil {
		return &directory.InvalidError{
			Kind:     directory.InvalidValue,
			Resource: "Organization",
			Property: "countryLetterCode",
			Value:    org.CountryLetterCode,
		}
	}
	c.lic.SetCountry(country)
	was, document := c.next.Organization, org.Document()
	if was != nil {
		c.noteDocument(Was{Of: ChangeableOrganization, ID: org.ID}, was.Document(), document)
	}
	c.record(organizationNow(document))
	return c.publish(was, org)
}

// organizationNow is the new document of the organization.
type organizationNow []byte

func (now organizationNow) apply(d *draft) (bool, error) {
	if now == nil {
		return false, nil
	}
	org, err := directory.ParseOrganization(now)
	if err == nil {
		d.next.Organization = org
	}
	return true, err
}

func (now organizationNow) note(f *Effects) { f.Organization = now }

// SetCatalog replaces the catalog.
type SetCatalog struct{ Catalog *licensing.Catalog }

func (SetCatalog) name() string { return "setCatalog" }

func (cmd SetCatalog) run(c *change) error {
	c.noteCatalog(c.base.Licensing.Catalog(), cmd.Catalog)
	return c.lic.SetCatalog(cmd.Catalog)
}

// UpdateSettings changes the settings that are not nil.
type UpdateSettings struct {
	AutoReprocess    *bool
	GroupBundles     *licensing.Bundles
	ReprocessFailure *licensing.Failure
	MemberOfRules    *MemberOfRules
	AuditDays        *int
	SignInDays       *int
}

// How long the entries of the audit log are shown (docs/spec/audit.md U6), and sign-ins (U34), in
// days.
const (
	DefaultAuditDays = 30
	MaxAuditDays     = 3650
)

// AuditDays returns how many days the entries of the audit log are shown.
func (img *Image) AuditDays() int { return cmp.Or(img.auditDays, DefaultAuditDays) }

// SignInDays returns how many days sign-ins are kept.
func (img *Image) SignInDays() int { return cmp.Or(img.signInDays, DefaultAuditDays) }

// auditDaysNow is a new number of AuditDays; 0 changes nothing.
type auditDaysNow int

func (now auditDaysNow) apply(d *draft) (bool, error) {
	if now == 0 || int(now) == d.next.AuditDays() {
		return false, nil
	}
	d.next.auditDays = int(now)
	return true, nil
}

func (now auditDaysNow) note(f *Effects) { f.AuditDays = now }

// signInDaysNow is a new number of SignInDays; 0 changes nothing.
type signInDaysNow int

func (now signInDaysNow) apply(d *draft) (bool, error) {
	if now == 0 || int(now) == d.next.SignInDays() {
		return false, nil
	}
	d.next.signInDays = int(now)
	return true, nil
}

func (now signInDaysNow) note(f *Effects) { f.SignInDays = now }

// MemberOfRules determines what becomes of rules of the form memberOf
// (docs/spec/dynamic-membership.md D55).
type MemberOfRules string

// The values; the first is the default.
const (
	MemberOfRulesFollowed MemberOfRules = "followed"
	MemberOfRulesFrozen   MemberOfRules = "frozen" // they change nothing
)

func (UpdateSettings) name() string { return "updateSettings" }

func (cmd UpdateSettings) run(c *change) error {
	if cmd.MemberOfRules != nil {
		c.freezeRules(*cmd.MemberOfRules == MemberOfRulesFrozen)
	}
	if err := cmd.setDays(c); err != nil {
		return err
	}
	s := c.next.Licensing.Settings()
	if cmd.AutoReprocess != nil {
		s.AutoReprocess = *cmd.AutoReprocess
	}
	if cmd.GroupBundles != nil {
		s.GroupBundles = *cmd.GroupBundles
	}
	if cmd.ReprocessFailure != nil {
		s.ReprocessFailure = *cmd.ReprocessFailure
	}
	if err := c.lic.SetSettings(s); err != nil {
		return invalid("settings", "%s", err)
	}
	c.noteSettings(c.next.Licensing.Settings(), s)
	return nil
}

// setDays sets how many days the entries of the audit log and sign-ins are shown.
func (cmd UpdateSettings) setDays(c *change) error {
	type settings struct {
		AuditDays  int `json:"auditDays,omitempty"`
		SignInDays int `json:"signInDays,omitempty"`
	}
	was, now := settings{}, settings{}
	if days := cmd.AuditDays; days != nil {
		if err := checkDays("auditDays", *days); err != nil {
			return err
		}
		was.AuditDays, now.AuditDays = c.next.AuditDays(), *days
		c.record(auditDaysNow(*days))
	}
	if days := cmd.SignInDays; days != nil {
		if err := checkDays("signInDays", *days); err != nil {
			return err
		}
		was.SignInDays, now.SignInDays = c.next.SignInDays(), *days
		c.record(signInDaysNow(*days))
	}
	c.noteValues(Was{Of: ChangeableSettings}, was, now)
	return nil
}

func checkDays(name string, days int) error {
	if days < 1 || days > MaxAuditDays {
		return invalid(name, "%s is %d: it must be a number from 1 to %d.", name, days, MaxAuditDays)
	}
	return nil
}

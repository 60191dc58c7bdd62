package server

import (
	"cmp"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

const (
	// leastSecret is the minimum length of a given secret in characters. Secrets are stored as plain
	// hashes, so they must not be guessable.
	leastSecret = 32
	// maxAppName is the maximum length of an application's name in characters.
	maxAppName = 256
)

// Complete adds the domain to the administrator's name, and validates the fields. An invalid field
// is an *OptionError.
func (f *Founding) Complete() error {
	f.Domain = strings.ToLower(f.Domain)
	name, domain, ok := strings.Cut(f.Admin, "@")
	if !ok {
		domain = f.Domain
	}
	f.Admin = name + "@" + domain
	for _, check := range []func() error{f.checkIDs, f.checkOrganization, f.checkAdministrator, f.checkApplication} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (f *Founding) checkIDs() error {
	_, err := givenID("ID", f.ID)
	if err == nil {
		_, err = givenID("ClientID", f.ClientID)
	}
	return err
}

// givenID parses an id, or generates one if the text is empty.
func givenID(field, text string) (uuid.UUID, error) {
	if text == "" {
		return uuid.New(), nil
	}
	id, ok := guid.Parse(text)
	if !ok || id == uuid.Nil {
		return id, wrongTenant(field, "is %q, which is not a GUID: leave it out or write one such as "+
			"11111111-2222-3333-4444-555555555555", text)
	}
	return id, nil
}

// checkOrganization applies the rules for changes of an organization.
func (f *Founding) checkOrganization() error {
	if f.Domain == "" {
		return wrongTenant("Domain", `is "": give the domain of the user principal names, such as contoso.com`)
	}
	org := f.organization(time.Time{})
	if err := org.Validate(); err != nil {
		return f.mistake(err)
	}
	body, err := json.Marshal(map[string]any{"displayName": f.Name})
	if err != nil {
		return err
	}
	members, err := directory.Members(body)
	if err == nil {
		_, err = directory.ParseOrganizationPatch(members)
	}
	return f.mistake(err)
}

func (f *Founding) checkAdministrator() error {
	if domain := f.Admin[strings.Index(f.Admin, "@")+1:]; !strings.EqualFold(domain, f.Domain) {
		return wrongTenant("Admin", "is %q, which is not in the domain %s: give a name in it", f.Admin, f.Domain)
	}
	if problem := identity.UnfitPassword(f.AdminPassword, f.Admin); problem != "" && f.AdminPassword != "" {
		return wrongTenant("AdminPassword", "%s", problem)
	}
	patch, err := f.administrator(cmp.Or(f.AdminPassword, "one that is generated later"))
	if err == nil {
		_, err = directory.NewUser(patch, uuid.Nil, f.Domain, time.Time{})
	}
	return f.mistake(err)
}

func (f *Founding) checkApplication() error {
	n := utf8.RuneCountInString(f.Application)
	switch {
	case f.Application == "" && f.ClientID+f.ClientSecret != "":
		return wrongTenant("Application", `is "", but there is a ClientID or ClientSecret: name the application that they are for`)
	case f.Application != "" && strings.TrimSpace(f.Application) == "", n > maxAppName:
		return wrongTenant("Application", "is %q: it must have 1 to %d characters, not only spaces", f.Application, maxAppName)
	case f.ClientID != "" && strings.EqualFold(f.ClientID, directory.GraphAppID.String()):
		return wrongTenant("ClientID", "is %s, which is that of Microsoft Graph: give another one", f.ClientID)
	case f.ClientSecret != "" && utf8.RuneCountInString(f.ClientSecret) < leastSecret:
		return wrongTenant("ClientSecret", "has %d characters: it must have %d or more that cannot be guessed",
			utf8.RuneCountInString(f.ClientSecret), leastSecret)
	}
	return nil
}

// mistake returns the error of the field that a refused property came from.
func (f *Founding) mistake(err error) error {
	if refused, ok := errors.AsType[*directory.InvalidError](err); ok {
		field, value := "", ""
		switch refused.Property {
		case "displayName":
			field, value = "Name", f.Name
		case "countryLetterCode", "usageLocation":
			field, value = "Country", f.Country
		case "verifiedDomains":
			field, value = "Domain", f.Domain
		case "userPrincipalName", "mailNickname":
			field, value = "Admin", f.Admin
		default:
			return err
		}
		return wrongTenant(field, "is %q: it must be %s", value, refused.Want)
	}
	return err
}

// clash returns the error of a field whose value another tenant has.
func (f *Founding) clash(err error) error {
	refused, ok := errors.AsType[*tenant.CommandError](err)
	switch {
	case ok && refused.Kind == tenant.ProblemTaken && refused.Property == "id":
		return unusable("Tenant", "ID", f.ID, err)
	case ok && refused.Kind == tenant.ProblemInvalid && refused.Value == f.Domain: // it came a moment ago
		return unusable("Tenant", "Domain", f.Domain, err)
	}
	return err
}

package directory

import (
	"strconv"
	"time"

	"github.com/google/uuid"
)

// userTable has every structural property of Graph's user but those of licenses, with the limits of Microsoft's
// documentation. proxyAddresses is read-only in Graph; here it can be set, since nothing else would set it.
var userTable = newTable(
	"User",
	[]string{"assignedLicenses", "assignedPlans", "licenseAssignmentStates", "provisionedPlans"},
	text("aboutMe", func(u *User) *string { return &u.AboutMe }).byName(),
	flag("accountEnabled", func(u *User) *bool { return &u.AccountEnabled }),
	text("ageGroup", func(u *User) *string { return &u.AgeGroup }).oneOf("Minor", "NotAdult", "Adult"),
	fixed[User]("authorizationInfo", Complex, "null"),
	moment("birthday", func(u *User) *time.Time { return &u.Birthday }).neverNull().byName(),
	texts("businessPhones", func(u *User) *[]string { return &u.BusinessPhones }).max(64).most(1).byDefault(),
	text("city", func(u *User) *string { return &u.City }).max(128),
	text("companyName", func(u *User) *string { return &u.CompanyName }).max(64),
	text("consentProvidedForMinor", func(u *User) *string { return &u.ConsentProvidedForMinor }).oneOf("Granted", "Denied", "NotRequired"),
	text("country", func(u *User) *string { return &u.Country }).max(128),
	moment("createdDateTime", func(u *User) *time.Time { return &u.CreatedDateTime }).readOnly(),
	text("creationType", func(u *User) *string { return &u.CreationType }).readOnly(),
	fixed[User]("customSecurityAttributes", Complex, "null").byName(),
	moment("deletedDateTime", func(u *User) *time.Time { return &u.DeletedDateTime }).readOnly(),
	text("department", func(u *User) *string { return &u.Department }).max(64),
	fixed[User]("deviceEnrollmentLimit", Int32, "5").byName(),
	text("displayName", func(u *User) *string { return &u.DisplayName }).max(256).needed().byDefault(),
	moment("employeeHireDate", func(u *User) *time.Time { return &u.EmployeeHireDate }),
	text("employeeId", func(u *User) *string { return &u.EmployeeID }).max(16),
	moment("employeeLeaveDateTime", func(u *User) *time.Time { return &u.EmployeeLeaveDateTime }),
	nested("employeeOrgData", employeeOrgDataTable, func(u *User) **EmployeeOrgData { return &u.EmployeeOrgData }),
	text("employeeType", func(u *User) *string { return &u.EmployeeType }).max(256),
	text("externalUserState", func(u *User) *string { return &u.ExternalUserState }).readOnly(),
	moment("externalUserStateChangeDateTime", func(u *User) *time.Time { return &u.ExternalUserStateChangeDateTime }).readOnly(),
	text("faxNumber", func(u *User) *string { return &u.FaxNumber }).max(64),
	text("givenName", func(u *User) *string { return &u.GivenName }).max(64).byDefault(),
	moment("hireDate", func(u *User) *time.Time { return &u.HireDate }).neverNull().byName(),
	identity("id", func(u *User) *uuid.UUID { return &u.ID }).byDefault(),
	nestedAll("identities", identityTable, func(u *User) *[]Identity { return &u.Identities }),
	fixed[User]("identityParentId", String, "null"),
	texts("imAddresses", func(u *User) *[]string { return &u.IMAddresses }).readOnly(),
	texts("interests", func(u *User) *[]string { return &u.Interests }).byName(),
	fixed[User]("isManagementRestricted", Bool, "null"),
	option("isResourceAccount", func(u *User) **bool { return &u.IsResourceAccount }),
	text("jobTitle", func(u *User) *string { return &u.JobTitle }).max(128).byDefault(),
	moment("lastPasswordChangeDateTime", func(u *User) *time.Time { return &u.LastPasswordChangeDateTime }).readOnly(),
	computed("legalAgeGroupClassification", String, func(dst []byte, u *User) []byte { return appendText(dst, u.legalAgeGroup()) }),
	text("mail", func(u *User) *string { return &u.Mail }).must(wantMail, isMail).byDefault(),
	fixed[User]("mailboxSettings", Complex, "null").byName(),
	text("mailNickname", func(u *User) *string { return &u.MailNickname }).max(64).must(wantNickname, isNickname).needed(),
	text("mobilePhone", func(u *User) *string { return &u.MobilePhone }).max(64).byDefault(),
	text("mySite", func(u *User) *string { return &u.MySite }).byName(),
	text("officeLocation", func(u *User) *string { return &u.OfficeLocation }).max(128).byDefault(),
	text("onPremisesDistinguishedName", func(u *User) *string { return &u.OnPremisesDistinguishedName }).readOnly(),
	text("onPremisesDomainName", func(u *User) *string { return &u.OnPremisesDomainName }).readOnly(),
	nested("onPremisesExtensionAttributes", extensionTable, func(u *User) **ExtensionAttributes { return &u.OnPremisesExtensionAttributes }),
	text("onPremisesImmutableId", func(u *User) *string { return &u.OnPremisesImmutableID }).max(256),
	moment("onPremisesLastSyncDateTime", func(u *User) *time.Time { return &u.OnPremisesLastSyncDateTime }).readOnly(),
	fixed[User]("onPremisesProvisioningErrors", ComplexCollection, "[]"),
	text("onPremisesSamAccountName", func(u *User) *string { return &u.OnPremisesSamAccountName }).readOnly(),
	text("onPremisesSecurityIdentifier", func(u *User) *string { return &u.OnPremisesSecurityIdentifier }).readOnly(),
	option("onPremisesSyncEnabled", func(u *User) **bool { return &u.OnPremisesSyncEnabled }).readOnly(),
	text("onPremisesUserPrincipalName", func(u *User) *string { return &u.OnPremisesUserPrincipalName }).readOnly(),
	texts("otherMails", func(u *User) *[]string { return &u.OtherMails }).max(250).most(250).must(wantMail, isMail),
	text("passwordPolicies", func(u *User) *string { return &u.PasswordPolicies }).must(wantPolicies, isPasswordPolicies),
	nested("passwordProfile", passwordTable, func(u *User) **PasswordProfile { return &u.PasswordProfile }),
	texts("pastProjects", func(u *User) *[]string { return &u.PastProjects }).byName(),
	text("postalCode", func(u *User) *string { return &u.PostalCode }).max(40),
	text("preferredDataLocation", func(u *User) *string { return &u.PreferredDataLocation }).max(64),
	text("preferredLanguage", func(u *User) *string { return &u.PreferredLanguage }).must(wantLanguage, isLanguage).byDefault(),
	text("preferredName", func(u *User) *string { return &u.PreferredName }).byName(),
	fixed[User]("print", Complex, "null").byName(),
	texts("proxyAddresses", func(u *User) *[]string { return &u.ProxyAddresses }).max(1123).must(wantProxy, isProxyAddress),
	texts("responsibilities", func(u *User) *[]string { return &u.Responsibilities }).byName(),
	texts("schools", func(u *User) *[]string { return &u.Schools }).byName(),
	computed("securityIdentifier", String, func(dst []byte, u *User) []byte { return appendSID(dst, u.ID) }),
	fixed[User]("serviceProvisioningErrors", ComplexCollection, "[]"),
	option("showInAddressList", func(u *User) **bool { return &u.ShowInAddressList }),
	fixed[User]("signInActivity", Complex, "null").byName(),
	moment("signInSessionsValidFromDateTime", func(u *User) *time.Time { return &u.SignInSessionsValidFromDateTime }).readOnly(),
	texts("skills", func(u *User) *[]string { return &u.Skills }).byName(),
	text("state", func(u *User) *string { return &u.State }).max(128),
	text("streetAddress", func(u *User) *string { return &u.StreetAddress }).max(1024),
	text("surname", func(u *User) *string { return &u.Surname }).max(64).byDefault(),
	text("usageLocation", func(u *User) *string { return &u.UsageLocation }).folded(upper).must(wantCountry, IsCountry),
	text("userPrincipalName", func(u *User) *string { return &u.UserPrincipalName }).must(wantPrincipal, isPrincipalName).needed().byDefault(),
	text("userType", func(u *User) *string { return &u.UserType }).oneOf("Member", "Guest"),
)

var employeeOrgDataTable = newTable(
	"employeeOrgData", nil,
	text("costCenter", func(d *EmployeeOrgData) *string { return &d.CostCenter }),
	text("division", func(d *EmployeeOrgData) *string { return &d.Division }),
)

var identityTable = newTable(
	"objectIdentity", nil,
	text("issuer", func(i *Identity) *string { return &i.Issuer }).max(512).needed(),
	text("issuerAssignedId", func(i *Identity) *string { return &i.IssuerAssignedID }).max(256),
	text("signInType", func(i *Identity) *string { return &i.SignInType }).needed(),
)

var passwordTable = newTable(
	"passwordProfile", nil,
	option("forceChangePasswordNextSignIn", func(p *PasswordProfile) **bool { return &p.ForceChangePasswordNextSignIn }),
	option("forceChangePasswordNextSignInWithMfa", func(p *PasswordProfile) **bool { return &p.ForceChangePasswordNextSignInWithMFA }),
	&Property[PasswordProfile]{Name: "password", Kind: String, render: hidePassword, read: lookAtPassword},
)

// hidePassword shows passwords as the real service does.
func hidePassword(dst []byte, _ *PasswordProfile) []byte { return append(dst, "null"...) }

// lookAtPassword refuses what can be no password and keeps nothing.
func lookAtPassword(_ *PasswordProfile, raw []byte, strict bool) error {
	password, ok := readString(raw)
	switch {
	case !ok && !isNull(raw):
		return errType
	case strict && ok && (password == "" || units(password) > 256):
		return &Invalid{Kind: BadValue, Property: "password", Want: "1 to 256 characters"}
	}
	return nil
}

var extensionTable = newTable("onPremisesExtensionAttributes", nil, extensionProperties()...)

func extensionProperties() []*Property[ExtensionAttributes] {
	all := make([]*Property[ExtensionAttributes], len(ExtensionAttributes{}))
	for i := range all {
		all[i] = text("extensionAttribute"+strconv.Itoa(i+1), func(a *ExtensionAttributes) *string { return &a[i] }).max(1024)
	}
	return all
}

package directory

import (
	"strconv"
	"time"

	"github.com/google/uuid"

	"licensor/internal/jsontext"
)

// userTable has every structural property of Graph's user except those of licenses, with the limits
// of Microsoft's documentation. proxyAddresses is read-only in Graph; here clients can set it,
// since nothing else sets it.
var userTable = newTable(
	"User",
	[]string{"assignedLicenses", "assignedPlans", "licenseAssignmentStates", "provisionedPlans"},
	text("aboutMe", func(u *User) *string { return &u.AboutMe }).byName(),
	flag("accountEnabled", func(u *User) *bool { return &u.AccountEnabled }).column(1).filtered(Basic, Never, Never, Never),
	text("ageGroup", func(u *User) *string { return &u.AgeGroup }).oneOf("Minor", "NotAdult", "Adult").
		column(2).filtered(Basic, Never, Never, Never),
	fixed[User]("authorizationInfo", KindComplex, "null"),
	moment("birthday", func(u *User) *time.Time { return &u.Birthday }).neverNull().byName(),
	texts("businessPhones", func(u *User) *[]string { return &u.BusinessPhones }).max(64).most(1).byDefault().
		column(3).mostly().filtered(Advanced, Advanced, Never, Never).searched(ByStart),
	text("city", func(u *User) *string { return &u.City }).max(128).
		column(4).filtered(Basic, Basic, Never, Advanced).searched(ByStart),
	text("companyName", func(u *User) *string { return &u.CompanyName }).max(64).
		column(5).filtered(Advanced, Advanced, Never, Advanced).searched(ByStart),
	text("consentProvidedForMinor", func(u *User) *string { return &u.ConsentProvidedForMinor }).oneOf("Granted", "Denied", "NotRequired").
		column(6).filtered(Basic, Never, Never, Never),
	text("country", func(u *User) *string { return &u.Country }).max(128).
		column(7).filtered(Basic, Basic, Never, Advanced).searched(ByStart),
	moment("createdDateTime", func(u *User) *time.Time { return &u.CreatedDateTime }).readOnly().
		column(8).filtered(Basic, Never, Basic, Advanced).ordered(Advanced),
	text("creationType", func(u *User) *string { return &u.CreationType }).readOnly().
		column(9).filtered(Basic, Never, Never, Never),
	fixed[User]("customSecurityAttributes", KindComplex, "null").byName(),
	moment("deletedDateTime", func(u *User) *time.Time { return &u.DeletedDateTime }).readOnly().
		column(10).filtered(Basic, Never, Basic, Never),
	text("department", func(u *User) *string { return &u.Department }).max(64).
		column(11).filtered(Basic, Basic, Never, Advanced).searched(ByStart),
	fixed[User]("deviceEnrollmentLimit", KindInt32, "5").byName(),
	text("displayName", func(u *User) *string { return &u.DisplayName }).max(256).needed().byDefault().
		column(12).mostly().filtered(Basic, Basic, Never, Advanced).searched(ByWords).ordered(Basic),
	moment("employeeHireDate", func(u *User) *time.Time { return &u.EmployeeHireDate }).
		column(13).filtered(Advanced, Never, Advanced, Never),
	text("employeeId", func(u *User) *string { return &u.EmployeeID }).max(16).
		column(14).mostly().filtered(Basic, Never, Never, Advanced).searched(ByStart),
	moment("employeeLeaveDateTime", func(u *User) *time.Time { return &u.EmployeeLeaveDateTime }),
	nested("employeeOrgData", employeeOrgDataTable, func(u *User) **EmployeeOrgData { return &u.EmployeeOrgData }).
		column(15).filtered(Advanced, Never, Never, Never),
	text("employeeType", func(u *User) *string { return &u.EmployeeType }).max(256).
		column(17).filtered(Advanced, Never, Never, Never),
	text("externalUserState", func(u *User) *string { return &u.ExternalUserState }).readOnly().
		column(18).filtered(Basic, Never, Never, Never),
	moment("externalUserStateChangeDateTime", func(u *User) *time.Time { return &u.ExternalUserStateChangeDateTime }).readOnly(),
	text("faxNumber", func(u *User) *string { return &u.FaxNumber }).max(64).
		column(19).mostly().filtered(Advanced, Advanced, Never, Advanced),
	text("givenName", func(u *User) *string { return &u.GivenName }).max(64).byDefault().
		column(20).filtered(Basic, Basic, Never, Advanced).searched(ByStart),
	moment("hireDate", func(u *User) *time.Time { return &u.HireDate }).neverNull().byName(),
	identity("id", func(u *User) *uuid.UUID { return &u.ID }).byDefault().filtered(Basic, Never, Never, Never),
	nestedAll("identities", identityTable, func(u *User) *[]Identity { return &u.Identities }).
		column(21).filtered(Basic, Never, Never, Basic),
	fixed[User]("identityParentId", KindString, "null"),
	texts("imAddresses", func(u *User) *[]string { return &u.IMAddresses }).readOnly().
		column(22).mostly().filtered(Basic, Basic, Never, Never).searched(ByStart),
	texts("interests", func(u *User) *[]string { return &u.Interests }).byName(),
	fixed[User]("isManagementRestricted", KindBool, "null"),
	option("isResourceAccount", func(u *User) **bool { return &u.IsResourceAccount }).column(23).filtered(Basic, Never, Never, Never),
	text("jobTitle", func(u *User) *string { return &u.JobTitle }).max(128).byDefault().
		column(24).filtered(Basic, Basic, Never, Advanced).searched(ByStart),
	moment("lastPasswordChangeDateTime", func(u *User) *time.Time { return &u.LastPasswordChangeDateTime }).readOnly(),
	computed("legalAgeGroupClassification", KindString,
		func(dst []byte, u *User) []byte { return jsontext.AppendTextOrNull(dst, u.legalAgeGroup()) }),
	text("mail", func(u *User) *string { return &u.Mail }).must(wantMail, isMail).byDefault().
		column(25).mostly().filtered(Basic, Basic, Never, Advanced).ends().searched(ByStart).ordered(Advanced),
	fixed[User]("mailboxSettings", KindComplex, "null").byName(),
	text("mailNickname", func(u *User) *string { return &u.MailNickname }).max(64).must(wantNickname, isNickname).needed().
		column(26).mostly().filtered(Basic, Basic, Never, Advanced).searched(ByStart),
	text("mobilePhone", func(u *User) *string { return &u.MobilePhone }).max(64).byDefault().
		column(27).mostly().filtered(Advanced, Advanced, Never, Advanced).searched(ByStart),
	text("mySite", func(u *User) *string { return &u.MySite }).byName(),
	text("officeLocation", func(u *User) *string { return &u.OfficeLocation }).max(128).byDefault().
		column(28).filtered(Advanced, Advanced, Never, Advanced).searched(ByStart),
	text("onPremisesDistinguishedName", func(u *User) *string { return &u.OnPremisesDistinguishedName }).readOnly().column(29).mostly(),
	text("onPremisesDomainName", func(u *User) *string { return &u.OnPremisesDomainName }).readOnly(),
	nested("onPremisesExtensionAttributes", extensionTable, func(u *User) **ExtensionAttributes { return &u.OnPremisesExtensionAttributes }).
		column(30).filtered(Advanced, Never, Never, Advanced),
	text("onPremisesImmutableId", func(u *User) *string { return &u.OnPremisesImmutableID }).max(256).
		column(45).mostly().filtered(Basic, Never, Never, Never).searched(ByStart),
	moment("onPremisesLastSyncDateTime", func(u *User) *time.Time { return &u.OnPremisesLastSyncDateTime }).readOnly().
		column(46).filtered(Basic, Never, Basic, Never),
	fixed[User]("onPremisesProvisioningErrors", KindComplexCollection, "[]").filtered(Basic, Never, Never, Never).elements("category", "propertyCausingError"),
	text("onPremisesSamAccountName", func(u *User) *string { return &u.OnPremisesSamAccountName }).readOnly().
		column(47).mostly().filtered(Advanced, Advanced, Never, Never),
	text("onPremisesSecurityIdentifier", func(u *User) *string { return &u.OnPremisesSecurityIdentifier }).readOnly().
		column(48).mostly().filtered(Basic, Never, Never, Advanced),
	option("onPremisesSyncEnabled", func(u *User) **bool { return &u.OnPremisesSyncEnabled }).readOnly().
		column(49).filtered(Basic, Never, Never, Advanced),
	text("onPremisesUserPrincipalName", func(u *User) *string { return &u.OnPremisesUserPrincipalName }).readOnly().
		column(50).mostly().filtered(Basic, Basic, Never, Never),
	texts("otherMails", func(u *User) *[]string { return &u.OtherMails }).max(250).most(250).must(wantMail, isMail).
		column(51).mostly().filtered(Basic, Basic, Never, Never).ends().counted().searched(ByStart),
	text("passwordPolicies", func(u *User) *string { return &u.PasswordPolicies }).
		folded(spelledPolicies).must(wantPolicies, isPasswordPolicies).
		column(52).filtered(Never, Never, Never, Advanced),
	nested("passwordProfile", passwordTable, func(u *User) **PasswordProfile { return &u.PasswordProfile }).
		column(53).filtered(Advanced, Never, Never, Advanced),
	texts("pastProjects", func(u *User) *[]string { return &u.PastProjects }).byName(),
	text("postalCode", func(u *User) *string { return &u.PostalCode }).max(40).
		column(55).filtered(Advanced, Advanced, Never, Advanced).searched(ByStart),
	text("preferredDataLocation", func(u *User) *string { return &u.PreferredDataLocation }).max(64),
	text("preferredLanguage", func(u *User) *string { return &u.PreferredLanguage }).must(wantLanguage, isLanguage).byDefault().
		column(56).filtered(Advanced, Advanced, Never, Advanced),
	text("preferredName", func(u *User) *string { return &u.PreferredName }).byName(),
	fixed[User]("print", KindComplex, "null").byName(),
	texts("proxyAddresses", func(u *User) *[]string { return &u.ProxyAddresses }).max(1123).must(wantProxy, isProxyAddress).
		column(57).mostly().filtered(Basic, Basic, Never, Never).ends().counted().searched(ByStart),
	texts("responsibilities", func(u *User) *[]string { return &u.Responsibilities }).byName(),
	texts("schools", func(u *User) *[]string { return &u.Schools }).byName(),
	computed("securityIdentifier", KindString, func(dst []byte, u *User) []byte { return AppendSID(dst, u.ID) }),
	fixed[User]("serviceProvisioningErrors", KindComplexCollection, "[]"),
	option("showInAddressList", func(u *User) **bool { return &u.ShowInAddressList }).column(58).filtered(Advanced, Never, Never, Never),
	fixed[User]("signInActivity", KindComplex, "null").byName(),
	moment("signInSessionsValidFromDateTime", func(u *User) *time.Time { return &u.SignInSessionsValidFromDateTime }).readOnly(),
	texts("skills", func(u *User) *[]string { return &u.Skills }).byName(),
	text("state", func(u *User) *string { return &u.State }).max(128).
		column(59).filtered(Basic, Basic, Never, Advanced).searched(ByStart),
	text("streetAddress", func(u *User) *string { return &u.StreetAddress }).max(1024).
		column(60).mostly().filtered(Advanced, Advanced, Never, Advanced),
	text("surname", func(u *User) *string { return &u.Surname }).max(64).byDefault().
		column(61).filtered(Basic, Basic, Never, Advanced).searched(ByStart),
	text("usageLocation", func(u *User) *string { return &u.UsageLocation }).folded(upper).must(wantCountry, IsCountry).
		column(62).filtered(Basic, Basic, Never, Advanced).searched(ByStart),
	text("userPrincipalName", func(u *User) *string { return &u.UserPrincipalName }).
		must(wantPrincipal, isPrincipalName).needed().byDefault().
		column(63).mostly().filtered(Basic, Basic, Never, Never).ends().searched(ByStart).ordered(Basic),
	text("userType", func(u *User) *string { return &u.UserType }).oneOf("Member", "Guest").
		column(64).filtered(Basic, Never, Never, Advanced).searched(ByStart),
).lacks(
	Asked{Path: "createdObjects", Kind: KindComplexCollection, Fields: []string{"id"}, Filterable: Filterable{Equal: Advanced}},
	Asked{Path: "infoCatalogs", Kind: KindStringCollection, Filterable: Filterable{Equal: Basic, Starts: Basic}},
	Asked{Path: "manager/deletedDateTime", Kind: KindDateTime, Filterable: Filterable{Equal: Basic, Range: Basic}},
	Asked{Path: "manager/id", Kind: KindString, Filterable: Filterable{Equal: Basic}}, // stored in the index
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
	&Property[PasswordProfile]{Name: "password", Kind: KindString, render: hidePassword, read: lookAtPassword},
)

// hidePassword shows passwords as the real service does.
func hidePassword(dst []byte, _ *PasswordProfile) []byte { return append(dst, "null"...) }

// lookAtPassword refuses invalid passwords and stores nothing.
func lookAtPassword(_ *PasswordProfile, raw []byte, strict bool) error {
	password, ok := readString(raw)
	switch {
	case !ok && !isNull(raw):
		return errType
	case strict && ok && (password == "" || units(password) > 256):
		return &InvalidError{Kind: BadValue, Property: "password", Want: "1 to 256 characters"}
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

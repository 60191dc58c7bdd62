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
	flag("accountEnabled", func(u *User) *bool { return &u.AccountEnabled }).column(1).filtered(basic, never, never, never),
	text("ageGroup", func(u *User) *string { return &u.AgeGroup }).oneOf("Minor", "NotAdult", "Adult").
		column(2).filtered(basic, never, never, never),
	fixed[User]("authorizationInfo", KindComplex, "null"),
	moment("birthday", func(u *User) *time.Time { return &u.Birthday }).neverNull().byName(),
	texts("businessPhones", func(u *User) *[]string { return &u.BusinessPhones }).max(64).most(1).byDefault().
		column(3).mostly().filtered(advanced, advanced, never, never).searched(SearchByStart),
	text("city", func(u *User) *string { return &u.City }).max(128).
		column(4).filtered(basic, basic, never, advanced).searched(SearchByStart),
	text("companyName", func(u *User) *string { return &u.CompanyName }).max(64).
		column(5).filtered(advanced, advanced, never, advanced).searched(SearchByStart),
	text("consentProvidedForMinor", func(u *User) *string { return &u.ConsentProvidedForMinor }).oneOf("Granted", "Denied", "NotRequired").
		column(6).filtered(basic, never, never, never),
	text("country", func(u *User) *string { return &u.Country }).max(128).
		column(7).filtered(basic, basic, never, advanced).searched(SearchByStart),
	moment("createdDateTime", func(u *User) *time.Time { return &u.CreatedDateTime }).readOnly().
		column(8).filtered(basic, never, basic, advanced).ordered(advanced),
	text("creationType", func(u *User) *string { return &u.CreationType }).readOnly().
		column(9).filtered(basic, never, never, never),
	fixed[User]("customSecurityAttributes", KindComplex, "null").byName(),
	moment("deletedDateTime", func(u *User) *time.Time { return &u.DeletedDateTime }).readOnly().
		column(10).filtered(basic, never, basic, never),
	text("department", func(u *User) *string { return &u.Department }).max(64).
		column(11).filtered(basic, basic, never, advanced).searched(SearchByStart),
	fixed[User]("deviceEnrollmentLimit", KindInt32, "5").byName(),
	text("displayName", func(u *User) *string { return &u.DisplayName }).max(256).needed().byDefault().
		column(12).mostly().filtered(basic, basic, never, advanced).searched(SearchByWords).ordered(basic),
	moment("employeeHireDate", func(u *User) *time.Time { return &u.EmployeeHireDate }).
		column(13).filtered(advanced, never, advanced, never),
	text("employeeId", func(u *User) *string { return &u.EmployeeID }).max(16).
		column(14).mostly().filtered(basic, never, never, advanced).searched(SearchByStart),
	moment("employeeLeaveDateTime", func(u *User) *time.Time { return &u.EmployeeLeaveDateTime }),
	nested("employeeOrgData", employeeOrgDataTable, func(u *User) **EmployeeOrgData { return &u.EmployeeOrgData }).
		column(15).filtered(advanced, never, never, never),
	text("employeeType", func(u *User) *string { return &u.EmployeeType }).max(256).
		column(17).filtered(advanced, never, never, never),
	text("externalUserState", func(u *User) *string { return &u.ExternalUserState }).readOnly().
		column(18).filtered(basic, never, never, never),
	moment("externalUserStateChangeDateTime", func(u *User) *time.Time { return &u.ExternalUserStateChangeDateTime }).readOnly(),
	text("faxNumber", func(u *User) *string { return &u.FaxNumber }).max(64).
		column(19).mostly().filtered(advanced, advanced, never, advanced),
	text("givenName", func(u *User) *string { return &u.GivenName }).max(64).byDefault().
		column(20).filtered(basic, basic, never, advanced).searched(SearchByStart),
	moment("hireDate", func(u *User) *time.Time { return &u.HireDate }).neverNull().byName(),
	identity("id", func(u *User) *uuid.UUID { return &u.ID }).byDefault().filtered(basic, never, never, never),
	nestedAll("identities", identityTable, func(u *User) *[]Identity { return &u.Identities }).
		column(21).filtered(basic, never, never, basic),
	fixed[User]("identityParentId", KindString, "null"),
	texts("imAddresses", func(u *User) *[]string { return &u.IMAddresses }).readOnly().
		column(22).mostly().filtered(basic, basic, never, never).searched(SearchByStart),
	texts("interests", func(u *User) *[]string { return &u.Interests }).byName(),
	fixed[User]("isManagementRestricted", KindBool, "null"),
	option("isResourceAccount", func(u *User) **bool { return &u.IsResourceAccount }).column(23).filtered(basic, never, never, never),
	text("jobTitle", func(u *User) *string { return &u.JobTitle }).max(128).byDefault().
		column(24).filtered(basic, basic, never, advanced).searched(SearchByStart),
	moment("lastPasswordChangeDateTime", func(u *User) *time.Time { return &u.LastPasswordChangeDateTime }).readOnly(),
	computed("legalAgeGroupClassification", KindString,
		func(dst []byte, u *User) []byte { return jsontext.AppendTextOrNull(dst, u.legalAgeGroup()) }),
	text("mail", func(u *User) *string { return &u.Mail }).must(wantMail, isMail).byDefault().
		column(25).mostly().filtered(basic, basic, never, advanced).ends().searched(SearchByStart).ordered(advanced),
	fixed[User]("mailboxSettings", KindComplex, "null").byName(),
	text("mailNickname", func(u *User) *string { return &u.MailNickname }).max(64).must(wantNickname, isNickname).needed().
		column(26).mostly().filtered(basic, basic, never, advanced).searched(SearchByStart),
	text("mobilePhone", func(u *User) *string { return &u.MobilePhone }).max(64).byDefault().
		column(27).mostly().filtered(advanced, advanced, never, advanced).searched(SearchByStart),
	text("mySite", func(u *User) *string { return &u.MySite }).byName(),
	text("officeLocation", func(u *User) *string { return &u.OfficeLocation }).max(128).byDefault().
		column(28).filtered(advanced, advanced, never, advanced).searched(SearchByStart),
	text("onPremisesDistinguishedName", func(u *User) *string { return &u.OnPremisesDistinguishedName }).readOnly().column(29).mostly(),
	text("onPremisesDomainName", func(u *User) *string { return &u.OnPremisesDomainName }).readOnly(),
	nested("onPremisesExtensionAttributes", extensionTable, func(u *User) **ExtensionAttributes { return &u.OnPremisesExtensionAttributes }).
		column(30).filtered(advanced, never, never, advanced),
	text("onPremisesImmutableId", func(u *User) *string { return &u.OnPremisesImmutableID }).max(256).
		column(45).mostly().filtered(basic, never, never, never).searched(SearchByStart),
	moment("onPremisesLastSyncDateTime", func(u *User) *time.Time { return &u.OnPremisesLastSyncDateTime }).readOnly().
		column(46).filtered(basic, never, basic, never),
	fixed[User]("onPremisesProvisioningErrors", KindComplexCollection, "[]").filtered(basic, never, never, never).elements("category", "propertyCausingError"),
	text("onPremisesSamAccountName", func(u *User) *string { return &u.OnPremisesSamAccountName }).readOnly().
		column(47).mostly().filtered(advanced, advanced, never, never),
	text("onPremisesSecurityIdentifier", func(u *User) *string { return &u.OnPremisesSecurityIdentifier }).readOnly().
		column(48).mostly().filtered(basic, never, never, advanced),
	option("onPremisesSyncEnabled", func(u *User) **bool { return &u.OnPremisesSyncEnabled }).readOnly().
		column(49).filtered(basic, never, never, advanced),
	text("onPremisesUserPrincipalName", func(u *User) *string { return &u.OnPremisesUserPrincipalName }).readOnly().
		column(50).mostly().filtered(basic, basic, never, never),
	texts("otherMails", func(u *User) *[]string { return &u.OtherMails }).max(250).most(250).must(wantMail, isMail).
		column(51).mostly().filtered(basic, basic, never, never).ends().counted().searched(SearchByStart),
	text("passwordPolicies", func(u *User) *string { return &u.PasswordPolicies }).
		folded(spelledPolicies).must(wantPolicies, isPasswordPolicies).
		column(52).filtered(never, never, never, advanced),
	nested("passwordProfile", passwordTable, func(u *User) **PasswordProfile { return &u.PasswordProfile }).concealed().
		column(53).filtered(advanced, never, never, advanced),
	texts("pastProjects", func(u *User) *[]string { return &u.PastProjects }).byName(),
	text("postalCode", func(u *User) *string { return &u.PostalCode }).max(40).
		column(55).filtered(advanced, advanced, never, advanced).searched(SearchByStart),
	text("preferredDataLocation", func(u *User) *string { return &u.PreferredDataLocation }).max(64),
	text("preferredLanguage", func(u *User) *string { return &u.PreferredLanguage }).must(wantLanguage, isLanguage).byDefault().
		column(56).filtered(advanced, advanced, never, advanced),
	text("preferredName", func(u *User) *string { return &u.PreferredName }).byName(),
	fixed[User]("print", KindComplex, "null").byName(),
	texts("proxyAddresses", func(u *User) *[]string { return &u.ProxyAddresses }).max(1123).must(wantProxy, isProxyAddress).
		column(57).mostly().filtered(basic, basic, never, never).ends().counted().searched(SearchByStart),
	texts("responsibilities", func(u *User) *[]string { return &u.Responsibilities }).byName(),
	texts("schools", func(u *User) *[]string { return &u.Schools }).byName(),
	computed("securityIdentifier", KindString, func(dst []byte, u *User) []byte { return AppendSID(dst, u.ID) }),
	fixed[User]("serviceProvisioningErrors", KindComplexCollection, "[]"),
	option("showInAddressList", func(u *User) **bool { return &u.ShowInAddressList }).column(58).filtered(advanced, never, never, never),
	fixed[User]("signInActivity", KindComplex, "null").byName(),
	moment("signInSessionsValidFromDateTime", func(u *User) *time.Time { return &u.SignInSessionsValidFromDateTime }).readOnly(),
	texts("skills", func(u *User) *[]string { return &u.Skills }).byName(),
	text("state", func(u *User) *string { return &u.State }).max(128).
		column(59).filtered(basic, basic, never, advanced).searched(SearchByStart),
	text("streetAddress", func(u *User) *string { return &u.StreetAddress }).max(1024).
		column(60).mostly().filtered(advanced, advanced, never, advanced),
	text("surname", func(u *User) *string { return &u.Surname }).max(64).byDefault().
		column(61).filtered(basic, basic, never, advanced).searched(SearchByStart),
	text("usageLocation", func(u *User) *string { return &u.UsageLocation }).folded(upper).must(wantCountry, IsCountry).
		column(62).filtered(basic, basic, never, advanced).searched(SearchByStart),
	text("userPrincipalName", func(u *User) *string { return &u.UserPrincipalName }).
		must(wantPrincipal, isPrincipalName).needed().byDefault().
		column(63).mostly().filtered(basic, basic, never, never).ends().searched(SearchByStart).ordered(basic),
	text("userType", func(u *User) *string { return &u.UserType }).oneOf("Member", "Guest").
		column(64).filtered(basic, never, never, advanced).searched(SearchByStart),
).lacks(
	Asked{Path: "createdObjects", Kind: KindComplexCollection, Fields: []string{"id"}, Filterable: Filterable{Equal: advanced}},
	Asked{Path: "infoCatalogs", Kind: KindStringCollection, Filterable: Filterable{Equal: basic, Starts: basic}},
	Asked{Path: "manager/deletedDateTime", Kind: KindDateTime, Filterable: Filterable{Equal: basic, Range: basic}},
	Asked{Path: "manager/id", Kind: KindString, Filterable: Filterable{Equal: basic}}, // stored in the index
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
	&Property[PasswordProfile]{Name: "password", Kind: KindString, secret: true, render: hidePassword, read: checkPassword},
)

// hidePassword shows passwords as the real service does.
func hidePassword(dst []byte, _ *PasswordProfile) []byte { return append(dst, "null"...) }

// checkPassword refuses invalid passwords and stores nothing.
func checkPassword(_ *PasswordProfile, raw []byte, from origin) error {
	password, ok := readString(raw)
	switch {
	case !ok && !isNull(raw):
		return errType
	case from != fromStore && ok && (password == "" || units(password) > 256):
		return &InvalidError{Kind: InvalidValue, Property: "password", Want: "1 to 256 characters"}
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

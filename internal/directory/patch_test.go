package directory

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

var (
	someID  = uuid.MustParse("6E7B768E-07E2-4810-8459-485F84F8F204")
	someDay = time.Date(2026, 1, 31, 12, 0, 0, 999, time.FixedZone("east", 3600))
)

const minimalUser = `"accountEnabled":true,"displayName":"Ann","mailNickname":"ann","userPrincipalName":"ann@contoso.com"`

func newUser(body string) (*User, error) {
	members, err := Members([]byte(body))
	if err != nil {
		return nil, err
	}
	patch, err := ParseUserPatch(members)
	if err != nil {
		return nil, err
	}
	return NewUser(patch, someID, "contoso.example", someDay)
}

func newGroup(body string) (*Group, error) {
	members, err := Members([]byte(body))
	if err != nil {
		return nil, err
	}
	patch, err := ParseGroupPatch(members)
	if err != nil {
		return nil, err
	}
	return NewGroup(patch, someID, someDay)
}

func patchUser(u User, body string) (User, error) {
	members, err := Members([]byte(body))
	if err != nil {
		return u, err
	}
	patch, err := ParseUserPatch(members)
	if err != nil {
		return u, err
	}
	changed, err := patch.Apply(&u)
	if err != nil {
		return u, err
	}
	return *changed, nil
}

func patchGroup(g Group, body string) (Group, error) {
	members, err := Members([]byte(body))
	if err != nil {
		return g, err
	}
	patch, err := ParseGroupPatch(members)
	if err != nil {
		return g, err
	}
	changed, err := patch.Apply(&g)
	if err != nil {
		return g, err
	}
	return *changed, nil
}

func badUser(property string) string {
	return "Invalid value specified for property '" + property + "' of resource 'User'."
}

func TestMessagesOfUserUpdates(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	tests := []struct{ name, body, message string }{
		{"nothing", `{}`, ""},
		{"no JSON", `{"displayName":`, unreadable},
		{"no body", ``, unreadable},
		{"no object", ` ["displayName"]`, unreadable},
		{"a name twice", `{"city":"Bonn","city":"Bonn"}`, unreadable},
		{"a name twice, once escaped", `{"city":"Bonn","c\u0069ty":"Bonn"}`, unreadable},
		{"a name twice inside", `{"employeeOrgData":{"division":"a","division":"b"}}`, unreadable},
		{"unknown property", `{"shoeSize":"44"}`, "Invalid property 'shoeSize'."},
		{"other letter case", `{"displayname":"Ann","EmployeeOrgData":{"DIVISION":"x"},"ID":1,"x@OData.Type":"y"}`, ""},
		{"a name twice in other letter case", `{"city":"Bonn","CITY":"Bonn"}`, unreadable},
		{"a name twice inside in other letter case", `{"employeeOrgData":{"division":"a","Division":"b"}}`, unreadable},
		{"licenses in other letter case", `{"ASSIGNEDLICENSES":[]}`, "Property 'assignedLicenses' is read-only and cannot be set."},
		{"a bad value in other letter case", `{"USERTYPE":"Admin"}`, badUser("userType")},
		{"unknown inner property", `{"employeeOrgData":{"shoeSize":"44"}}`, "Invalid property 'shoeSize'."},
		{"reference left in the body", `{"manager@odata.bind":"x"}`, "Invalid property 'manager@odata.bind'."},
		{"licenses", `{"assignedLicenses":[]}`, "Property 'assignedLicenses' is read-only and cannot be set."},
		{"time of creation", `{"createdDateTime":"2026-01-31T12:00:00Z"}`, "Property 'createdDateTime' is read-only and cannot be set."},
		{"computed property", `{"securityIdentifier":"S-1"}`, "Property 'securityIdentifier' is read-only and cannot be set."},
		{"property without a value here", `{"signInActivity":null}`, "Property 'signInActivity' is read-only and cannot be set."},
		{"id and annotations are passed over", `{"id":5,"@odata.type":"#microsoft.graph.user","skills@odata.type":"#Collection(String)"}`, ""},
		{"number for a text", `{"city":5}`, unreadable},
		{"text for a boolean", `{"accountEnabled":"true"}`, unreadable},
		{"text for a collection", `{"otherMails":"a@b.c"}`, unreadable},
		{"null for a collection", `{"otherMails":null}`, unreadable},
		{"null in a collection", `{"otherMails":[null]}`, unreadable},
		{"text for an object", `{"passwordProfile":"secret"}`, unreadable},
		{"array for an object", `{"employeeOrgData":[]}`, unreadable},
		{"object for a collection of objects", `{"identities":{}}`, unreadable},
		{"text in a collection of objects", `{"identities":["x"]}`, unreadable},
		{"no time", `{"employeeHireDate":"yesterday"}`, unreadable},
		{"a time without zone", `{"employeeHireDate":"2026-01-31T12:00:00"}`, unreadable},
		{"a time out of all calendars", `{"employeeHireDate":"9999-12-31T23:59:59-12:00"}`, unreadable},
		{"any zone", `{"employeeHireDate":"2026-01-31T12:00:00.5+01:00"}`, ""},
		{"null clears", `{"city":null,"employeeHireDate":null,"employeeOrgData":null,"showInAddressList":null}`, ""},
		{"an empty text", `{"city":""}`, badUser("city")},
		{"an empty text in a collection", `{"otherMails":[""]}`, badUser("otherMails")},
		{"no displayName", `{"displayName":null}`, badUser("displayName")},
		{"no accountEnabled", `{"accountEnabled":null}`, badUser("accountEnabled")},
		{"no mailNickname", `{"mailNickname":null}`, badUser("mailNickname")},
		{"no userPrincipalName", `{"userPrincipalName":null}`, badUser("userPrincipalName")},
		{"256 characters of displayName", `{"displayName":` + long(256) + `}`, ""},
		{"257 characters of displayName", `{"displayName":` + long(257) + `}`, badUser("displayName")},
		{"129 characters outside the first plane count twice", `{"displayName":"` + strings.Repeat("😀", 129) + `"}`, badUser("displayName")},
		{"long givenName", `{"givenName":` + long(65) + `}`, badUser("givenName")},
		{"long surname", `{"surname":` + long(65) + `}`, badUser("surname")},
		{"long jobTitle", `{"jobTitle":` + long(129) + `}`, badUser("jobTitle")},
		{"long department", `{"department":` + long(65) + `}`, badUser("department")},
		{"long companyName", `{"companyName":` + long(65) + `}`, badUser("companyName")},
		{"long city", `{"city":` + long(129) + `}`, badUser("city")},
		{"long country", `{"country":` + long(129) + `}`, badUser("country")},
		{"long state", `{"state":` + long(129) + `}`, badUser("state")},
		{"long postalCode", `{"postalCode":` + long(41) + `}`, badUser("postalCode")},
		{"long streetAddress", `{"streetAddress":` + long(1025) + `}`, badUser("streetAddress")},
		{"long mobilePhone", `{"mobilePhone":` + long(65) + `}`, badUser("mobilePhone")},
		{"long faxNumber", `{"faxNumber":` + long(65) + `}`, badUser("faxNumber")},
		{"long employeeId", `{"employeeId":` + long(17) + `}`, badUser("employeeId")},
		{"long officeLocation", `{"officeLocation":` + long(129) + `}`, badUser("officeLocation")},
		{"two businessPhones", `{"businessPhones":["1","2"]}`, badUser("businessPhones")},
		{"one businessPhone", `{"businessPhones":["+49 228 1"]}`, ""},
		{"too many skills", `{"skills":[` + strings.Repeat(`"go",`, maxTexts) + `"go"]}`, badUser("skills")},
		{"a country", `{"usageLocation":"de"}`, ""},
		{"a country that is none", `{"usageLocation":"XX"}`, badUser("usageLocation")},
		{"a country's name", `{"usageLocation":"Germany"}`, badUser("usageLocation")},
		{"half a country", `{"usageLocation":"D"}`, badUser("usageLocation")},
		{"two halves of countries", `{"usageLocation":"DA"}`, badUser("usageLocation")},
		{"Member", `{"userType":"Member"}`, ""},
		{"no type of user", `{"userType":"Admin"}`, badUser("userType")},
		{"ageGroup", `{"ageGroup":"Old"}`, badUser("ageGroup")},
		{"consentProvidedForMinor", `{"consentProvidedForMinor":"Maybe"}`, badUser("consentProvidedForMinor")},
		{"language", `{"preferredLanguage":"en-US"}`, ""},
		{"no language", `{"preferredLanguage":"english"}`, badUser("preferredLanguage")},
		{"password policies", `{"passwordPolicies":"DisablePasswordExpiration, DisableStrongPassword"}`, ""},
		{"no password policy", `{"passwordPolicies":"DisableAll"}`, badUser("passwordPolicies")},
		{"empty password", `{"passwordProfile":{"password":""}}`, badUser("passwordProfile.password")},
		{"identity without issuer", `{"identities":[{"issuer":null}]}`, badUser("identities.issuer")},
		{"extension attribute", `{"onPremisesExtensionAttributes":{"extensionAttribute15":"x"}}`, ""},
		{"extension attribute 16", `{"onPremisesExtensionAttributes":{"extensionAttribute16":"x"}}`, "Invalid property 'extensionAttribute16'."},
		{"mail", `{"mail":"ann@contoso.com"}`, ""},
		{"mail with accent", `{"mail":"änn@contoso.com"}`, badUser("mail")},
		{"mail without domain", `{"mail":"ann"}`, badUser("mail")},
		{"proxy addresses", `{"proxyAddresses":["SMTP:a@b.c","smtp: d@e.f","sip:a@b.c","X500:/o=Contoso/cn=ann x"]}`, ""},
		{"no proxy address", `{"proxyAddresses":["SMTP:ann"]}`, badUser("proxyAddresses")},
		{"proxy address without address", `{"proxyAddresses":["sip:"]}`, badUser("proxyAddresses")},
		{"long mailNickname", `{"mailNickname":` + long(65) + `}`, badUser("mailNickname")},
		{"mailNickname with space", `{"mailNickname":"a b"}`, badUser("mailNickname")},
		{"mailNickname with @", `{"mailNickname":"a@b"}`, badUser("mailNickname")},
		{"mailNickname with accent", `{"mailNickname":"jörg"}`, badUser("mailNickname")},
		{"mailNickname with dot", `{"mailNickname":"ann.lee"}`, ""},
		{"userPrincipalName", `{"userPrincipalName":"o'neil_x#EXT#@contoso.onmicrosoft.com"}`, ""},
		{"userPrincipalName without domain", `{"userPrincipalName":"ann"}`, badUser("userPrincipalName")},
		{"userPrincipalName without name", `{"userPrincipalName":"@contoso.com"}`, badUser("userPrincipalName")},
		{"userPrincipalName with two @", `{"userPrincipalName":"a@b@contoso.com"}`, badUser("userPrincipalName")},
		{"userPrincipalName with accent", `{"userPrincipalName":"jörg@contoso.com"}`, badUser("userPrincipalName")},
		{"userPrincipalName with dot before @", `{"userPrincipalName":"ann.@contoso.com"}`, badUser("userPrincipalName")},
		{"userPrincipalName with a bad domain", `{"userPrincipalName":"ann@-contoso.com"}`, badUser("userPrincipalName")},
		{"userPrincipalName with a long name", `{"userPrincipalName":"` + strings.Repeat("a", 65) + `@contoso.com"}`, badUser("userPrincipalName")},
		{"userPrincipalName with a long domain", `{"userPrincipalName":"a@` + strings.Repeat("a", 49) + `"}`, badUser("userPrincipalName")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			before := User{ID: someID, DisplayName: "Before", Skills: []string{"x"}}
			_, err := patchUser(before, test.body)
			expectMessage(t, err, test.message)
		})
	}
}

func expectMessage(t *testing.T, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
		if invalid := new(InvalidError); !errors.As(err, &invalid) || invalid.Kind == 0 || invalid.Want == "" {
			t.Errorf("%#v is no *InvalidError with kind and remedy", err)
		}
	}
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMessagesOfUserCreation(t *testing.T) {
	t.Parallel()
	missing := func(property string) string {
		return "A value is required for property '" + property + "' of resource 'User'."
	}
	tests := []struct{ body, message string }{
		{`{` + minimalUser + `,"passwordProfile":{"password":"s3cret"}}`, ""},
		{`{` + minimalUser + `}`, missing("passwordProfile.password")},
		{`{` + minimalUser + `,"passwordProfile":null}`, missing("passwordProfile.password")},
		{`{` + minimalUser + `,"passwordProfile":{"forceChangePasswordNextSignIn":true}}`, missing("passwordProfile.password")},
		{`{}`, missing("accountEnabled")},
		{`{"accountEnabled":true}`, missing("displayName")},
		{`{"accountEnabled":true,"displayName":"Ann"}`, missing("mailNickname")},
		{`{"accountEnabled":true,"displayName":"Ann","mailNickname":"ann"}`, missing("userPrincipalName")},
	}
	for _, test := range tests {
		_, err := newUser(test.body)
		expectMessage(t, err, test.message)
	}
}

func TestMessagesOfGroups(t *testing.T) {
	t.Parallel()
	invalid := func(property string) string {
		return "Invalid value specified for property '" + property + "' of resource 'Group'."
	}
	missing := func(property string) string {
		return "A value is required for property '" + property + "' of resource 'Group'."
	}
	const named = `"displayName":"Sales","mailNickname":"sales"`
	create := []struct{ name, body, message string }{
		{"security group", `{` + named + `,"mailEnabled":false,"securityEnabled":true,"groupTypes":[]}`, ""},
		{"Microsoft 365 group", `{` + named + `,"mailEnabled":true,"securityEnabled":false,"groupTypes":["Unified"]}`, ""},
		{"distribution group", `{` + named + `,"mailEnabled":true,"securityEnabled":false}`, ""},
		{"Unified without mail", `{` + named + `,"mailEnabled":false,"securityEnabled":true,"groupTypes":["Unified"]}`, invalid("mailEnabled")},
		{"neither mail nor security", `{` + named + `,"mailEnabled":false,"securityEnabled":false}`, invalid("securityEnabled")},
		{"no type of group", `{` + named + `,"mailEnabled":true,"securityEnabled":true,"groupTypes":["Team"]}`, invalid("groupTypes")},
		{"dynamic", `{` + named + `,"mailEnabled":false,"securityEnabled":true,"groupTypes":["DynamicMembership"],"membershipRule":"x"}`, ""},
		{"dynamic, in any letter case", `{` + named + `,"mailEnabled":false,"securityEnabled":true,"groupTypes":["dynamicmembership"],"membershipRule":"x","membershipRuleProcessingState":"on"}`, ""},
		{"dynamic without rule", `{` + named + `,"mailEnabled":false,"securityEnabled":true,"groupTypes":["DynamicMembership"]}`, invalid("membershipRule")},
		{"unknown state", `{` + named + `,"mailEnabled":false,"securityEnabled":true,"groupTypes":["DynamicMembership"],"membershipRule":"x","membershipRuleProcessingState":"Off"}`, invalid("membershipRuleProcessingState")},
		{"dynamic and role-assignable", `{` + named + `,"mailEnabled":false,"securityEnabled":true,"groupTypes":["DynamicMembership"],"membershipRule":"x","isAssignableToRole":true}`, invalid("groupTypes")},
		{"dynamic distribution group", `{` + named + `,"mailEnabled":true,"securityEnabled":true,"groupTypes":["DynamicMembership"],"membershipRule":"x"}`, invalid("groupTypes")},
		{"rule without dynamic", `{` + named + `,"mailEnabled":false,"securityEnabled":true,"membershipRule":"x"}`, invalid("membershipRule")},
		{"long rule", `{` + named + `,"mailEnabled":false,"securityEnabled":true,"groupTypes":["DynamicMembership"],"membershipRule":"` + strings.Repeat("x", 3073) + `"}`, invalid("membershipRule")},
		{"On without dynamic", `{` + named + `,"mailEnabled":false,"securityEnabled":true,"membershipRuleProcessingState":"On"}`, invalid("membershipRuleProcessingState")},
		{"roles without security", `{` + named + `,"mailEnabled":true,"securityEnabled":false,"isAssignableToRole":true}`, invalid("isAssignableToRole")},
		{"visibility", `{` + named + `,"mailEnabled":true,"securityEnabled":false,"visibility":"Secret"}`, invalid("visibility")},
		{"theme", `{` + named + `,"mailEnabled":true,"securityEnabled":false,"theme":"Black"}`, invalid("theme")},
		{"mail", `{` + named + `,"mailEnabled":true,"securityEnabled":false,"mail":"a@b.c"}`, "Property 'mail' is read-only and cannot be set."},
		{"license errors", `{"hasMembersWithLicenseErrors":true}`, "Property 'hasMembersWithLicenseErrors' is read-only and cannot be set."},
		{"displayName missing", `{}`, missing("displayName")},
		{"mailEnabled missing", `{"displayName":"Sales"}`, missing("mailEnabled")},
		{"mailNickname missing", `{"displayName":"Sales","mailEnabled":false}`, missing("mailNickname")},
		{"securityEnabled missing", `{` + named + `,"mailEnabled":false}`, missing("securityEnabled")},
	}
	for _, test := range create {
		t.Run("create "+test.name, func(t *testing.T) {
			t.Parallel()
			_, err := newGroup(test.body)
			expectMessage(t, err, test.message)
		})
	}
	update := []struct{ name, body, message string }{
		{"description", `{"description":"x"}`, ""},
		{"no securityEnabled", `{"securityEnabled":false}`, invalid("securityEnabled")},
		{"distribution group", `{"securityEnabled":false,"mailEnabled":true}`, ""},
		{"becomes Unified", `{"groupTypes":["Unified"],"mailEnabled":true}`, invalid("groupTypes")},
		{"becomes dynamic without rule", `{"groupTypes":["DynamicMembership"]}`, invalid("membershipRule")},
		{"becomes dynamic", `{"groupTypes":["DynamicMembership"],"membershipRule":"x"}`, ""},
		{"rule of a static group", `{"membershipRule":"x"}`, invalid("membershipRule")},
		{"a static group On", `{"membershipRuleProcessingState":"On"}`, invalid("membershipRuleProcessingState")},
		{"becomes assignable to roles", `{"isAssignableToRole":true}`, invalid("isAssignableToRole")},
		{"long description", `{"description":"` + strings.Repeat("x", 1025) + `"}`, invalid("description")},
	}
	for _, test := range update {
		t.Run("update "+test.name, func(t *testing.T) {
			t.Parallel()
			_, err := patchGroup(Group{ID: someID, SecurityEnabled: true}, test.body)
			expectMessage(t, err, test.message)
		})
	}
}

func TestNewUserIsComplete(t *testing.T) {
	t.Parallel()
	u, err := newUser(`{` + minimalUser + `,"usageLocation":"de","passwordProfile":{"password":"s3cret","forceChangePasswordNextSignIn":true}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"accountEnabled":true,"createdDateTime":"2026-01-31T11:00:00Z","displayName":"Ann","id":"6e7b768e-07e2-4810-8459-485f84f8f204",` +
		`"lastPasswordChangeDateTime":"2026-01-31T11:00:00Z","mailNickname":"ann",` +
		`"passwordProfile":{"forceChangePasswordNextSignIn":true,"forceChangePasswordNextSignInWithMfa":null,"password":null},` +
		`"signInSessionsValidFromDateTime":"2026-01-31T11:00:00Z","usageLocation":"DE","userPrincipalName":"ann@contoso.com","userType":"Member"}`
	if got := string(u.Document()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestApplyLeavesTheOldObjectAlone(t *testing.T) {
	t.Parallel()
	old := User{
		OtherMails: []string{"a@b.c"}, ShowInAddressList: new(bool),
		EmployeeOrgData: &EmployeeOrgData{CostCenter: "1", Division: "Sales"},
	}
	before := string(old.Document())
	changed, err := patchUser(old, `{"otherMails":["d@e.f"],"showInAddressList":true,"employeeOrgData":{"costCenter":"2"}}`)
	if err != nil {
		t.Fatal(err)
	}
	if after := string(old.Document()); after != before {
		t.Errorf("the old user is now %s", after)
	}
	if *changed.EmployeeOrgData != (EmployeeOrgData{"2", "Sales"}) {
		t.Errorf("division is not kept: %+v", *changed.EmployeeOrgData)
	}
}

func TestImportsTakeWhatIsReadOnly(t *testing.T) {
	t.Parallel()
	members, err := Members([]byte(`{"@odata.context":"x",` + minimalUser + `,"id":"x","createdDateTime":"2020-02-02T02:02:02Z",
		"deletedDateTime":"2020-02-02T02:02:02Z","onPremisesSyncEnabled":true,"assignedLicenses":[{}],"securityIdentifier":"S-1"}`))
	if err != nil {
		t.Fatal(err)
	}
	patch, err := ParseUserImport(members)
	if err != nil {
		t.Fatal(err)
	}
	u := new(User)
	if err := u.Import(patch, someID, someDay); err != nil {
		t.Fatal(err)
	}
	if u.CreatedDateTime.Year() != 2020 || !u.DeletedDateTime.IsZero() || !*u.OnPremisesSyncEnabled || u.ID != someID {
		t.Errorf("got %s", u.Document())
	}
}

// TestImportedUsersHaveTheUsualDefaults: what an import does not say is as in any new user, and a
// null is kept.
func TestImportedUsersHaveTheUsualDefaults(t *testing.T) {
	t.Parallel()
	for _, also := range []string{
		"", `,"userType":null`, `,"userType":"Guest"`, `,"createdDateTime":null`, `,"lastPasswordChangeDateTime":null`,
		`,"lastPasswordChangeDateTime":"2020-02-02T02:02:02Z"`, `,"signInSessionsValidFromDateTime":"2020-02-02T02:02:02Z"`,
		`,"employeeOrgData":{"costCenter":"2"},"skills":["a","b"],"city":null`,
	} {
		members, err := Members([]byte(`{` + minimalUser + also + `}`))
		if err != nil {
			t.Fatal(err)
		}
		patch, err := ParseUserImport(members)
		if err != nil {
			t.Fatalf("%s: %v", also, err)
		}
		want, err := patch.Apply(&User{
			ID: someID, CreatedDateTime: someDay, LastPasswordChangeDateTime: someDay, UserType: "Member",
		})
		if err != nil {
			t.Fatal(err)
		}
		if want.SignInSessionsValidFromDateTime = someDay; want.CreatedDateTime.IsZero() {
			want.CreatedDateTime = someDay
		}
		got := &User{City: "of the user before", Skills: []string{"c"}}
		if err := got.Import(patch, someID, someDay); err != nil || string(got.Document()) != string(want.Document()) {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", also, err, got.Document(), want.Document())
		}
	}
}

func TestPatchNames(t *testing.T) {
	t.Parallel()
	members, _ := Members([]byte(` { "city" : null , "id":"x", "skills" : [ "a" , "b" ] } `))
	patch, err := ParseUserPatch(members)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(patch.Names(), " "); got != "city skills" || !patch.Has("city") || patch.Has("id") || patch.Empty() {
		t.Errorf("names are %q", got)
	}
}

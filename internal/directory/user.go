package directory

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// User is Graph's user, without its licenses. Texts that are empty are null in Graph. Users are
// shared: to change one, copy it, and replace its slices instead of changing them.
type User struct {
	ID                uuid.UUID
	CreatedDateTime   time.Time // UTC, whole seconds, like all times here
	DeletedDateTime   time.Time // zero unless it is in the deleted items
	AccountEnabled    bool
	DisplayName       string
	UserPrincipalName string
	MailNickname      string
	Mail              string
	ProxyAddresses    []string
	OtherMails        []string
	UsageLocation     string
	UserType          string

	AboutMe                         string
	AgeGroup                        string
	Birthday                        time.Time
	BusinessPhones                  []string
	City                            string
	CompanyName                     string
	ConsentProvidedForMinor         string
	Country                         string
	CreationType                    string
	Department                      string
	EmployeeHireDate                time.Time
	EmployeeID                      string
	EmployeeLeaveDateTime           time.Time
	EmployeeOrgData                 *EmployeeOrgData
	EmployeeType                    string
	ExternalUserState               string
	ExternalUserStateChangeDateTime time.Time
	FaxNumber                       string
	GivenName                       string
	HireDate                        time.Time
	Identities                      []Identity
	IMAddresses                     []string
	Interests                       []string
	IsResourceAccount               *bool
	JobTitle                        string
	LastPasswordChangeDateTime      time.Time
	MobilePhone                     string
	MySite                          string
	OfficeLocation                  string
	OnPremisesDistinguishedName     string
	OnPremisesDomainName            string
	OnPremisesExtensionAttributes   *ExtensionAttributes
	OnPremisesImmutableID           string
	OnPremisesLastSyncDateTime      time.Time
	OnPremisesSamAccountName        string
	OnPremisesSecurityIdentifier    string
	OnPremisesSyncEnabled           *bool
	OnPremisesUserPrincipalName     string
	PasswordPolicies                string
	PasswordProfile                 *PasswordProfile
	PastProjects                    []string
	PostalCode                      string
	PreferredDataLocation           string
	PreferredLanguage               string
	PreferredName                   string
	Responsibilities                []string
	Schools                         []string
	ShowInAddressList               *bool
	SignInSessionsValidFromDateTime time.Time
	Skills                          []string
	State                           string
	StreetAddress                   string
	Surname                         string
}

// EmployeeOrgData is Graph's employeeOrgData.
type EmployeeOrgData struct{ CostCenter, Division string }

// ExtensionAttributes is Graph's onPremisesExtensionAttributes: extensionAttribute1 is the first.
type ExtensionAttributes [15]string

// Identity is Graph's objectIdentity.
type Identity struct{ Issuer, IssuerAssignedID, SignInType string }

// PasswordProfile is Graph's passwordProfile without the password, which is stored separately,
// outside the documents (see PasswordIn).
type PasswordProfile struct {
	ForceChangePasswordNextSignIn        *bool
	ForceChangePasswordNextSignInWithMFA *bool
}

// ParseUser parses the result of Document.
func ParseUser(document []byte) (*User, error) { return userTable.parse(document) }

// Document returns the stored form of the user: a JSON object with Graph's names, without
// properties that have no value.
func (u *User) Document() []byte { return userTable.document(u) }

// UserProperty returns the property with a name, in any letter case.
func UserProperty(name string) (*Property[User], bool) { return userTable.property(name) }

// UserProperties returns all properties except those of licenses, in alphabetical order. The slice
// is shared.
func UserProperties() []*Property[User] { return userTable.all }

// ParseUserPatch parses the body of a request that creates or updates a user. Errors are
// *InvalidError.
func ParseUserPatch(members []Member) (UserPatch, error) { return userTable.patch(members, fromClient) }

// ParseUserImport parses a user in the form that another directory shows: it accepts read-only
// properties that are stored, and skips licenses and computed properties. Errors are *InvalidError.
func ParseUserImport(members []Member) (UserPatch, error) {
	return userTable.patch(members, fromImport)
}

// ParseUserExport is ParseUserImport for a user of an export. It accepts what earlier versions
// have stored: identities without an issuer or a type.
func ParseUserExport(members []Member) (UserPatch, error) {
	return userTable.patch(members, fromExport)
}

// ForgetTexts makes the patch keep nothing of the text that it was parsed from, which has other
// users too. User.Import still takes the patch, but Apply does not.
func ForgetTexts(patch UserPatch) {
	for i := range patch.changes {
		patch.changes[i].value = json.RawMessage{}
	}
}

// NewUser creates a user from a client's request (docs/spec/protocol.md P50). A user with
// identities needs no name: it gets one in the domain. The caller must call Organization.CheckName,
// and check that the name is free.
func NewUser(patch UserPatch, id uuid.UUID, domain string, now time.Time) (*User, error) {
	user, required := User{}, requiredOfUsers
	identities := identitiesIn(patch)
	if len(identities) > 0 && !patch.Has("userPrincipalName") {
		required = []string{"displayName"}
		user = User{
			AccountEnabled:    true,
			CreationType:      "LocalAccount",
			MailNickname:      id.String(),
			UserPrincipalName: id.String() + "@" + domain,
		}
	}
	if err := patch.require("User", required...); err != nil {
		return nil, err
	}
	isLocal := func(i Identity) bool { return i.SignInType != "federated" }
	if _, ok := PasswordIn(patch); !ok && (len(identities) == 0 || slices.ContainsFunc(identities, isLocal)) {
		return nil, &InvalidError{Kind: InvalidMissing, Resource: "User", Property: "passwordProfile.password", Want: "a first password"}
	}
	now = now.UTC().Truncate(time.Second)
	user.ID, user.CreatedDateTime, user.UserType = id, now, "Member"
	user.LastPasswordChangeDateTime, user.SignInSessionsValidFromDateTime = now, now
	if err := patch.apply(&user); err != nil {
		return nil, err
	}
	return &user, nil
}

// identitiesIn returns the identities that a patch sets.
func identitiesIn(patch UserPatch) []Identity {
	if patch.Empty() {
		return nil
	}
	return patch.object.Identities
}

var requiredOfUsers = []string{"accountEnabled", "displayName", "mailNickname", "userPrincipalName"}

// Import makes u a user of an import, which has no passwords. The user keeps its time of creation,
// but its sessions begin now, because tokens issued before are not valid here.
func (u *User) Import(patch UserPatch, id uuid.UUID, now time.Time) error {
	err := u.ImportExact(patch, id, now)
	u.DeletedDateTime = time.Time{}
	return err
}

// ImportExact is Import for a user of an export, which may be deleted.
func (u *User) ImportExact(patch UserPatch, id uuid.UUID, now time.Time) error {
	if err := patch.require("User", requiredOfUsers...); err != nil {
		return err
	}
	now = now.UTC().Truncate(time.Second)
	*u = *patch.object
	u.ID, u.SignInSessionsValidFromDateTime = id, now
	if u.CreatedDateTime.IsZero() {
		u.CreatedDateTime = now
	}
	if !patch.Has("userType") {
		u.UserType = "Member"
	}
	if !patch.Has("lastPasswordChangeDateTime") {
		u.LastPasswordChangeDateTime = now
	}
	return nil
}

// PasswordIn returns the password that a patch sets, and whether it sets one.
func PasswordIn(patch UserPatch) (password string, ok bool) {
	var sent struct {
		Password string `json:"password"`
	}
	err := json.Unmarshal(patch.value("passwordProfile"), &sent)
	return sent.Password, err == nil && sent.Password != ""
}

// NameIn returns the userPrincipalName that a patch sets, "" if it sets none.
func NameIn(patch UserPatch) string {
	if patch.Empty() {
		return ""
	}
	return patch.object.UserPrincipalName
}

// Addresses returns the addresses that must be unique among users with a product with Exchange
// (docs/spec/licensing.md L43): mail and the proxy addresses in lower case, without the prefix
// smtp:, other prefixes kept; sorted, without duplicates.
func (u *User) Addresses() []string {
	all := make([]string, 0, len(u.ProxyAddresses)+1)
	for _, address := range append(slices.Clone(u.ProxyAddresses), u.Mail) {
		address = strings.TrimPrefix(strings.ToLower(address), "smtp:")
		if address = strings.TrimSpace(address); address != "" {
			all = append(all, address)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// legalAgeGroup returns the classification that follows from ageGroup and consentProvidedForMinor.
func (u *User) legalAgeGroup() string {
	switch {
	case u.AgeGroup != "Minor":
		return u.AgeGroup
	case u.ConsentProvidedForMinor == "Granted":
		return "MinorWithParentalConsent"
	case u.ConsentProvidedForMinor == "NotRequired":
		return "MinorNoParentalConsentRequired"
	}
	return "MinorWithoutParentalConsent"
}

package identity

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// writes are the operations that change something; the others read.
var writes = []Operation{
	CreateUsers, WriteUsers, DeleteUsers, AssignUser, ReprocessUser, CreateGroups, WriteGroups, DeleteGroups, WriteMembers, WriteOwners,
	AssignGroup, WriteOrganization, WriteSettings, ReprocessMany, Import, Develop, CreateApplications, WriteApplications, CreatePrincipals,
	WritePrincipals, WriteAppRoles, RemoveAppRoles, WriteAppRolesOfOthers, AddApplicationOwners, RemoveApplicationOwners, WriteApplicationKeys, Instantiate, InvalidateTokens,
	WriteGrants, RemoveGrants, WriteRoles, ResetPassword, RevokeSessions, WriteSignIn, WriteUnits, CreateInUnits,
}

// guarded are the operations that writing the directory is not enough for, because each lets the
// caller come by what it has not got.
var guarded = []Operation{
	CreateApplications, WriteApplications, CreatePrincipals, WritePrincipals, WriteAppRoles, RemoveAppRoles, WriteAppRolesOfOthers,
	AddApplicationOwners, WriteApplicationKeys, Instantiate, WriteGrants, WriteRoles, WriteSignIn, ResetPassword, ChangePassword,
}

// narrow are the other operations that writing the directory is not enough for, as it is
// documented.
var narrow = []Operation{
	DeleteUsers, DeleteGroups, ReadMembers, ReadOwners, ReadObjects, ReadOrganizationByID, WriteOrganization, ReadDomains, ReadGrantsOfUser,
	ReadFederated, ReadOneFederated, ReadApplications, ReadPrincipals, ReadAllReports, ReadAppRolesOfUser, ReadOneMembership, ReadAssignedResources, ReadGroupsOwned, InvalidateTokens, WriteUnits,
}

func application(permissions ...string) *Caller {
	return &Caller{Tenant: contoso, ObjectID: principal, AppID: appID, Permissions: permissions}
}

func member(roles []Role, permissions ...string) *Caller {
	c := &Caller{Tenant: contoso, ObjectID: ann, Delegated: true, Permissions: permissions}
	for _, role := range roles {
		c.Roles = append(c.Roles, role.ID)
	}
	return c
}

func (op Operation) want(t *testing.T, c *Caller, object Relation, want Access) {
	t.Helper()
	access, err := op.Check(c, object)
	if refusal := (*Forbidden)(nil); want == None && (!errors.As(err, &refusal) || refusal.Operation != op) {
		t.Errorf("%s: error is %v, want Forbidden", op, err)
	}
	if access != want || (want != None && err != nil) {
		t.Errorf("%s by %+v: access %d, %v; want %d", op, c, access, err, want)
	}
}

func TestEveryOperationCanBeDoneByAnApplicationWithItsPermission(t *testing.T) {
	t.Parallel()
	for op, need := range Needs {
		if len(need.application.full)+len(need.application.basic) == 0 {
			t.Errorf("%s: no application can do it", op)
		}
		for _, permission := range need.application.full {
			op.want(t, application(append(strings.Split(permission, "+"), "Mail.Read")...), Other, Full)
		}
		for _, permission := range need.Owned {
			op.want(t, application(strings.Split(permission, "+")...), Owned, Full)
			op.want(t, application(strings.Split(permission, "+")...), Other, None)
		}
		for _, permission := range need.Own {
			if !slices.Contains(need.Application, permission) {
				op.want(t, application(permission), Self, None)
			}
		}
		op.want(t, application(), Other, None)
		op.want(t, application("Mail.Read", "openid", ""), Owned, None)
		for _, permission := range need.Full { // names are exact
			op.want(t, application(strings.ToLower(permission), permission+" ", permission+"X"), Other, None)
			if one, other, both := strings.Cut(permission, "+"); both && len(need.Basic) == 0 {
				op.want(t, application(one), Other, None)
				op.want(t, application(other), Other, None)
			}
		}
	}
}

func TestAnApplicationThatWritesTheDirectoryMayDoEverythingButComeByMore(t *testing.T) {
	t.Parallel()
	for op := range Needs {
		want := Full
		if slices.Contains(guarded, op) || slices.Contains(narrow, op) {
			want = None
		}
		op.want(t, application("Directory.ReadWrite.All"), Other, want)
	}
}

// Of the operations that let a caller come by what it has not got, the permission for one is of no
// use for another.
func TestNoPermissionLeadsToAnother(t *testing.T) {
	t.Parallel()
	for _, op := range []Operation{WriteApplications, WriteAppRoles, WriteGrants, WriteRoles, WriteSignIn} {
		for _, other := range []Operation{WriteApplications, WriteGrants, WriteRoles, WriteSignIn, ResetPassword, ChangePassword} {
			if other != op {
				op.want(t, application(Needs[other].Full...), Other, None)
				op.want(t, member([]Role{GlobalAdministrator}, Needs[other].Full...), Other, None)
			}
		}
	}
	WriteAppRoles.want(t, member([]Role{ApplicationAdministrator}, "AppRoleAssignment.ReadWrite.All", "Application.Read.All"), Other, None)
	WriteRoles.want(t, member([]Role{UserAdministrator, ApplicationAdministrator}, "RoleManagement.ReadWrite.Directory"), Other, None)
}

func TestWhoMayTakeOverAnAccount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		caller *Caller
		roles  []Role // of the user
		guard  bool   // by a group that roles can be given to
		want   bool
	}{
		{application("User.ReadWrite.All"), nil, false, true},
		{application("User.ReadWrite.All"), []Role{DirectoryReaders}, false, false},
		{member([]Role{UserAdministrator}), nil, false, true},
		{member([]Role{UserAdministrator}), []Role{UserAdministrator, DirectoryReaders}, false, true},
		{member([]Role{UserAdministrator}), []Role{GlobalAdministrator}, false, false},
		{member([]Role{UserAdministrator}), []Role{DirectoryReaders, LicenseAdministrator}, false, false},
		{member([]Role{UserAdministrator}), []Role{PrivilegedRoleAdministrator}, false, false},
		{member([]Role{DirectoryWriters}), []Role{DirectoryReaders}, false, false},
		{member([]Role{PrivilegedRoleAdministrator}), []Role{GlobalAdministrator}, false, false},
		{member([]Role{GlobalAdministrator}), []Role{GlobalAdministrator}, false, true},
		{application("User.ReadWrite.All"), nil, true, false},
		{member([]Role{UserAdministrator}), nil, true, false},
		{member([]Role{UserAdministrator}), []Role{DirectoryReaders}, true, false},
		{member([]Role{PrivilegedRoleAdministrator}), nil, true, false},
		{member([]Role{GlobalAdministrator}), nil, true, true},
	} {
		var roles []uuid.UUID
		for _, r := range c.roles {
			roles = append(roles, r.ID)
		}
		if got := c.caller.MayTakeOver(roles, c.guard); got != c.want {
			t.Errorf("%+v of %v, guarded %v: %v", c.caller, c.roles, c.guard, got)
		}
	}
}

func TestOnesOwnSessionsNeedNoRole(t *testing.T) {
	t.Parallel()
	RevokeSessions.want(t, member(nil, "User.RevokeSessions.All"), Self, Full)
	RevokeSessions.want(t, member(nil, "User.Read"), Self, None)
	RevokeSessions.want(t, member(nil, "User.RevokeSessions.All"), Owned, None)
}

func TestASignedInUserNeedsARoleToWriteAndNoneToRead(t *testing.T) {
	t.Parallel()
	for op, need := range Needs {
		want := Full
		if slices.Contains(writes, op) {
			want = None
			if len(need.Roles) == 0 {
				t.Errorf("%s: any member may do it", op)
			}
		}
		if len(need.Full) == 0 {
			continue
		}
		full := need.delegated.full
		all := strings.Split(strings.Join(full, "+"), "+")
		op.want(t, member(nil, all...), Other, want)
		op.want(t, member([]Role{GlobalReader, DirectoryReaders}, all...), Other, want)
		op.want(t, member([]Role{GlobalAdministrator}, all...), Other, Full)
		op.want(t, member([]Role{GlobalAdministrator}), Other, None)
		for _, role := range need.Roles {
			op.want(t, member([]Role{role}, strings.Split(full[0], "+")...), Other, Full)
			op.want(t, member([]Role{role}, "Mail.Read"), Other, None)
		}
		for _, role := range Roles {
			if want == None && role != GlobalAdministrator && !slices.Contains(need.Roles, role) {
				op.want(t, member([]Role{role}, all...), Other, None)
			}
		}
	}
}

func TestSomePermissionsShowLessThanAll(t *testing.T) {
	t.Parallel()
	ReadUsers.want(t, application("User.ReadBasic.All"), Other, Basic)
	ReadUsers.want(t, application("User.ReadBasic.All", "User.Read.All"), Other, Full)
	ReadUser.want(t, member(nil, "User.Read"), Self, Full)
	ReadUser.want(t, member(nil, "User.Read"), Other, None)
	ReadUser.want(t, member(nil, "User.Read", "User.ReadBasic.All"), Other, Basic)
	ReadUser.want(t, member(nil, "User.Read", "User.ReadBasic.All"), Self, Full)
	ReadLicenseDetails.want(t, member(nil, "User.Read"), Self, Full)
	ReadLicenseDetails.want(t, member(nil, "User.Read"), Other, None)
	ReadGroups.want(t, application("GroupMember.Read.All"), Other, Basic)
	ReadGroups.want(t, application("Group.ReadBasic.All"), Other, Basic)
	ReadOrganization.want(t, member(nil, "User.Read"), Other, Basic)
	ReadOrganization.want(t, application("User.Read"), Other, None)
}

func TestSomePermissionsAreForSomePropertiesOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		caller   *Caller
		object   Relation
		want     Access
		property string
		may      bool
	}{
		{application("User-PasswordProfile.ReadWrite.All"), Other, Part, "passwordProfile", true},
		{application("User-PasswordProfile.ReadWrite.All"), Other, Part, "accountEnabled", false},
		{application("User-Phone.ReadWrite.All", "User.EnableDisableAccount.All"), Other, Part, "accountEnabled", true},
		{application("User-Phone.ReadWrite.All", "User.ReadWrite.All"), Other, Full, "jobTitle", false},
		{application("User.ReadWrite"), Self, None, "mobilePhone", false},
		{member([]Role{UserAdministrator}, "User-Phone.ReadWrite.All"), Other, Part, "businessPhones", true},
		{member(nil, "User-Phone.ReadWrite.All"), Other, None, "businessPhones", false},
		{member(nil, "User-Phone.ReadWrite.All"), Self, None, "businessPhones", false},
		{member(nil, "User.ReadWrite"), Self, Part, "mobilePhone", true},
		{member(nil, "User.ReadWrite"), Self, Part, "jobTitle", false},
		{member(nil, "User.ReadWrite"), Other, None, "mobilePhone", false},
		{member(nil, "User.Read"), Self, None, "mobilePhone", false},
		{member(nil, "User.ReadWrite.All"), Self, Part, "mobilePhone", true},
		{member([]Role{UserAdministrator}, "User.ReadWrite"), Self, Full, "mobilePhone", true},
	} {
		WriteUsers.want(t, c.caller, c.object, c.want)
		if got := WriteUsers.Changes(c.caller, c.object, c.property); got != c.may {
			t.Errorf("%+v changes %s of %d: %v", c.caller, c.property, c.object, got)
		}
	}
}

func TestAnOwnerChangesMembersWithoutARole(t *testing.T) {
	t.Parallel()
	WriteMembers.want(t, member(nil, "GroupMember.ReadWrite.All"), Owned, Full)
	WriteMembers.want(t, member(nil, "GroupMember.ReadWrite.All"), Other, None)
	WriteMembers.want(t, member(nil, "Group.Read.All"), Owned, None)
	AssignGroup.want(t, member(nil, "Group.ReadWrite.All"), Owned, None)
}

func TestDirectoryWritersDoNotDeleteUsers(t *testing.T) {
	t.Parallel()
	WriteUsers.want(t, member([]Role{DirectoryWriters}, "User.ReadWrite.All"), Other, Full)
	DeleteUsers.want(t, member([]Role{DirectoryWriters}, "User.ReadWrite.All"), Other, None)
}

// A22
func TestAPersonalAccountSeesItselfAndApplicationsAtMost(t *testing.T) {
	t.Parallel()
	for op, need := range Needs {
		guest := member([]Role{GlobalAdministrator}, slices.Concat(need.Full, need.Basic, need.Own, need.Delegated)...)
		guest.Personal = true
		others, itself := None, None
		switch op {
		case ReadUser, WriteUsers, ReadLicenseDetails, ReadCreated, InvalidateTokens:
			itself = Full
		case ReadApplications, ReadApplication, CreateApplications, WriteApplications, ReadFederated, ReadOneFederated:
			others, itself = Full, Full
		}
		op.want(t, guest, Other, others)
		op.want(t, guest, Owned, others)
		op.want(t, guest, Self, itself)
		guest.Tenant = PersonalTenant
		op.want(t, guest, Self, None)
	}
}

func TestWhatIsNoOperationNobodyMayDo(t *testing.T) {
	t.Parallel()
	Operation("fly").want(t, member([]Role{GlobalAdministrator}, "Directory.ReadWrite.All"), Self, None)
}

func TestRolesHaveTheIdentifiersOfTheRules(t *testing.T) {
	t.Parallel()
	text := rules(t, "auth.md")
	seen := map[uuid.UUID]bool{}
	for _, role := range Roles {
		manages := slices.Contains([]Role{ApplicationAdministrator, CloudApplicationAdministrator, ApplicationDeveloper, PrivilegedRoleAdministrator}, role)
		if !manages && !strings.Contains(text, role.Name+" `"+role.ID.String()+"`") { // it does not name those that manage who may do what
			t.Errorf("%s is not %s", role.Name, role.ID)
		}
		if found, ok := RoleByID(role.ID); !ok || found != role || role.Description == "" {
			t.Errorf("%s is found as %+v", role.Name, found)
		}
		seen[role.ID] = true
	}
	if len(seen) != len(Roles) {
		t.Error("two roles have one id")
	}
}

// Every permission and role that section 10 and L73 name must be enough, with the role names
// written in full or as "License, User, Groups Administrator".
func TestNeedsGrantAllThatTheRulesName(t *testing.T) {
	t.Parallel()
	text := rules(t, "licensing.md")
	for operation, ops := range map[string][]Operation{
		"read users":                    {ReadUsers},
		"create, update, delete users":  {WriteUsers},
		"user `assignLicense`":          {AssignUser},
		"`licenseDetails`":              {ReadLicenseDetails},
		"read groups":                   {ReadGroups},
		"create, update, delete groups": {CreateGroups, WriteGroups},
		"members add, remove":           {WriteMembers},
		"group `assignLicense`":         {AssignGroup},
		"`membersWithLicenseErrors`":    {ReadGroupErrors},
		"`subscribedSkus`":              {ReadSKUs},
		"`directory/subscriptions`":     {ReadSubscriptions},
		"`organization`":                {ReadOrganization},
	} {
		row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(operation) + ` \|(.*)\|(.*)\|$`).FindStringSubmatch(text)
		if row == nil {
			t.Errorf("section 10 has no row %q", operation)
			continue
		}
		for _, op := range ops {
			wantNamed(t, op, row[1], row[2])
		}
	}
	rule := regexp.MustCompile(`(?s)- \*\*L73\*\*(.*?)and no other.*?Delegated callers(.*?)- \*\*L74`).FindStringSubmatch(text)
	wantNamed(t, ReprocessUser, rule[1], rule[2])
	wantNamed(t, ReprocessMany, rule[1], rule[2])
}

var permissionName = regexp.MustCompile("`([A-Z][A-Za-z]+(?:\\.[A-Za-z]+)+)`")

func wantNamed(t *testing.T, op Operation, permissions, roles string) {
	t.Helper()
	need := Needs[op]
	named := permissionName.FindAllStringSubmatch(permissions, -1)
	if len(named) == 0 {
		t.Errorf("%s: no permission in %q", op, permissions)
	}
	for _, name := range named {
		if name[1] == "Group.Create" && op != CreateGroups {
			continue
		}
		if !slices.Contains(slices.Concat(need.Full, need.Basic, need.Own), name[1]) {
			t.Errorf("%s: %s is not enough", op, name[1])
		}
	}
	for _, role := range Roles {
		short := strings.TrimSuffix(role.Name, " Administrator")
		named := regexp.MustCompile(`\b` + short + `\b`).MatchString(roles)
		if named && role != GlobalAdministrator && !slices.Contains(need.Roles, role) {
			t.Errorf("%s: %s may not", op, role.Name)
		}
		if !named && slices.Contains(need.Roles, role) {
			t.Errorf("%s: %s may, but is not named", op, role.Name)
		}
	}
}

// rules reads a page of the rules.
func rules(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "spec", page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

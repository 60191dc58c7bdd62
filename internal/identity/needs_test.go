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

// writes are the operations for which a user needs a role: those that change something,
// backups, which have the hashes of passwords, and trying rules. The others read.
var writes = []Operation{
	CreateUsers, WriteUsers, DeleteUsers, AssignUser, Reprocess, CreateGroups, WriteGroups,
	DeleteGroups, WriteMembers, WriteOwners, AssignGroup, WriteOrganization, WriteSettings,
	Import, Develop, CreateApplications, WriteApplications, CreatePrincipals, WritePrincipals,
	WriteAppRoles, RemoveAppRoles, WriteAppRolesOfOthers, AddApplicationOwners, RemoveApplicationOwners,
	WriteApplicationKeys, Instantiate, InvalidateTokens, WriteGrants, RemoveGrants, WriteRoles,
	ResetPassword, RevokeSessions, WriteSignIn, WriteUnits, CreateInUnits, BackUp,
	EvaluateRule, EvaluateGroupRule,
}

// guarded are the operations that writing the directory is not enough for, because each lets the
// caller come by what it has not got.
var guarded = []Operation{
	CreateApplications, WriteApplications, CreatePrincipals, WritePrincipals, WriteAppRoles, RemoveAppRoles,
	WriteAppRolesOfOthers, AddApplicationOwners, WriteApplicationKeys, Instantiate, WriteGrants, WriteRoles,
	WriteSignIn, ResetPassword, ChangePassword, BackUp,
}

// narrow are the other operations that writing the directory is not enough for, as it is
// documented.
var narrow = []Operation{
	DeleteUsers, DeleteGroups, ReadMembers, ReadOwners, ReadObjects, ReadOrganizationByID,
	WriteOrganization, ReadDomains, ReadGrantsOfUser, ReadFederated, ReadOneFederated, ReadApplications,
	ReadPrincipals, ReadAllReports, ReadAppRolesOfUser, ReadOneMembership, ReadAssignedResources,
	ReadGroupsOwned, InvalidateTokens, WriteUnits,
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
	if refusal := (*ForbiddenError)(nil); want == AccessNone && (!errors.As(err, &refusal) || refusal.Operation != op) {
		t.Errorf("%s: error is %v, want ForbiddenError", op, err)
	}
	if access != want || (want != AccessNone && err != nil) {
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
			op.want(t, application(append(strings.Split(permission, "+"), "Mail.Read")...), RelationOther, AccessFull)
		}
		for _, permission := range need.Owned {
			op.want(t, application(strings.Split(permission, "+")...), RelationOwned, AccessFull)
			op.want(t, application(strings.Split(permission, "+")...), RelationOther, AccessNone)
		}
		for _, permission := range need.Own {
			if !slices.Contains(need.Application, permission) {
				op.want(t, application(permission), RelationSelf, AccessNone)
			}
		}
		op.want(t, application(), RelationOther, AccessNone)
		op.want(t, application("Mail.Read", "openid", ""), RelationOwned, AccessNone)
		for _, permission := range need.Full { // names are exact
			op.want(t, application(strings.ToLower(permission), permission+" ", permission+"X"),
				RelationOther, AccessNone)
			if one, other, both := strings.Cut(permission, "+"); both && len(need.Basic) == 0 {
				op.want(t, application(one), RelationOther, AccessNone)
				op.want(t, application(other), RelationOther, AccessNone)
			}
		}
	}
}

func TestAnApplicationThatWritesTheDirectoryMayDoEverythingButComeByMore(t *testing.T) {
	t.Parallel()
	for op := range Needs {
		want := AccessFull
		if slices.Contains(guarded, op) || slices.Contains(narrow, op) || op == ReadAudit || op == ReadSignIns {
			want = AccessNone
		}
		op.want(t, application("Directory.ReadWrite.All"), RelationOther, want)
	}
}

// Among operations that let a caller gain permissions, the permission for one is not sufficient for
// another.
func TestNoPermissionLeadsToAnother(t *testing.T) {
	t.Parallel()
	for _, op := range []Operation{WriteApplications, WriteAppRoles, WriteGrants, WriteRoles, WriteSignIn} {
		for _, other := range []Operation{
			WriteApplications, WriteGrants, WriteRoles, WriteSignIn, ResetPassword, ChangePassword,
		} {
			if other != op {
				op.want(t, application(Needs[other].Full...), RelationOther, AccessNone)
				op.want(t, member([]Role{GlobalAdministrator}, Needs[other].Full...), RelationOther, AccessNone)
			}
		}
	}
	WriteAppRoles.want(t, member([]Role{ApplicationAdministrator}, "AppRoleAssignment.ReadWrite.All", "Application.Read.All"), RelationOther, AccessNone)
	WriteRoles.want(t, member([]Role{UserAdministrator, ApplicationAdministrator}, "RoleManagement.ReadWrite.Directory"), RelationOther, AccessNone)
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
	RevokeSessions.want(t, member(nil, "User.RevokeSessions.All"), RelationSelf, AccessFull)
	RevokeSessions.want(t, member(nil, "User.Read"), RelationSelf, AccessNone)
	RevokeSessions.want(t, member(nil, "User.RevokeSessions.All"), RelationOwned, AccessNone)
}

// The audit log is read with both permissions, and by signed-in users with a role.
func TestU2ReadingTheAuditLog(t *testing.T) {
	t.Parallel()
	readingNeedsBoth(t, ReadAudit)
	readingNeedsBoth(t, ReadSignIns)
	both := []string{"AuditLog.Read.All", "Directory.Read.All"}
	ReadSignIns.want(t, member([]Role{SecurityOperator}, both...), RelationOther, AccessFull)
	ReadAudit.want(t, member([]Role{SecurityOperator}, both...), RelationOther, AccessNone)
}

func readingNeedsBoth(t *testing.T, op Operation) {
	t.Helper()
	for _, second := range []string{"Directory.Read.All", "Directory.ReadWrite.All"} {
		both := []string{"AuditLog.Read.All", second}
		op.want(t, application(both...), RelationOther, AccessFull)
		op.want(t, application(second), RelationOther, AccessNone)
		op.want(t, member(nil, both...), RelationOther, AccessNone)
		for _, role := range []Role{
			GlobalAdministrator, GlobalReader, ReportsReader, SecurityReader, SecurityAdministrator,
		} {
			op.want(t, member([]Role{role}, both...), RelationOther, AccessFull)
		}
		op.want(t, member([]Role{UserAdministrator, DirectoryReaders}, both...), RelationOther, AccessNone)
	}
	op.want(t, application("AuditLog.Read.All"), RelationOther, AccessNone)
}

func TestASignedInUserNeedsARoleToWriteAndNoneToRead(t *testing.T) {
	t.Parallel()
	for op, need := range Needs {
		want := AccessFull
		if slices.Contains(writes, op) {
			want = AccessNone
			if len(need.Roles) == 0 {
				t.Errorf("%s: any member may do it", op)
			}
		}
		if len(need.Full) == 0 || op == ReadAudit || op == ReadSignIns {
			continue // what is needed to read the audit log is in docs/spec/audit.md U2
		}
		full := need.delegated.full
		all := strings.Split(strings.Join(full, "+"), "+")
		op.want(t, member(nil, all...), RelationOther, want)
		op.want(t, member([]Role{GlobalReader, DirectoryReaders}, all...), RelationOther, want)
		op.want(t, member([]Role{GlobalAdministrator}, all...), RelationOther, AccessFull)
		op.want(t, member([]Role{GlobalAdministrator}), RelationOther, AccessNone)
		for _, role := range need.Roles {
			op.want(t, member([]Role{role}, strings.Split(full[0], "+")...), RelationOther, AccessFull)
			op.want(t, member([]Role{role}, "Mail.Read"), RelationOther, AccessNone)
		}
		for _, role := range Roles {
			if want == AccessNone && role != GlobalAdministrator && !slices.Contains(need.Roles, role) {
				op.want(t, member([]Role{role}, all...), RelationOther, AccessNone)
			}
		}
	}
}

func TestSomePermissionsShowLessThanAll(t *testing.T) {
	t.Parallel()
	ReadUsers.want(t, application("User.ReadBasic.All"), RelationOther, AccessBasic)
	ReadUsers.want(t, application("User.ReadBasic.All", "User.Read.All"), RelationOther, AccessFull)
	ReadUser.want(t, member(nil, "User.Read"), RelationSelf, AccessFull)
	ReadUser.want(t, member(nil, "User.Read"), RelationOther, AccessNone)
	ReadUser.want(t, member(nil, "User.Read", "User.ReadBasic.All"), RelationOther, AccessBasic)
	ReadUser.want(t, member(nil, "User.Read", "User.ReadBasic.All"), RelationSelf, AccessFull)
	ReadLicenseDetails.want(t, member(nil, "User.Read"), RelationSelf, AccessFull)
	ReadLicenseDetails.want(t, member(nil, "User.Read"), RelationOther, AccessNone)
	ReadGroups.want(t, application("GroupMember.Read.All"), RelationOther, AccessBasic)
	ReadGroups.want(t, application("Group.ReadBasic.All"), RelationOther, AccessBasic)
	ReadOrganization.want(t, member(nil, "User.Read"), RelationOther, AccessBasic)
	ReadOrganization.want(t, application("User.Read"), RelationOther, AccessNone)
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
		{application("User-PasswordProfile.ReadWrite.All"), RelationOther, AccessPart, "passwordProfile", true},
		{application("User-PasswordProfile.ReadWrite.All"), RelationOther, AccessPart, "accountEnabled", false},
		{application("User-Phone.ReadWrite.All", "User.EnableDisableAccount.All"), RelationOther, AccessPart, "accountEnabled", true},
		{application("User-Phone.ReadWrite.All", "User.ReadWrite.All"), RelationOther, AccessFull, "jobTitle", false},
		{application("User.ReadWrite"), RelationSelf, AccessNone, "mobilePhone", false},
		{member([]Role{UserAdministrator}, "User-Phone.ReadWrite.All"), RelationOther, AccessPart, "businessPhones", true},
		{member(nil, "User-Phone.ReadWrite.All"), RelationOther, AccessNone, "businessPhones", false},
		{member(nil, "User-Phone.ReadWrite.All"), RelationSelf, AccessNone, "businessPhones", false},
		{member(nil, "User.ReadWrite"), RelationSelf, AccessPart, "mobilePhone", true},
		{member(nil, "User.ReadWrite"), RelationSelf, AccessPart, "jobTitle", false},
		{member(nil, "User.ReadWrite"), RelationOther, AccessNone, "mobilePhone", false},
		{member(nil, "User.Read"), RelationSelf, AccessNone, "mobilePhone", false},
		{member(nil, "User.ReadWrite.All"), RelationSelf, AccessPart, "mobilePhone", true},
		{member([]Role{UserAdministrator}, "User.ReadWrite"), RelationSelf, AccessFull, "mobilePhone", true},
	} {
		WriteUsers.want(t, c.caller, c.object, c.want)
		if got := WriteUsers.Changes(c.caller, c.object, c.property); got != c.may {
			t.Errorf("%+v changes %s of %d: %v", c.caller, c.property, c.object, got)
		}
	}
}

func TestAnOwnerChangesMembersWithoutARole(t *testing.T) {
	t.Parallel()
	WriteMembers.want(t, member(nil, "GroupMember.ReadWrite.All"), RelationOwned, AccessFull)
	WriteMembers.want(t, member(nil, "GroupMember.ReadWrite.All"), RelationOther, AccessNone)
	WriteMembers.want(t, member(nil, "Group.Read.All"), RelationOwned, AccessNone)
	AssignGroup.want(t, member(nil, "Group.ReadWrite.All"), RelationOwned, AccessNone)
}

func TestDirectoryWritersDoNotDeleteUsers(t *testing.T) {
	t.Parallel()
	WriteUsers.want(t, member([]Role{DirectoryWriters}, "User.ReadWrite.All"), RelationOther, AccessFull)
	DeleteUsers.want(t, member([]Role{DirectoryWriters}, "User.ReadWrite.All"), RelationOther, AccessNone)
}

// A22
func TestAPersonalAccountSeesItselfAndApplicationsAtMost(t *testing.T) {
	t.Parallel()
	for op, need := range Needs {
		guest := member([]Role{GlobalAdministrator}, slices.Concat(need.Full, need.Basic, need.Own, need.Delegated)...)
		guest.Personal = true
		others, itself := AccessNone, AccessNone
		switch op {
		case ReadUser, WriteUsers, ReadLicenseDetails, ReadCreated, InvalidateTokens:
			itself = AccessFull
		case ReadApplications, ReadApplication, CreateApplications, WriteApplications, ReadFederated, ReadOneFederated:
			others, itself = AccessFull, AccessFull
		}
		op.want(t, guest, RelationOther, others)
		op.want(t, guest, RelationOwned, others)
		op.want(t, guest, RelationSelf, itself)
		guest.Tenant = PersonalTenant
		op.want(t, guest, RelationSelf, AccessNone)
	}
}

func TestWhatIsNoOperationNobodyMayDo(t *testing.T) {
	t.Parallel()
	Operation("fly").want(t, member([]Role{GlobalAdministrator}, "Directory.ReadWrite.All"), RelationSelf, AccessNone)
}

func TestRolesHaveTheIdentifiersOfTheRules(t *testing.T) {
	t.Parallel()
	text := rules(t, "auth.md") + rules(t, "audit.md")
	seen := map[uuid.UUID]bool{}
	for _, role := range Roles {
		manages := slices.Contains([]Role{
			ApplicationAdministrator, CloudApplicationAdministrator,
			ApplicationDeveloper, IntuneAdministrator, PrivilegedRoleAdministrator,
		}, role)
		// They do not name those that manage who may do what, and that of D81
		// (docs/spec/dynamic-membership.md).
		if !manages && !strings.Contains(text, role.Name+" `"+role.ID.String()+"`") {
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
	wantNamed(t, Reprocess, rule[1], rule[2])
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

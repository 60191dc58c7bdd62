package identity

import "slices"

// Need has the requirements of an operation: one of the permissions, and for a signed-in user also
// one of the roles. For an application, one of the roles is sufficient. A permission counts only if
// it can be granted: Group.Create for applications, User.Read for signed-in users. "X+Y" requires
// both permissions.
type Need struct {
	Full        []string // permissions that let the caller see or do all of it, least first
	Delegated   []string // as Full, for signed-in users only
	Application []string // as Full, for applications only
	Basic       []string // permissions that let the caller see the basic properties only
	Own         []string // permissions that let a signed-in user see or change its own self
	// Permissions that let an application see or change applications and service principals that it
	// owns.
	Owned    []string
	Personal []string // permissions that are sufficient for personal accounts; those of Own on themselves
	Least    []string // the documented least permissions, if they are not the first of Basic or Full

	// Parts are the properties that a permission lets the caller change, if it permits nothing
	// else.
	Parts map[string][]string
	// SelfService are the properties that a signed-in user may change of itself without a role.
	SelfService []string
	// OwnerService are the properties that a signed-in user may change in objects that it owns
	// without a role.
	OwnerService []string

	// Roles: if empty, any member may, and any application with a role; otherwise Global
	// Administrators and these roles may.
	Roles  []Role
	Owners bool // owners of the group, application or service principal may without a role
	Self   bool // a signed-in user may on itself without a role

	delegated, application scheme // the permissions that count in each scheme
}

// Needs is the table of the requirements of all operations (docs/spec/protocol.md P60,
// docs/spec/licensing.md L73 and section 10; those from ReadSettings on are our own). Where it
// deviates from what Microsoft documents, docs/parity.md says why.
var Needs = inSchemes(map[Operation]Need{
	ReadUsers: {
		Full: userReaders, Application: crossCloud, Basic: []string{"User.ReadBasic.All"},
	},
	ReadUser: {
		Full: userReaders, Application: crossCloud, Basic: []string{"User.ReadBasic.All"}, Own: ownUser, Personal: ownUser,
	},
	ReadUsersDelta: {
		Full: userReaders,
	},
	CreateUsers: {
		Full:  []string{"User.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles: []Role{UserAdministrator, DirectoryWriters},
	},
	WriteUsers: {
		Full:        []string{"User.ReadWrite.All", "Directory.ReadWrite.All"},
		Application: crossCloud,
		Own:         []string{"User.ReadWrite"},
		Personal:    []string{"User.ReadWrite"},
		Parts: map[string][]string{
			"User-Mail.ReadWrite.All":            {"otherMails"},
			"User-PasswordProfile.ReadWrite.All": {"passwordProfile"},
			"User-Phone.ReadWrite.All":           {"businessPhones", "mobilePhone"},
			"User.EnableDisableAccount.All":      {"accountEnabled"},
			"User.ManageIdentities.All":          {"identities"},
		},
		SelfService: []string{
			"aboutMe", "birthday", "hireDate", "interests", "mobilePhone", "mySite", "pastProjects", "preferredName", "responsibilities", "schools", "skills",
		},
		Roles: []Role{UserAdministrator, DirectoryWriters},
	},
	DeleteUsers: {
		Full:        []string{"User.DeleteRestore.All", "User.ReadWrite.All"},
		Application: crossCloud,
		Roles:       []Role{UserAdministrator},
	},
	AssignUser: {
		Full:  []string{"LicenseAssignment.ReadWrite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles: []Role{LicenseAdministrator, UserAdministrator, DirectoryWriters},
	},
	// L73. Permission to assign licenses is not sufficient, for one user or for many.
	Reprocess: {
		Full:  []string{"User.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles: []Role{LicenseAdministrator, UserAdministrator, DirectoryWriters},
	},
	ReadLicenseDetails: {
		Full:     []string{"LicenseAssignment.Read.All", "User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
		Own:      []string{"User.Read"},
		Personal: []string{"User.Read"},
	},
	ReadMemberships: {
		Full:      []string{"Directory.Read.All", "Directory.ReadWrite.All", "GroupMember.ReadBasic.All", "Group.ReadBasic.All"},
		Delegated: []string{"GroupMember.Read.All"},
		Own:       []string{"User.Read"},
		Least:     []string{"User.Read"},
	},
	ReadAllMemberships: {
		Full: []string{
			"User.Read.All", "GroupMember.ReadBasic.All", "Group.ReadBasic.All", "GroupMember.Read.All", "Group.Read.All",
			"Directory.Read.All", "Directory.ReadWrite.All",
		},
		Own:   []string{"User.Read"},
		Least: []string{"User.Read"},
	},
	ReadOneMembership: {
		Application: []string{"User.Read.All"}, Own: []string{"User.Read", "User.Read.All"}, Least: []string{"User.Read"},
	},
	ReadManager: {
		Full: userReaders,
	},
	ReadReports: {
		Full:  userReaders,
		Own:   []string{"User.Read"},
		Least: []string{"User.Read"},
	},
	ReadAllReports: {
		Full:  []string{"Directory.Read.All", "User.Read.All"},
		Own:   []string{"User.Read"},
		Least: []string{"User.Read"},
	},
	ReadCreated: {
		Full: userReaders, Own: ownUser, Personal: ownUser, Least: []string{"User.Read"},
	},
	GetMemberGroups:    {Full: memberReaders},
	CheckMemberGroups:  {Full: append(memberReaders, "User.ReadWrite.All")},
	CheckMemberObjects: {Full: append(memberReaders, "User.ReadWrite.All"), Own: []string{"User.Read"}},

	ReadGroups: {
		Full:  groupReaders,
		Basic: []string{"Group.ReadBasic.All", "GroupMember.Read.All", "Group.ManageProtection.All", "Group-PreferredDataLocation.ReadWrite.All"},
	},
	ReadGroup: {
		Full: groupReaders,
		Basic: []string{
			"Group.ReadBasic.All", "GroupMember.Read.All", "Group.ManageProtection.All", "Group-PreferredDataLocation.ReadWrite.All",
			"Group-XTenantIdentitySync.Read.All",
		},
	},
	ReadGroupsDelta: {
		Full:  groupReaders,
		Basic: []string{"Group.ReadBasic.All", "GroupMember.Read.All"},
	},
	SeeGroups: {
		Full:  groupReaders,
		Basic: []string{"GroupMember.ReadBasic.All", "Group.ReadBasic.All", "GroupMember.Read.All", "GroupMember.ReadWrite.All"},
	},
	ReadMembers: {
		Full: []string{
			"GroupMember.ReadBasic.All", "Group.ReadBasic.All", "GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All",
			"Group.ReadWrite.All", "Directory.Read.All",
		},
	},
	ReadOwners: {
		Full: []string{"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All"},
	},
	ReadGroupsOfGroup: {
		Full: []string{
			"GroupMember.ReadBasic.All", "Group.ReadBasic.All", "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All",
			"Directory.ReadWrite.All",
		},
	},
	ReadAllOfGroup: {
		Full:      []string{"GroupMember.ReadBasic.All", "Group.ReadBasic.All", "Directory.Read.All", "Directory.ReadWrite.All"},
		Delegated: []string{"GroupMember.Read.All", "Group.Read.All"},
	},
	GetGroupsOfGroup:   {Full: memberReaders, Least: []string{"GroupMember.ReadBasic.All"}},
	CheckGroupsOfGroup: {Full: append(memberReaders, "User.ReadWrite.All"), Least: []string{"GroupMember.ReadBasic.All"}},
	// docs/spec/dynamic-membership.md D81.
	EvaluateGroupRule: {
		Full: slices.Concat(besides("Group.Read.All", "User.Read.All", "User.ReadWrite.All"),
			besides("Group.ReadWrite.All", "User.Read.All", "User.ReadWrite.All"), userReaders[2:]),
		Roles: []Role{GroupsAdministrator, IntuneAdministrator},
	},
	EvaluateRule: {Full: userReaders, Roles: []Role{GroupsAdministrator, IntuneAdministrator}},
	CreateGroups: {
		Full:  []string{"Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All", "Group-PreferredDataLocation.ReadWrite.All"},
		Roles: groupWriters,
	},
	WriteGroups: {
		Full: []string{"Group.ReadWrite.All", "Directory.ReadWrite.All"},
		Parts: map[string][]string{
			"Group-PreferredDataLocation.ReadWrite.All": {"preferredDataLocation"},
			"Group.ManageProtection.All":                {"assignedLabels"},
		},
		// As for members/$ref, and the rule that members follow (docs/spec/dynamic-membership.md D15).
		OwnerService: []string{"members", "membershipRule"},
		Roles:        groupWriters,
	},
	DeleteGroups: {
		Full:  []string{"Group.ReadWrite.All"},
		Roles: groupWriters,
	},
	WriteMembers: {
		Full:   []string{"GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles:  groupWriters,
		Owners: true,
	},
	WriteOwners: {
		Full:  []string{"Group.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles: groupWriters,
	},
	AssignGroup: {
		Full:  []string{"LicenseAssignment.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles: []Role{LicenseAdministrator, UserAdministrator, GroupsAdministrator, DirectoryWriters},
	},
	ReadGroupsOwned: {
		Full: []string{"Group.Read.All", "Group.ReadWrite.All"},
	},
	ReadGroupErrors: {
		Full: []string{
			"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All",
			"Directory.Read.All", "Directory.ReadWrite.All",
		},
	},

	ReadObjects: { // the visible properties of each depend on the permissions for its type
		Full: []string{"Directory.Read.All"},
	},

	ReadUnits: {
		Full: []string{"AdministrativeUnit.Read.All", "AdministrativeUnit.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	},
	WriteUnits: {
		Full: []string{"AdministrativeUnit.ReadWrite.All"}, Roles: []Role{PrivilegedRoleAdministrator},
	},
	CreateInUnits: {
		Full: []string{
			"Group.Create+AdministrativeUnit.Read.All", "Group.ReadWrite.All+AdministrativeUnit.Read.All", "Directory.ReadWrite.All",
		},
		Roles: []Role{GroupsAdministrator, UserAdministrator},
	},

	ReadSKUs: {
		Full: []string{
			"LicenseAssignment.Read.All", "Organization.Read.All", "Directory.Read.All", "Organization.ReadWrite.All", "Directory.ReadWrite.All",
		},
	},
	ReadSKU: {
		Full:        []string{"LicenseAssignment.Read.All", "Organization.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"},
		Application: []string{"Organization.ReadWrite.All"},
	},
	ReadSubscriptions: {Full: tenantReaders},
	ReadOrganization: {
		Full: tenantReaders, Basic: []string{"User.Read", "User.Read.All"},
	},
	ReadOrganizationByID: {
		Full: besides("User.Read.All", tenantReaders...), Basic: []string{"User.Read.All"},
	},
	WriteOrganization: {
		Full:  []string{"Organization.ReadWrite.All"},
		Roles: []Role{GlobalAdministrator},
	},
	ReadDomains: {
		Full: []string{"Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All"},
	},

	ReadApplications: {
		Full:        []string{"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"},
		Delegated:   []string{"Directory.ReadWrite.All"},
		Application: ownedBy,
		Personal:    []string{"Application.Read.All", "Application.ReadWrite.All"},
	},
	ReadApplication: {
		Full: applicationReaders, Owned: ownedBy, Personal: []string{"Application.Read.All", "Application.ReadWrite.All"},
	},
	ReadApplicationOwners: {Full: applicationReaders, Owned: ownedBy},
	CreateApplications: {
		Full:        []string{"AppRegistration.Create", "Application.ReadWrite.All"},
		Application: ownedBy, // the creator becomes the owner
		Personal:    []string{"Application.ReadWrite.All"},
		Roles:       slices.Concat(applicationWriters, []Role{ApplicationDeveloper}),
	},
	// Each of these lets the caller gain permissions, so each has a separate permission, and no
	// other is sufficient: a caller that manages applications cannot grant them permissions, and
	// one that writes the directory cannot assign roles.
	WriteApplications: {
		Full: []string{"Application.ReadWrite.All"}, Owned: ownedBy, Personal: []string{"Application.ReadWrite.All"}, Least: ownedBy,
		Roles: applicationWriters, Owners: true,
	},
	ReadFederated: {
		Full: []string{"Application.Read.All", "Application.ReadWrite.All"}, Owned: ownedBy, Personal: []string{"Application.ReadWrite.All"},
	},
	ReadOneFederated: {
		Full: []string{"Application.ReadWrite.All"}, Owned: ownedBy, Personal: []string{"Application.ReadWrite.All"}, Least: ownedBy,
	},
	WriteApplicationKeys: {
		Full: []string{"Application.ReadWrite.All"}, Owned: ownedBy, Least: ownedBy, Roles: applicationWriters, Owners: true,
	},
	ReadProgramsDelta: {
		Full: applicationReaders, Application: ownedBy, Least: []string{"Application.ReadWrite.OwnedBy", "Directory.Read.All"},
	},
	ReadTemplates: {Full: applicationReaders},
	Instantiate:   {Full: []string{"Application.ReadWrite.All"}, Roles: applicationWriters},
	ReadPrincipals: {
		Full:        []string{"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"},
		Delegated:   []string{"Directory.ReadWrite.All"},
		Application: ownedBy,
	},
	ReadPrincipal:      {Full: applicationReaders, Owned: ownedBy},
	ReadAllOfPrincipal: {Full: applicationReaders},
	// An owner of an application may add a secret to it that only the owner knows.
	AddApplicationOwners: {
		Full:  besides("Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
		Owned: besides("Application.ReadWrite.OwnedBy", "Directory.Read.All", "Directory.ReadWrite.All"),
		Least: besides("Application.ReadWrite.OwnedBy", "Directory.Read.All"),
		Roles: applicationWriters, Owners: true,
	},
	RemoveApplicationOwners: {
		Full: []string{"Application.ReadWrite.All", "Directory.ReadWrite.All"}, Owned: ownedBy, Least: ownedBy,
		Roles: applicationWriters, Owners: true,
	},
	ReadAppRolesOfUser:    {Full: []string{"AppRoleAssignment.ReadWrite.All", "Directory.Read.All"}},
	ReadAppRolesOfGroup:   {Full: []string{"AppRoleAssignment.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}},
	ReadAssignedResources: {Full: []string{"Directory.Read.All", "AppRoleAssignment.ReadWrite.All"}},
	WriteAppRolesOfOthers: {
		Full: []string{"AppRoleAssignment.ReadWrite.All"}, Roles: []Role{PrivilegedRoleAdministrator},
	},
	CreatePrincipals: { // of applications that the caller may write
		Full: []string{"Application.ReadWrite.All"}, Application: ownedBy, Least: ownedBy, Roles: applicationWriters,
	},
	WritePrincipals: {
		Full: []string{"Application.ReadWrite.All"}, Owned: ownedBy, Least: ownedBy, Roles: applicationWriters, Owners: true,
	},
	ReadAppRoles: {Full: applicationReaders, Owned: ownedBy},
	WriteAppRoles: {
		Full: besides("AppRoleAssignment.ReadWrite.All", applicationReaders...), Roles: []Role{PrivilegedRoleAdministrator},
	},
	RemoveAppRoles: {
		Full: []string{"AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All"}, Roles: []Role{PrivilegedRoleAdministrator},
	},
	ReadGrants: {
		Full: []string{"Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"},
	},
	ReadGrantsOfUser: {
		Full: []string{"Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All"},
	},
	WriteGrants: {
		Full: []string{"DelegatedPermissionGrant.ReadWrite.All"}, Roles: granters,
	},
	RemoveGrants: {
		Full: []string{"DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"}, Roles: granters,
	},
	ReadRoles:           {Full: roleReaders},
	ReadRolesByTemplate: {Full: roleReaders, Least: []string{"Directory.Read.All"}},
	ReadRoleDefinitions: {Full: append(roleReaders, "RoleManagement.Read.All")},
	ReadRoleAssignments: {Full: roleReaders, Delegated: []string{"RoleManagement.Read.All"}},
	WriteRoles: {
		Full: []string{"RoleManagement.ReadWrite.Directory"}, Roles: []Role{PrivilegedRoleAdministrator},
	},
	// docs/spec/audit.md U2.
	ReadAudit:   {Full: auditReaders, Roles: auditRoles},
	ReadSignIns: {Full: auditReaders, Roles: slices.Concat(auditRoles, []Role{SecurityOperator})},
	ResetPassword: {
		Full: []string{"User-PasswordProfile.ReadWrite.All", "User.ReadWrite.All"}, Roles: []Role{UserAdministrator},
	},
	ChangePassword: {
		Full: []string{"User-PasswordProfile.ReadWrite.All"},
	},
	RevokeSessions: {
		Full:  []string{"User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles: []Role{UserAdministrator},
		Self:  true,
	},
	InvalidateTokens: {
		Full: []string{"User.RevokeSessions.All"}, Delegated: []string{"Directory.ReadWrite.All"}, Own: []string{"User.ReadWrite"},
		Personal: []string{"User.ReadWrite"}, Roles: []Role{UserAdministrator}, Self: true,
	},

	ReadSettings: {
		Full: []string{
			"LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All", "Organization.Read.All", "Directory.Read.All",
			"Organization.ReadWrite.All", "Directory.ReadWrite.All",
		},
	},
	WriteSettings: {
		Full:  []string{"Organization.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles: []Role{LicenseAdministrator},
	},
	ReadSignIn: {
		Full: []string{"Policy.Read.All", "Policy.ReadWrite.Authorization", "Directory.Read.All", "Directory.ReadWrite.All"},
	},
	// Anyone who configures the valid tokens can create one with all permissions.
	WriteSignIn: {
		Full:  []string{"Policy.ReadWrite.Authorization"},
		Roles: []Role{GlobalAdministrator},
	},
	ReadErrors: {Full: licenseReaders, Own: ownUser},
	Preview:    {Full: licenseReaders},
	ReadLog:    {Full: licenseReaders},
	Import: {
		Full:  []string{"Directory.ReadWrite.All"},
		Roles: []Role{GlobalAdministrator},
	},
	// An export has all properties of users and groups, but no passwords and no secrets.
	Export: {
		Full: []string{"Directory.Read.All", "Directory.ReadWrite.All"},
	},
	// A backup has the hashes of passwords and secrets, so only callers that may become anyone may
	// read it.
	BackUp: {
		Full:  []string{"Directory.ReadWrite.All+RoleManagement.ReadWrite.Directory"},
		Roles: []Role{GlobalAdministrator},
	},
	Develop: {
		Full:  []string{"Directory.ReadWrite.All"},
		Roles: []Role{GlobalAdministrator},
	},
})

// Permissions of several operations. These slices have no spare capacity, so each append allocates
// a new one.
var (
	userReaders    = []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	licenseReaders = []string{
		"LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All", "User.Read.All", "User.ReadWrite.All",
		"Directory.Read.All", "Directory.ReadWrite.All",
	}
	tenantReaders = []string{"Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	groupReaders  = []string{"Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	ownUser       = []string{"User.Read", "User.ReadWrite"}
	crossCloud    = []string{"User.ReadWrite.CrossCloud"}
	ownedBy       = []string{"Application.ReadWrite.OwnedBy"}
	auditReaders  = besides("AuditLog.Read.All", "Directory.Read.All", "Directory.ReadWrite.All")
	roleReaders   = []string{"RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory", "Directory.Read.All", "Directory.ReadWrite.All"}

	applicationReaders = []string{"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	memberReaders      = []string{
		"Application.Read.All", "Application.ReadWrite.All", "Device.Read.All", "Device.ReadWrite.All", "Directory.Read.All",
		"Directory.ReadWrite.All", "Group.Read.All", "Group.ReadBasic.All", "Group.ReadWrite.All", "GroupMember.Read.All",
		"GroupMember.ReadBasic.All", "User.Read.All",
	}
)

// Roles of several operations.
var (
	groupWriters       = []Role{GroupsAdministrator, UserAdministrator, DirectoryWriters}
	applicationWriters = []Role{ApplicationAdministrator, CloudApplicationAdministrator}
	auditRoles         = []Role{GlobalReader, ReportsReader, SecurityReader, SecurityAdministrator}
	granters           = []Role{ApplicationAdministrator, CloudApplicationAdministrator, PrivilegedRoleAdministrator}
)

// besides returns a permission that requires any of others, too.
func besides(permission string, others ...string) []string {
	var list []string
	for _, other := range others {
		list = append(list, permission+"+"+other)
	}
	return list
}

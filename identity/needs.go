package identity

// Operation names what a caller wants to do, for Needs.
type Operation string

// The operations. Assigning and reprocessing are the licensing actions of users and groups.
const (
	ReadUsers          Operation = "read users"
	WriteUsers         Operation = "create and update users"
	DeleteUsers        Operation = "delete, restore and purge users"
	AssignUser         Operation = "assign licenses to a user"
	ReprocessUser      Operation = "reprocess a user's license assignments"
	ReadLicenseDetails Operation = "read a user's license details"
	ReadMemberships    Operation = "read the groups a user is in"
	ReadManager        Operation = "read a user's manager and direct reports"

	ReadGroups      Operation = "read groups"
	CreateGroups    Operation = "create groups"
	WriteGroups     Operation = "update, delete, restore and purge groups"
	WriteMembers    Operation = "add and remove members of a group"
	WriteOwners     Operation = "add and remove owners of a group"
	AssignGroup     Operation = "assign licenses to a group"
	ReadGroupErrors Operation = "read a group's members with license errors"

	ReadObjects Operation = "read directory objects of any type"

	ReadDeletedUsers  Operation = "read deleted users"
	ReadDeletedGroups Operation = "read deleted groups"

	ReadSKUs          Operation = "read subscribed SKUs"
	ReadSubscriptions Operation = "read subscriptions"
	ReadOrganization  Operation = "read the organization"
	WriteOrganization Operation = "update the organization"
	ReadDomains       Operation = "read domains"

	ReadApplications           Operation = "read applications and service principals"
	ReadAppRolesOfUser         Operation = "read the app roles that a user has"
	ReadAppRolesOfGroup        Operation = "read the app roles that a group has"
	ReadGroupsOwned            Operation = "read the deleted groups that a user owns"
	ReadMembershipsOfPrincipal Operation = "read the groups a service principal is in, by ids"
	WriteApplications          Operation = "create, update and delete applications, service principals and what they log in with"
	ReadAppRoles               Operation = "read the permissions that service principals have for themselves"
	WriteAppRoles              Operation = "grant and revoke permissions that service principals have for themselves"
	ReadGrants                 Operation = "read what applications may do in users' names"
	WriteGrants                Operation = "change what applications may do in users' names"
	ReadRoles                  Operation = "read directory roles and who has them"
	WriteRoles                 Operation = "give and take directory roles"
	ResetPassword              Operation = "reset a user's password"
	ChangePassword             Operation = "change one's own password"
	RevokeSessions             Operation = "end a user's sessions"

	ReadSettings  Operation = "read the tenant's subscriptions, catalog and settings"
	WriteSettings Operation = "change the tenant's subscriptions, catalog and settings"
	ReadSignIn    Operation = "read how a tenant lets people and programs in"
	WriteSignIn   Operation = "change how a tenant lets people and programs in"
	ReprocessMany Operation = "reprocess a group, users in error or the tenant"
	Import        Operation = "import a tenant"
	Develop       Operation = "move the clock, make faults and mint tokens for tests"
)

// Need is what an operation asks of its caller: one of the permissions, and of a signed-in user one of the roles too.
type Need struct {
	Full     []string // permissions that let the caller see or do all of it, least first
	Basic    []string // permissions that let the caller see the basic properties only
	Own      []string // permissions that let a signed-in user see its own self
	Roles    []Role   // none: any member may; otherwise Global Administrators may, and these
	Owners   bool     // owners of the group may without a role
	Self     bool     // a signed-in user may on its own self without a role
	Personal bool     // personal accounts may, on their own self
}

// Needs is the one table of what each operation asks for (spec/licensing.md L73 and section 10; the last five are our own).
// A permission to write implies the one to read.
var Needs = map[Operation]Need{
	ReadUsers: {
		Full:     []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
		Basic:    []string{"User.ReadBasic.All"},
		Own:      []string{"User.Read", "User.ReadWrite"},
		Personal: true,
	},
	WriteUsers: {
		Full:  []string{"User.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles: []Role{UserAdministrator, DirectoryWriters},
	},
	DeleteUsers: {
		Full:  []string{"User.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles: []Role{UserAdministrator},
	},
	AssignUser: {
		Full:  []string{"LicenseAssignment.ReadWrite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles: []Role{LicenseAdministrator, UserAdministrator, DirectoryWriters},
	},
	ReprocessUser: reprocess,
	ReadLicenseDetails: {
		Full: []string{
			"LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All", "User.Read.All", "User.ReadWrite.All",
			"Directory.Read.All", "Directory.ReadWrite.All",
		},
		Own: []string{"User.Read", "User.ReadWrite"},
	},
	ReadMemberships: {
		Full: []string{
			"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "User.Read.All", "User.ReadWrite.All",
			"Directory.Read.All", "Directory.ReadWrite.All",
		},
		Own: []string{"User.Read", "User.ReadWrite"},
	},
	ReadManager: {
		Full: []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
		Own:  []string{"User.Read", "User.ReadWrite"},
	},

	ReadGroups: {
		Full:  []string{"Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
		Basic: []string{"GroupMember.Read.All", "GroupMember.ReadWrite.All"},
	},
	CreateGroups: {
		Full:  []string{"Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles: groupWriters,
	},
	WriteGroups: {
		Full:  []string{"Group.ReadWrite.All", "Directory.ReadWrite.All"},
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
	ReadGroupErrors: {
		Full: []string{
			"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All",
			"Directory.Read.All", "Directory.ReadWrite.All",
		},
	},

	ReadObjects: { // what is seen of each depends on the permissions for its type
		Full: []string{
			"User.Read.All", "User.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All",
		},
		Basic: []string{"User.ReadBasic.All", "GroupMember.Read.All", "GroupMember.ReadWrite.All"},
	},

	ReadDeletedUsers: {
		Full: []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	},
	ReadDeletedGroups: {
		Full: []string{"Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	},

	ReadSKUs: {
		Full: tenantReaders,
	},
	ReadSubscriptions: {
		Full: []string{"Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	},
	ReadOrganization: {
		Full:  []string{"Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
		Basic: []string{"User.Read", "User.ReadWrite"},
	},
	WriteOrganization: {
		Full:  []string{"Organization.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles: []Role{GlobalAdministrator},
	},

	ReadDomains: {
		Full: []string{"Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	},
	ReadApplications: {
		Full: []string{"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	},
	ReadGroupsOwned: {
		Full: []string{"Group.Read.All", "Group.ReadWrite.All"},
	},
	ReadAppRolesOfUser: {
		Full: []string{"AppRoleAssignment.ReadWrite.All", "Directory.Read.All"},
	},
	ReadAppRolesOfGroup: {
		Full: []string{"AppRoleAssignment.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	},
	ReadMembershipsOfPrincipal: {
		Full: []string{
			"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All",
			"GroupMember.Read.All", "User.Read.All", "User.ReadWrite.All",
		},
	},
	// Each of these lets the caller come by what it has not got, so each has a permission of its own, and no other is enough: who manages
	// applications cannot grant them anything, and who writes the directory cannot give roles.
	WriteApplications: {
		Full:  []string{"Application.ReadWrite.All"},
		Roles: []Role{ApplicationAdministrator, CloudApplicationAdministrator},
	},
	ReadAppRoles: {
		Full: []string{
			"Application.Read.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All",
		},
	},
	WriteAppRoles: {
		Full:  []string{"AppRoleAssignment.ReadWrite.All"},
		Roles: []Role{PrivilegedRoleAdministrator},
	},
	ReadGrants: {
		Full: []string{
			"DelegatedPermissionGrant.Read.All", "DelegatedPermissionGrant.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All",
		},
	},
	WriteGrants: {
		Full:  []string{"DelegatedPermissionGrant.ReadWrite.All"},
		Roles: []Role{ApplicationAdministrator, CloudApplicationAdministrator, PrivilegedRoleAdministrator},
	},
	ReadRoles: {
		Full: []string{
			"RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory", "Directory.Read.All", "Directory.ReadWrite.All",
		},
	},
	WriteRoles: {
		Full:  []string{"RoleManagement.ReadWrite.Directory"},
		Roles: []Role{PrivilegedRoleAdministrator},
	},
	ResetPassword: {
		Full:  []string{"User-PasswordProfile.ReadWrite.All", "User.ReadWrite.All"},
		Roles: []Role{UserAdministrator},
	},
	ChangePassword: {
		Full: []string{"User-PasswordProfile.ReadWrite.All", "Directory.AccessAsUser.All"},
	},
	RevokeSessions: {
		Full:  []string{"User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles: []Role{UserAdministrator},
		Self:  true,
	},

	ReadSettings: {
		Full: tenantReaders,
	},
	WriteSettings: {
		Full:  []string{"Organization.ReadWrite.All", "Directory.ReadWrite.All"},
		Roles: []Role{LicenseAdministrator},
	},
	ReadSignIn: {
		Full: []string{"Policy.Read.All", "Policy.ReadWrite.Authorization", "Directory.Read.All", "Directory.ReadWrite.All"},
	},
	// Who says which tokens are good here can make one that may do anything.
	WriteSignIn: {
		Full:  []string{"Policy.ReadWrite.Authorization"},
		Roles: []Role{GlobalAdministrator},
	},
	ReprocessMany: reprocess,
	Import: {
		Full:  []string{"Directory.ReadWrite.All"},
		Roles: []Role{GlobalAdministrator},
	},
	Develop: {
		Full:  []string{"Directory.ReadWrite.All"},
		Roles: []Role{GlobalAdministrator},
	},
}

// reprocess is L73, for one user or many.
var reprocess = Need{
	Full:  []string{"LicenseAssignment.ReadWrite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"},
	Roles: []Role{DirectoryWriters, LicenseAdministrator, UserAdministrator},
}

var groupWriters = []Role{GroupsAdministrator, UserAdministrator, DirectoryWriters}

var tenantReaders = []string{
	"LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All", "Organization.Read.All", "Directory.Read.All",
	"Organization.ReadWrite.All", "Directory.ReadWrite.All",
}

package identity

import (
	"slices"
	"sync"

	"github.com/google/uuid"
)

// Role is a directory role, by its display name and the id of its template (A24).
type Role struct {
	Name        string
	ID          uuid.UUID
	Description string
}

// The roles that operations use.
var (
	GlobalAdministrator = Role{
		"Global Administrator", uuid.MustParse("62e90394-69f5-4237-9190-012177145e10"),
		"May do everything that needs a role.",
	}
	GlobalReader = Role{
		"Global Reader", uuid.MustParse("f2ef992c-3afb-46b9-b7cf-a126ee74c451"),
		"Reads what administrators read, and changes nothing.",
	}
	UserAdministrator = Role{
		"User Administrator", uuid.MustParse("fe930be7-5e62-47db-91af-98c3a49a38b1"),
		"Manages users and groups, and resets the passwords of users who are not administrators.",
	}
	LicenseAdministrator = Role{
		"License Administrator", uuid.MustParse("4d6ac14f-3453-41d0-bef9-a3e0c569773a"),
		"Assigns, removes and reprocesses licenses.",
	}
	GroupsAdministrator = Role{
		"Groups Administrator", uuid.MustParse("fdd7a751-b60b-444a-984c-02652fe8fa1c"),
		"Manages groups and their licenses.",
	}
	DirectoryReaders = Role{
		"Directory Readers", uuid.MustParse("88d8e3e3-8f55-4a1e-953a-9b9898b8876b"),
		"Reads the directory.",
	}
	DirectoryWriters = Role{
		"Directory Writers", uuid.MustParse("9360feb5-f418-4baa-8175-e2a00bac4301"),
		"Reads and writes users and groups. For applications, not for people.",
	}
	ApplicationAdministrator = Role{
		"Application Administrator", uuid.MustParse("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"),
		"Manages applications, service principals and what they may do in users' names.",
	}
	CloudApplicationAdministrator = Role{
		"Cloud Application Administrator", uuid.MustParse("158c047a-c907-4556-b7ef-446551a6b5f7"),
		"Manages applications, service principals and what they may do in users' names.",
	}
	ApplicationDeveloper = Role{
		"Application Developer", uuid.MustParse("cf1c38e5-3621-4004-a7cb-879624dced7c"),
		"Registers applications, and owns them.",
	}
	IntuneAdministrator = Role{
		"Intune Administrator", uuid.MustParse("3a2c62db-5318-420d-8d74-23affee5d9d5"),
		"Manages Intune, and evaluates the rules of dynamic groups.",
	}
	PrivilegedRoleAdministrator = Role{
		"Privileged Role Administrator", uuid.MustParse("e8611ab8-c189-46e8-94e1-60213ab1f814"),
		"Gives directory roles to users, and permissions to applications.",
	}
	ReportsReader = Role{
		"Reports Reader", uuid.MustParse("4a5d8f65-41da-4de4-8968-e035b65339cf"),
		"Reads the audit log, and reports on sign-ins and usage.",
	}
	SecurityReader = Role{
		"Security Reader", uuid.MustParse("5d6b6bb7-de71-4623-b4af-96380a352509"),
		"Reads the audit log, and what concerns security.",
	}
	SecurityAdministrator = Role{
		"Security Administrator", uuid.MustParse("194ae4cb-b126-40b2-bd5b-6091b380977d"),
		"Reads the audit log, and manages what concerns security.",
	}
	SecurityOperator = Role{
		"Security Operator", uuid.MustParse("5f2222b1-57c3-48ba-8ad5-d4759f1fde6f"),
		"Reads sign-ins, and handles what endangers security.",
	}
)

// Roles lists all of them. BuiltInRoles has the others that every tenant has.
var Roles = []Role{
	GlobalAdministrator, GlobalReader, UserAdministrator, LicenseAdministrator,
	GroupsAdministrator, DirectoryReaders, DirectoryWriters,
	ApplicationAdministrator, CloudApplicationAdministrator, ApplicationDeveloper, IntuneAdministrator,
	PrivilegedRoleAdministrator,
	ReportsReader, SecurityReader, SecurityAdministrator, SecurityOperator,
}

// RoleByID finds a role by the id of its template.
func RoleByID(template uuid.UUID) (Role, bool) {
	at := slices.IndexFunc(BuiltInRoles, func(r Role) bool { return r.ID == template })
	if at < 0 {
		return Role{}, false
	}
	return BuiltInRoles[at], true
}

// RoleObjectID returns the object id of a directory role in a tenant. It is derived, since all
// roles are active in every tenant.
func RoleObjectID(tenant, template uuid.UUID) uuid.UUID { return uuid.NewSHA1(tenant, template[:]) }

// RoleByObjectID finds the place in BuiltInRoles of the role with an object id in a tenant.
func RoleByObjectID(tenant, id uuid.UUID) (int, bool) {
	places, ok := rolePlaces.Load(tenant)
	if !ok {
		made := make(map[uuid.UUID]int, len(BuiltInRoles))
		for i, role := range BuiltInRoles {
			made[RoleObjectID(tenant, role.ID)] = i
		}
		places, _ = rolePlaces.LoadOrStore(tenant, made)
	}
	at, ok := places.(map[uuid.UUID]int)[id]
	return at, ok
}

// rolePlaces has the places in BuiltInRoles by object id, for each requested tenant.
var rolePlaces sync.Map

// resettable are the roles, by name, whose holders' sensitive properties a User Administrator may
// change, as in the real service: taking over their accounts gives it no more permissions.
var resettable = []string{
	"Directory Readers", "Groups Administrator", "Guest Inviter", "Helpdesk Administrator", "Message Center Reader",
	"Reports Reader",
	"Usage Summary Reports Reader", "User Administrator", "User Experience Success Manager",
}

// MayTakeOver reports whether a caller that may change users may make changes to a user with some
// roles that would let it act as that user or lock the user out: set the password, change the
// sign-in names, disable, delete or restore the user. Global Administrators may. No one else may if
// the user is guarded, as members and owners of role-assignable groups are. Otherwise holders of
// roles are protected, except those of the lesser roles from a User Administrator.
func (c *Caller) MayTakeOver(roles []uuid.UUID, guarded bool) bool {
	switch {
	case slices.Contains(c.Roles, GlobalAdministrator.ID):
		return true
	case guarded:
		return false
	case len(roles) == 0:
		return true
	case !slices.Contains(c.Roles, UserAdministrator.ID):
		return false
	}
	return !slices.ContainsFunc(roles, func(id uuid.UUID) bool {
		role, _ := RoleByID(id)
		return !slices.Contains(resettable, role.Name)
	})
}

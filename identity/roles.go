package identity

import "github.com/google/uuid"

// Role is a directory role, by its display name and the id of its template (A24).
type Role struct {
	Name string
	ID   uuid.UUID
}

// The roles that matter for an operation.
var (
	GlobalAdministrator  = Role{"Global Administrator", uuid.MustParse("62e90394-69f5-4237-9190-012177145e10")}
	GlobalReader         = Role{"Global Reader", uuid.MustParse("f2ef992c-3afb-46b9-b7cf-a126ee74c451")}
	UserAdministrator    = Role{"User Administrator", uuid.MustParse("fe930be7-5e62-47db-91af-98c3a49a38b1")}
	LicenseAdministrator = Role{"License Administrator", uuid.MustParse("4d6ac14f-3453-41d0-bef9-a3e0c569773a")}
	GroupsAdministrator  = Role{"Groups Administrator", uuid.MustParse("fdd7a751-b60b-444a-984c-02652fe8fa1c")}
	DirectoryReaders     = Role{"Directory Readers", uuid.MustParse("88d8e3e3-8f55-4a1e-953a-9b9898b8876b")}
	DirectoryWriters     = Role{"Directory Writers", uuid.MustParse("9360feb5-f418-4baa-8175-e2a00bac4301")}
)

// Roles lists all of them.
var Roles = []Role{
	GlobalAdministrator, GlobalReader, UserAdministrator, LicenseAdministrator, GroupsAdministrator, DirectoryReaders, DirectoryWriters,
}

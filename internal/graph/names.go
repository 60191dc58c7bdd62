package graph

import (
	"slices"
	"strings"
)

// What the names of types and bound operations may begin with: the namespace or its alias in the
// metadata, which the Go client writes (P2).
const (
	namespace = "microsoft.graph."
	alias     = "graph."
)

// withoutNamespace takes the namespace off a name.
func withoutNamespace(name string) (string, bool) {
	for _, prefix := range []string{namespace, alias} {
		if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			return name[len(prefix):], true
		}
	}
	return name, false
}

// Administrative units are at unitsRoot, and at the name of their set alone, which is where beta's
// reference has them.
const (
	unitSet   = "administrativeUnits"
	unitsRoot = "/directory/" + unitSet
)

// The sets of role definitions and of role assignments.
const (
	definitionSet = "roleManagement/directory/roleDefinitions"
	assignmentSet = "roleManagement/directory/roleAssignments"
)

// objectTypes are the types that getByIds may be asked for. Of most there are no objects here.
var objectTypes = []string{
	"administrativeUnit", "agentIdentity", "agentIdentityBlueprint", "agentIdentityBlueprintPrincipal", "agentUser", "application", "appRoleAssignment",
	"certificateAuthorityDetail", "certificateBasedAuthPki", "contract", "device", "directoryObject", "directoryObjectPartnerReference", "directoryRole",
	"directoryRoleTemplate", "endpoint", "extensionProperty", "externalUserProfile", "federatedTokenValidationPolicy", "group", "groupSettingTemplate",
	"mailbox", "multiTenantOrganizationMember", "orgContact", "organization", "pendingExternalUserProfile", "policyBase", "remoteTenantGroup",
	"resourceSpecificPermissionGrant", "servicePrincipal", "user",
}

// castTypes are the types of directory objects that lists can be narrowed to, in lower case.
var castTypes = []string{
	"administrativeunit", "application", "approleassignment", "contract", "device", "directoryobject", "directoryrole", "directoryroletemplate",
	"endpoint", "group", "organization", "orgcontact", "resourcespecificpermissiongrant", "serviceprincipal", "user",
}

// isCast reports whether lists of directory objects can be narrowed to a type, whose name is in
// lower case.
func isCast(name string) bool { return slices.Contains(castTypes, name) }

// isTypeName reports whether a name in lower case is that of a type of directory objects.
func isTypeName(name string) bool {
	return isCast(name) || slices.ContainsFunc(objectTypes, func(known string) bool { return strings.EqualFold(known, name) })
}

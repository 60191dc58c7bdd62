// Package edm is the entity data model of Graph: the types and sets there are, with the types of
// their properties (types.go), what can be reached from them (navigation.go) and called on them
// (actions.go), and what only the beta version has (beta.go). Rules are cited from
// docs/spec/protocol.md.
//
// A Model is what of it the operations that are served make up. It writes $metadata,
// and knows the names in the service document:
//
//	model := edm.NewModel(operations)
//	document := model.Metadata(types)
package edm

import (
	"slices"
	"strings"
)

// What the names of types and bound operations may begin with: the namespace or its alias in the
// metadata, which the Go client writes (P2).
const (
	Namespace = "microsoft.graph."
	alias     = "graph."
)

// WithoutNamespace takes the namespace off a name.
func WithoutNamespace(name string) (string, bool) {
	for _, prefix := range []string{Namespace, alias} {
		if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			return name[len(prefix):], true
		}
	}
	return name, false
}

// Administrative units are at unitsRoot, and at the name of their set alone, which is where beta's
// reference has them.
const (
	UnitSet   = "administrativeUnits"
	UnitsRoot = "/directory/" + UnitSet
)

// The sets of role definitions and of role assignments.
const (
	DefinitionSet = "roleManagement/directory/roleDefinitions"
	AssignmentSet = "roleManagement/directory/roleAssignments"
)

// ObjectTypes are the types that getByIds may be asked for. Of most there are no objects here.
var ObjectTypes = []string{
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

// IsCast reports whether lists of directory objects can be narrowed to a type, whose name is in
// lower case.
func IsCast(name string) bool { return slices.Contains(castTypes, name) }

// IsTypeName reports whether a name in lower case is that of a type of directory objects.
func IsTypeName(name string) bool {
	return IsCast(name) || slices.ContainsFunc(ObjectTypes, func(known string) bool {
		return strings.EqualFold(known, name)
	})
}

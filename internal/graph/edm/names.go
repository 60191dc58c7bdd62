// Package edm has the entity data model of Graph: the types and sets, with the types of their
// properties (types.go), navigation properties (navigation.go), actions (actions.go), and the
// additions of the beta version (beta.go). Rules are cited from docs/spec/protocol.md.
//
// A Model is the part of it that the supported operations cover. It writes $metadata, and has the
// names in the service document:
//
//	model := edm.NewModel(operations)
//	document := model.Metadata(types)
package edm

import (
	"slices"
	"strings"
)

// Prefixes of the names of types and bound operations: the namespace or its alias in the metadata,
// which the Go client writes (P2).
const (
	Namespace = "microsoft.graph."
	alias     = "graph."
)

// WithoutNamespace removes the namespace from a name.
func WithoutNamespace(name string) (string, bool) {
	for _, prefix := range []string{Namespace, alias} {
		if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			return name[len(prefix):], true
		}
	}
	return name, false
}

// Administrative units are at UnitsRoot, and also at the name of their set, as in the reference of
// beta.
const (
	UnitSet   = "administrativeUnits"
	UnitsRoot = "/directory/" + UnitSet
)

// The sets of role definitions and of role assignments.
const (
	DefinitionSet = "roleManagement/directory/roleDefinitions"
	AssignmentSet = "roleManagement/directory/roleAssignments"
)

// ObjectTypes are the types that getByIds accepts. Most have no objects here.
var ObjectTypes = []string{
	"administrativeUnit", "agentIdentity", "agentIdentityBlueprint", "agentIdentityBlueprintPrincipal", "agentUser", "application", "appRoleAssignment",
	"certificateAuthorityDetail", "certificateBasedAuthPki", "contract", "device", "directoryObject", "directoryObjectPartnerReference", "directoryRole",
	"directoryRoleTemplate", "endpoint", "extensionProperty", "externalUserProfile", "federatedTokenValidationPolicy", "group", "groupSettingTemplate",
	"mailbox", "multiTenantOrganizationMember", "orgContact", "organization", "pendingExternalUserProfile", "policyBase", "remoteTenantGroup",
	"resourceSpecificPermissionGrant", "servicePrincipal", "user",
}

// castTypes are the types of directory objects that lists can be restricted to, in lower case.
var castTypes = []string{
	"administrativeunit", "application", "approleassignment", "contract", "device", "directoryobject", "directoryrole", "directoryroletemplate",
	"endpoint", "group", "organization", "orgcontact", "resourcespecificpermissiongrant", "serviceprincipal", "user",
}

// IsCast reports whether lists of directory objects can be restricted to a type, whose name is in
// lower case.
func IsCast(name string) bool { return slices.Contains(castTypes, name) }

// IsTypeName reports whether a name in lower case is that of a type of directory objects.
func IsTypeName(name string) bool {
	return IsCast(name) || slices.ContainsFunc(ObjectTypes, func(known string) bool {
		return strings.EqualFold(known, name)
	})
}

package graph

import (
	_ "embed"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"sync"

	"licensor/internal/directory"
)

// metadataTypes are the complex and enumeration types that properties have: a part of $metadata as
// it stands there.
//
//go:embed metadata_types.xml
var metadataTypes string

// described is a type with properties that answers show.
type described interface {
	name() string
	properties() []string
}

// directoryObjects are those that groups can have as members, or that can be deleted and restored.
var directoryObjects = []string{
	"user", "group", "organization", "application", "servicePrincipal", "appRoleAssignment", "directoryRole", "directoryRoleTemplate",
	"administrativeUnit",
}

// entitySets are the sets of objects and their types; what is no set is a singleton.
var entitySets = map[string]string{
	"users": "user", "groups": "group", "organization": "organization", "subscribedSkus": "subscribedSku", "directoryObjects": "directoryObject",
	"domains": "domain", "applications": "application", "servicePrincipals": "servicePrincipal",
	"oauth2PermissionGrants": "oAuth2PermissionGrant", "directoryRoles": "directoryRole", "directoryRoleTemplates": "directoryRoleTemplate",
	"applicationTemplates": "applicationTemplate", unitSet: "administrativeUnit",
}

var singletons = map[string]string{"me": "user", "directory": "directory", "roleManagement": "roleManagement"}

// metadata is the document that describes some types, and what is served of them.
func (m *model) metadata(types []described) []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx xmlns="http://docs.oasis-open.org/odata/ns/edm" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">
 <edmx:DataServices>
  <Schema Namespace="microsoft.graph" Alias="graph">
`)
	b.WriteString(metadataTypes)
	b.WriteString(`   <EntityType Name="entity" Abstract="true">
    <Key>
     <PropertyRef Name="id" />
    </Key>
    <Property Name="id" Type="Edm.String" Nullable="false" />
   </EntityType>
   <EntityType Name="directoryObject" BaseType="graph.entity">
    <Property Name="deletedDateTime" Type="Edm.DateTimeOffset" />
   </EntityType>
   <EntityType Name="directory" BaseType="graph.entity">
`)
	m.writeNavigation(&b, "directory")
	b.WriteString("   </EntityType>\n")
	for _, name := range []string{"roleManagement", "rbacApplication"} { // they lead to others, and have nothing of their own
		fmt.Fprintf(&b, "   <EntityType Name=%q BaseType=\"graph.entity\">\n", name)
		m.writeNavigation(&b, name)
		b.WriteString("   </EntityType>\n")
	}
	for _, t := range types {
		m.writeEntity(&b, t)
	}
	m.writeActions(&b)
	m.writeContainer(&b)
	b.WriteString("  </Schema>\n </edmx:DataServices>\n</edmx:Edmx>\n")
	return []byte(b.String())
}

func (m *model) writeEntity(b *strings.Builder, t described) {
	base := "entity"
	if slices.Contains(directoryObjects, t.name()) {
		base = "directoryObject"
	}
	fmt.Fprintf(b, "   <EntityType Name=%q BaseType=\"graph.%s\">\n", t.name(), base)
	for _, name := range t.properties() {
		if name != "id" && name != "deletedDateTime" {
			writeTyped(b, "Property", name, propertyType(t.name(), name), "")
		}
	}
	m.writeNavigation(b, t.name())
	b.WriteString("   </EntityType>\n")
}

// writeTyped writes an element with a type. A type that ends with ! cannot be null.
func writeTyped(b *strings.Builder, element, name, typeName, more string) {
	plain, notNull := strings.CutSuffix(typeName, "!")
	if name != "" {
		name = fmt.Sprintf(" Name=%q", name)
	}
	if notNull {
		more += ` Nullable="false"`
	}
	fmt.Fprintf(b, "    <%s%s Type=%q%s />\n", element, name, plain, more)
}

// propertyType is the type of a property: from the directory, where it is one of a document, or
// from the table.
func propertyType(typeName, name string) string {
	for _, key := range []string{typeName + "." + name, name} {
		if t, ok := propertyTypes[key]; ok {
			return t
		}
	}
	if slices.Contains(betaOnly[typeName].lists, name) {
		return "Collection(Edm.String)!"
	}
	var kind directory.Kind
	switch typeName {
	case "user":
		kind = kindOf(directory.UserProperty(name))
	case "group":
		kind = kindOf(directory.GroupProperty(name))
	case "organization":
		kind = kindOf(directory.OrganizationProperty(name))
	case "administrativeUnit":
		kind = kindOf(directory.UnitProperty(name))
	}
	if t, ok := kindTypes[kind]; ok {
		return t
	}
	return "Edm.String"
}

func kindOf[T any](p *directory.Property[T], ok bool) directory.Kind {
	if !ok {
		return 0
	}
	return p.Kind
}

var kindTypes = map[directory.Kind]string{
	directory.KindBool: "Edm.Boolean", directory.KindDateTime: "Edm.DateTimeOffset", directory.KindInt32: "Edm.Int32", directory.KindStringCollection: "Collection(Edm.String)!",
}

// propertyTypes are the types of properties that are no texts, but for those that the directory
// knows. Those that cannot be null end with !.
var propertyTypes = map[string]string{
	"accessType":                     "graph.groupAccessType",
	"accountEnabled":                 "Edm.Boolean",
	"addIns":                         "Collection(graph.addIn)!",
	"alternativeNames":               "Collection(Edm.String)!",
	"api":                            "graph.apiApplication",
	"appOwnerOrganizationId":         "Edm.Guid",
	"appRoleAssignment.principalId":  "Edm.Guid",
	"appRoleAssignment.resourceId":   "Edm.Guid",
	"appRoleAssignmentRequired":      "Edm.Boolean!",
	"appRoleId":                      "Edm.Guid!",
	"appRoles":                       "Collection(graph.appRole)!",
	"assignedLabels":                 "Collection(graph.assignedLabel)",
	"assignedPlans":                  "Collection(graph.assignedPlan)!",
	"audiences":                      "Collection(Edm.String)!",
	"authenticationBehaviors":        "graph.authenticationBehaviors",
	"authenticationType":             "Edm.String!",
	"authorizationInfo":              "graph.authorizationInfo",
	"applicationTemplate.categories": "Collection(Edm.String)",
	"applicationTemplate.supportedProvisioningTypes": "Collection(Edm.String)",
	"applicationTemplate.supportedSingleSignOnModes": "Collection(Edm.String)",
	"birthday":                               "Edm.DateTimeOffset!",
	"certification":                          "graph.certification",
	"consumedUnits":                          "Edm.Int32",
	"createdDateTime":                        "Edm.DateTimeOffset",
	"customSecurityAttributes":               "graph.customSecurityAttributeValue",
	"deviceEnrollmentLimit":                  "Edm.Int32!",
	"domain.state":                           "graph.domainState",
	"employeeOrgData":                        "graph.employeeOrgData",
	"federatedIdentityCredential.name":       "Edm.String!",
	"group.assignedLicenses":                 "Collection(graph.assignedLicense)",
	"hasMembersWithLicenseErrors":            "Edm.Boolean",
	"hireDate":                               "Edm.DateTimeOffset!",
	"identifierUris":                         "Collection(Edm.String)!",
	"identities":                             "Collection(graph.objectIdentity)",
	"info":                                   "graph.informationalUrl",
	"isAdminManaged":                         "Edm.Boolean!",
	"isBuiltIn":                              "Edm.Boolean",
	"isDefault":                              "Edm.Boolean!",
	"isDeviceOnlyAuthSupported":              "Edm.Boolean",
	"isDisabled":                             "Edm.Boolean",
	"isEnabled":                              "Edm.Boolean",
	"isFallbackPublicClient":                 "Edm.Boolean",
	"isInitial":                              "Edm.Boolean!",
	"isRoot":                                 "Edm.Boolean!",
	"issuer":                                 "Edm.String!",
	"isTrial":                                "Edm.Boolean",
	"isVerified":                             "Edm.Boolean!",
	"keyCredentials":                         "Collection(graph.keyCredential)!",
	"licenseAssignmentStates":                "Collection(graph.licenseAssignmentState)",
	"licenseDetails.skuId":                   "Edm.Guid",
	"licenseProcessingState":                 "graph.licenseProcessingState",
	"logo":                                   "Edm.Stream!",
	"mailboxSettings":                        "graph.mailboxSettings",
	"managerApplications":                    "Collection(Edm.Guid)!",
	"mobileDeviceManagementAuthority":        "graph.mdmAuthority!",
	"nativeAuthenticationApisEnabled":        "graph.nativeAuthenticationApisEnabled",
	"nextLifecycleDateTime":                  "Edm.DateTimeOffset",
	"notificationEmailAddresses":             "Collection(Edm.String)!",
	"oAuth2PermissionGrant.clientId":         "Edm.String!",
	"oAuth2PermissionGrant.resourceId":       "Edm.String!",
	"oauth2PermissionScopes":                 "Collection(graph.permissionScope)!",
	"oauth2RequirePostResponse":              "Edm.Boolean!",
	"onPremisesExtensionAttributes":          "graph.onPremisesExtensionAttributes",
	"onPremisesProvisioningErrors":           "Collection(graph.onPremisesProvisioningError)",
	"optionalClaims":                         "graph.optionalClaims",
	"parentalControlSettings":                "graph.parentalControlSettings",
	"partnerTenantType":                      "graph.partnerTenantType",
	"passwordCredentials":                    "Collection(graph.passwordCredential)!",
	"passwordNotificationWindowInDays":       "Edm.Int32",
	"passwordProfile":                        "graph.passwordProfile",
	"passwordValidityPeriodInDays":           "Edm.Int32",
	"prepaidUnits":                           "graph.licenseUnitsDetail",
	"print":                                  "graph.userPrint",
	"privacyProfile":                         "graph.privacyProfile",
	"publishedPermissionScopes":              "Collection(graph.permissionScope)!",
	"provisionedPlans":                       "Collection(graph.provisionedPlan)!",
	"publicClient":                           "graph.publicClientApplication",
	"replyUrls":                              "Collection(Edm.String)!",
	"requestSignatureVerification":           "graph.requestSignatureVerification",
	"requiredResourceAccess":                 "Collection(graph.requiredResourceAccess)!",
	"resourceScopes":                         "Collection(Edm.String)!",
	"resourceSpecificApplicationPermissions": "Collection(graph.resourceSpecificPermission)!",
	"rolePermissions":                        "Collection(graph.unifiedRolePermission)!",
	"samlSingleSignOnSettings":               "graph.samlSingleSignOnSettings",
	"servicePlans":                           "Collection(graph.servicePlanInfo)!",
	"servicePrincipalLockConfiguration":      "graph.servicePrincipalLockConfiguration",
	"servicePrincipalNames":                  "Collection(Edm.String)!",
	"serviceProvisioningErrors":              "Collection(graph.serviceProvisioningError)",
	"serviceStatus":                          "Collection(graph.servicePlanInfo)!",
	"signInActivity":                         "graph.signInActivity",
	"spa":                                    "graph.spaApplication",
	"subject":                                "Edm.String!",
	"subscribedSku.skuId":                    "Edm.Guid",
	"subscriptionIds":                        "Collection(Edm.String)",
	"supportedServices":                      "Collection(Edm.String)!",
	"tags":                                   "Collection(Edm.String)!",
	"tokenEncryptionKeyId":                   "Edm.Guid",
	"totalLicenses":                          "Edm.Int32",
	"user.assignedLicenses":                  "Collection(graph.assignedLicense)!",
	"verifiedDomains":                        "Collection(graph.verifiedDomain)!",
	"verifiedPublisher":                      "graph.verifiedPublisher",
	"web":                                    "graph.webApplication",
	"writebackConfiguration":                 "graph.groupWritebackConfiguration",
}

// member is a property of a complex type.
type member struct {
	Name string `xml:"Name,attr"`
	Type string `xml:"Type,attr"`
}

// complexTypes are the properties of complex types, by name.
var complexTypes = sync.OnceValue(func() map[string][]member {
	var document struct {
		Types []struct {
			Name       string   `xml:"Name,attr"`
			Properties []member `xml:"Property"`
		} `xml:"ComplexType"`
	}
	if err := xml.Unmarshal([]byte("<types>"+metadataTypes+"</types>"), &document); err != nil {
		panic(err) // a test reads it
	}
	types := map[string][]member{}
	for _, t := range document.Types {
		types[t.Name] = t.Properties
	}
	return types
})

// complexMembers are the properties of a complex type; false when the type is none.
func complexMembers(typeName string) ([]member, bool) {
	members, ok := complexTypes()[strings.TrimPrefix(typeName, alias)]
	return members, ok
}

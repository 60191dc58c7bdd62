package edm

import (
	"encoding/xml"
	"slices"
	"strings"
	"sync"

	"licensor/internal/directory"
)

// PropertyType returns the type of a property: from package directory if a document has it,
// otherwise from the table.
func PropertyType(typeName, name string) string {
	for _, key := range []string{typeName + "." + name, name} {
		if t, ok := propertyTypes[key]; ok {
			return t
		}
	}
	if slices.Contains(BetaOnly[typeName].Lists, name) {
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

// propertyTypes are the types of properties that are not texts, except those of package directory.
// Types that cannot be null end with !.
var propertyTypes = map[string]string{
	"directoryAudit.activityDateTime":                "Edm.DateTimeOffset!",
	"directoryAudit.activityDisplayName":             "Edm.String!",
	"directoryAudit.additionalDetails":               "Collection(graph.keyValue)",
	"directoryAudit.category":                        "Edm.String!",
	"directoryAudit.initiatedBy":                     "graph.auditActivityInitiator!",
	"directoryAudit.result":                          "graph.operationResult",
	"directoryAudit.targetResources":                 "Collection(graph.targetResource)",
	"signIn.appliedConditionalAccessPolicies":        "Collection(graph.appliedConditionalAccessPolicy)",
	"signIn.conditionalAccessStatus":                 "graph.conditionalAccessStatus",
	"signIn.createdDateTime":                         "Edm.DateTimeOffset!",
	"signIn.deviceDetail":                            "graph.deviceDetail",
	"signIn.isInteractive":                           "Edm.Boolean",
	"signIn.location":                                "graph.signInLocation",
	"signIn.riskDetail":                              "graph.riskDetail",
	"signIn.riskEventTypes":                          "Collection(graph.riskEventType)",
	"signIn.riskEventTypes_v2":                       "Collection(Edm.String)",
	"signIn.riskLevelAggregated":                     "graph.riskLevel",
	"signIn.riskLevelDuringSignIn":                   "graph.riskLevel",
	"signIn.riskState":                               "graph.riskState",
	"signIn.status":                                  "graph.signInStatus",
	"accessType":                                     "graph.groupAccessType",
	"accountEnabled":                                 "Edm.Boolean",
	"addIns":                                         "Collection(graph.addIn)!",
	"alternativeNames":                               "Collection(Edm.String)!",
	"api":                                            "graph.apiApplication",
	"appOwnerOrganizationId":                         "Edm.Guid",
	"appRoleAssignment.principalId":                  "Edm.Guid",
	"appRoleAssignment.resourceId":                   "Edm.Guid",
	"appRoleAssignmentRequired":                      "Edm.Boolean!",
	"appRoleId":                                      "Edm.Guid!",
	"appRoles":                                       "Collection(graph.appRole)!",
	"assignedLabels":                                 "Collection(graph.assignedLabel)",
	"assignedPlans":                                  "Collection(graph.assignedPlan)!",
	"audiences":                                      "Collection(Edm.String)!",
	"authenticationBehaviors":                        "graph.authenticationBehaviors",
	"authenticationType":                             "Edm.String!",
	"authorizationInfo":                              "graph.authorizationInfo",
	"applicationTemplate.categories":                 "Collection(Edm.String)",
	"applicationTemplate.supportedProvisioningTypes": "Collection(Edm.String)",
	"applicationTemplate.supportedSingleSignOnModes": "Collection(Edm.String)",
	"birthday":                                       "Edm.DateTimeOffset!",
	"certification":                                  "graph.certification",
	"consumedUnits":                                  "Edm.Int32",
	"createdDateTime":                                "Edm.DateTimeOffset",
	"customSecurityAttributes":                       "graph.customSecurityAttributeValue",
	"deviceEnrollmentLimit":                          "Edm.Int32!",
	"domain.state":                                   "graph.domainState",
	"employeeOrgData":                                "graph.employeeOrgData",
	"federatedIdentityCredential.name":               "Edm.String!",
	"group.assignedLicenses":                         "Collection(graph.assignedLicense)",
	"hasMembersWithLicenseErrors":                    "Edm.Boolean",
	"hireDate":                                       "Edm.DateTimeOffset!",
	"identifierUris":                                 "Collection(Edm.String)!",
	"identities":                                     "Collection(graph.objectIdentity)",
	"info":                                           "graph.informationalUrl",
	"isAdminManaged":                                 "Edm.Boolean!",
	"isBuiltIn":                                      "Edm.Boolean",
	"isDefault":                                      "Edm.Boolean!",
	"isDeviceOnlyAuthSupported":                      "Edm.Boolean",
	"isDisabled":                                     "Edm.Boolean",
	"isEnabled":                                      "Edm.Boolean",
	"isFallbackPublicClient":                         "Edm.Boolean",
	"isInitial":                                      "Edm.Boolean!",
	"isRoot":                                         "Edm.Boolean!",
	"issuer":                                         "Edm.String!",
	"isTrial":                                        "Edm.Boolean",
	"isVerified":                                     "Edm.Boolean!",
	"keyCredentials":                                 "Collection(graph.keyCredential)!",
	"licenseAssignmentStates":                        "Collection(graph.licenseAssignmentState)",
	"licenseDetails.skuId":                           "Edm.Guid",
	"licenseProcessingState":                         "graph.licenseProcessingState",
	"logo":                                           "Edm.Stream!",
	"mailboxSettings":                                "graph.mailboxSettings",
	"managerApplications":                            "Collection(Edm.Guid)!",
	"mobileDeviceManagementAuthority":                "graph.mdmAuthority!",
	"nativeAuthenticationApisEnabled":                "graph.nativeAuthenticationApisEnabled",
	"nextLifecycleDateTime":                          "Edm.DateTimeOffset",
	"notificationEmailAddresses":                     "Collection(Edm.String)!",
	"oAuth2PermissionGrant.clientId":                 "Edm.String!",
	"oAuth2PermissionGrant.resourceId":               "Edm.String!",
	"oauth2PermissionScopes":                         "Collection(graph.permissionScope)!",
	"oauth2RequirePostResponse":                      "Edm.Boolean!",
	"onPremisesExtensionAttributes":                  "graph.onPremisesExtensionAttributes",
	"onPremisesProvisioningErrors":                   "Collection(graph.onPremisesProvisioningError)",
	"optionalClaims":                                 "graph.optionalClaims",
	"parentalControlSettings":                        "graph.parentalControlSettings",
	"partnerTenantType":                              "graph.partnerTenantType",
	"passwordCredentials":                            "Collection(graph.passwordCredential)!",
	"passwordNotificationWindowInDays":               "Edm.Int32",
	"passwordProfile":                                "graph.passwordProfile",
	"passwordValidityPeriodInDays":                   "Edm.Int32",
	"prepaidUnits":                                   "graph.licenseUnitsDetail",
	"print":                                          "graph.userPrint",
	"privacyProfile":                                 "graph.privacyProfile",
	"publishedPermissionScopes":                      "Collection(graph.permissionScope)!",
	"provisionedPlans":                               "Collection(graph.provisionedPlan)!",
	"publicClient":                                   "graph.publicClientApplication",
	"replyUrls":                                      "Collection(Edm.String)!",
	"requestSignatureVerification":                   "graph.requestSignatureVerification",
	"requiredResourceAccess":                         "Collection(graph.requiredResourceAccess)!",
	"resourceScopes":                                 "Collection(Edm.String)!",
	"resourceSpecificApplicationPermissions":         "Collection(graph.resourceSpecificPermission)!",
	"rolePermissions":                                "Collection(graph.unifiedRolePermission)!",
	"samlSingleSignOnSettings":                       "graph.samlSingleSignOnSettings",
	"servicePlans":                                   "Collection(graph.servicePlanInfo)!",
	"servicePrincipalLockConfiguration":              "graph.servicePrincipalLockConfiguration",
	"servicePrincipalNames":                          "Collection(Edm.String)!",
	"serviceProvisioningErrors":                      "Collection(graph.serviceProvisioningError)",
	"serviceStatus":                                  "Collection(graph.servicePlanInfo)!",
	"signInActivity":                                 "graph.signInActivity",
	"spa":                                            "graph.spaApplication",
	"subject":                                        "Edm.String!",
	"subscribedSku.skuId":                            "Edm.Guid",
	"subscriptionIds":                                "Collection(Edm.String)",
	"supportedServices":                              "Collection(Edm.String)!",
	"tags":                                           "Collection(Edm.String)!",
	"tokenEncryptionKeyId":                           "Edm.Guid",
	"totalLicenses":                                  "Edm.Int32",
	"user.assignedLicenses":                          "Collection(graph.assignedLicense)!",
	"verifiedDomains":                                "Collection(graph.verifiedDomain)!",
	"verifiedPublisher":                              "graph.verifiedPublisher",
	"web":                                            "graph.webApplication",
	"writebackConfiguration":                         "graph.groupWritebackConfiguration",
}

// Member is a property of a complex type.
type Member struct {
	Name string `xml:"Name,attr"`
	Type string `xml:"Type,attr"`
}

// complexTypes are the properties of complex types, by name.
var complexTypes = sync.OnceValue(func() map[string][]Member {
	var document struct {
		Types []struct {
			Name       string   `xml:"Name,attr"`
			Properties []Member `xml:"Property"`
		} `xml:"ComplexType"`
	}
	if err := xml.Unmarshal([]byte("<types>"+metadataTypes+"</types>"), &document); err != nil {
		panic(err) // a test reads it
	}
	types := map[string][]Member{}
	for _, t := range document.Types {
		types[t.Name] = t.Properties
	}
	return types
})

// ComplexMembers returns the properties of a complex type; false if the type is not complex.
func ComplexMembers(typeName string) ([]Member, bool) {
	members, ok := complexTypes()[strings.TrimPrefix(typeName, alias)]
	return members, ok
}

package edm

import (
	"strings"

	"licensor/internal/fold"
)

// Navigation has the navigation properties of Graph's types in both versions, supported or not:
// $expand can name them, and $select may name them without effect (P22). Together with properties
// and operations, they are all names of graph/route/surface.txt below an object.
var Navigation = map[string][]string{
	"user": strings.Fields(`activities adhocCalls agentSignInSessions agreementAcceptances analytics
		appConsentRequestsForApproval appRoleAssignedResources appRoleAssignments approvals authentication calendar
		calendarGroups calendars calendarView chats cloudClipboard cloudLicensing cloudPCs communications contactFolders
		contacts createdObjects dataSecurityAndGovernance deviceEnrollmentConfigurations
		deviceManagementTroubleshootingEvents devices directReports distributionLists drive drives employeeExperience
		events extensions followedSites homeSite inferenceClassification informationProtection insights invitedBy
		joinedGroups joinedTeams licenseDetails mailFolders managedAppLogCollectionRequests managedAppRegistrations
		managedDevices manager memberOf messages mobileAppIntentAndStates mobileAppTroubleshootingEvents notes
		notifications oauth2PermissionGrants onenote onlineMeetings onPremisesSyncBehavior organizationalUnitParent
		outlook ownedDevices ownedObjects pendingAccessReviewInstances people permissionGrants photo photos planner
		presence profile registeredDevices scopedRoleMemberOf security settings solutions sponsorOf sponsors tasks
		teamwork todo transitiveMemberOf transitiveReports trendingAround usageRights virtualEvents
		windowsInformationProtectionDeviceRegistrations`),
	"group": strings.Fields(`acceptedSenders appRoleAssignments calendar calendarView cloudLicensing conversations
		createdOnBehalfOf drive drives endpoints events extensions groupLifecyclePolicies memberOf members
		membersWithLicenseErrors onenote onPremisesSyncBehavior organizationalUnitParent owners permissionGrants photo
		photos planner rejectedSenders resourceUnitDetails settings sites team threads transitiveMemberOf
		transitiveMembers`),
	"application": strings.Fields(`appManagementPolicies authorization connectorGroup createdOnBehalfOf
		extensionProperties federatedIdentityCredentials homeRealmDiscoveryPolicies owners
		pairwiseBrokerEmbeddedAppConfig sponsors synchronization tokenIssuancePolicies tokenLifetimePolicies`),
	"servicePrincipal": strings.Fields(`appManagementPolicies appRoleAssignedTo appRoleAssignments authorization
		b2bManagementPolicies claimsMappingPolicies claimsPolicy createdObjects delegatedPermissionClassifications
		endpoints federatedIdentityCredentials homeRealmDiscoveryPolicies inheritedAppRoleAssignments
		inheritedOauth2PermissionGrants invitedBy licenseDetails memberOf oauth2PermissionGrants ownedObjects owners
		permissionGrantPreApprovalPolicies remoteDesktopSecurityConfiguration sponsors synchronization
		tokenIssuancePolicies tokenLifetimePolicies transitiveMemberOf`),
	"administrativeUnit": strings.Fields(`extensions members scopedRoleMembers`),
	"organization":       strings.Fields(`branding certificateBasedAuthConfiguration extensions partnerInformation settings`),
	"directoryRole":      strings.Fields(`members scopedMembers`),
	"domain": strings.Fields(`domainNameReferences federationConfiguration rootDomain serviceConfigurationRecords
		sharedEmailDomainInvitations verificationDnsRecords`),
	"unifiedRoleDefinition": strings.Fields(`inheritsPermissionsFrom`),
	"unifiedRoleAssignment": strings.Fields(`appScope directoryScope principal principals roleDefinition`),
}

// PlacesOf are the sets of objects whose navigation properties have URLs, by type. They are
// recognized as Graph's, like the places of the table of graph/route.
var PlacesOf = map[string][]string{
	"user": {"users"}, "group": {"groups"}, "application": {"applications"}, "servicePrincipal": {"servicePrincipals"},
	"administrativeUnit": {UnitsRoot[1:], UnitSet}, "organization": {"organization"}, "directoryRole": {"directoryRoles"}, "domain": {"domains"},
	"unifiedRoleDefinition": {DefinitionSet}, "unifiedRoleAssignment": {AssignmentSet},
}

// NavigationNames are the names of all navigation properties, which have the same spelling in all
// types.
var NavigationNames = func() fold.Names[string] {
	all := fold.Names[string]{}
	for _, names := range Navigation {
		for _, name := range names {
			all.Add(name, name)
		}
	}
	return all
}()

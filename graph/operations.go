package graph

import (
	"cmp"
	"strings"

	"licensor/identity"
)

// operation is something the API does, or knows not to do yet.
type operation struct {
	method string
	// path below the root. {names} are keys, a name with () is a bound operation of OData (P2), microsoft.graph.{type} any type of
	// directory objects.
	path string
	need identity.Operation
	do   func(*API, *request) error // nil: not served yet, 501
	// needOfGroup takes the place of need where the object turns out to be a group, needOfApplication where it is an application or
	// service principal.
	needOfGroup, needOfApplication identity.Operation
	// anyone may who has a token; there is no need then.
	anyone bool
	// open is for all, with a token or without.
	open bool
	// cost is in resource units (P43); the table of costs says it.
	cost int
}

// ofUser and ofGroup say what the first key of the path names.
func (op *operation) ofUser() bool {
	return strings.HasPrefix(strings.TrimPrefix(op.path, ownRoot), "/users/{")
}

// resource is what messages call that which the body of a request is of: the type of the objects, or the action.
func (op *operation) resource() string {
	path := strings.TrimPrefix(op.path, ownRoot)
	if action, ok := strings.CutSuffix(path[strings.LastIndexByte(path, '/')+1:], "()"); ok {
		return action
	}
	set, _, _ := strings.Cut(path[1:], "/")
	name := cmp.Or(entitySets[set], set)
	return strings.ToUpper(name[:1]) + name[1:]
}

func (op *operation) ofGroup() bool { return strings.HasPrefix(op.path, "/groups/{") }

// isDevelopment says whether the operation is there only where Config.Development is.
func (op *operation) isDevelopment() bool { return strings.HasPrefix(op.path, developmentRoot) }

// ownRoot is where our own operations are.
const ownRoot = "/licensor/v1"

// developmentRoot is where the operations are that programs are tested with.
const developmentRoot = ownRoot + "/development/"

// operations is the one table of what is served: routes, permissions, 405 and 501 all follow from it. What is under /users/{user} is
// under /me, too.
var operations = []operation{
	{method: "GET", path: "/", open: true, do: (*API).getService},
	{method: "GET", path: "/$metadata", open: true, do: (*API).getMetadata},

	{method: "GET", path: "/users", need: identity.ReadUsers, do: (*API).listUsers},
	{method: "POST", path: "/users", need: identity.WriteUsers, do: (*API).createUser},
	{method: "GET", path: "/users/$count", need: identity.ReadUsers, do: (*API).countUsers},
	{method: "GET", path: "/users/delta()", need: identity.ReadUsers, do: (*API).usersDelta},
	{method: "GET", path: "/users/{user}", need: identity.ReadUsers, do: (*API).getUser},
	{method: "PATCH", path: "/users/{user}", need: identity.WriteUsers, do: (*API).updateUser},
	{method: "DELETE", path: "/users/{user}", need: identity.DeleteUsers, do: (*API).deleteUser},
	{method: "GET", path: "/users/{user}/memberOf", need: identity.ReadMemberships, do: membershipsOfUser.list},
	{method: "GET", path: "/users/{user}/memberOf/$count", need: identity.ReadMemberships, do: membershipsOfUser.count},
	{method: "GET", path: "/users/{user}/memberOf/microsoft.graph.{type}", need: identity.ReadMemberships, do: membershipsOfUser.cast},
	{method: "GET", path: "/users/{user}/memberOf/microsoft.graph.{type}/$count", need: identity.ReadMemberships, do: membershipsOfUser.countCast},
	{method: "GET", path: "/users/{user}/memberOf/{object}", need: identity.ReadMemberships, do: membershipsOfUser.one},
	{method: "GET", path: "/users/{user}/transitiveMemberOf", need: identity.ReadMemberships, do: allMembershipsOfUser.list},
	{method: "GET", path: "/users/{user}/transitiveMemberOf/$count", need: identity.ReadMemberships, do: allMembershipsOfUser.count},
	{method: "GET", path: "/users/{user}/transitiveMemberOf/microsoft.graph.{type}", need: identity.ReadMemberships, do: allMembershipsOfUser.cast},
	{method: "GET", path: "/users/{user}/transitiveMemberOf/microsoft.graph.{type}/$count", need: identity.ReadMemberships, do: allMembershipsOfUser.countCast},
	{method: "GET", path: "/users/{user}/transitiveMemberOf/{object}", need: identity.ReadMemberships, do: allMembershipsOfUser.one},
	{method: "GET", path: "/users/{user}/manager", need: identity.ReadManager, do: (*API).getManager},
	{method: "GET", path: "/users/{user}/manager/$ref", need: identity.ReadManager, do: (*API).getManagerReference},
	{method: "PUT", path: "/users/{user}/manager/$ref", need: identity.WriteUsers, do: (*API).setManager},
	{method: "DELETE", path: "/users/{user}/manager/$ref", need: identity.WriteUsers, do: (*API).removeManager},
	{method: "GET", path: "/users/{user}/directReports", need: identity.ReadManager, do: reportsOfUser.list},
	{method: "GET", path: "/users/{user}/directReports/$count", need: identity.ReadManager, do: reportsOfUser.count},
	{method: "GET", path: "/users/{user}/directReports/microsoft.graph.{type}", need: identity.ReadManager, do: reportsOfUser.cast},
	{method: "GET", path: "/users/{user}/directReports/microsoft.graph.{type}/$count", need: identity.ReadManager, do: reportsOfUser.countCast},
	{method: "GET", path: "/users/{user}/directReports/{object}", need: identity.ReadManager, do: reportsOfUser.one},
	{method: "GET", path: "/users/{user}/transitiveReports", need: identity.ReadManager, do: allReportsOfUser.list},
	{method: "GET", path: "/users/{user}/transitiveReports/$count", need: identity.ReadManager, do: allReportsOfUser.count},
	{method: "GET", path: "/users/{user}/transitiveReports/microsoft.graph.{type}", need: identity.ReadManager, do: allReportsOfUser.cast},
	{method: "GET", path: "/users/{user}/transitiveReports/microsoft.graph.{type}/$count", need: identity.ReadManager, do: allReportsOfUser.countCast},
	{method: "GET", path: "/users/{user}/ownedObjects", need: identity.ReadManager, do: ownedByUser.list},
	{method: "GET", path: "/users/{user}/ownedObjects/$count", need: identity.ReadManager, do: ownedByUser.count},
	{method: "GET", path: "/users/{user}/ownedObjects/microsoft.graph.{type}", need: identity.ReadManager, do: ownedByUser.cast},
	{method: "GET", path: "/users/{user}/ownedObjects/microsoft.graph.{type}/$count", need: identity.ReadManager, do: ownedByUser.countCast},
	{method: "GET", path: "/users/{user}/ownedObjects/{object}", need: identity.ReadManager, do: ownedByUser.one},
	{method: "GET", path: "/users/{user}/createdObjects", need: identity.ReadManager, do: createdByUser.list},
	{method: "GET", path: "/users/{user}/createdObjects/$count", need: identity.ReadManager, do: createdByUser.count},
	{method: "GET", path: "/users/{user}/createdObjects/microsoft.graph.{type}", need: identity.ReadManager, do: createdByUser.cast},
	{method: "GET", path: "/users/{user}/createdObjects/microsoft.graph.{type}/$count", need: identity.ReadManager, do: createdByUser.countCast},
	{method: "GET", path: "/users/{user}/createdObjects/{object}", need: identity.ReadManager, do: createdByUser.one},
	{method: "GET", path: "/users/{user}/sponsors", need: identity.ReadManager, do: sponsorsOfUser.list},
	{method: "GET", path: "/users/{user}/sponsors/$count", need: identity.ReadManager, do: sponsorsOfUser.count},
	{method: "GET", path: "/users/{user}/sponsors/microsoft.graph.{type}", need: identity.ReadManager, do: sponsorsOfUser.cast},
	{method: "GET", path: "/users/{user}/sponsors/microsoft.graph.{type}/$count", need: identity.ReadManager, do: sponsorsOfUser.countCast},
	{method: "GET", path: "/users/{user}/sponsors/$ref", need: identity.ReadManager, do: sponsorsOfUser.references},
	{method: "POST", path: "/users/{user}/sponsors/$ref", need: identity.WriteUsers, do: userSponsors.add},
	{method: "DELETE", path: "/users/{user}/sponsors/{sponsor}/$ref", need: identity.WriteUsers, do: userSponsors.remove},
	{method: "POST", path: "/users/{user}/getMemberGroups()", need: identity.ReadMemberships, do: allGroupsOfUser.getMembers},
	{method: "POST", path: "/users/{user}/getMemberObjects()", need: identity.ReadMemberships, do: allMembershipsOfUser.getMembers},
	{method: "POST", path: "/users/{user}/checkMemberGroups()", need: identity.ReadMemberships, do: allGroupsOfUser.checkGroups},
	{method: "POST", path: "/users/{user}/checkMemberObjects()", need: identity.ReadMemberships, do: allMembershipsOfUser.checkObjects},
	{method: "GET", path: "/users/{user}/licenseDetails", need: identity.ReadLicenseDetails, do: (*API).listLicenseDetails},
	{method: "GET", path: "/users/{user}/licenseDetails/{detail}", need: identity.ReadLicenseDetails, do: (*API).getLicenseDetails},
	{method: "POST", path: "/users/{user}/assignLicense()", need: identity.AssignUser, do: (*API).assignUserLicense},
	{method: "POST", path: "/users/{user}/reprocessLicenseAssignment()", need: identity.ReprocessUser, do: (*API).reprocessLicenseAssignment},
	{method: "GET", path: "/users/{user}/oauth2PermissionGrants", need: identity.ReadGrants, do: (*API).listGrantsOfUser},
	{method: "GET", path: "/users/{user}/appRoleAssignments", need: identity.ReadAppRolesOfUser, do: assignmentsOfUser.list},
	{method: "POST", path: "/users/{user}/appRoleAssignments", need: identity.WriteAppRoles, do: assignmentsOfUser.create},
	{method: "GET", path: "/users/{user}/appRoleAssignments/{assignment}", need: identity.ReadAppRolesOfUser, do: assignmentsOfUser.get},
	{method: "DELETE", path: "/users/{user}/appRoleAssignments/{assignment}", need: identity.WriteAppRoles, do: assignmentsOfUser.remove},
	{method: "GET", path: "/users/{user}/appRoleAssignedResources", need: identity.ReadAppRolesOfUser, do: resourcesOfUser.principals},
	{method: "GET", path: "/users/{user}/appRoleAssignedResources/$count", need: identity.ReadAppRolesOfUser, do: resourcesOfUser.count},
	{method: "POST", path: "/users/{user}/revokeSignInSessions()", need: identity.RevokeSessions, do: (*API).revokeSessions},
	{method: "POST", path: "/users/{user}/invalidateAllRefreshTokens()", need: identity.RevokeSessions, do: (*API).revokeSessions},
	{method: "POST", path: "/me/changePassword()", need: identity.ChangePassword, do: (*API).changePassword},

	{method: "GET", path: "/groups", need: identity.ReadGroups, do: (*API).listGroups},
	{method: "POST", path: "/groups", need: identity.CreateGroups, do: (*API).createGroup},
	{method: "GET", path: "/groups/$count", need: identity.ReadGroups, do: (*API).countGroups},
	{method: "GET", path: "/groups/delta()", need: identity.ReadGroups, do: (*API).groupsDelta},
	{method: "GET", path: "/groups/{group}", need: identity.ReadGroups, do: (*API).getGroup},
	{method: "PATCH", path: "/groups/{group}", need: identity.WriteGroups, do: (*API).updateGroup},
	{method: "DELETE", path: "/groups/{group}", need: identity.WriteGroups, do: (*API).deleteGroup},
	{method: "GET", path: "/groups/{group}/members", need: identity.ReadGroups, do: membersOfGroup.list},
	{method: "GET", path: "/groups/{group}/members/$count", need: identity.ReadGroups, do: membersOfGroup.count},
	{method: "GET", path: "/groups/{group}/members/microsoft.graph.{type}", need: identity.ReadGroups, do: membersOfGroup.cast},
	{method: "GET", path: "/groups/{group}/members/microsoft.graph.{type}/$count", need: identity.ReadGroups, do: membersOfGroup.countCast},
	{method: "GET", path: "/groups/{group}/members/$ref", need: identity.ReadGroups, do: membersOfGroup.references},
	{method: "GET", path: "/groups/{group}/members/{member}", need: identity.ReadGroups, do: membersOfGroup.one},
	{method: "GET", path: "/groups/{group}/members/{member}/$ref", need: identity.ReadGroups, do: membersOfGroup.oneReference},
	{method: "POST", path: "/groups/{group}/members/$ref", need: identity.WriteMembers, do: (*API).addMember},
	{method: "DELETE", path: "/groups/{group}/members/{member}/$ref", need: identity.WriteMembers, do: (*API).removeMember},
	{method: "GET", path: "/groups/{group}/owners", need: identity.ReadGroups, do: ownersOfGroup.list},
	{method: "GET", path: "/groups/{group}/owners/$count", need: identity.ReadGroups, do: ownersOfGroup.count},
	{method: "GET", path: "/groups/{group}/owners/microsoft.graph.{type}", need: identity.ReadGroups, do: ownersOfGroup.cast},
	{method: "GET", path: "/groups/{group}/owners/microsoft.graph.{type}/$count", need: identity.ReadGroups, do: ownersOfGroup.countCast},
	{method: "GET", path: "/groups/{group}/owners/$ref", need: identity.ReadGroups, do: ownersOfGroup.references},
	{method: "GET", path: "/groups/{group}/owners/{owner}", need: identity.ReadGroups, do: ownersOfGroup.one},
	{method: "GET", path: "/groups/{group}/owners/{owner}/$ref", need: identity.ReadGroups, do: ownersOfGroup.oneReference},
	{method: "POST", path: "/groups/{group}/owners/$ref", need: identity.WriteOwners, do: (*API).addOwner},
	{method: "DELETE", path: "/groups/{group}/owners/{owner}/$ref", need: identity.WriteOwners, do: (*API).removeOwner},
	{method: "GET", path: "/groups/{group}/membersWithLicenseErrors", need: identity.ReadGroupErrors, do: membersInError.list},
	{method: "GET", path: "/groups/{group}/membersWithLicenseErrors/$count", need: identity.ReadGroupErrors, do: membersInError.count},
	{method: "GET", path: "/groups/{group}/membersWithLicenseErrors/microsoft.graph.{type}", need: identity.ReadGroupErrors, do: membersInError.cast},
	{method: "GET", path: "/groups/{group}/membersWithLicenseErrors/microsoft.graph.{type}/$count", need: identity.ReadGroupErrors, do: membersInError.countCast},
	{method: "GET", path: "/groups/{group}/transitiveMembers", need: identity.ReadGroups, do: allMembersOfGroup.list},
	{method: "GET", path: "/groups/{group}/transitiveMembers/$count", need: identity.ReadGroups, do: allMembersOfGroup.count},
	{method: "GET", path: "/groups/{group}/transitiveMembers/microsoft.graph.{type}", need: identity.ReadGroups, do: allMembersOfGroup.cast},
	{method: "GET", path: "/groups/{group}/transitiveMembers/microsoft.graph.{type}/$count", need: identity.ReadGroups, do: allMembersOfGroup.countCast},
	{method: "GET", path: "/groups/{group}/transitiveMembers/{member}", need: identity.ReadGroups, do: allMembersOfGroup.one},
	{method: "GET", path: "/groups/{group}/memberOf", need: identity.ReadGroups, do: groupsOfGroup.list},
	{method: "GET", path: "/groups/{group}/memberOf/$count", need: identity.ReadGroups, do: groupsOfGroup.count},
	{method: "GET", path: "/groups/{group}/memberOf/microsoft.graph.{type}", need: identity.ReadGroups, do: groupsOfGroup.cast},
	{method: "GET", path: "/groups/{group}/memberOf/microsoft.graph.{type}/$count", need: identity.ReadGroups, do: groupsOfGroup.countCast},
	{method: "GET", path: "/groups/{group}/memberOf/{object}", need: identity.ReadGroups, do: groupsOfGroup.one},
	{method: "GET", path: "/groups/{group}/transitiveMemberOf", need: identity.ReadGroups, do: allGroupsOfGroup.list},
	{method: "GET", path: "/groups/{group}/transitiveMemberOf/$count", need: identity.ReadGroups, do: allGroupsOfGroup.count},
	{method: "GET", path: "/groups/{group}/transitiveMemberOf/microsoft.graph.{type}", need: identity.ReadGroups, do: allGroupsOfGroup.cast},
	{method: "GET", path: "/groups/{group}/transitiveMemberOf/microsoft.graph.{type}/$count", need: identity.ReadGroups, do: allGroupsOfGroup.countCast},
	{method: "POST", path: "/groups/{group}/getMemberGroups()", need: identity.ReadGroups, do: allGroupsOfGroup.getMembers},
	{method: "POST", path: "/groups/{group}/getMemberObjects()", need: identity.ReadGroups, do: allGroupsOfGroup.getMembers},
	{method: "POST", path: "/groups/{group}/checkMemberGroups()", need: identity.ReadGroups, do: allGroupsOfGroup.checkGroups},
	{method: "POST", path: "/groups/{group}/checkMemberObjects()", need: identity.ReadGroups, do: allGroupsOfGroup.checkObjects},
	{method: "GET", path: "/groups/{group}/appRoleAssignments", need: identity.ReadAppRolesOfGroup, do: assignmentsOfGroup.list},
	{method: "POST", path: "/groups/{group}/appRoleAssignments", need: identity.WriteAppRoles, do: assignmentsOfGroup.create},
	{method: "GET", path: "/groups/{group}/appRoleAssignments/{assignment}", need: identity.ReadAppRolesOfGroup, do: assignmentsOfGroup.get},
	{method: "DELETE", path: "/groups/{group}/appRoleAssignments/{assignment}", need: identity.WriteAppRoles, do: assignmentsOfGroup.remove},
	{method: "POST", path: "/groups/{group}/assignLicense()", need: identity.AssignGroup, do: (*API).assignGroupLicense},

	{method: "GET", path: "/directoryObjects/{object}", need: identity.ReadObjects, do: (*API).getDirectoryObject},
	{method: "POST", path: "/directoryObjects/getByIds()", need: identity.ReadObjects, do: (*API).getByIDs},
	{method: "POST", path: "/directoryObjects/{object}/getMemberGroups()", need: identity.ReadMemberships, do: allGroupsOfObject.getMembers},
	{method: "POST", path: "/directoryObjects/{object}/getMemberObjects()", need: identity.ReadMemberships, do: allMembershipsOfObject.getMembers},
	{method: "POST", path: "/directoryObjects/{object}/checkMemberGroups()", need: identity.ReadMemberships, do: allGroupsOfObject.checkGroups},
	{method: "POST", path: "/directoryObjects/{object}/checkMemberObjects()", need: identity.ReadMemberships, do: allMembershipsOfObject.checkObjects},

	{method: "POST", path: "/$batch", anyone: true, do: (*API).batch},

	{method: "GET", path: "/subscribedSkus", need: identity.ReadSKUs, do: (*API).listSubscribedSKUs},
	{method: "GET", path: "/subscribedSkus/{sku}", need: identity.ReadSKUs, do: (*API).getSubscribedSKU},
	{method: "GET", path: "/organization", need: identity.ReadOrganization, do: (*API).listOrganization},
	{method: "GET", path: "/organization/{organization}", need: identity.ReadOrganization, do: (*API).getOrganization},
	{method: "PATCH", path: "/organization/{organization}", need: identity.WriteOrganization, do: (*API).updateOrganization},

	{method: "GET", path: "/domains", need: identity.ReadDomains, do: (*API).listDomains},
	{method: "GET", path: "/domains/{domain}", need: identity.ReadDomains, do: (*API).getDomain},
	{method: "GET", path: "/applications", need: identity.ReadApplications, do: (*API).listApplications},
	{method: "GET", path: "/applications/$count", need: identity.ReadApplications, do: (*API).countApplications},
	{method: "GET", path: "/applications/delta()", need: identity.ReadApplications, do: applicationList.delta},
	{method: "POST", path: "/applications", need: identity.WriteApplications, do: (*API).createApplication},
	{method: "GET", path: "/applications/{application}", need: identity.ReadApplications, do: (*API).getApplication},
	{method: "PATCH", path: "/applications/{application}", need: identity.WriteApplications, do: (*API).updateApplication},
	{method: "DELETE", path: "/applications/{application}", need: identity.WriteApplications, do: (*API).deleteApplication},
	{method: "GET", path: "/applications(appId='{application}')", need: identity.ReadApplications, do: (*API).getApplication},
	{method: "PATCH", path: "/applications(appId='{application}')", need: identity.WriteApplications, do: (*API).updateApplication},
	{method: "DELETE", path: "/applications(appId='{application}')", need: identity.WriteApplications, do: (*API).deleteApplication},
	{method: "GET", path: "/applications/{application}/owners", need: identity.ReadApplications, do: ownersOfApplication.list},
	{method: "GET", path: "/applications/{application}/owners/$count", need: identity.ReadApplications, do: ownersOfApplication.count},
	{method: "GET", path: "/applications/{application}/owners/microsoft.graph.{type}", need: identity.ReadApplications, do: ownersOfApplication.cast},
	{method: "GET", path: "/applications/{application}/owners/microsoft.graph.{type}/$count", need: identity.ReadApplications, do: ownersOfApplication.countCast},
	{method: "GET", path: "/applications/{application}/owners/$ref", need: identity.ReadApplications, do: ownersOfApplication.references},
	{method: "GET", path: "/applications/{application}/owners/{owner}", need: identity.ReadApplications, do: ownersOfApplication.one},
	{method: "GET", path: "/applications/{application}/owners/{owner}/$ref", need: identity.ReadApplications, do: ownersOfApplication.oneReference},
	{method: "POST", path: "/applications/{application}/owners/$ref", need: identity.WriteApplications, do: applicationOwners.add},
	{method: "DELETE", path: "/applications/{application}/owners/{owner}/$ref", need: identity.WriteApplications, do: applicationOwners.remove},
	{method: "POST", path: "/applications/{application}/addPassword()", need: identity.WriteApplications, do: ofApplication.addPassword},
	{method: "POST", path: "/applications/{application}/removePassword()", need: identity.WriteApplications, do: ofApplication.removePassword},
	{method: "POST", path: "/applications/{application}/addKey()", need: identity.WriteApplications, do: ofApplication.addKey},
	{method: "POST", path: "/applications/{application}/removeKey()", need: identity.WriteApplications, do: ofApplication.removeKey},
	{method: "GET", path: "/applications/{application}/federatedIdentityCredentials", need: identity.ReadApplications, do: (*API).listFederated},
	{method: "POST", path: "/applications/{application}/federatedIdentityCredentials", need: identity.WriteApplications, do: (*API).createFederated},
	{method: "GET", path: "/applications/{application}/federatedIdentityCredentials/{credential}", need: identity.ReadApplications, do: (*API).getFederated},
	{method: "PATCH", path: "/applications/{application}/federatedIdentityCredentials/{credential}", need: identity.WriteApplications, do: (*API).updateFederated},
	{method: "DELETE", path: "/applications/{application}/federatedIdentityCredentials/{credential}", need: identity.WriteApplications, do: (*API).deleteFederated},

	{method: "GET", path: "/servicePrincipals", need: identity.ReadApplications, do: (*API).listPrincipals},
	{method: "GET", path: "/servicePrincipals/$count", need: identity.ReadApplications, do: (*API).countPrincipals},
	{method: "GET", path: "/servicePrincipals/delta()", need: identity.ReadApplications, do: principalList.delta},
	{method: "POST", path: "/servicePrincipals", need: identity.WriteApplications, do: (*API).createPrincipal},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}", need: identity.ReadApplications, do: (*API).getPrincipal},
	{method: "PATCH", path: "/servicePrincipals/{servicePrincipal}", need: identity.WriteApplications, do: (*API).updatePrincipal},
	{method: "DELETE", path: "/servicePrincipals/{servicePrincipal}", need: identity.WriteApplications, do: (*API).deletePrincipal},
	{method: "GET", path: "/servicePrincipals(appId='{servicePrincipal}')", need: identity.ReadApplications, do: (*API).getPrincipal},
	{method: "PATCH", path: "/servicePrincipals(appId='{servicePrincipal}')", need: identity.WriteApplications, do: (*API).updatePrincipal},
	{method: "DELETE", path: "/servicePrincipals(appId='{servicePrincipal}')", need: identity.WriteApplications, do: (*API).deletePrincipal},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/addPassword()", need: identity.WriteApplications, do: ofPrincipal.addPassword},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/removePassword()", need: identity.WriteApplications, do: ofPrincipal.removePassword},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/addKey()", need: identity.WriteApplications, do: ofPrincipal.addKey},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/removeKey()", need: identity.WriteApplications, do: ofPrincipal.removeKey},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/owners", need: identity.ReadApplications, do: ownersOfPrincipal.list},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/owners/$count", need: identity.ReadApplications, do: ownersOfPrincipal.count},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/owners/microsoft.graph.{type}", need: identity.ReadApplications, do: ownersOfPrincipal.cast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/owners/microsoft.graph.{type}/$count", need: identity.ReadApplications, do: ownersOfPrincipal.countCast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/owners/$ref", need: identity.ReadApplications, do: ownersOfPrincipal.references},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/owners/{owner}", need: identity.ReadApplications, do: ownersOfPrincipal.one},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/owners/{owner}/$ref", need: identity.ReadApplications, do: ownersOfPrincipal.oneReference},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/owners/$ref", need: identity.WriteApplications, do: principalOwners.add},
	{method: "DELETE", path: "/servicePrincipals/{servicePrincipal}/owners/{owner}/$ref", need: identity.WriteApplications, do: principalOwners.remove},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/ownedObjects", need: identity.ReadApplications, do: ownedByPrincipal.list},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/ownedObjects/$count", need: identity.ReadApplications, do: ownedByPrincipal.count},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/ownedObjects/microsoft.graph.{type}", need: identity.ReadApplications, do: ownedByPrincipal.cast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/ownedObjects/microsoft.graph.{type}/$count", need: identity.ReadApplications, do: ownedByPrincipal.countCast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/ownedObjects/{object}", need: identity.ReadApplications, do: ownedByPrincipal.one},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/createdObjects", need: identity.ReadApplications, do: createdByPrincipal.list},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/createdObjects/$count", need: identity.ReadApplications, do: createdByPrincipal.count},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/createdObjects/microsoft.graph.{type}", need: identity.ReadApplications, do: createdByPrincipal.cast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/createdObjects/microsoft.graph.{type}/$count", need: identity.ReadApplications, do: createdByPrincipal.countCast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/memberOf", need: identity.ReadApplications, do: membershipsOfPrincipal.list},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/memberOf/$count", need: identity.ReadApplications, do: membershipsOfPrincipal.count},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/memberOf/microsoft.graph.{type}", need: identity.ReadApplications, do: membershipsOfPrincipal.cast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/memberOf/microsoft.graph.{type}/$count", need: identity.ReadApplications, do: membershipsOfPrincipal.countCast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/memberOf/{object}", need: identity.ReadApplications, do: membershipsOfPrincipal.one},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/transitiveMemberOf", need: identity.ReadApplications, do: allMembershipsOfPrincipal.list},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/transitiveMemberOf/$count", need: identity.ReadApplications, do: allMembershipsOfPrincipal.count},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/transitiveMemberOf/microsoft.graph.{type}", need: identity.ReadApplications, do: allMembershipsOfPrincipal.cast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/transitiveMemberOf/microsoft.graph.{type}/$count", need: identity.ReadApplications, do: allMembershipsOfPrincipal.countCast},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/getMemberGroups()", need: identity.ReadMembershipsOfPrincipal, do: allGroupsOfPrincipal.getMembers},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/getMemberObjects()", need: identity.ReadMembershipsOfPrincipal, do: allMembershipsOfPrincipal.getMembers},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/checkMemberGroups()", need: identity.ReadMembershipsOfPrincipal, do: allGroupsOfPrincipal.checkGroups},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/checkMemberObjects()", need: identity.ReadMembershipsOfPrincipal, do: allMembershipsOfPrincipal.checkObjects},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignments", need: identity.ReadAppRoles, do: assignmentsOf.list},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignments", need: identity.WriteAppRoles, do: assignmentsOf.create},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignments/{assignment}", need: identity.ReadAppRoles, do: assignmentsOf.get},
	{method: "DELETE", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignments/{assignment}", need: identity.WriteAppRoles, do: assignmentsOf.remove},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignedTo", need: identity.ReadAppRoles, do: assignedTo.list},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignedTo", need: identity.WriteAppRoles, do: assignedTo.create},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignedTo/{assignment}", need: identity.ReadAppRoles, do: assignedTo.get},
	{method: "DELETE", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignedTo/{assignment}", need: identity.WriteAppRoles, do: assignedTo.remove},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/oauth2PermissionGrants", need: identity.ReadGrants, do: (*API).listGrantsOfPrincipal},

	{method: "GET", path: "/applicationTemplates", need: identity.ReadApplications, do: (*API).listApplicationTemplates},
	{method: "GET", path: "/applicationTemplates/{template}", need: identity.ReadApplications, do: (*API).getApplicationTemplate},
	{method: "POST", path: "/applicationTemplates/{template}/instantiate()", need: identity.WriteApplications, do: (*API).instantiate},

	{method: "GET", path: "/oauth2PermissionGrants", need: identity.ReadGrants, do: (*API).listGrants},
	{method: "POST", path: "/oauth2PermissionGrants", need: identity.WriteGrants, do: (*API).createGrant},
	{method: "GET", path: "/oauth2PermissionGrants/{grant}", need: identity.ReadGrants, do: (*API).getGrant},
	{method: "PATCH", path: "/oauth2PermissionGrants/{grant}", need: identity.WriteGrants, do: (*API).updateGrant},
	{method: "DELETE", path: "/oauth2PermissionGrants/{grant}", need: identity.WriteGrants, do: (*API).deleteGrant},

	{method: "GET", path: "/directoryRoles", need: identity.ReadRoles, do: (*API).listRoles},
	{method: "GET", path: "/directoryRoles/{role}", need: identity.ReadRoles, do: (*API).getRole},
	{method: "GET", path: "/directoryRoles(roleTemplateId='{role}')", need: identity.ReadRoles, do: (*API).getRole},
	{method: "GET", path: "/directoryRoles/{role}/members", need: identity.ReadRoles, do: membersOfRole.list},
	{method: "GET", path: "/directoryRoles/{role}/members/$count", need: identity.ReadRoles, do: membersOfRole.count},
	{method: "GET", path: "/directoryRoles/{role}/members/microsoft.graph.{type}", need: identity.ReadRoles, do: membersOfRole.cast},
	{method: "GET", path: "/directoryRoles/{role}/members/microsoft.graph.{type}/$count", need: identity.ReadRoles, do: membersOfRole.countCast},
	{method: "POST", path: "/directoryRoles/{role}/members/$ref", need: identity.WriteRoles, do: (*API).addToRole},
	{method: "DELETE", path: "/directoryRoles/{role}/members/{member}/$ref", need: identity.WriteRoles, do: (*API).removeFromRole},
	{method: "GET", path: "/directoryRoles(roleTemplateId='{role}')/members", need: identity.ReadRoles, do: membersOfRole.list},
	{method: "GET", path: "/directoryRoles(roleTemplateId='{role}')/members/$count", need: identity.ReadRoles, do: membersOfRole.count},
	{method: "GET", path: "/directoryRoles(roleTemplateId='{role}')/members/microsoft.graph.{type}", need: identity.ReadRoles, do: membersOfRole.cast},
	{method: "GET", path: "/directoryRoles(roleTemplateId='{role}')/members/microsoft.graph.{type}/$count", need: identity.ReadRoles, do: membersOfRole.countCast},
	{method: "POST", path: "/directoryRoles(roleTemplateId='{role}')/members/$ref", need: identity.WriteRoles, do: (*API).addToRole},
	{method: "DELETE", path: "/directoryRoles(roleTemplateId='{role}')/members/{member}/$ref", need: identity.WriteRoles, do: (*API).removeFromRole},
	{method: "GET", path: "/directoryRoleTemplates", need: identity.ReadRoles, do: (*API).listRoleTemplates},
	{method: "GET", path: "/directoryRoleTemplates/{template}", need: identity.ReadRoles, do: (*API).getRoleTemplate},
	{method: "GET", path: "/roleManagement/directory/roleDefinitions", need: identity.ReadRoles, do: (*API).listDefinitions},
	{method: "GET", path: "/roleManagement/directory/roleDefinitions/{definition}", need: identity.ReadRoles, do: (*API).getDefinition},
	{method: "GET", path: "/roleManagement/directory/roleAssignments", need: identity.ReadRoles, do: (*API).listAssignments},
	{method: "POST", path: "/roleManagement/directory/roleAssignments", need: identity.WriteRoles, do: (*API).createAssignment},
	{method: "GET", path: "/roleManagement/directory/roleAssignments/{assignment}", need: identity.ReadRoles, do: (*API).getAssignment},
	{method: "DELETE", path: "/roleManagement/directory/roleAssignments/{assignment}", need: identity.WriteRoles, do: (*API).deleteAssignment},

	{method: "GET", path: "/directory/subscriptions", need: identity.ReadSubscriptions, do: (*API).listSubscriptions},
	{method: "GET", path: "/directory/subscriptions/{subscription}", need: identity.ReadSubscriptions, do: (*API).getSubscription},
	{method: "GET", path: "/directory/subscriptions(commerceSubscriptionId='{subscription}')", need: identity.ReadSubscriptions, do: (*API).getSubscriptionByCommerceID},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.user", need: identity.ReadDeletedUsers, do: deletedUsers.list},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.user/$count", need: identity.ReadDeletedUsers, do: deletedUsers.count},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.group", need: identity.ReadDeletedGroups, do: deletedGroups.list},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.group/$count", need: identity.ReadDeletedGroups, do: deletedGroups.count},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.application", need: identity.ReadApplications, do: deletedApplications.list},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.application/$count", need: identity.ReadApplications, do: deletedApplications.count},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.servicePrincipal", need: identity.ReadApplications, do: deletedPrincipals.list},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.servicePrincipal/$count", need: identity.ReadApplications, do: deletedPrincipals.count},
	{method: "POST", path: "/directory/deletedItems/getUserOwnedObjects()", need: identity.ReadGroupsOwned, do: (*API).getUserOwnedObjects},
	{method: "GET", path: "/directory/deletedItems/{object}", need: identity.ReadDeletedUsers, needOfGroup: identity.ReadDeletedGroups, needOfApplication: identity.ReadApplications, do: (*API).getDeletedItem},
	{method: "DELETE", path: "/directory/deletedItems/{object}", need: identity.DeleteUsers, needOfGroup: identity.WriteGroups, needOfApplication: identity.WriteApplications, do: (*API).purgeDeletedItem},
	{method: "POST", path: "/directory/deletedItems/{object}/restore()", need: identity.DeleteUsers, needOfGroup: identity.WriteGroups, needOfApplication: identity.WriteApplications, do: (*API).restoreDeletedItem},

	{method: "GET", path: ownRoot + "/openapi.yaml", open: true, do: (*API).getOpenAPI},
	{method: "GET", path: ownRoot + "/subscriptions", need: identity.ReadSettings, do: (*API).listSubscriptions},
	{method: "POST", path: ownRoot + "/subscriptions", need: identity.WriteSettings, do: (*API).createSubscription},
	{method: "GET", path: ownRoot + "/subscriptions/{subscription}", need: identity.ReadSettings, do: (*API).getSubscription},
	{method: "PATCH", path: ownRoot + "/subscriptions/{subscription}", need: identity.WriteSettings, do: (*API).updateSubscription},
	{method: "DELETE", path: ownRoot + "/subscriptions/{subscription}", need: identity.WriteSettings, do: (*API).deleteSubscription},
	{method: "GET", path: ownRoot + "/catalog", need: identity.ReadSettings, do: (*API).getCatalog},
	{method: "PUT", path: ownRoot + "/catalog", need: identity.WriteSettings, do: (*API).setCatalog},
	{method: "GET", path: ownRoot + "/settings", need: identity.ReadSettings, do: (*API).getSettings},
	{method: "PATCH", path: ownRoot + "/settings", need: identity.WriteSettings, do: (*API).updateSettings},
	{method: "GET", path: ownRoot + "/signIn", need: identity.ReadSignIn, do: (*API).getSignIn},
	{method: "PATCH", path: ownRoot + "/signIn", need: identity.WriteSignIn, do: (*API).updateSignIn},
	{method: "POST", path: ownRoot + "/reprocess", need: identity.ReprocessMany, do: (*API).reprocessMany},
	{method: "GET", path: ownRoot + "/licenseErrors", need: identity.ReadLicenseDetails, do: (*API).listLicenseErrors},
	{method: "GET", path: ownRoot + "/users/{user}/explain", need: identity.ReadLicenseDetails, do: (*API).explainUser},
	{method: "POST", path: ownRoot + "/import", need: identity.Import, do: (*API).importRows},

	{method: "GET", path: developmentRoot + "clock", need: identity.Develop, do: (*API).getClock},
	{method: "PUT", path: developmentRoot + "clock", need: identity.Develop, do: (*API).setClock},
	{method: "GET", path: developmentRoot + "faults", need: identity.Develop, do: (*API).getFaults},
	{method: "PUT", path: developmentRoot + "faults", need: identity.Develop, do: (*API).setFaults},
	{method: "DELETE", path: developmentRoot + "faults", need: identity.Develop, do: (*API).deleteFaults},
	{method: "GET", path: developmentRoot + "groupProcessing", need: identity.Develop, do: (*API).getGroupProcessing},
	{method: "PUT", path: developmentRoot + "groupProcessing", need: identity.Develop, do: (*API).setGroupProcessing},
	{method: "POST", path: developmentRoot + "tokens", need: identity.Develop, do: (*API).mintToken},

	// What Graph can do at places where other methods are served. Places where nothing is served are in the table of surface.go.
	{method: "POST", path: "/directoryRoles"},
	{method: "POST", path: "/domains"},
	{method: "PATCH", path: "/domains/{domain}"},
	{method: "DELETE", path: "/domains/{domain}"},
	{method: "POST", path: "/roleManagement/directory/roleDefinitions"},
	{method: "PATCH", path: "/roleManagement/directory/roleDefinitions/{definition}"},
	{method: "DELETE", path: "/roleManagement/directory/roleDefinitions/{definition}"},
}

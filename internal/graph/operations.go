package graph

import (
	"cmp"
	"strings"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/route"
	"licensor/internal/identity"
)

// operation is something the API does, or knows not to do yet.
type operation struct {
	method string
	// path below the root. {names} are keys, a name with () is a bound operation of OData (P2),
	// microsoft.graph.{type} any type of directory objects.
	path string
	need identity.Operation
	do   func(*request) error // nil: not served yet, 501
	// needOfGroup takes the place of need where the object turns out to be a group, needOfApplication
	// where it is an application or service principal, needOfUnit where it is an administrative unit.
	needOfGroup, needOfApplication, needOfUnit identity.Operation
	// anyone may who has a token; there is no need then.
	anyone bool
	// open is for all, with a token or without.
	open bool
	// cost is in resource units (P43); the table of costs says it.
	cost int
}

// ofUser and ofGroup say what the first key of the path names.
func (op *operation) ofUser() bool {
	return strings.HasPrefix(strings.TrimPrefix(op.path, route.Own), "/users/{")
}

// resource is what messages call that which the body of a request is of: the type of the objects,
// or the action.
func (op *operation) resource() string {
	path := strings.TrimPrefix(op.path, route.Own)
	if action, ok := strings.CutSuffix(path[strings.LastIndexByte(path, '/')+1:], "()"); ok {
		return action
	}
	set, rest, _ := strings.Cut(path[1:], "/")
	if strings.HasPrefix(path, edm.UnitsRoot) {
		set, _, _ = strings.Cut(rest, "/")
	}
	name := cmp.Or(edm.SetType(set), set)
	return strings.ToUpper(name[:1]) + name[1:]
}

func (op *operation) ofGroup() bool { return strings.HasPrefix(op.path, "/groups/{") }

// ofDeleted reports whether the first key of the path names a deleted object.
func (op *operation) ofDeleted() bool { return strings.HasPrefix(op.path, "/directory/deletedItems/{") }

func (op *operation) ofObject() bool { return strings.HasPrefix(op.path, "/directoryObjects/{") }

// isDevelopment says whether the operation is there only where Config.Development is.
func (op *operation) isDevelopment() bool { return strings.HasPrefix(op.path, developmentRoot) }

// developmentRoot is where the operations are that programs are tested with.
const developmentRoot = route.Own + "/development/"

// operations are those that need the API itself.
func (api *API) operations() []operation {
	return []operation{
		{method: "GET", path: "/", open: true, do: api.getService},
		{method: "GET", path: "/$metadata", open: true, do: api.getMetadata},
		{method: "POST", path: "/$batch", anyone: true, do: api.batch},
	}
}

// operations is the one table of what is served: routes, permissions, 405 and 501 all follow from
// it. What is under /users/{user} is under /me, too.
var operations = []operation{
	{method: "GET", path: "/users", need: identity.ReadUsers, do: listUsers},
	{method: "POST", path: "/users", need: identity.CreateUsers, do: createUser},
	{method: "GET", path: "/users/$count", need: identity.ReadUsers, do: countUsers},
	{method: "GET", path: "/users/delta()", need: identity.ReadUsersDelta, do: usersDelta},
	{method: "GET", path: "/users/{user}", need: identity.ReadUser, do: getUser},
	{method: "PATCH", path: "/users/{user}", need: identity.WriteUsers, do: updateUser},
	{method: "DELETE", path: "/users/{user}", need: identity.DeleteUsers, do: deleteUser},
	{method: "GET", path: "/users/{user}/memberOf", need: identity.ReadMemberships, do: membershipsOfUser.list},
	{method: "GET", path: "/users/{user}/memberOf/$count", need: identity.ReadMemberships, do: membershipsOfUser.count},
	{method: "GET", path: "/users/{user}/memberOf/microsoft.graph.{type}", need: identity.ReadMemberships, do: membershipsOfUser.cast},
	{method: "GET", path: "/users/{user}/memberOf/microsoft.graph.{type}/$count", need: identity.ReadMemberships, do: membershipsOfUser.countCast},
	{method: "GET", path: "/users/{user}/memberOf/{object}", need: identity.ReadOneMembership, do: membershipsOfUser.one},
	{method: "GET", path: "/users/{user}/transitiveMemberOf", need: identity.ReadAllMemberships, do: allMembershipsOfUser.list},
	{method: "GET", path: "/users/{user}/transitiveMemberOf/$count", need: identity.ReadAllMemberships, do: allMembershipsOfUser.count},
	{method: "GET", path: "/users/{user}/transitiveMemberOf/microsoft.graph.{type}", need: identity.ReadAllMemberships, do: allMembershipsOfUser.cast},
	{method: "GET", path: "/users/{user}/transitiveMemberOf/microsoft.graph.{type}/$count", need: identity.ReadAllMemberships, do: allMembershipsOfUser.countCast},
	{method: "GET", path: "/users/{user}/transitiveMemberOf/{object}", need: identity.ReadAllMemberships, do: allMembershipsOfUser.one},
	{method: "GET", path: "/users/{user}/manager", need: identity.ReadManager, do: getManager},
	{method: "GET", path: "/users/{user}/manager/$ref", need: identity.ReadManager, do: getManagerReference},
	{method: "PUT", path: "/users/{user}/manager/$ref", need: identity.CreateUsers, do: setManager},
	{method: "DELETE", path: "/users/{user}/manager/$ref", need: identity.CreateUsers, do: removeManager},
	{method: "GET", path: "/users/{user}/directReports", need: identity.ReadReports, do: reportsOfUser.list},
	{method: "GET", path: "/users/{user}/directReports/$count", need: identity.ReadReports, do: reportsOfUser.count},
	{method: "GET", path: "/users/{user}/directReports/microsoft.graph.{type}", need: identity.ReadReports, do: reportsOfUser.cast},
	{method: "GET", path: "/users/{user}/directReports/microsoft.graph.{type}/$count", need: identity.ReadReports, do: reportsOfUser.countCast},
	{method: "GET", path: "/users/{user}/directReports/{object}", need: identity.ReadReports, do: reportsOfUser.one},
	{method: "GET", path: "/users/{user}/transitiveReports", need: identity.ReadAllReports, do: allReportsOfUser.list},
	{method: "GET", path: "/users/{user}/transitiveReports/$count", need: identity.ReadAllReports, do: allReportsOfUser.count},
	{method: "GET", path: "/users/{user}/transitiveReports/microsoft.graph.{type}", need: identity.ReadAllReports, do: allReportsOfUser.cast},
	{method: "GET", path: "/users/{user}/transitiveReports/microsoft.graph.{type}/$count", need: identity.ReadAllReports, do: allReportsOfUser.countCast},
	{method: "GET", path: "/users/{user}/ownedObjects", need: identity.ReadReports, do: ownedByUser.list},
	{method: "GET", path: "/users/{user}/ownedObjects/$count", need: identity.ReadReports, do: ownedByUser.count},
	{method: "GET", path: "/users/{user}/ownedObjects/microsoft.graph.{type}", need: identity.ReadReports, do: ownedByUser.cast},
	{method: "GET", path: "/users/{user}/ownedObjects/microsoft.graph.{type}/$count", need: identity.ReadReports, do: ownedByUser.countCast},
	{method: "GET", path: "/users/{user}/ownedObjects/{object}", need: identity.ReadReports, do: ownedByUser.one},
	{method: "GET", path: "/users/{user}/createdObjects", need: identity.ReadCreated, do: createdByUser.list},
	{method: "GET", path: "/users/{user}/createdObjects/$count", need: identity.ReadCreated, do: createdByUser.count},
	{method: "GET", path: "/users/{user}/createdObjects/microsoft.graph.{type}", need: identity.ReadCreated, do: createdByUser.cast},
	{method: "GET", path: "/users/{user}/createdObjects/microsoft.graph.{type}/$count", need: identity.ReadCreated, do: createdByUser.countCast},
	{method: "GET", path: "/users/{user}/createdObjects/{object}", need: identity.ReadCreated, do: createdByUser.one},
	{method: "GET", path: "/users/{user}/sponsors", need: identity.ReadReports, do: sponsorsOfUser.list},
	{method: "GET", path: "/users/{user}/sponsors/$count", need: identity.ReadReports, do: sponsorsOfUser.count},
	{method: "GET", path: "/users/{user}/sponsors/microsoft.graph.{type}", need: identity.ReadReports, do: sponsorsOfUser.cast},
	{method: "GET", path: "/users/{user}/sponsors/microsoft.graph.{type}/$count", need: identity.ReadReports, do: sponsorsOfUser.countCast},
	{method: "GET", path: "/users/{user}/sponsors/$ref", need: identity.ReadReports, do: sponsorsOfUser.references},
	{method: "POST", path: "/users/{user}/sponsors/$ref", need: identity.CreateUsers, do: userSponsors.add},
	{method: "DELETE", path: "/users/{user}/sponsors/{sponsor}/$ref", need: identity.CreateUsers, do: userSponsors.remove},
	{method: "POST", path: "/users/{user}/getMemberGroups()", need: identity.GetMemberGroups, do: allGroupsOfUser.getMembers},
	{method: "POST", path: "/users/{user}/getMemberObjects()", need: identity.CheckMemberObjects, do: allMembershipsOfUser.getMembers},
	{method: "POST", path: "/users/{user}/checkMemberGroups()", need: identity.CheckMemberGroups, do: allGroupsOfUser.checkGroups},
	{method: "POST", path: "/users/{user}/checkMemberObjects()", need: identity.CheckMemberObjects, do: allMembershipsOfUser.checkObjects},
	{method: "GET", path: "/users/{user}/licenseDetails", need: identity.ReadLicenseDetails, do: listLicenseDetails},
	{method: "GET", path: "/users/{user}/licenseDetails/$count", need: identity.ReadLicenseDetails, do: lengthOf(listLicenseDetails)},
	{method: "GET", path: "/users/{user}/licenseDetails/{detail}", need: identity.ReadLicenseDetails, do: getLicenseDetails},
	{method: "POST", path: "/users/{user}/assignLicense()", need: identity.AssignUser, do: assignUserLicense},
	{method: "POST", path: "/users/{user}/reprocessLicenseAssignment()", need: identity.ReprocessUser, do: reprocessLicenseAssignment},
	{method: "GET", path: "/users/{user}/oauth2PermissionGrants", need: identity.ReadGrantsOfUser, do: listGrantsOfUser},
	{method: "GET", path: "/users/{user}/oauth2PermissionGrants/$count", need: identity.ReadGrantsOfUser, do: lengthOf(listGrantsOfUser)},
	{method: "GET", path: "/users/{user}/appRoleAssignments", need: identity.ReadAppRolesOfUser, do: assignmentsOfUser.list},
	{method: "GET", path: "/users/{user}/appRoleAssignments/$count", need: identity.ReadAppRolesOfUser, do: lengthOf(assignmentsOfUser.list)},
	{method: "POST", path: "/users/{user}/appRoleAssignments", need: identity.WriteAppRolesOfOthers, do: assignmentsOfUser.create},
	{method: "GET", path: "/users/{user}/appRoleAssignments/{assignment}", need: identity.ReadAppRolesOfUser, do: assignmentsOfUser.get},
	{method: "DELETE", path: "/users/{user}/appRoleAssignments/{assignment}", need: identity.WriteAppRolesOfOthers, do: assignmentsOfUser.remove},
	{method: "GET", path: "/users/{user}/appRoleAssignedResources", need: identity.ReadAssignedResources, do: resourcesOfUser.principals},
	{method: "GET", path: "/users/{user}/appRoleAssignedResources/$count", need: identity.ReadAssignedResources, do: resourcesOfUser.count},
	{method: "POST", path: "/users/{user}/revokeSignInSessions()", need: identity.RevokeSessions, do: revokeSessions},
	{method: "POST", path: "/users/{user}/invalidateAllRefreshTokens()", need: identity.InvalidateTokens, do: revokeSessions},
	{method: "POST", path: "/me/changePassword()", need: identity.ChangePassword, do: changePassword},

	{method: "GET", path: "/groups", need: identity.ReadGroups, do: listGroups},
	{method: "POST", path: "/groups", need: identity.CreateGroups, do: createGroup},
	{method: "GET", path: "/groups/$count", need: identity.ReadGroups, do: countGroups},
	{method: "GET", path: "/groups/delta()", need: identity.ReadGroupsDelta, do: groupsDelta},
	{method: "GET", path: "/groups/{group}", need: identity.ReadGroup, do: getGroup},
	{method: "PATCH", path: "/groups/{group}", need: identity.WriteGroups, do: updateGroup},
	{method: "DELETE", path: "/groups/{group}", need: identity.DeleteGroups, do: deleteGroup},
	{method: "GET", path: "/groups/{group}/members", need: identity.ReadMembers, do: membersOfGroup.list},
	{method: "GET", path: "/groups/{group}/members/$count", need: identity.ReadMembers, do: membersOfGroup.count},
	{method: "GET", path: "/groups/{group}/members/microsoft.graph.{type}", need: identity.ReadMembers, do: membersOfGroup.cast},
	{method: "GET", path: "/groups/{group}/members/microsoft.graph.{type}/$count", need: identity.ReadMembers, do: membersOfGroup.countCast},
	{method: "GET", path: "/groups/{group}/members/$ref", need: identity.ReadMembers, do: membersOfGroup.references},
	{method: "GET", path: "/groups/{group}/members/{member}", need: identity.ReadMembers, do: membersOfGroup.one},
	{method: "GET", path: "/groups/{group}/members/{member}/$ref", need: identity.ReadMembers, do: membersOfGroup.oneReference},
	{method: "POST", path: "/groups/{group}/members/$ref", need: identity.WriteMembers, do: addMember},
	{method: "DELETE", path: "/groups/{group}/members/{member}/$ref", need: identity.WriteMembers, do: removeMember},
	{method: "GET", path: "/groups/{group}/owners", need: identity.ReadOwners, do: ownersOfGroup.list},
	{method: "GET", path: "/groups/{group}/owners/$count", need: identity.ReadOwners, do: ownersOfGroup.count},
	{method: "GET", path: "/groups/{group}/owners/microsoft.graph.{type}", need: identity.ReadOwners, do: ownersOfGroup.cast},
	{method: "GET", path: "/groups/{group}/owners/microsoft.graph.{type}/$count", need: identity.ReadOwners, do: ownersOfGroup.countCast},
	{method: "GET", path: "/groups/{group}/owners/$ref", need: identity.ReadOwners, do: ownersOfGroup.references},
	{method: "GET", path: "/groups/{group}/owners/{owner}", need: identity.ReadOwners, do: ownersOfGroup.one},
	{method: "GET", path: "/groups/{group}/owners/{owner}/$ref", need: identity.ReadOwners, do: ownersOfGroup.oneReference},
	{method: "POST", path: "/groups/{group}/owners/$ref", need: identity.WriteOwners, do: addOwner},
	{method: "DELETE", path: "/groups/{group}/owners/{owner}/$ref", need: identity.WriteOwners, do: removeOwner},
	{method: "GET", path: "/groups/{group}/membersWithLicenseErrors", need: identity.ReadGroupErrors, do: membersInError.list},
	{method: "GET", path: "/groups/{group}/membersWithLicenseErrors/$count", need: identity.ReadGroupErrors, do: membersInError.count},
	{method: "GET", path: "/groups/{group}/membersWithLicenseErrors/microsoft.graph.{type}", need: identity.ReadGroupErrors, do: membersInError.cast},
	{method: "GET", path: "/groups/{group}/membersWithLicenseErrors/microsoft.graph.{type}/$count", need: identity.ReadGroupErrors, do: membersInError.countCast},
	{method: "GET", path: "/groups/{group}/transitiveMembers", need: identity.ReadMembers, do: allMembersOfGroup.list},
	{method: "GET", path: "/groups/{group}/transitiveMembers/$count", need: identity.ReadMembers, do: allMembersOfGroup.count},
	{method: "GET", path: "/groups/{group}/transitiveMembers/microsoft.graph.{type}", need: identity.ReadMembers, do: allMembersOfGroup.cast},
	{method: "GET", path: "/groups/{group}/transitiveMembers/microsoft.graph.{type}/$count", need: identity.ReadMembers, do: allMembersOfGroup.countCast},
	{method: "GET", path: "/groups/{group}/transitiveMembers/{member}", need: identity.ReadMembers, do: allMembersOfGroup.one},
	{method: "GET", path: "/groups/{group}/memberOf", need: identity.ReadGroupsOfGroup, do: membershipsOfGroup.list},
	{method: "GET", path: "/groups/{group}/memberOf/$count", need: identity.ReadGroupsOfGroup, do: membershipsOfGroup.count},
	{method: "GET", path: "/groups/{group}/memberOf/microsoft.graph.{type}", need: identity.ReadGroupsOfGroup, do: membershipsOfGroup.cast},
	{method: "GET", path: "/groups/{group}/memberOf/microsoft.graph.{type}/$count", need: identity.ReadGroupsOfGroup, do: membershipsOfGroup.countCast},
	{method: "GET", path: "/groups/{group}/memberOf/{object}", need: identity.ReadGroupsOfGroup, do: membershipsOfGroup.one},
	{method: "GET", path: "/groups/{group}/transitiveMemberOf", need: identity.ReadAllOfGroup, do: allMembershipsOfGroup.list},
	{method: "GET", path: "/groups/{group}/transitiveMemberOf/$count", need: identity.ReadAllOfGroup, do: allMembershipsOfGroup.count},
	{method: "GET", path: "/groups/{group}/transitiveMemberOf/microsoft.graph.{type}", need: identity.ReadAllOfGroup, do: allMembershipsOfGroup.cast},
	{method: "GET", path: "/groups/{group}/transitiveMemberOf/microsoft.graph.{type}/$count", need: identity.ReadAllOfGroup, do: allMembershipsOfGroup.countCast},
	{method: "POST", path: "/groups/{group}/getMemberGroups()", need: identity.GetGroupsOfGroup, do: allGroupsOfGroup.getMembers},
	{method: "POST", path: "/groups/{group}/getMemberObjects()", need: identity.CheckGroupsOfGroup, do: allMembershipsOfGroup.getMembers},
	{method: "POST", path: "/groups/{group}/checkMemberGroups()", need: identity.CheckGroupsOfGroup, do: allGroupsOfGroup.checkGroups},
	{method: "POST", path: "/groups/{group}/checkMemberObjects()", need: identity.CheckGroupsOfGroup, do: allMembershipsOfGroup.checkObjects},
	{method: "GET", path: "/groups/{group}/appRoleAssignments", need: identity.ReadAppRolesOfGroup, do: assignmentsOfGroup.list},
	{method: "GET", path: "/groups/{group}/appRoleAssignments/$count", need: identity.ReadAppRolesOfGroup, do: lengthOf(assignmentsOfGroup.list)},
	{method: "POST", path: "/groups/{group}/appRoleAssignments", need: identity.WriteAppRolesOfOthers, do: assignmentsOfGroup.create},
	{method: "GET", path: "/groups/{group}/appRoleAssignments/{assignment}", need: identity.ReadAppRolesOfGroup, do: assignmentsOfGroup.get},
	{method: "DELETE", path: "/groups/{group}/appRoleAssignments/{assignment}", need: identity.WriteAppRolesOfOthers, do: assignmentsOfGroup.remove},
	{method: "POST", path: "/groups/{group}/assignLicense()", need: identity.AssignGroup, do: assignGroupLicense},

	{method: "GET", path: "/directoryObjects/{object}", need: identity.ReadObjects, do: getDirectoryObject},
	{method: "POST", path: "/directoryObjects/getByIds()", need: identity.ReadObjects, do: getByIDs},
	{method: "POST", path: "/directoryObjects/{object}/getMemberGroups()", need: identity.GetMemberGroups, do: allGroupsOfObject.getMembers},
	{method: "POST", path: "/directoryObjects/{object}/getMemberObjects()", need: identity.CheckMemberObjects, do: allMembershipsOfObject.getMembers},
	{method: "POST", path: "/directoryObjects/{object}/checkMemberGroups()", need: identity.CheckMemberGroups, do: allGroupsOfObject.checkGroups},
	{method: "POST", path: "/directoryObjects/{object}/checkMemberObjects()", need: identity.CheckMemberObjects, do: allMembershipsOfObject.checkObjects},

	{method: "GET", path: "/subscribedSkus", need: identity.ReadSKUs, do: listSubscribedSKUs},
	{method: "GET", path: "/subscribedSkus/{sku}", need: identity.ReadSKU, do: getSubscribedSKU},
	{method: "GET", path: "/organization", need: identity.ReadOrganization, do: listOrganization},
	{method: "GET", path: "/organization/$count", need: identity.ReadOrganization, do: lengthOf(listOrganization)},
	{method: "GET", path: "/organization/{organization}", need: identity.ReadOrganizationByID, do: getOrganization},
	{method: "PATCH", path: "/organization/{organization}", need: identity.WriteOrganization, do: updateOrganization},

	{method: "GET", path: "/domains", need: identity.ReadDomains, do: listDomains},
	{method: "GET", path: "/domains/$count", need: identity.ReadDomains, do: lengthOf(listDomains)},
	{method: "GET", path: "/domains/{domain}", need: identity.ReadDomains, do: getDomain},
	{method: "GET", path: "/applications", need: identity.ReadApplications, do: listApplications},
	{method: "GET", path: "/applications/$count", need: identity.ReadApplications, do: countApplications},
	{method: "GET", path: "/applications/delta()", need: identity.ReadProgramsDelta, do: applicationList.delta},
	{method: "POST", path: "/applications", need: identity.CreateApplications, do: createApplication},
	{method: "GET", path: "/applications/{application}", need: identity.ReadApplication, do: getApplication},
	{method: "PATCH", path: "/applications/{application}", need: identity.WriteApplications, do: updateApplication},
	{method: "DELETE", path: "/applications/{application}", need: identity.WriteApplications, do: deleteApplication},
	{method: "GET", path: "/applications(appId='{application}')", need: identity.ReadApplication, do: getApplication},
	{method: "PATCH", path: "/applications(appId='{application}')", need: identity.WriteApplications, do: updateApplication},
	{method: "DELETE", path: "/applications(appId='{application}')", need: identity.WriteApplications, do: deleteApplication},
	{method: "GET", path: "/applications/{application}/owners", need: identity.ReadApplicationOwners, do: ownersOfApplication.list},
	{method: "GET", path: "/applications/{application}/owners/$count", need: identity.ReadApplicationOwners, do: ownersOfApplication.count},
	{method: "GET", path: "/applications/{application}/owners/microsoft.graph.{type}", need: identity.ReadApplicationOwners, do: ownersOfApplication.cast},
	{method: "GET", path: "/applications/{application}/owners/microsoft.graph.{type}/$count", need: identity.ReadApplicationOwners, do: ownersOfApplication.countCast},
	{method: "GET", path: "/applications/{application}/owners/$ref", need: identity.ReadApplicationOwners, do: ownersOfApplication.references},
	{method: "GET", path: "/applications/{application}/owners/{owner}", need: identity.ReadApplicationOwners, do: ownersOfApplication.one},
	{method: "GET", path: "/applications/{application}/owners/{owner}/$ref", need: identity.ReadApplicationOwners, do: ownersOfApplication.oneReference},
	{method: "POST", path: "/applications/{application}/owners/$ref", need: identity.AddApplicationOwners, do: applicationOwners.add},
	{method: "DELETE", path: "/applications/{application}/owners/{owner}/$ref", need: identity.RemoveApplicationOwners, do: applicationOwners.remove},
	{method: "POST", path: "/applications/{application}/addPassword()", need: identity.WriteApplications, do: ofApplication.addPassword},
	{method: "POST", path: "/applications/{application}/removePassword()", need: identity.WriteApplications, do: ofApplication.removePassword},
	{method: "POST", path: "/applications/{application}/addKey()", need: identity.WriteApplicationKeys, do: ofApplication.addKey},
	{method: "POST", path: "/applications/{application}/removeKey()", need: identity.WriteApplicationKeys, do: ofApplication.removeKey},
	{method: "GET", path: "/applications/{application}/federatedIdentityCredentials", need: identity.ReadFederated, do: listFederated},
	{method: "GET", path: "/applications/{application}/federatedIdentityCredentials/$count", need: identity.ReadFederated, do: lengthOf(listFederated)},
	{method: "POST", path: "/applications/{application}/federatedIdentityCredentials", need: identity.WriteApplications, do: createFederated},
	{method: "GET", path: "/applications/{application}/federatedIdentityCredentials/{credential}", need: identity.ReadOneFederated, do: getFederated},
	{method: "PATCH", path: "/applications/{application}/federatedIdentityCredentials/{credential}", need: identity.WriteApplications, do: updateFederated},
	{method: "DELETE", path: "/applications/{application}/federatedIdentityCredentials/{credential}", need: identity.WriteApplications, do: deleteFederated},

	{method: "GET", path: "/servicePrincipals", need: identity.ReadPrincipals, do: listPrincipals},
	{method: "GET", path: "/servicePrincipals/$count", need: identity.ReadPrincipals, do: countPrincipals},
	{method: "GET", path: "/servicePrincipals/delta()", need: identity.ReadProgramsDelta, do: principalList.delta},
	{method: "POST", path: "/servicePrincipals", need: identity.CreatePrincipals, do: createPrincipal},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}", need: identity.ReadPrincipal, do: getPrincipal},
	{method: "PATCH", path: "/servicePrincipals/{servicePrincipal}", need: identity.WritePrincipals, do: updatePrincipal},
	{method: "DELETE", path: "/servicePrincipals/{servicePrincipal}", need: identity.WritePrincipals, do: deletePrincipal},
	{method: "GET", path: "/servicePrincipals(appId='{servicePrincipal}')", need: identity.ReadPrincipal, do: getPrincipal},
	{method: "PATCH", path: "/servicePrincipals(appId='{servicePrincipal}')", need: identity.WritePrincipals, do: updatePrincipal},
	{method: "DELETE", path: "/servicePrincipals(appId='{servicePrincipal}')", need: identity.WritePrincipals, do: deletePrincipal},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/addPassword()", need: identity.WritePrincipals, do: ofPrincipal.addPassword},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/removePassword()", need: identity.WritePrincipals, do: ofPrincipal.removePassword},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/addKey()", need: identity.WritePrincipals, do: ofPrincipal.addKey},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/removeKey()", need: identity.WritePrincipals, do: ofPrincipal.removeKey},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/owners", need: identity.ReadPrincipal, do: ownersOfPrincipal.list},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/owners/$count", need: identity.ReadPrincipal, do: ownersOfPrincipal.count},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/owners/microsoft.graph.{type}", need: identity.ReadPrincipal, do: ownersOfPrincipal.cast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/owners/microsoft.graph.{type}/$count", need: identity.ReadPrincipal, do: ownersOfPrincipal.countCast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/owners/$ref", need: identity.ReadPrincipal, do: ownersOfPrincipal.references},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/owners/{owner}", need: identity.ReadPrincipal, do: ownersOfPrincipal.one},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/owners/{owner}/$ref", need: identity.ReadPrincipal, do: ownersOfPrincipal.oneReference},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/owners/$ref", need: identity.AddApplicationOwners, do: principalOwners.add},
	{method: "DELETE", path: "/servicePrincipals/{servicePrincipal}/owners/{owner}/$ref", need: identity.RemoveApplicationOwners, do: principalOwners.remove},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/ownedObjects", need: identity.ReadPrincipal, do: ownedByPrincipal.list},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/ownedObjects/$count", need: identity.ReadPrincipal, do: ownedByPrincipal.count},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/ownedObjects/microsoft.graph.{type}", need: identity.ReadPrincipal, do: ownedByPrincipal.cast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/ownedObjects/microsoft.graph.{type}/$count", need: identity.ReadPrincipal, do: ownedByPrincipal.countCast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/ownedObjects/{object}", need: identity.ReadPrincipal, do: ownedByPrincipal.one},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/createdObjects", need: identity.ReadPrincipal, do: createdByPrincipal.list},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/createdObjects/$count", need: identity.ReadPrincipal, do: createdByPrincipal.count},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/createdObjects/microsoft.graph.{type}", need: identity.ReadPrincipal, do: createdByPrincipal.cast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/createdObjects/microsoft.graph.{type}/$count", need: identity.ReadPrincipal, do: createdByPrincipal.countCast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/memberOf", need: identity.ReadPrincipal, do: membershipsOfPrincipal.list},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/memberOf/$count", need: identity.ReadPrincipal, do: membershipsOfPrincipal.count},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/memberOf/microsoft.graph.{type}", need: identity.ReadPrincipal, do: membershipsOfPrincipal.cast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/memberOf/microsoft.graph.{type}/$count", need: identity.ReadPrincipal, do: membershipsOfPrincipal.countCast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/memberOf/{object}", need: identity.ReadPrincipal, do: membershipsOfPrincipal.one},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/transitiveMemberOf", need: identity.ReadAllOfPrincipal, do: allMembershipsOfPrincipal.list},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/transitiveMemberOf/$count", need: identity.ReadAllOfPrincipal, do: allMembershipsOfPrincipal.count},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/transitiveMemberOf/microsoft.graph.{type}", need: identity.ReadAllOfPrincipal, do: allMembershipsOfPrincipal.cast},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/transitiveMemberOf/microsoft.graph.{type}/$count", need: identity.ReadAllOfPrincipal, do: allMembershipsOfPrincipal.countCast},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/getMemberGroups()", need: identity.GetMemberGroups, do: allGroupsOfPrincipal.getMembers},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/getMemberObjects()", need: identity.CheckMemberObjects, do: allMembershipsOfPrincipal.getMembers},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/checkMemberGroups()", need: identity.CheckMemberGroups, do: allGroupsOfPrincipal.checkGroups},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/checkMemberObjects()", need: identity.CheckMemberObjects, do: allMembershipsOfPrincipal.checkObjects},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignments", need: identity.ReadAppRoles, do: assignmentsOf.list},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignments/$count", need: identity.ReadAppRoles, do: lengthOf(assignmentsOf.list)},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignments", need: identity.WriteAppRoles, do: assignmentsOf.create},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignments/{assignment}", need: identity.ReadAppRoles, do: assignmentsOf.get},
	{method: "DELETE", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignments/{assignment}", need: identity.RemoveAppRoles, do: assignmentsOf.remove},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignedTo", need: identity.ReadAppRoles, do: assignedTo.list},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignedTo/$count", need: identity.ReadAppRoles, do: lengthOf(assignedTo.list)},
	{method: "POST", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignedTo", need: identity.WriteAppRoles, do: assignedTo.create},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignedTo/{assignment}", need: identity.ReadAppRoles, do: assignedTo.get},
	{method: "DELETE", path: "/servicePrincipals/{servicePrincipal}/appRoleAssignedTo/{assignment}", need: identity.RemoveAppRoles, do: assignedTo.remove},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/oauth2PermissionGrants", need: identity.ReadGrants, do: listGrantsOfPrincipal},
	{method: "GET", path: "/servicePrincipals/{servicePrincipal}/oauth2PermissionGrants/$count", need: identity.ReadGrants, do: lengthOf(listGrantsOfPrincipal)},

	{method: "GET", path: "/applicationTemplates", need: identity.ReadTemplates, do: listApplicationTemplates},
	{method: "GET", path: "/applicationTemplates/$count", need: identity.ReadTemplates, do: lengthOf(listApplicationTemplates)},
	{method: "GET", path: "/applicationTemplates/{template}", need: identity.ReadTemplates, do: getApplicationTemplate},
	{method: "POST", path: "/applicationTemplates/{template}/instantiate()", need: identity.Instantiate, do: instantiate},

	{method: "GET", path: "/oauth2PermissionGrants", need: identity.ReadGrants, do: listGrants},
	{method: "GET", path: "/oauth2PermissionGrants/$count", need: identity.ReadGrants, do: lengthOf(listGrants)},
	{method: "POST", path: "/oauth2PermissionGrants", need: identity.WriteGrants, do: createGrant},
	{method: "GET", path: "/oauth2PermissionGrants/{grant}", need: identity.ReadGrants, do: getGrant},
	{method: "PATCH", path: "/oauth2PermissionGrants/{grant}", need: identity.WriteGrants, do: updateGrant},
	{method: "DELETE", path: "/oauth2PermissionGrants/{grant}", need: identity.RemoveGrants, do: deleteGrant},

	{method: "GET", path: "/directoryRoles", need: identity.ReadRoles, do: listRoles},
	{method: "GET", path: "/directoryRoles/$count", need: identity.ReadRoles, do: lengthOf(listRoles)},
	{method: "POST", path: "/directoryRoles", need: identity.WriteRoles, do: activateRole},
	{method: "GET", path: "/directoryRoles/{role}", need: identity.ReadRoles, do: getRole},
	{method: "GET", path: "/directoryRoles(roleTemplateId='{role}')", need: identity.ReadRolesByTemplate, do: getRole},
	{method: "GET", path: "/directoryRoles/{role}/members", need: identity.ReadRoles, do: membersOfRole.list},
	{method: "GET", path: "/directoryRoles/{role}/members/$count", need: identity.ReadRoles, do: membersOfRole.count},
	{method: "GET", path: "/directoryRoles/{role}/members/microsoft.graph.{type}", need: identity.ReadRoles, do: membersOfRole.cast},
	{method: "GET", path: "/directoryRoles/{role}/members/microsoft.graph.{type}/$count", need: identity.ReadRoles, do: membersOfRole.countCast},
	{method: "GET", path: "/directoryRoles/{role}/members/$ref", need: identity.ReadRoles, do: membersOfRole.references},
	{method: "POST", path: "/directoryRoles/{role}/members/$ref", need: identity.WriteRoles, do: addToRole},
	{method: "DELETE", path: "/directoryRoles/{role}/members/{member}/$ref", need: identity.WriteRoles, do: removeFromRole},
	{method: "GET", path: "/directoryRoles(roleTemplateId='{role}')/members", need: identity.ReadRolesByTemplate, do: membersOfRole.list},
	{method: "GET", path: "/directoryRoles(roleTemplateId='{role}')/members/$count", need: identity.ReadRolesByTemplate, do: membersOfRole.count},
	{method: "GET", path: "/directoryRoles(roleTemplateId='{role}')/members/microsoft.graph.{type}", need: identity.ReadRolesByTemplate, do: membersOfRole.cast},
	{method: "GET", path: "/directoryRoles(roleTemplateId='{role}')/members/microsoft.graph.{type}/$count", need: identity.ReadRolesByTemplate, do: membersOfRole.countCast},
	{method: "GET", path: "/directoryRoles(roleTemplateId='{role}')/members/$ref", need: identity.ReadRolesByTemplate, do: membersOfRole.references},
	{method: "POST", path: "/directoryRoles(roleTemplateId='{role}')/members/$ref", need: identity.WriteRoles, do: addToRole},
	{method: "DELETE", path: "/directoryRoles(roleTemplateId='{role}')/members/{member}/$ref", need: identity.WriteRoles, do: removeFromRole},
	{method: "GET", path: "/directoryRoleTemplates", need: identity.ReadRoles, do: listRoleTemplates},
	{method: "GET", path: "/directoryRoleTemplates/$count", need: identity.ReadRoles, do: lengthOf(listRoleTemplates)},
	{method: "GET", path: "/directoryRoleTemplates/{template}", need: identity.ReadRoles, do: getRoleTemplate},
	{method: "GET", path: "/roleManagement/directory/roleDefinitions", need: identity.ReadRoleDefinitions, do: listDefinitions},
	{method: "GET", path: "/roleManagement/directory/roleDefinitions/$count", need: identity.ReadRoleDefinitions, do: lengthOf(listDefinitions)},
	{method: "GET", path: "/roleManagement/directory/roleDefinitions/{definition}", need: identity.ReadRoleDefinitions, do: getDefinition},
	{method: "GET", path: "/roleManagement/directory/roleAssignments", need: identity.ReadRoleAssignments, do: listAssignments},
	{method: "GET", path: "/roleManagement/directory/roleAssignments/$count", need: identity.ReadRoleAssignments, do: lengthOf(listAssignments)},
	{method: "POST", path: "/roleManagement/directory/roleAssignments", need: identity.WriteRoles, do: createAssignment},
	{method: "GET", path: "/roleManagement/directory/roleAssignments/{assignment}", need: identity.ReadRoleAssignments, do: getAssignment},
	{method: "DELETE", path: "/roleManagement/directory/roleAssignments/{assignment}", need: identity.WriteRoles, do: deleteAssignment},

	{method: "GET", path: edm.UnitsRoot, need: identity.ReadUnits, do: listUnits},
	{method: "POST", path: edm.UnitsRoot, need: identity.WriteUnits, do: createUnit},
	{method: "GET", path: edm.UnitsRoot + "/$count", need: identity.ReadUnits, do: countUnits},
	{method: "GET", path: edm.UnitsRoot + "/delta()", need: identity.ReadUnits, do: unitsDelta},
	{method: "GET", path: edm.UnitsRoot + "/{unit}", need: identity.ReadUnits, do: getUnit},
	{method: "PATCH", path: edm.UnitsRoot + "/{unit}", need: identity.WriteUnits, do: updateUnit},
	{method: "DELETE", path: edm.UnitsRoot + "/{unit}", need: identity.WriteUnits, do: deleteUnit},
	{method: "GET", path: edm.UnitsRoot + "/{unit}/members", need: identity.ReadUnits, do: membersOfUnit.list},
	{method: "POST", path: edm.UnitsRoot + "/{unit}/members", need: identity.CreateInUnits, do: createUnitMember},
	{method: "GET", path: edm.UnitsRoot + "/{unit}/members/$count", need: identity.ReadUnits, do: membersOfUnit.count},
	{method: "GET", path: edm.UnitsRoot + "/{unit}/members/microsoft.graph.{type}", need: identity.ReadUnits, do: membersOfUnit.cast},
	{method: "GET", path: edm.UnitsRoot + "/{unit}/members/microsoft.graph.{type}/$count", need: identity.ReadUnits, do: membersOfUnit.countCast},
	{method: "GET", path: edm.UnitsRoot + "/{unit}/members/$ref", need: identity.ReadUnits, do: membersOfUnit.references},
	{method: "POST", path: edm.UnitsRoot + "/{unit}/members/$ref", need: identity.WriteUnits, do: addUnitMember},
	{method: "GET", path: edm.UnitsRoot + "/{unit}/members/{member}", need: identity.ReadUnits, do: membersOfUnit.one},
	{method: "GET", path: edm.UnitsRoot + "/{unit}/members/{member}/$ref", need: identity.ReadUnits, do: membersOfUnit.oneReference},
	{method: "DELETE", path: edm.UnitsRoot + "/{unit}/members/{member}/$ref", need: identity.WriteUnits, do: removeUnitMember},

	{method: "GET", path: "/directory/subscriptions", need: identity.ReadSubscriptions, do: listSubscriptions},
	{method: "GET", path: "/directory/subscriptions/$count", need: identity.ReadSubscriptions, do: lengthOf(listSubscriptions)},
	{method: "GET", path: "/directory/subscriptions/{subscription}", need: identity.ReadSubscriptions, do: getSubscription},
	{method: "GET", path: "/directory/subscriptions(commerceSubscriptionId='{subscription}')", need: identity.ReadSubscriptions, do: getSubscriptionByCommerceID},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.user", need: identity.ReadUsers, do: deletedUsers.list},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.user/$count", need: identity.ReadUsers, do: deletedUsers.count},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.group", need: identity.ReadGroups, do: deletedGroups.list},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.group/$count", need: identity.ReadGroups, do: deletedGroups.count},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.application", need: identity.ReadApplications, do: deletedApplications.list},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.application/$count", need: identity.ReadApplications, do: deletedApplications.count},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.servicePrincipal", need: identity.ReadPrincipals, do: deletedPrincipals.list},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.servicePrincipal/$count", need: identity.ReadPrincipals, do: deletedPrincipals.count},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.administrativeUnit", need: identity.ReadUnits, do: deletedUnits.list},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.administrativeUnit/$count", need: identity.ReadUnits, do: deletedUnits.count},
	{method: "POST", path: "/directory/deletedItems/getUserOwnedObjects()", need: identity.ReadGroupsOwned, do: getUserOwnedObjects},
	{method: "GET", path: "/directory/deletedItems/{object}", need: identity.ReadUsers, needOfGroup: identity.ReadGroups, needOfApplication: identity.ReadApplications, needOfUnit: identity.ReadUnits, do: getDeletedItem},
	{method: "DELETE", path: "/directory/deletedItems/{object}", need: identity.DeleteUsers, needOfGroup: identity.DeleteGroups, needOfApplication: identity.WriteApplications, needOfUnit: identity.WriteUnits, do: purgeDeletedItem},
	{method: "POST", path: "/directory/deletedItems/{object}/restore()", need: identity.DeleteUsers, needOfGroup: identity.DeleteGroups, needOfApplication: identity.WriteApplications, needOfUnit: identity.WriteUnits, do: restoreDeletedItem},

	{method: "GET", path: route.Own + "/openapi.yaml", open: true, do: getOpenAPI},
	{method: "GET", path: route.Own + "/subscriptions", need: identity.ReadSettings, do: listSubscriptions},
	{method: "POST", path: route.Own + "/subscriptions", need: identity.WriteSettings, do: createSubscription},
	{method: "GET", path: route.Own + "/subscriptions/{subscription}", need: identity.ReadSettings, do: getSubscription},
	{method: "PATCH", path: route.Own + "/subscriptions/{subscription}", need: identity.WriteSettings, do: updateSubscription},
	{method: "DELETE", path: route.Own + "/subscriptions/{subscription}", need: identity.WriteSettings, do: deleteSubscription},
	{method: "GET", path: route.Own + "/catalog", need: identity.ReadSettings, do: getCatalog},
	{method: "PUT", path: route.Own + "/catalog", need: identity.WriteSettings, do: setCatalog},
	{method: "GET", path: route.Own + "/settings", need: identity.ReadSettings, do: getSettings},
	{method: "PATCH", path: route.Own + "/settings", need: identity.WriteSettings, do: updateSettings},
	{method: "GET", path: route.Own + "/signIn", need: identity.ReadSignIn, do: getSignIn},
	{method: "PATCH", path: route.Own + "/signIn", need: identity.WriteSignIn, do: updateSignIn},
	{method: "POST", path: route.Own + "/reprocess", need: identity.ReprocessMany, do: reprocessMany},
	{method: "GET", path: route.Own + "/licenseErrors", need: identity.ReadErrors, do: listLicenseErrors},
	{method: "GET", path: route.Own + "/users/{user}/explain", need: identity.ReadErrors, do: explainUser},
	{method: "POST", path: route.Own + "/import", need: identity.Import, do: importRows},

	// What Graph can do at places where other methods are served. Places where nothing is served are
	// in the table of graph/route.
	{method: "DELETE", path: "/directoryObjects/{object}"},
	{method: "GET", path: "/users/{user}/sponsors/{sponsor}/$ref"},
	{method: "GET", path: "/directoryRoles/{role}/members/{member}/$ref"},
	{method: "GET", path: "/directoryRoles(roleTemplateId='{role}')/members/{member}/$ref"},
	{method: "POST", path: "/domains"},
	{method: "PATCH", path: "/domains/{domain}"},
	{method: "DELETE", path: "/domains/{domain}"},
	{method: "POST", path: "/roleManagement/directory/roleDefinitions"},
	{method: "PATCH", path: "/roleManagement/directory/roleDefinitions/{definition}"},
	{method: "DELETE", path: "/roleManagement/directory/roleDefinitions/{definition}"},
}

package graph

import (
	"strings"

	"licensor/identity"
)

// operation is something the API does, or knows not to do yet.
type operation struct {
	method string
	// path below the root. {names} are keys, a name with () is a bound operation of OData (P2), * stands for anything below.
	path string
	need identity.Operation
	do   func(*API, *request) error // nil: not served yet, 501
	// needOfGroup takes the place of need where the object turns out to be a group.
	needOfGroup identity.Operation
}

// ofUser and ofGroup say what the first key of the path names.
func (op *operation) ofUser() bool {
	return strings.HasPrefix(strings.TrimPrefix(op.path, ownRoot), "/users/{")
}

func (op *operation) ofGroup() bool { return strings.HasPrefix(op.path, "/groups/{") }

// ownRoot is where our own operations are.
const ownRoot = "/licensor/v1"

// operations is the one table of what is served: routes, permissions, 405 and 501 all follow from it. What is under /users/{user} is
// under /me, too.
var operations = []operation{
	{method: "GET", path: "/users", need: identity.ReadUsers, do: (*API).listUsers},
	{method: "POST", path: "/users", need: identity.WriteUsers, do: (*API).createUser},
	{method: "GET", path: "/users/$count", need: identity.ReadUsers, do: (*API).countUsers},
	{method: "GET", path: "/users/{user}", need: identity.ReadUsers, do: (*API).getUser},
	{method: "PATCH", path: "/users/{user}", need: identity.WriteUsers, do: (*API).updateUser},
	{method: "DELETE", path: "/users/{user}", need: identity.DeleteUsers, do: (*API).deleteUser},
	{method: "GET", path: "/users/{user}/memberOf", need: identity.ReadUsers, do: (*API).listMemberOf},
	{method: "GET", path: "/users/{user}/licenseDetails", need: identity.ReadLicenseDetails, do: (*API).listLicenseDetails},
	{method: "GET", path: "/users/{user}/licenseDetails/{detail}", need: identity.ReadLicenseDetails, do: (*API).getLicenseDetails},
	{method: "POST", path: "/users/{user}/assignLicense()", need: identity.AssignUser, do: (*API).assignUserLicense},
	{method: "POST", path: "/users/{user}/reprocessLicenseAssignment()", need: identity.ReprocessUser, do: (*API).reprocessLicenseAssignment},

	{method: "GET", path: "/groups", need: identity.ReadGroups, do: (*API).listGroups},
	{method: "POST", path: "/groups", need: identity.CreateGroups, do: (*API).createGroup},
	{method: "GET", path: "/groups/$count", need: identity.ReadGroups, do: (*API).countGroups},
	{method: "GET", path: "/groups/{group}", need: identity.ReadGroups, do: (*API).getGroup},
	{method: "PATCH", path: "/groups/{group}", need: identity.WriteGroups, do: (*API).updateGroup},
	{method: "DELETE", path: "/groups/{group}", need: identity.WriteGroups, do: (*API).deleteGroup},
	{method: "GET", path: "/groups/{group}/members", need: identity.ReadGroups, do: (*API).listMembers},
	{method: "POST", path: "/groups/{group}/members/$ref", need: identity.WriteMembers, do: (*API).addMember},
	{method: "DELETE", path: "/groups/{group}/members/{member}/$ref", need: identity.WriteMembers, do: (*API).removeMember},
	{method: "GET", path: "/groups/{group}/owners", need: identity.ReadGroups, do: (*API).listOwners},
	{method: "POST", path: "/groups/{group}/owners/$ref", need: identity.WriteOwners, do: (*API).addOwner},
	{method: "DELETE", path: "/groups/{group}/owners/{owner}/$ref", need: identity.WriteOwners, do: (*API).removeOwner},
	{method: "GET", path: "/groups/{group}/membersWithLicenseErrors", need: identity.ReadGroupErrors, do: (*API).listMembersWithLicenseErrors},
	{method: "POST", path: "/groups/{group}/assignLicense()", need: identity.AssignGroup, do: (*API).assignGroupLicense},

	{method: "GET", path: "/subscribedSkus", need: identity.ReadSKUs, do: (*API).listSubscribedSKUs},
	{method: "GET", path: "/subscribedSkus/{sku}", need: identity.ReadSKUs, do: (*API).getSubscribedSKU},
	{method: "GET", path: "/organization", need: identity.ReadOrganization, do: (*API).listOrganization},
	{method: "GET", path: "/organization/{organization}", need: identity.ReadOrganization, do: (*API).getOrganization},
	{method: "PATCH", path: "/organization/{organization}", need: identity.WriteOrganization, do: (*API).updateOrganization},

	{method: "GET", path: "/directory/subscriptions", need: identity.ReadSubscriptions, do: (*API).listSubscriptions},
	{method: "GET", path: "/directory/subscriptions/{subscription}", need: identity.ReadSubscriptions, do: (*API).getSubscription},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.user", need: identity.ReadDeletedUsers, do: (*API).listDeletedUsers},
	{method: "GET", path: "/directory/deletedItems/microsoft.graph.group", need: identity.ReadDeletedGroups, do: (*API).listDeletedGroups},
	{method: "GET", path: "/directory/deletedItems/{object}", need: identity.ReadDeletedUsers, needOfGroup: identity.ReadDeletedGroups, do: (*API).getDeletedItem},
	{method: "DELETE", path: "/directory/deletedItems/{object}", need: identity.DeleteUsers, needOfGroup: identity.WriteGroups, do: (*API).purgeDeletedItem},
	{method: "POST", path: "/directory/deletedItems/{object}/restore()", need: identity.DeleteUsers, needOfGroup: identity.WriteGroups, do: (*API).restoreDeletedItem},

	{method: "GET", path: ownRoot + "/subscriptions", need: identity.ReadSettings, do: (*API).listSubscriptions},
	{method: "POST", path: ownRoot + "/subscriptions", need: identity.WriteSettings, do: (*API).createSubscription},
	{method: "GET", path: ownRoot + "/subscriptions/{subscription}", need: identity.ReadSettings, do: (*API).getSubscription},
	{method: "PATCH", path: ownRoot + "/subscriptions/{subscription}", need: identity.WriteSettings, do: (*API).updateSubscription},
	{method: "DELETE", path: ownRoot + "/subscriptions/{subscription}", need: identity.WriteSettings, do: (*API).deleteSubscription},
	{method: "GET", path: ownRoot + "/catalog", need: identity.ReadSettings, do: (*API).getCatalog},
	{method: "PUT", path: ownRoot + "/catalog", need: identity.WriteSettings, do: (*API).setCatalog},
	{method: "GET", path: ownRoot + "/settings", need: identity.ReadSettings, do: (*API).getSettings},
	{method: "PATCH", path: ownRoot + "/settings", need: identity.WriteSettings, do: (*API).updateSettings},
	{method: "POST", path: ownRoot + "/reprocess", need: identity.ReprocessMany, do: (*API).reprocessMany},
	{method: "GET", path: ownRoot + "/licenseErrors", need: identity.ReadLicenseDetails, do: (*API).listLicenseErrors},
	{method: "GET", path: ownRoot + "/users/{user}/explain", need: identity.ReadLicenseDetails, do: (*API).explainUser},
	{method: "POST", path: ownRoot + "/import", need: identity.Import, do: (*API).importRows},

	// Known parts of Graph's surface that are not served yet.
	{method: "GET", path: "/$metadata"},
	{method: "POST", path: "/$batch"},
	{method: "GET", path: "/users/delta()"},
	{method: "GET", path: "/groups/delta()"},
	{method: "POST", path: "/users/{user}/getMemberGroups()"},
	{method: "POST", path: "/users/{user}/getMemberObjects()"},
	{method: "POST", path: "/users/{user}/checkMemberGroups()"},
	{method: "POST", path: "/users/{user}/checkMemberObjects()"},
	{method: "GET", path: "/users/{user}/transitiveMemberOf"},
	{method: "GET", path: "/users/{user}/manager"},
	{method: "GET", path: "/users/{user}/directReports"},
	{method: "GET", path: "/groups/{group}/memberOf"},
	{method: "GET", path: "/groups/{group}/transitiveMembers"},
	{method: "GET", path: "/groups/{group}/transitiveMemberOf"},
	{method: "POST", path: "/groups/{group}/getMemberGroups()"},
	{method: "POST", path: "/groups/{group}/getMemberObjects()"},
	{method: "POST", path: "/groups/{group}/checkMemberGroups()"},
	{method: "POST", path: "/groups/{group}/checkMemberObjects()"},
	{method: "*", path: "/directoryObjects/*"},
	{method: "*", path: "/applications/*"},
	{method: "*", path: "/servicePrincipals/*"},
	{method: "*", path: "/devices/*"},
	{method: "*", path: "/contacts/*"},
	{method: "*", path: "/directoryRoles/*"},
	{method: "*", path: "/roleManagement/*"},
	{method: "*", path: "/domains/*"},
	{method: "*", path: "/oauth2PermissionGrants/*"},
	{method: "*", path: "/subscriptions/*"},
	{method: "*", path: "/auditLogs/*"},
}

package graph

import "licensor/internal/graph/odata"

// costs are how many resource units requests take, where it is not 1: the base costs that Microsoft
// Graph's documentation of its identity and access service limits lists, of what is served here,
// and below them our own. A batch costs nothing itself: each request in it does.
var costs = map[string]int{
	"POST /$batch": 0,

	"GET /users":                 2,
	"GET /users/delta()":         2,
	"GET /users/{user}/memberOf": 2,
	"GET /users/{user}/memberOf/microsoft.graph.{type}":            2,
	"GET /users/{user}/transitiveMemberOf":                         2,
	"GET /users/{user}/transitiveMemberOf/microsoft.graph.{type}":  2,
	"GET /users/{user}/licenseDetails":                             2,
	"POST /users/{user}/getMemberGroups()":                         2,
	"POST /users/{user}/getMemberObjects()":                        2,
	"POST /users/{user}/checkMemberGroups()":                       4,
	"POST /users/{user}/checkMemberObjects()":                      4,
	"POST /directoryObjects/{object}/checkMemberGroups()":          4,
	"POST /directoryObjects/{object}/checkMemberObjects()":         4,
	"GET /groups/{group}/members":                                  3,
	"GET /groups/{group}/members/microsoft.graph.{type}":           3,
	"GET /groups/{group}/transitiveMembers":                        5,
	"GET /groups/{group}/transitiveMembers/microsoft.graph.{type}": 5,
	"POST /directoryObjects/getByIds()":                            3,
	"GET /subscribedSkus":                                          3,
	"GET /applications":                                            2,
	"GET /oauth2PermissionGrants":                                  2,
	"GET /oauth2PermissionGrants/{grant}":                          2,
	"GET /servicePrincipals/{servicePrincipal}/appRoleAssignments": 2,
	"GET " + ownRoot + "/licenseErrors":                            3,
	"POST " + ownRoot + "/reprocess":                               5,
	"POST " + ownRoot + "/import":                                  5,
}

// baseCost is what an operation costs, 1 unless costs has it. What is for development costs
// nothing: who has run into a limit with it could not get out again.
func baseCost(op *operation) int {
	if op.isDevelopment() {
		return 0
	}
	if cost, ok := costs[op.method+" "+op.path]; ok {
		return cost
	}
	return 1
}

// few is the page size below which a list costs less.
const few = 20

// cost is what a request takes of its caller's resource units: $select and a small page make it
// cheaper, $expand dearer. Nothing costs less than 1 but what costs nothing.
func (r *request) cost(options *odata.Options) int {
	if r.op == nil {
		return 1
	}
	cost := r.op.cost
	if cost == 0 || options == nil {
		return cost
	}
	if len(options.Select) > 0 {
		cost--
	}
	if len(options.Expand) > 0 {
		cost++
	}
	if options.Top >= 0 && options.Top < few {
		cost--
	}
	return max(1, cost)
}

package throttle

import "licensor/internal/graph/odata"

// Costs are the resource units of operations, by method and path, if not 1: the base costs in
// Microsoft Graph's documentation of its identity and access service limits, for the supported
// operations, followed by our own. A batch costs nothing itself: each request in it does.
var Costs = map[string]int{
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
	"GET /licensor/v1/costs":                                       5,
	"GET /licensor/v1/costs/history":                               5,
	"GET /licensor/v1/difference":                                  5,
	"GET /licensor/v1/products":                                    3,
	"GET /licensor/v1/overview":                                    3,
	"GET /licensor/v1/export":                                      5,
	"GET /licensor/v1/licenseErrors":                               3,
	"GET /licensor/v1/licenseErrors/summary":                       3,
	"POST /licensor/v1/reprocess":                                  5,
	"POST /licensor/v1/previews":                                   5,
	"POST /licensor/v1/previews/{preview}/apply":                   5,
	"POST /licensor/v1/checks":                                     5,
	"POST /licensor/v1/swaps":                                      5,
	"GET /licensor/v1/drift":                                       5,
	"POST /licensor/v1/drift/cleanups":                             5,
	"POST /licensor/v1/log/{commit}/undo":                          5,
	"POST /licensor/v1/import":                                     5,
}

// Base returns the cost of an operation, by its method and path.
func Base(method, path string) int {
	if cost, ok := Costs[method+" "+path]; ok {
		return cost
	}
	return 1
}

// few is the page size below which a list costs less.
const few = 20

// Cost returns the resource units of a request, from the cost of its operation: $select and a small
// page reduce it, $expand increases it. The result is at least 1 unless the operation costs
// nothing.
func Cost(base int, options *odata.Options) int {
	if base == 0 || options == nil {
		return base
	}
	if len(options.Select) > 0 {
		base--
	}
	if len(options.Expand) > 0 {
		base++
	}
	if options.Top >= 0 && options.Top < few {
		base--
	}
	return max(1, base)
}

package edm

// Signature has the parameters and the result of an action. The type that it is bound to is given
// if it is a base of the one in the path.
type Signature struct {
	bound      string
	Parameters []string // names and types
	returns    string   // THIS is the type that the action is bound to
}

// Signatures are the signatures of the actions in the table of operations.
var Signatures = map[string]Signature{
	"assignLicense": {
		Parameters: []string{"addLicenses Collection(graph.assignedLicense)!", "removeLicenses Collection(Edm.Guid)!"},
		returns:    "THIS",
	},
	"reprocessLicenseAssignment": {returns: "THIS"},
	"restore":                    {bound: "directoryObject", returns: "THIS"},
	"delta":                      {returns: "THIS"},
	"addPassword":                {Parameters: []string{"passwordCredential graph.passwordCredential"}, returns: "graph.passwordCredential!"},
	"addKey": {
		Parameters: []string{
			"keyCredential graph.keyCredential!", "passwordCredential graph.passwordCredential", "proof Edm.String!",
		},
		returns: "graph.keyCredential!",
	},
	"removeKey":                  {Parameters: []string{"keyId Edm.Guid!", "proof Edm.String!"}},
	"removePassword":             {Parameters: []string{"keyId Edm.Guid!"}},
	"changePassword":             {Parameters: []string{"currentPassword Edm.String", "newPassword Edm.String"}},
	"revokeSignInSessions":       {returns: "Edm.Boolean"},
	"invalidateAllRefreshTokens": {returns: "Edm.Boolean"},
	"instantiate":                {Parameters: []string{"displayName Edm.String"}, returns: "graph.applicationServicePrincipal"},
	"getMemberGroups":            {"directoryObject", []string{"securityEnabledOnly Edm.Boolean"}, "Collection(Edm.String)!"},
	"getMemberObjects":           {"directoryObject", []string{"securityEnabledOnly Edm.Boolean"}, "Collection(Edm.String)!"},
	"checkMemberGroups":          {"directoryObject", []string{"groupIds Collection(Edm.String)!"}, "Collection(Edm.String)!"},
	"checkMemberObjects":         {"directoryObject", []string{"ids Collection(Edm.String)!"}, "Collection(Edm.String)!"},
	"getUserOwnedObjects":        {"directoryObject", []string{"userId Edm.String", "type Edm.String"}, "Collection(graph.directoryObject)"},
	"evaluateDynamicMembership":  {Parameters: []string{"memberId Edm.String", "membershipRule Edm.String"}, returns: "graph.evaluateDynamicMembershipResult"},
	"getByIds":                   {"", []string{"ids Collection(Edm.String)!", "types Collection(Edm.String)"}, "Collection(graph.directoryObject)!"},
}

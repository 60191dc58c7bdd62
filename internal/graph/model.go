package graph

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// model is what the operations that are served say of the types: what can be reached from them and what
// can be called on them.
type model struct {
	navigation map[string][]string // names by type
	actions    []action
	first      map[string]bool // first segments of the paths
}

// action is an operation of OData that is bound to a type.
type action struct {
	name, bound string
	function    bool // it only reads
}

// servedOp is an operation of Graph that is served. {names} in its path are keys, and a name with ()
// is a bound operation.
type servedOp struct{ method, path string }

// newModel makes the model of the operations that are served.
func newModel(operations []servedOp) *model {
	m := &model{navigation: map[string][]string{}, first: map[string]bool{"me": true, unitSet: true}}
	for _, op := range operations {
		m.add(op)
	}
	slices.SortFunc(m.actions, func(a, b action) int { return strings.Compare(a.name+a.bound, b.name+b.bound) })
	return m
}

// add follows an operation's path from type to type.
func (m *model) add(op servedOp) {
	segments := strings.Split(op.path[1:], "/")
	m.first[segments[0]] = true
	at, list := entitySets[segments[0]], true
	if at == "" {
		at, list = singletons[segments[0]], false
	}
	for _, segment := range segments[1:] {
		name, called := strings.CutSuffix(segment, "()")
		plain, _, keyed := strings.Cut(segment, "(")
		switch {
		case at == "" || strings.ContainsAny(segment, "$."):
			return
		case called:
			m.call(at, list, name, op.method == "GET")
			return
		case segment[0] == '{':
			list = false
		default:
			if !slices.Contains(m.navigation[at], plain) {
				m.navigation[at] = append(m.navigation[at], plain)
			}
			at, list = leadsTo(plain)
			list = list && !keyed // by another key than the id
		}
	}
}

func (m *model) call(at string, list bool, name string, function bool) {
	bound := "graph." + at
	if t := signatures[name].bound; t != "" {
		bound = "graph." + t
	}
	if list {
		bound = "Collection(" + bound + ")"
	}
	a := action{name, bound, function}
	if !slices.Contains(m.actions, a) {
		m.actions = append(m.actions, a)
	}
}

// targets are the navigation properties that lead to something else than a list of directory
// objects. A + stands before what is part of its owner.
var targets = map[string]string{
	"manager": "directoryObject", "licenseDetails": "+Collection(licenseDetails)", "subscriptions": "+Collection(companySubscription)",
	"deletedItems": "+Collection(directoryObject)", "federatedIdentityCredentials": "+Collection(federatedIdentityCredential)",
	"appRoleAssignments": "+Collection(appRoleAssignment)", "appRoleAssignedTo": "+Collection(appRoleAssignment)",
	"appRoleAssignedResources": "Collection(servicePrincipal)",
	"oauth2PermissionGrants":   "Collection(oAuth2PermissionGrant)", "directory": "+rbacApplication",
	unitSet:           "+Collection(administrativeUnit)",
	"roleDefinitions": "+Collection(unifiedRoleDefinition)", "roleAssignments": "+Collection(unifiedRoleAssignment)",
}

func leadsTo(name string) (to string, list bool) {
	target, ok := targets[name]
	if !ok {
		return "directoryObject", true
	}
	target, list = strings.CutPrefix(strings.TrimPrefix(target, "+"), "Collection(")
	return strings.TrimSuffix(target, ")"), list
}

func (m *model) writeNavigation(b *strings.Builder, typeName string) {
	for _, name := range slices.Sorted(slices.Values(m.navigation[typeName])) {
		to, list := leadsTo(name)
		target, more := "graph."+to, ""
		if list {
			target = "Collection(" + target + ")"
		}
		if strings.HasPrefix(targets[name], "+") {
			more = ` ContainsTarget="true"`
		}
		writeTyped(b, "NavigationProperty", name, target, more)
	}
}

// signature is what an action takes and answers. The type that it is bound to is said where it is a
// base of the one in the path.
type signature struct {
	bound      string
	parameters []string // names and types
	returns    string   // THIS is the type that the action is bound to
}

// signatures are those of the actions in the table of operations.
var signatures = map[string]signature{
	"assignLicense": {
		parameters: []string{"addLicenses Collection(graph.assignedLicense)!", "removeLicenses Collection(Edm.Guid)!"}, returns: "THIS",
	},
	"reprocessLicenseAssignment": {returns: "THIS"},
	"restore":                    {bound: "directoryObject", returns: "THIS"},
	"delta":                      {returns: "THIS"},
	"addPassword":                {parameters: []string{"passwordCredential graph.passwordCredential"}, returns: "graph.passwordCredential!"},
	"addKey": {
		parameters: []string{"keyCredential graph.keyCredential!", "passwordCredential graph.passwordCredential", "proof Edm.String!"}, returns: "graph.keyCredential!",
	},
	"removeKey":                  {parameters: []string{"keyId Edm.Guid!", "proof Edm.String!"}},
	"removePassword":             {parameters: []string{"keyId Edm.Guid!"}},
	"changePassword":             {parameters: []string{"currentPassword Edm.String", "newPassword Edm.String"}},
	"revokeSignInSessions":       {returns: "Edm.Boolean"},
	"invalidateAllRefreshTokens": {returns: "Edm.Boolean"},
	"instantiate":                {parameters: []string{"displayName Edm.String"}, returns: "graph.applicationServicePrincipal"},
	"getMemberGroups":            {"directoryObject", []string{"securityEnabledOnly Edm.Boolean"}, "Collection(Edm.String)!"},
	"getMemberObjects":           {"directoryObject", []string{"securityEnabledOnly Edm.Boolean"}, "Collection(Edm.String)!"},
	"checkMemberGroups":          {"directoryObject", []string{"groupIds Collection(Edm.String)!"}, "Collection(Edm.String)!"},
	"checkMemberObjects":         {"directoryObject", []string{"ids Collection(Edm.String)!"}, "Collection(Edm.String)!"},
	"getUserOwnedObjects":        {"directoryObject", []string{"userId Edm.String", "type Edm.String"}, "Collection(graph.directoryObject)"},
	"getByIds":                   {"", []string{"ids Collection(Edm.String)!", "types Collection(Edm.String)"}, "Collection(graph.directoryObject)!"},
}

func (m *model) writeActions(b *strings.Builder) {
	for _, a := range m.actions {
		s, element := signatures[a.name], "Action"
		if a.function {
			element = "Function"
		}
		fmt.Fprintf(b, "   <%s Name=%q IsBound=\"true\">\n", element, a.name)
		writeTyped(b, "Parameter", "bindingParameter", a.bound+"!", "")
		for _, p := range s.parameters {
			name, typeName, _ := strings.Cut(p, " ")
			writeTyped(b, "Parameter", name, typeName, "")
		}
		if s.returns != "" {
			writeTyped(b, "ReturnType", "", strings.ReplaceAll(s.returns, "THIS", a.bound), "")
		}
		fmt.Fprintf(b, "   </%s>\n", element)
	}
}

// among are the names of those sets that operations are for.
func (m *model) among(names map[string]string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(names)), func(name string) bool { return !m.first[name] })
}

func (m *model) writeContainer(b *strings.Builder) {
	b.WriteString("   <EntityContainer Name=\"GraphService\">\n")
	for _, set := range m.among(entitySets) {
		fmt.Fprintf(b, "    <EntitySet Name=%q EntityType=\"microsoft.graph.%s\" />\n", set, entitySets[set])
	}
	for _, name := range m.among(singletons) {
		fmt.Fprintf(b, "    <Singleton Name=%q Type=\"microsoft.graph.%s\" />\n", name, singletons[name])
	}
	b.WriteString("   </EntityContainer>\n")
}

// sets are the names of the sets of objects that are served.
func (m *model) sets() []string { return m.among(entitySets) }

// singletons are the names of the objects that are served by themselves.
func (m *model) singletons() []string { return m.among(singletons) }

// setType is the type of the objects in a set of Graph; empty when there is none with this name.
func setType(set string) string { return entitySets[set] }

package edm

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Model is derived from the supported operations: for each type, the objects that can be reached
// from it and the operations that can be called on it.
type Model struct {
	navigation map[string][]string // names by type
	actions    []action
	first      map[string]bool // first segments of the paths
}

// action is an operation of OData that is bound to a type.
type action struct {
	name, bound string
	function    bool // without side effects
}

// Operation is a supported operation of Graph. {names} in its path are keys, and a name with () is
// a bound operation.
type Operation struct{ Method, Path string }

// NewModel returns the model of the supported operations.
func NewModel(operations []Operation) *Model {
	m := &Model{navigation: map[string][]string{}, first: map[string]bool{"me": true, UnitSet: true}}
	for _, op := range operations {
		m.add(op)
	}
	slices.SortFunc(m.actions, func(a, b action) int { return strings.Compare(a.name+a.bound, b.name+b.bound) })
	return m
}

// add follows an operation's path from type to type.
func (m *Model) add(op Operation) {
	segments := strings.Split(op.Path[1:], "/")
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
			m.call(at, list, name, op.Method == "GET")
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

func (m *Model) call(at string, list bool, name string, function bool) {
	bound := "graph." + at
	if t := Signatures[name].bound; t != "" {
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

// targets are the navigation properties that do not lead to a list of directory objects. The prefix
// + marks objects that are a part of their owner.
var targets = map[string]string{
	"manager": "directoryObject", "licenseDetails": "+Collection(licenseDetails)", "subscriptions": "+Collection(companySubscription)",
	"deletedItems": "+Collection(directoryObject)", "federatedIdentityCredentials": "+Collection(federatedIdentityCredential)",
	"appRoleAssignments": "+Collection(appRoleAssignment)", "appRoleAssignedTo": "+Collection(appRoleAssignment)",
	"appRoleAssignedResources": "Collection(servicePrincipal)",
	"oauth2PermissionGrants":   "Collection(oAuth2PermissionGrant)", "directory": "+rbacApplication",
	"directoryAudits": "+Collection(directoryAudit)", "signIns": "+Collection(signIn)",
	UnitSet:           "+Collection(administrativeUnit)",
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

func (m *Model) writeNavigation(b *strings.Builder, typeName string) {
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

func (m *Model) writeActions(b *strings.Builder) {
	for _, a := range m.actions {
		s, element := Signatures[a.name], "Action"
		if a.function {
			element = "Function"
		}
		fmt.Fprintf(b, "   <%s Name=%q IsBound=\"true\">\n", element, a.name)
		writeTyped(b, "Parameter", "bindingParameter", a.bound+"!", "")
		for _, p := range s.Parameters {
			name, typeName, _ := strings.Cut(p, " ")
			writeTyped(b, "Parameter", name, typeName, "")
		}
		if s.returns != "" {
			writeTyped(b, "ReturnType", "", strings.ReplaceAll(s.returns, "THIS", a.bound), "")
		}
		fmt.Fprintf(b, "   </%s>\n", element)
	}
}

// among returns the names of the sets with operations.
func (m *Model) among(names map[string]string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(names)), func(name string) bool { return !m.first[name] })
}

func (m *Model) writeContainer(b *strings.Builder) {
	b.WriteString("   <EntityContainer Name=\"GraphService\">\n")
	for _, set := range m.among(entitySets) {
		fmt.Fprintf(b, "    <EntitySet Name=%q EntityType=\"microsoft.graph.%s\" />\n", set, entitySets[set])
	}
	for _, name := range m.among(singletons) {
		fmt.Fprintf(b, "    <Singleton Name=%q Type=\"microsoft.graph.%s\" />\n", name, singletons[name])
	}
	b.WriteString("   </EntityContainer>\n")
}

// Sets returns the names of the supported sets of objects.
func (m *Model) Sets() []string { return m.among(entitySets) }

// Singletons returns the names of the supported singletons.
func (m *Model) Singletons() []string { return m.among(singletons) }

// SetType returns the type of the objects in a set of Graph; empty if no set has this name.
func SetType(set string) string { return entitySets[set] }

package graph

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/licenses"
	"licensor/internal/graph/route"
	"licensor/internal/graph/throttle"
	"licensor/internal/graph/wire"
)

// newRoutes returns the tree of all operations and some further ones, which are below route.Own.
// The part of Graph is large and the same for all APIs.
func newRoutes(further []wire.Operation) *route.Tree[wire.Operation] {
	served, _ := routesOf(slices.Concat(further, slices.DeleteFunc(slices.Clone(operations), isOfGraph)))
	return routesOfGraph().With(served)
}

// routesOfGraph returns the tree of Graph's operations, which is built when it is first used.
var routesOfGraph = sync.OnceValue(func() *route.Tree[wire.Operation] {
	table := slices.DeleteFunc(slices.Concat(aboutAll(), operations), isOurs)
	served, objects := routesOf(table)
	var words []string
	for _, described := range entityTypes {
		words = append(words, described.Properties()...)
	}
	return route.New(served, objects, words)
})

func isOurs(op wire.Operation) bool { return strings.HasPrefix(op.Path, route.Own) }

func isOfGraph(op wire.Operation) bool { return !isOurs(op) }

// routesOf returns the routes of a table, and those that read one object. Paths of a user are under
// /me, too, those of administrative units in both of their places, and paths below an application
// or service principal also by its appId. It sets the costs in the table.
func routesOf(table []wire.Operation) (served []route.Route[wire.Operation], objects []route.Object[wire.Operation]) {
	for i := range table {
		op := &table[i]
		if !op.IsDevelopment() { // a caller that has exceeded a limit with it could not recover
			op.Cost = throttle.Base(op.Method, op.Path)
		}
		places := places(op)
		served = append(served, places...)
		if of := propertiesOf[op.Path]; of != nil && op.Method == http.MethodGet {
			for _, place := range places {
				if place.Op == op {
					objects = append(objects, route.Object[wire.Operation]{
						Route: place, Type: of.Name(), Properties: of.EveryName(),
					})
				}
			}
		}
	}
	return served, objects
}

// places returns the paths of the operation.
func places(op *wire.Operation) []route.Route[wire.Operation] {
	list := []route.Route[wire.Operation]{{Method: op.Method, Path: op.Path, Op: op}}
	also := func(path string, op *wire.Operation) {
		list = append(list, route.Route[wire.Operation]{Method: op.Method, Path: path, Op: op})
	}
	rest, ok := strings.CutPrefix(op.Path, "/users/{user}")
	if ok && (rest != "" || op.Method != http.MethodDelete) { // so that no one deletes itself by accident
		also("/me"+rest, op)
	}
	if rest, ok := strings.CutPrefix(op.Path, edm.UnitsRoot); ok {
		also("/"+edm.UnitSet+rest, op)
	}
	if set, rest, ok := belowClient(op.Path); ok {
		byAppID := *op
		byAppID.Path = set + "(appId='{" + set[1:] + "}')" + rest
		also(byAppID.Path, &byAppID)
	}
	return list
}

// belowClient splits a path below an application or service principal, which can also be named by
// its appId.
func belowClient(path string) (set, rest string, ok bool) {
	for _, key := range []string{"/applications/{application}", "/servicePrincipals/{servicePrincipal}"} {
		if rest, ok := strings.CutPrefix(path, key); ok && rest != "" {
			return key[:strings.LastIndex(key, "/")], rest, true
		}
	}
	return "", "", false
}

// propertiesOf returns the objects whose properties have their own URLs, /users/{user}/displayName
// (P27), by the path of the operation that reads the object. The same operation reads a property,
// and shows only that.
var propertiesOf = map[string]wire.Typed{
	"/users/{user}":                         userFields,
	"/users/{user}/licenseDetails/{detail}": licenses.DetailFields,
	"/groups/{group}":                       groupFields,
	edm.UnitsRoot + "/{unit}":               unitFields,
	"/applications/{application}":           applicationFields,
	"/applications(appId='{application}')":  applicationFields,
	"/applications/{application}/federatedIdentityCredentials/{credential}": federatedFields,
	"/servicePrincipals/{servicePrincipal}":                                 principalFields,
	"/servicePrincipals(appId='{servicePrincipal}')":                        principalFields,
	"/servicePrincipals/{servicePrincipal}/appRoleAssignments/{assignment}": roleAssignmentFields,
	"/servicePrincipals/{servicePrincipal}/appRoleAssignedTo/{assignment}":  roleAssignmentFields,
	"/oauth2PermissionGrants/{grant}":                                       grantFields,
	"/organization/{organization}":                                          organizationFields,
	"/domains/{domain}":                                                     domainFields,
	"/subscribedSkus/{sku}":                                                 licenses.SKUFields,
	"/directory/subscriptions/{subscription}":                               licenses.SubscriptionFields,
	"/directory/subscriptions(commerceSubscriptionId='{subscription}')":     licenses.SubscriptionFields,
	"/directoryRoles/{role}":                                                roleFields,
	"/directoryRoles(roleTemplateId='{role}')":                              roleFields,
	"/directoryRoleTemplates/{template}":                                    templateFields,
	"/roleManagement/directory/roleDefinitions/{definition}":                definitionFields,
	"/roleManagement/directory/roleAssignments/{assignment}":                heldFields,
}

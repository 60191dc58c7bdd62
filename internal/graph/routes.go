package graph

import (
	"net/http"
	"slices"
	"strings"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/licenses"
	"licensor/internal/graph/route"
	"licensor/internal/graph/throttle"
	"licensor/internal/graph/wire"
)

// newRoutes builds the tree of a table: paths of a user under /me, too, those of administrative
// units in both of their places, and paths below an application or service principal also by its
// appId.
func newRoutes(table []wire.Operation) *route.Tree[wire.Operation] {
	table = slices.Clone(table) // costs are written to it, and there may be several APIs
	var served []route.Route[wire.Operation]
	var objects []route.Object[wire.Operation]
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
	var words []string
	for _, described := range entityTypes {
		words = append(words, described.Properties()...)
	}
	return route.New(served, objects, words)
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

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
// units in both of their places, and what is below an application or service principal also by its
// appId.
func newRoutes(table []wire.Operation) *route.Tree[wire.Operation] {
	table = slices.Clone(table) // costs are written to it, and there may be several APIs
	var served []route.Route[wire.Operation]
	var objects []route.Object[wire.Operation]
	for i := range table {
		op := &table[i]
		if !op.IsDevelopment() { // who has run into a limit with it could not get out again
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

// places are the paths of the operation.
func places(op *wire.Operation) []route.Route[wire.Operation] {
	list := []route.Route[wire.Operation]{{Method: op.Method, Path: op.Path, Op: op}}
	also := func(path string, op *wire.Operation) {
		list = append(list, route.Route[wire.Operation]{Method: op.Method, Path: path, Op: op})
	}
	rest, ok := strings.CutPrefix(op.Path, "/users/{user}")
	if ok && (rest != "" || op.Method != http.MethodDelete) { // nobody deletes the self by accident
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

// belowClient cuts the path of what is below an application or service principal, which can be
// named by its appId, too.
func belowClient(path string) (set, rest string, ok bool) {
	for _, key := range []string{"/applications/{application}", "/servicePrincipals/{servicePrincipal}"} {
		if rest, ok := strings.CutPrefix(path, key); ok && rest != "" {
			return key[:strings.LastIndex(key, "/")], rest, true
		}
	}
	return "", "", false
}

// propertiesOf are the objects whose properties have addresses of their own,
// /users/{user}/displayName (P27): those of the operations that read one object, by path. Reading a
// property is the same operation, which shows that property alone.
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

package graph

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/route"
)

// Every navigation property of the metadata is expanded where its list is served, and is 501
// otherwise (P29).
func TestEveryNavigationPropertyIsExpandedOrSaidNotToBe(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	token := w.appToken(allPermissions...)
	group := w.create("/v1.0/groups", `{"displayName":"Red","mailEnabled":false,"mailNickname":"red","securityEnabled":true}`)
	unit := w.create("/v1.0/directory/administrativeUnits", `{"displayName":"North"}`)
	w.do("POST", "/v1.0/roleManagement/directory/roleAssignments", token, `{"principalId":"`+ann+`","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","directoryScopeId":"/"}`)
	first := func(list string) string {
		var answer struct{ Value []struct{ ID string } }
		w.must(json.Unmarshal([]byte(w.do("GET", "/v1.0"+list, token, "").body), &answer))
		return list + "/" + answer.Value[0].ID
	}
	metadata, err := readCSDL([]byte(specified(t, "graph/metadata.xml")))
	w.must(err)
	for typeName, one := range map[string]string{
		"user": "/users/" + ann, "group": "/groups/" + group, "administrativeUnit": "/directory/administrativeUnits/" + unit,
		"application": first("/applications"), "servicePrincipal": first("/servicePrincipals"), "organization": first("/organization"),
		"directoryRole": first("/directoryRoles"), "domain": first("/domains"),
		"unifiedRoleDefinition": first("/roleManagement/directory/roleDefinitions"), "unifiedRoleAssignment": first("/roleManagement/directory/roleAssignments"),
	} {
		names := slices.Clone(edm.Navigation[typeName])
		if of := metadata.Entities[typeName]; of != nil {
			for _, p := range of.Navigation {
				names = append(names, p.Name)
			}
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			for _, version := range []string{"/v1.0", "/beta"} {
				list := w.send("GET", version+one+"/"+name, token, "").status
				want := http.StatusOK // where there is none, the list is 404, and the expansion null
				if list == http.StatusNotImplemented && !slices.Contains([]string{"registeredDevices", "principal", "roleDefinition"}, name) {
					want = http.StatusNotImplemented
				}
				for _, path := range []string{one, one[:strings.LastIndex(one, "/")]} {
					if got := w.send("GET", version+path+"?$expand="+name, token, ""); got.status != want {
						t.Errorf("%s%s?$expand=%s: %d, want %d: %.200s", version, path, name, got.status, want, got.body)
					}
					got := w.send("GET", version+path+"?$select=id,"+strings.ToLower(name), token, "")
					named, shown := strings.Contains(got.body, "(id,"+name+")"), strings.Contains(got.body, `"`+name+`":`)
					if got.status != http.StatusOK || !named || shown {
						t.Errorf("%s%s?$select=id,%s: %d %.200s", version, path, name, got.status, got.body)
					}
				}
			}
		}
	}
}

// operationsOnObjects are the names in surface.txt below an object that are called, in both
// versions.
var operationsOnObjects = strings.Fields(`addfavorite addkey addpassword addtokensigningcertificate assignedprincipals assignlicense
	changepassword checkgrantedpermissionsforapp checkmembergroups checkmemberobjects convertexternaltointernalmemberuser
	createpasswordsinglesignoncredentials deletepasswordsinglesignoncredentials evaluatedynamicmembership
	exportdeviceandappmanagementdata exportpersonaldata extendlifecycle findmeetingtimes findroomlists findrooms forcedelete
	getmailtips getmanagedappdiagnosticstatuses getmanagedapppolicies getmanageddeviceswithappfailures
	getmanageddeviceswithfailedorpendingapps getmembergroups getmemberobjects getpasswordsinglesignoncredentials
	getteamslicensingdetails invalidateallrefreshtokens ismanagedappuserblocked permanentdelete promote reminderview
	removealldevicesfrommanagement removefavorite removekey removepassword renew repair reprocesslicenseassignment
	resetunseencount restore retryserviceprovisioning revokesigninsessions sendmail setmobiledevicemanagementauthority
	setverifiedpublisher subscribebymail translateexchangeids unblockmanagedapps unsetverifiedpublisher unsubscribebymail
	updatepasswordsinglesignoncredentials validateproperties verify wipeandblockmanagedapps
	wipemanagedappregistrationsbyazureaddeviceid wipemanagedappregistrationsbydevicetag`)

// Every name below an object in the paths of Graph, of either version, is one that $select knows,
// or an operation.
func TestNavigationPropertiesAreCompleteByThePathsOfGraph(t *testing.T) {
	t.Parallel()
	surface, err := os.ReadFile("route/surface.txt")
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]interface{ Knows(name string) bool }{
		"user": userFields, "group": groupFields, "application": applicationFields, "servicePrincipal": principalFields,
		"administrativeUnit": unitFields, "organization": organizationFields, "directoryRole": roleFields, "domain": domainFields,
		"unifiedRoleDefinition": definitionFields, "unifiedRoleAssignment": heldFields,
	}
	seen := map[string]bool{}
	for typeName, sets := range edm.PlacesOf {
		for _, set := range sets {
			_, names, _ := strings.Cut("\n"+string(surface), "\n"+strings.ToLower(set)+"/{}\t")
			names, _, _ = strings.Cut(names, "\n")
			for name := range strings.FieldsSeq(names) {
				name = strings.TrimSuffix(name, "()")
				operation := slices.Contains(operationsOnObjects, name)
				seen[name] = true
				if types[typeName].Knows(name) == operation {
					t.Errorf("%s/{}/%s: an operation is %v, known to $select is %v", set, name, operation, !operation)
				}
			}
		}
	}
	for _, name := range operationsOnObjects {
		if !seen[name] {
			t.Errorf("no object has %s", name)
		}
	}
}

// The addresses of what a relation leads to are served, or 501, and so are objects by their other
// keys.
func TestReferencesAndOtherKeysAreServedOrSaidNotToBe(t *testing.T) {
	t.Parallel()
	routes := newRoutes(furtherOperations)
	may := func(method, path string) bool {
		parts, _ := route.Segments("/v1.0" + path)
		m, _, ok := routes.Find(parts)
		if !ok {
			return m.Unserved
		}
		op, err := servedAt(m, method)
		p, _ := err.(*problem.ResponseError)
		return op != nil || p != nil && p.Status == http.StatusNotImplemented
	}
	for set, typeName := range map[string]string{
		"users": "user", "groups": "group", "applications": "application", "servicePrincipals": "servicePrincipal",
		"directoryRoles": "directoryRole", "directory/administrativeUnits": "administrativeUnit",
	} {
		for _, name := range edm.Navigation[typeName] {
			if path := "/" + set + "/" + nobodysID + "/" + name; !may("GET", path+"/$ref") {
				t.Errorf("%s/$ref is not there", path)
			}
		}
	}
	for _, key := range []string{
		"applications(appId='x')", "applications(uniqueName='x')", "directory/subscriptions(commerceSubscriptionId='x')", "devices(deviceId='x')",
		"directoryRoles(roleTemplateId='x')", "groups(uniqueName='x')", "servicePrincipals(appId='x')", "users(userPrincipalName='x')",
	} {
		if !may("GET", "/"+key) {
			t.Errorf("%s is not there", key)
		}
	}
}

package graph

import (
	"net/http"
	"strings"
	"testing"

	"licensor/internal/graph/wire"
)

// TestExpandAsksWhatTheListAsks compares over HTTP what $expand shows with the list of the same
// relation (docs/spec/protocol.md P60): whatever the caller has, it may expand what it may list of
// an object that it may read.
func TestExpandAsksWhatTheListAsks(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	objects := map[string][]string{
		userFields.TypeName:  {"/v1.0/users/" + m.ann, "/v1.0/users/" + m.self, "/v1.0/me"},
		groupFields.TypeName: {"/v1.0/groups/" + m.strange, "/v1.0/groups/" + m.owned},
		applicationFields.TypeName: {
			"/v1.0/applications/" + m.app.ID.String(), "/v1.0/applications/" + m.ownApplication,
			"/v1.0/applications(appId='" + m.ownAppID + "')",
		},
		principalFields.TypeName: {
			"/v1.0/servicePrincipals/" + m.app.Principal.ID.String(), "/v1.0/servicePrincipals/" + m.ownPrincipal,
		},
		unitFields.TypeName: {"/v1.0/directory/administrativeUnits/" + m.unit},
	}
	may := func(path string, c matrixCaller) bool {
		status := m.sendAs(t, "GET", path, "", bearing(m.tokens.of(c))).status
		if status != http.StatusForbidden && status/100 != 2 && status != http.StatusNotFound {
			t.Fatalf("GET %s by %s: %d", path, c, status)
		}
		return status != http.StatusForbidden
	}
	for typeName, paths := range objects {
		if len(wire.ExpandedLists[typeName]) == 0 {
			t.Fatalf("%s has no lists", typeName)
		}
		for _, path := range paths {
			for _, caller := range m.readers(strings.HasPrefix(path, "/v1.0/me")) {
				if !may(path, caller) {
					continue
				}
				for name := range wire.ExpandedLists[typeName] {
					if list, expand := may(path+"/"+name, caller), may(path+"?$select=id&$expand="+name, caller); list != expand {
						t.Errorf("%s of %s by %s: the list is allowed: %v, $expand: %v", name, path, caller, list, expand)
					}
				}
			}
		}
	}
}

// readers are applications and users with one permission, and with one that shows the basic
// properties of users and groups besides.
func (m *matrix) readers(delegated bool) (callers []matrixCaller) {
	for i, permission := range m.known {
		if i%slowness != 0 || permission == "" {
			continue
		}
		for _, permissions := range [][]string{{permission}, {permission, "User.ReadBasic.All", "Group.ReadBasic.All"}} {
			callers = append(callers, matrixCaller{permissions: permissions, delegated: true})
			if !delegated {
				callers = append(callers, matrixCaller{permissions: permissions})
			}
		}
	}
	return callers
}

// TestEveryExpansionHasAList: nothing is shown by $expand without a permission for it. Devices are
// not kept.
func TestEveryExpansionHasAList(t *testing.T) {
	t.Parallel()
	hasLists(t, userFields.TypeName, userExpansions)
	hasLists(t, groupFields.TypeName, groupExpansions)
	hasLists(t, applicationFields.TypeName, applicationExpansions)
	hasLists(t, principalFields.TypeName, principalExpansions)
	hasLists(t, unitFields.TypeName, unitExpansions)
}

func hasLists[T any](t *testing.T, typeName string, all map[string]wire.Expansion[T]) {
	t.Helper()
	for name := range all {
		if wire.ExpandedLists[typeName][name] == nil && !strings.HasSuffix(name, "Devices") {
			t.Errorf("%s of %s has no list", name, typeName)
		}
	}
}

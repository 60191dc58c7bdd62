package graph

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/clock"
	"licensor/internal/engine"
	"licensor/internal/graph/devkit"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
)

// matrix is a tenant with two users and two groups, of which the caller is one user and owns one
// group and some applications.
type matrix struct {
	*world
	rules  map[string]*matrixRule
	known  []string
	tokens *matrixTokens
	// ids of what is there
	self, ann, owned, strange, gone, goneGroup, goneApplication string
	unit, goneUnit                                              string
	ownApplication, ownAppID, ownPrincipal                      string
}

// secretMark is a part of all names of objects, and occurs nowhere else.
const secretMark = "PELICAN"

func newMatrix(t *testing.T) *matrix {
	w := newWorld(t)
	w.serveQuickly(devkit.New(clock.New(w.now), func() []*engine.Tenant { return nil }))
	m := &matrix{world: w, rules: readMatrix(t)}
	m.known = knownPermissions(m.rules)
	m.self, m.ann = m.addUser("self"), m.addUser("ann")
	m.owned, m.strange = m.addGroup("owned"), m.addGroup("strange")
	m.gone, m.goneGroup = m.addUser("gone"), m.made("POST", "/v1.0/groups", `{"displayName":"`+secretMark+
		`","mailNickname":"unified","mailEnabled":true,"securityEnabled":false,"groupTypes":["Unified"]}`) // other groups cannot be restored
	m.own("/v1.0/groups/" + m.owned)
	m.made("POST", "/v1.0/groups/"+m.owned+"/owners/$ref", `{"@odata.id":"`+w.server.URL+`/v1.0/servicePrincipals/`+m.app.Principal.ID.String()+`"}`)
	m.made("DELETE", "/v1.0/users/"+m.gone, "")
	m.made("DELETE", "/v1.0/groups/"+m.goneGroup, "")
	m.goneApplication = m.made("POST", "/v1.0/applications", `{"displayName":"`+secretMark+`"}`)
	m.own("/v1.0/applications/" + m.goneApplication)
	m.made("DELETE", "/v1.0/applications/"+m.goneApplication, "")
	m.unit = m.made("POST", "/v1.0/directory/administrativeUnits", `{"displayName":"`+secretMark+`"}`)
	m.goneUnit = m.made("POST", "/v1.0/directory/administrativeUnits", `{"displayName":"`+secretMark+` gone"}`)
	m.made("DELETE", "/v1.0/directory/administrativeUnits/"+m.goneUnit, "")
	m.ownApplication = m.made("POST", "/v1.0/applications", `{"displayName":"`+secretMark+` own"}`) // who creates it is its owner
	own, _ := m.tenant.Image().ClientByID(uuid.MustParse(m.ownApplication))
	m.ownAppID = own.AppID.String()
	m.ownPrincipal = m.made("POST", "/v1.0/servicePrincipals", `{"appId":"`+m.ownAppID+`"}`)
	m.own("/v1.0/applications/" + m.ownApplication)
	m.own("/v1.0/servicePrincipals/" + m.ownPrincipal)
	m.tokens = &matrixTokens{w: w, user: uuid.MustParse(m.self), made: map[string]string{}}
	return m
}

// own makes the caller, as a user, an owner of what is at an address.
func (m *matrix) own(path string) {
	m.t.Helper()
	m.made("POST", path+"/owners/$ref", `{"@odata.id":"`+m.server.URL+`/v1.0/users/`+m.self+`"}`)
}

// serveQuickly is another server for the world, on which passwords cost little.
func (w *world) serveQuickly(d *devkit.Kit) {
	w.server = newServer(w.t, New(Config{
		Authority: w.authority, Tenant: w.tenants.Tenant, Now: w.now, NewID: numbered(), Log: newLog(w), Development: d,
		PasswordCost: identity.PasswordCost{Memory: 8, Passes: 1, Threads: 1},
	}))
}

// made asks as someone who may, and returns the id of what has been made.
func (m *matrix) made(method, path, body string) string {
	m.t.Helper()
	got := m.do(method, path, m.appToken(allPermissions...), body)
	if got.status/100 != 2 {
		m.t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
	}
	var object struct{ ID string }
	_ = json.Unmarshal([]byte(got.body), &object)
	return object.ID
}

func (m *matrix) addUser(name string) string {
	m.t.Helper()
	return m.made("POST", "/v1.0/users", fmt.Sprintf(
		`{"accountEnabled":true,"displayName":"%[2]s %[1]s","mailNickname":"%[1]s","userPrincipalName":"%[1]s@contoso.example",`+
			`"passwordProfile":{"password":"Correct horse 9 battery"}}`, name, secretMark))
}

func (m *matrix) addGroup(name string) string {
	m.t.Helper()
	return m.made("POST", "/v1.0/groups", fmt.Sprintf(
		`{"displayName":"%[2]s %[1]s","mailNickname":"%[1]s","mailEnabled":false,"securityEnabled":true}`, name, secretMark))
}

// matrixOperation is an operation of the table with the objects it can be asked of.
type matrixOperation struct {
	name, method string
	objects      []matrixObject
}

// matrixObject is an address for an operation: and what the object is to the caller.
type matrixObject struct {
	path     string
	relation identity.Relation
}

// operations are those of the server, with more for each that asks for something else where its
// object is a group or an application.
func (m *matrix) operations() (all []matrixOperation) {
	for _, op := range everyOperation {
		if op.Do == nil {
			continue
		}
		all = append(all, matrixOperation{op.Method + " " + op.Path, op.Method, m.objects(&op)})
		if op.NeedOfGroup != "" {
			for mark, id := range map[string]string{"#group": m.goneGroup, "#application": m.goneApplication, "#unit": m.goneUnit} {
				path := strings.Replace(op.Path, "{object}", id, 1)
				object := matrixObject{path: "/v1.0" + path}
				if id == m.goneApplication {
					object.relation = identity.RelationOwned
				}
				all = append(all, matrixOperation{op.Method + " " + op.Path + mark, op.Method, []matrixObject{object}})
			}
		}
	}
	return all
}

func (m *matrix) objects(op *wire.Operation) []matrixObject {
	root := "/v1.0"
	switch {
	case strings.HasPrefix(op.Path, route.Own):
		root = ""
	case op.Beta:
		root = "/beta"
	}
	at := func(first, key string) string { return root + fill(strings.Replace(op.Path, first, key, 1), missingID) }
	missing := matrixObject{path: at("", "")}
	switch {
	case op.OfUser():
		objects := []matrixObject{
			missing,
			{path: at("{user}", m.ann)},
			{path: at("{user}", m.self), relation: identity.RelationSelf},
			{path: at("{user}", "SELF@contoso.example"), relation: identity.RelationSelf},
		}
		if root != "" && (op.Method != "DELETE" || op.Path != "/users/{user}") {
			objects = append(objects, matrixObject{path: at("users/{user}", "me"), relation: identity.RelationSelf})
		}
		return objects
	case strings.HasPrefix(op.Path, "/me/"):
		return []matrixObject{{path: root + fill(op.Path, ""), relation: identity.RelationSelf}}
	case op.OfGroup():
		return []matrixObject{missing, {path: at("{group}", m.strange)}, ownedAt(at("{group}", m.owned))}
	case strings.HasPrefix(op.Path, "/applications/{"):
		return []matrixObject{missing, {path: at("{application}", m.app.ID.String())}, ownedAt(at("{application}", m.ownApplication))}
	case strings.HasPrefix(op.Path, "/applications(appId"):
		return []matrixObject{missing, {path: at("{application}", m.app.AppID.String())}, ownedAt(at("{application}", m.ownAppID))}
	case strings.HasPrefix(op.Path, "/servicePrincipals/{"):
		return []matrixObject{missing, {path: at("{servicePrincipal}", m.app.Principal.ID.String())}, ownedAt(at("{servicePrincipal}", m.ownPrincipal))}
	case strings.HasPrefix(op.Path, "/servicePrincipals(appId"):
		return []matrixObject{missing, {path: at("{servicePrincipal}", m.app.AppID.String())}, ownedAt(at("{servicePrincipal}", m.ownAppID))}
	case strings.HasPrefix(op.Path, edm.UnitsRoot+"/{"):
		return []matrixObject{missing, {path: at("{unit}", m.unit)}}
	case strings.HasPrefix(op.Path, "/directory/deletedItems/{"):
		return []matrixObject{missing, {path: at("{object}", m.gone)}}
	case strings.HasPrefix(op.Path, "/directoryObjects/{"):
		return []matrixObject{missing, {path: at("{object}", m.ann)}, {path: at("{object}", m.self), relation: identity.RelationSelf}}
	}
	return []matrixObject{missing}
}

const missingID = "00000000-1111-4222-8333-444444444444"

// fill puts a key in for all names in a template.
func fill(template, key string) string {
	template = strings.ReplaceAll(template, "{type}", "user")
	for {
		from := strings.IndexByte(template, '{')
		if from < 0 {
			return strings.ReplaceAll(template, "()", "")
		}
		template = template[:from] + key + template[from+strings.IndexByte(template[from:], '}')+1:]
	}
}

func ownedAt(path string) matrixObject {
	return matrixObject{path: path, relation: identity.RelationOwned}
}

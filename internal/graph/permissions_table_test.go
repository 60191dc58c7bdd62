package graph

import (
	"encoding/csv"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
)

// deviation is where who may do an operation differs from what is documented. docs/parity.md shows
// them.
type deviation struct {
	operations  []string
	permissions []string // that are documented and not enough here
	why         string
}

var deviations = []deviation{
	{
		[]string{
			"GET /auditLogs/directoryAudits", "GET /auditLogs/directoryAudits/{entry}",
			"GET /auditLogs/signIns", "GET /auditLogs/signIns/{signIn}",
		},
		[]string{"AuditLog.Read.All", "Directory.Read.All"},
		"Both are required (docs/spec/audit.md U2); the table lists them one after another.",
	},
	{
		[]string{
			"POST /applications/{application}/addPassword()", "POST /applications/{application}/removePassword()",
			"POST /applications/{application}/addKey()", "POST /applications/{application}/removeKey()",
			"POST /servicePrincipals/{servicePrincipal}/addPassword()", "POST /servicePrincipals/{servicePrincipal}/removePassword()",
			"POST /servicePrincipals/{servicePrincipal}/addKey()", "POST /servicePrincipals/{servicePrincipal}/removeKey()",
			"POST /servicePrincipals", "PATCH /servicePrincipals/{servicePrincipal}", "DELETE /servicePrincipals/{servicePrincipal}",
			"PATCH /servicePrincipals(appId='{servicePrincipal}')", "DELETE /servicePrincipals(appId='{servicePrincipal}')",
		},
		[]string{"Directory.ReadWrite.All"},
		"It would let the caller log in as any application, or keep it out, and so do what only that application may.",
	},
	{
		[]string{"POST /applications/{application}/owners/$ref", "POST /servicePrincipals/{servicePrincipal}/owners/$ref"},
		[]string{"Directory.Read.All", "Directory.ReadWrite.All"},
		"Alone they would let the caller become an owner, and so log in as any application. Directory.Read.All is needed besides.",
	},
	{
		[]string{"POST /oauth2PermissionGrants", "PATCH /oauth2PermissionGrants/{grant}"},
		[]string{"Directory.ReadWrite.All"},
		"It would let the caller act in the name of every user with any permission.",
	},
	{
		[]string{
			"POST /servicePrincipals/{servicePrincipal}/appRoleAssignments", "POST /servicePrincipals/{servicePrincipal}/appRoleAssignedTo",
		},
		[]string{"Application.ReadWrite.All", "Directory.Read.All"},
		"They are documented to be needed besides AppRoleAssignment.ReadWrite.All. Alone they would let the caller give itself any permission.",
	},
	{
		[]string{
			"POST /groups/{group}/getMemberObjects()", "POST /groups/{group}/checkMemberObjects()",
			"POST /servicePrincipals/{servicePrincipal}/getMemberObjects()", "POST /servicePrincipals/{servicePrincipal}/checkMemberObjects()",
		},
		[]string{"User.Read"},
		"A scope of one's own counts for the caller's own object, which is a user.",
	},
	{
		[]string{"GET /applications"},
		[]string{"User.Read"},
		"A scope of one's own counts for the caller's own object, and an application is never that.",
	},
}

// tableLine is what a table of permissions says of an operation in one scheme: each is enough,
// "X+Y" as both.
type tableLine struct {
	enough, least []string
}

// documentedPermissions reads the table of the specification, by method and path and then by
// scheme.
func documentedPermissions(t *testing.T) map[string]map[string]tableLine {
	t.Helper()
	folder := os.Getenv("LICENSOR_SPEC")
	if folder == "" {
		t.Skip("set LICENSOR_SPEC to the folder that holds spec/ and graph/")
	}
	file, err := os.Open(filepath.Join(folder, "graph", "permissions.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]map[string]tableLine{}
	for _, row := range rows[1:] {
		name := row[0] + " " + row[1]
		if table[name] == nil {
			table[name] = map[string]tableLine{}
		}
		var d tableLine
		for _, word := range strings.Fields(row[3]) {
			permission, others, _ := strings.Cut(word, "+")
			permission, least := strings.CutSuffix(permission, "*")
			for _, other := range strings.Split(others, ",") {
				d.enough = append(d.enough, strings.TrimSuffix(permission+"+"+other, "+"))
			}
			if least {
				d.least = append(d.least, permission)
			}
		}
		table[name][row[2]] = d
	}
	return table
}

var (
	alternateKey = regexp.MustCompile(`\(([a-z]+)='\{[a-z]+\}'\)`)
	anyKey       = regexp.MustCompile(`/\{[a-z]+\}`)
)

// documentedName is an operation as the table of the specification names it.
func documentedName(method, path string) string {
	path = strings.ToLower(strings.ReplaceAll(path, "()", ""))
	path = alternateKey.ReplaceAllString(strings.TrimSuffix(path, "/$ref"), "($1={value})")
	return method + " " + anyKey.ReplaceAllString(path, "/{id}")
}

// TestWhoMayIsAsDocumented compares every operation that the table of documented permissions has a
// line for, over HTTP (docs/spec/protocol.md P60): what is listed is enough, alone or with what is
// needed besides, and all the rest together is not.
func TestWhoMayIsAsDocumented(t *testing.T) {
	t.Parallel()
	table, m := documentedPermissions(t), newMatrix(t)
	compared := 0
	for i := range everyOperation {
		op := &everyOperation[i]
		if op.Do == nil || strings.HasPrefix(op.Path, route.Own) || op.Anyone || op.Open {
			continue
		}
		lines := table[documentedName(op.Method, op.Path)]
		if lines == nil {
			continue
		}
		compared++
		objects := m.objects(op)
		m.compareWithDocumented(t, op, objects[min(2, len(objects)-1)].path, lines)
		least := identity.Needs[op.Need]
		for scheme, delegated := range map[string]bool{"DelegatedWork": true, "Application": false} {
			line := lines[scheme]
			if len(line.least) > 0 && !slices.Contains(line.least, strings.Split(least.LeastOf(delegated), "+")[0]) {
				t.Errorf("%s %s: %s is shown as the least permission (%s), documented is %s", op.Method, op.Path, least.LeastOf(delegated), scheme, line.least)
			}
		}
		own := table[documentedName(op.Method, strings.Replace(op.Path, "/users/{user}", "/me", 1))]
		if op.OfUser() && own != nil && op.Path != "/users/{user}" {
			delete(own, "Application") // there is no /me for one
			m.compareWithDocumented(t, op, "/v1.0"+fill(strings.Replace(op.Path, "/users/{user}", "/me", 1), missingID), own)
		}
	}
	if compared < 100 {
		t.Errorf("only %d operations have been compared", compared)
	}
}

// compareWithDocumented asks for an operation on an object that is the caller's own, in all schemes
// that the table speaks of.
func (m *matrix) compareWithDocumented(t *testing.T, op *wire.Operation, path string, lines map[string]tableLine) {
	callers := map[string]matrixCaller{
		"Application":       {},
		"DelegatedWork":     {delegated: true, roles: identity.Roles},
		"DelegatedPersonal": {delegated: true, personal: true, roles: identity.Roles},
	}
	for scheme, caller := range callers {
		if scheme == "Application" && strings.HasPrefix(path, "/v1.0/me") {
			continue
		}
		line := lines[scheme]
		rest := m.known
		if op.Path == "/users/{user}/memberOf/{object}" { // documented for /me, and one's own id is the same
			rest = lacking(rest, []string{"User.Read.All"})
		}
		for _, permission := range line.enough {
			parts := strings.Split(permission, "+")
			if caller.permissions = parts; m.allowed(t, op, path, caller) == isDeviation(op, permission) {
				t.Errorf("%s %s by %s: enough is %v, documented is %s", op.Method, path, caller, isDeviation(op, permission), scheme)
			}
			if len(parts) == 2 && !slices.Contains(line.enough, parts[0]) {
				if caller.permissions = parts[:1]; m.allowed(t, op, path, caller) {
					t.Errorf("%s %s by %s: enough, documented is that %s is needed besides", op.Method, path, caller, parts[1])
				}
			}
			rest = lacking(rest, parts)
		}
		if caller.permissions = rest; m.allowed(t, op, path, caller) {
			t.Errorf("%s %s by %s (%s): some are enough that are not documented to be", op.Method, path, caller, scheme)
		}
	}
}

// TestDeviationsNameWhatIsThere: an operation that was renamed would leave its deviation behind.
func TestDeviationsNameWhatIsThere(t *testing.T) {
	t.Parallel()
	for _, d := range deviations {
		for _, name := range d.operations {
			if !slices.ContainsFunc(everyOperation, func(op wire.Operation) bool {
				return op.Do != nil && op.Method+" "+op.Path == name
			}) {
				t.Errorf("%s is not served", name)
			}
		}
	}
}

func isDeviation(op *wire.Operation, permission string) bool {
	return slices.ContainsFunc(deviations, func(d deviation) bool {
		return slices.Contains(d.operations, op.Method+" "+op.Path) && slices.Contains(d.permissions, permission)
	})
}

func (m *matrix) allowed(t *testing.T, op *wire.Operation, path string, caller matrixCaller) bool {
	got := m.send(t, op.Method, path, m.tokens.of(caller))
	return got.status != http.StatusUnauthorized && got.status != http.StatusForbidden
}

package graph

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"

	"github.com/google/uuid"
)

// largest are the largest inputs that an operation takes: for one that reads, the longest options;
// for one that writes, bodies as long as they may be, whether they are what it wants or not, and
// what it wants at its bounds.
func (h *heavy) largest(op *wire.Operation) (list []input) {
	path, ok := h.path(op)
	if !ok {
		h.t.Errorf("%s %s: no object is known for it; say in memory_inputs_test.go which", op.Method, op.Path)
		return nil
	}
	in := input{name: op.Method + " " + op.Path, method: op.Method, path: path}
	if op.Path == "/me/changePassword()" {
		in.token = h.userToken(uuid.MustParse(manyID(0)), []string{"User-PasswordProfile.ReadWrite.All"}, nil, false)
	}
	switch op.Method {
	case "GET":
		for _, query := range h.queries(op) {
			in.path, in.name = path+query.text, op.Method+" "+op.Path+query.name
			list = append(list, in)
		}
	case "DELETE":
		list = append(list, in)
	default:
		list = h.bodies(op, in)
	}
	return list
}

// deletesObject matches the paths of objects themselves.
var deletesObject = regexp.MustCompile(`^/\w+(/\{\w+\}|\(\w+='\{\w+\}'\))$`)

// path fills in the template of an operation: the objects with the most in them where it is known
// which these are, otherwise the first that the list before the key has.
func (h *heavy) path(op *wire.Operation) (string, bool) {
	root := "/v1.0"
	switch {
	case strings.HasPrefix(op.Path, route.Own):
		root = ""
	case op.Beta:
		root = "/beta"
	}
	path := root + strings.ReplaceAll(op.Path, "()", "")
	user, group, hub := manyID(0), nobodysID, h.hub
	// What others are measured with stays, and so does what has licenses.
	if op.Method == "DELETE" && deletesObject.MatchString(op.Path) {
		user, group, hub = manyID(1), outerGroup, h.big[0]
		h.big = h.big[1:]
	}
	for _, known := range [][2]string{
		{"{type}", "user"},
		{"users/{user}/directReports", "users/" + boss + "/directReports"},
		{"users/{user}/transitiveReports", "users/" + boss + "/transitiveReports"},
		{"users/{user}", "users/" + user},
		{"groups/{group}", "groups/" + group},
		{"applications/{application}", "applications/" + hub.ID},
		{"applications(appId='{application}')", "applications(appId='" + hub.AppID + "')"},
		{"servicePrincipals/{servicePrincipal}", "servicePrincipals/" + hub.Principal},
		{"servicePrincipals(appId='{servicePrincipal}')", "servicePrincipals(appId='" + hub.AppID + "')"},
		{"administrativeUnits/{unit}", "administrativeUnits/" + h.unit},
		{"directoryObjects/{object}", "directoryObjects/" + manyID(0)},
		{"{organization}", h.tenant.ID().String()},
		{"(roleTemplateId='{role}')", "(roleTemplateId='4d6ac14f-3453-41d0-bef9-a3e0c569773a')"},
		{"deletedItems/{object}", "deletedItems/" + manyID(goneUsers)},
		{"(commerceSubscriptionId='{subscription}')", "(commerceSubscriptionId='{commerce}')"},
	} {
		path = strings.ReplaceAll(path, known[0], known[1])
	}
	if op.Method == "POST" && strings.HasSuffix(path, "/restore") {
		path = strings.ReplaceAll(path, manyID(goneUsers), manyID(goneUsers+1))
	}
	if strings.Contains(path, "{commit}") {
		path = strings.ReplaceAll(path, "{commit}", h.largestCommit())
	}
	if strings.Contains(path, "{preview}") {
		path = strings.ReplaceAll(path, "{preview}", h.preview())
	}
	for {
		from := strings.IndexByte(path, '{')
		if from < 0 {
			return path, true
		}
		end := from + strings.IndexByte(path[from:], '}') + 1
		key := h.first(path[:from], path[from:end])
		if key == "" {
			return "", false
		}
		path = path[:from] + key + path[end:]
	}
}

// largestCommit is the number of the commit with the largest effects: the license of a group of
// everyone, or many new users.
func (h *heavy) largestCommit() string {
	seq, size := uint64(0), 0
	for after := uint64(1); after < h.tenant.Image().Seq; {
		commits, err := h.tenant.FirstCommits(h.t.Context(), after, h.tenant.Image().Seq)
		h.must(err)
		for _, c := range commits {
			undoable := c.Operation == "import" || c.Operation == "assignGroupLicense"
			if n := len(c.Effects); n > size && undoable {
				seq, size = c.Seq, n
			}
			after = c.Seq
		}
	}
	return strconv.FormatUint(seq, 10)
}

// first is the id of the first object in a list.
func (h *heavy) first(path, key string) string {
	name := "id"
	if key == "{commerce}" {
		path, name = "/v1.0/directory/subscriptions", "commerceSubscriptionId"
	}
	var list struct{ Value []map[string]any }
	if got := h.send("GET", strings.TrimSuffix(path, "/"), h.token, ""); got.status < 300 {
		h.decode(got.body, &list)
	}
	if len(list.Value) == 0 {
		return ""
	}
	text, _ := list.Value[0][name].(string)
	return text
}

type queried struct{ name, text string }

// queries are the options that make the largest answers and take the longest to find. Those that an
// operation does not have it refuses.
func (h *heavy) queries(op *wire.Operation) (list []queried) {
	add := func(name, query string) { list = append(list, queried{name, query}) }
	add("", "")
	if strings.HasSuffix(op.Path, "$count") || op.Open {
		add("?$filter", "?$filter="+url.QueryEscape(longFilter()))
		return list
	}
	fields, expansions := h.shown(op)
	add("?$top", "?$top=999&$count=true")
	add("?$select", "?$top=999&$select="+strings.Join(fields, ","))
	add("?$filter&$orderby", "?$top=999&$count=true&$orderby=displayName&$filter="+url.QueryEscape(longFilter()))
	add("?$filter", "?$top=999&$count=true&$filter="+url.QueryEscape(longFilter()))
	add("?$search", "?$top=999&$count=true&$search="+url.QueryEscape(longSearch()))
	for _, name := range expansions {
		add("?$expand="+name, "?$top=999&$expand="+name)
	}
	if len(expansions) > 0 {
		add("?$select&$expand", "?$top=999&$select="+strings.Join(fields, ",")+"&$expand="+strings.Join(expansions, ","))
	}
	if strings.HasSuffix(op.Path, "/explain") {
		add("?servicePlan", "?servicePlan=EXCHANGE_S_ENTERPRISE")
	}
	if strings.Contains(op.Path, "/licenseErrors") {
		filter := url.QueryEscape(strings.Repeat("error ne 'Other' and ", 400) + "department eq null")
		add("?$filter of errors", "?$filter="+filter)
		add("?$filter&$orderby of errors", "?$top=999&$count=true&$orderby=displayName%20desc&$filter="+filter)
	}
	then := h.then.UTC().Format(time.RFC3339)
	switch own := "/licensor/v1"; op.Path {
	case own + "/costs/history":
		add("?from", "?from="+then+"&step=PT10M")
	case own + "/difference":
		add("?from", "?$top=999&from="+then)
	case own + "/licenseErrors", own + "/licenseErrors/summary", own + "/products", own + "/costs",
		own + "/users/{user}/explain":
		add("?at", "?at="+then)
	}
	if strings.HasSuffix(op.Path, "/drift") {
		filter := url.QueryEscape(strings.Repeat("kind ne 'stuck' and ", 400) + "department eq null")
		add("?$filter of drift", "?$top=999&$count=true&$filter="+filter)
	}
	if strings.HasSuffix(op.Path, "/delta()") {
		for _, link := range h.links {
			if set, token, _ := strings.Cut(link, "?"); set == "/v1.0"+strings.TrimSuffix(op.Path, "()") {
				add("?$deltatoken", "?"+token)
			}
		}
	}
	return list
}

// shown are the properties and expansions that answers to an operation may have. Lists of several
// kinds have those of all.
func (h *heavy) shown(op *wire.Operation) (fields, expansions []string) {
	switch set, _, _ := strings.Cut(op.Path[1:], "/"); {
	case op.Path == "/users" || op.Path == "/users/{user}" || op.Path == "/users/delta()" || strings.HasSuffix(op.Path, "microsoft.graph.user"):
		return allNames(userFields), slices.Sorted(maps.Keys(userExpansions))
	case op.Path == "/groups" || op.Path == "/groups/{group}" || op.Path == "/groups/delta()" || strings.HasSuffix(op.Path, "microsoft.graph.group"):
		return allNames(groupFields), slices.Sorted(maps.Keys(groupExpansions))
	case strings.HasPrefix(set, "applications") && strings.Count(op.Path, "/") < 3:
		return allNames(applicationFields), slices.Sorted(maps.Keys(applicationExpansions))
	case strings.HasPrefix(set, "servicePrincipals") && strings.Count(op.Path, "/") < 3:
		return allNames(principalFields), slices.Sorted(maps.Keys(principalExpansions))
	case op.Path == edm.UnitsRoot || op.Path == edm.UnitsRoot+"/{unit}":
		return allNames(unitFields), slices.Sorted(maps.Keys(unitExpansions))
	}
	return []string{"id", "displayName", "interests", "skills", "appRoles", "assignedPlans", "licenseAssignmentStates"}, []string{"memberOf", "members", "owners"}
}

func allNames[T any](set *wire.FieldSet[T]) (names []string) {
	for _, f := range set.All {
		names = append(names, f.Name)
	}
	return names
}

// longFilter is as long as a filter may be.
func longFilter() string {
	terms := make([]string, 480)
	for i := range terms {
		terms[i] = fmt.Sprintf("displayName eq 'Smith number %d'", i)
	}
	terms[0] = "startsWith(displayName,'Name')"
	return strings.Join(terms, " or ")
}

func longSearch() string {
	terms := make([]string, 50)
	for i := range terms {
		terms[i] = fmt.Sprintf(`"displayName:smith%d"`, i)
	}
	return strings.Join(terms, " OR ")
}

package graph

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"licensor/internal/directory"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/query"
)

// TestFiltersAreTheTable asks for every property of graph/filters.csv in every way, with the header
// and without, and compares what is answered and refused with the table (P30), and what is found
// with what the objects show.
func TestFiltersAreTheTable(t *testing.T) {
	t.Parallel()
	rows := filterRows(t)
	w, token := withApplications(t, 12)
	w.populate(token)
	w.log.Reset()
	for _, set := range []string{"users", "groups", "applications", "servicePrincipals"} {
		objects := w.shownOf(set, token, rows)
		n, valued := 0, 0
		for _, row := range rows {
			if row.set != set {
				continue
			}
			n++
			if len(valuesOf(objects, row)) > 0 {
				valued++
			}
			for _, try := range row.tries(objects) {
				w.tryFilter(set, token, objects, row, try)
			}
		}
		if n < 16 || valued < n*2/3 {
			t.Errorf("the table has %d lines on %s, and there are values for %d", n, set, valued)
		}
	}
}

// TestFiltersOfUnitsAreAsDocumented is the same for administrative units, of which the table has no
// lines.
func TestFiltersOfUnitsAreAsDocumented(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(allPermissions...)
	for i, more := range []string{``, `,"description":"North"`, `,"description":"south","isMemberManagementRestricted":false`} {
		w.do("POST", "/v1.0/"+edm.UnitSet, token, fmt.Sprintf(`{"displayName":"Unit %d"%s}`, i, more)).want(t, 201)
	}
	const basic, advanced = directory.LevelBasic, directory.LevelAdvanced
	rows := []filterRow{
		{set: edm.UnitSet, property: "description", eq: advanced, starts: advanced, null: advanced},
		{set: edm.UnitSet, property: "displayName", eq: basic, starts: basic, null: advanced},
		{set: edm.UnitSet, property: "id", eq: basic},
		{set: edm.UnitSet, property: "isMemberManagementRestricted", eq: directory.LevelBasic},
		{set: edm.UnitSet, property: "membershipRule", eq: directory.LevelBasic, starts: directory.LevelBasic},
		{set: edm.UnitSet, property: "membershipRuleProcessingState", eq: directory.LevelBasic},
	}
	objects := w.shownOf(edm.UnitSet, token, rows)
	for _, row := range rows {
		for _, try := range row.tries(objects) {
			w.tryFilter(edm.UnitSet, token, objects, row, try)
		}
	}
}

// filterRow is a line of the table. member is what the line is about of the elements of a
// collection, "" the element itself.
type filterRow struct {
	set, property    string
	collection       bool
	member           string
	eq, starts, geLe directory.Level
	null             directory.Level
}

func filterRows(t *testing.T) (list []filterRow) {
	t.Helper()
	folder := os.Getenv("LICENSOR_SPEC")
	if folder == "" {
		t.Skip("LICENSOR_SPEC does not name the folder with graph/filters.csv")
	}
	file, err := os.Open(folder + "/graph/filters.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	levels := map[string]directory.Level{"basic": directory.LevelBasic, "advanced": directory.LevelAdvanced}
	for _, row := range rows[1:] {
		r := filterRow{
			set: row[0], eq: levels[row[2]], starts: levels[row[3]], geLe: levels[row[4]], null: levels[row[5]],
		}
		var body string
		r.property, body, r.collection = strings.Cut(strings.TrimSuffix(row[1], ")"), "/any(")
		_, r.member, _ = strings.Cut(body, "/")
		if head, numbered := strings.CutSuffix(r.property, "1-15"); numbered {
			for i := range 15 {
				r.property = head + strconv.Itoa(i+1)
				list = append(list, r)
			}
			continue
		}
		list = append(list, r)
	}
	return list
}

// try is a filter, the level at which it is answered, and whether it is true of an object with some
// values.
type try struct {
	filter string
	level  directory.Level
	holds  func(values []string) bool
}

// tries are filters with all operators.
func (row filterRow) tries(objects []map[string]any) []try {
	values := valuesOf(objects, row)
	value, quoted := row.value(values)
	start := value[:min(len(value), 3)]
	equal := some(func(h string) bool { return strings.EqualFold(h, value) })
	starts := some(func(h string) bool { return strings.HasPrefix(strings.ToLower(h), strings.ToLower(start)) })
	negated := func(level directory.Level) directory.Level {
		if level != directory.LevelNever {
			level = directory.LevelAdvanced
		}
		return level
	}
	name, shape := row.property, "%s"
	if row.collection {
		if name, shape = "x", row.property+"/any(x:%s)"; row.member != "" {
			name = "x/" + row.member
		}
	}
	list := []try{
		{fmt.Sprintf(shape, name+" eq "+quoted), row.eq, equal},
		{fmt.Sprintf(shape, name+" in ("+quoted+")"), row.eq, equal},
		{"not (" + fmt.Sprintf(shape, name+" eq "+quoted) + ")", negated(row.eq), opposite(equal)},
		{fmt.Sprintf(shape, name+" ne "+quoted), negated(row.eq), opposite(equal)},
		{fmt.Sprintf(shape, "startsWith("+name+",'"+start+"')"), row.starts, starts},
		{fmt.Sprintf("not "+shape, "startsWith("+name+",'"+start+"')"), negated(row.starts), opposite(starts)},
		{fmt.Sprintf(shape, name+" ge "+quoted), row.geLe, func(have []string) bool {
			return len(have) > 0 && have[0] >= value
		}},
		{fmt.Sprintf(shape, name+" le "+quoted), row.geLe, func(have []string) bool {
			return len(have) > 0 && have[0] <= value
		}},
		{fmt.Sprintf(shape, name+" eq null"), row.null, func(have []string) bool { return len(have) == 0 }},
		{fmt.Sprintf(shape, name+" ne null"), negated(row.null), func(have []string) bool { return len(have) > 0 }},
		{fmt.Sprintf(shape, name+" in ("+quoted+",null)"), both(row.eq, row.null), func(have []string) bool {
			return len(have) == 0 || equal(have)
		}},
	}
	if row.collection { // of elements, something else is true
		list[3].holds = some(func(h string) bool { return !strings.EqualFold(h, value) })
		list[8].holds = func([]string) bool { return false }
		list[10].holds = equal
	}
	return list
}

// both is the level of what needs two things.
func both(a, b directory.Level) directory.Level {
	if a == directory.LevelNever || b == directory.LevelNever {
		return directory.LevelNever
	}
	return max(a, b)
}

func some(is func(string) bool) func([]string) bool {
	return func(have []string) bool { return slices.ContainsFunc(have, is) }
}

func opposite(is func([]string) bool) func([]string) bool {
	return func(have []string) bool { return !is(have) }
}

// value chooses one that objects have, where there is one, and writes it as filters do.
func (row filterRow) value(values []string) (value, quoted string) {
	value = "nothing like that"
	kind := directory.KindString
	if about, ok := setFilters[row.set].About(row.property); ok {
		kind = about.Kind
	}
	switch {
	case len(values) > 0:
		value = values[len(values)/2]
	case kind == directory.KindDateTime:
		value = "2026-01-31T12:00:00Z"
	case kind == directory.KindBool:
		value = "true"
	}
	if kind == directory.KindDateTime || kind == directory.KindBool || row.property == "hasMembersWithLicenseErrors" {
		return value, value
	}
	return value, "'" + strings.ToUpper(value) + "'"
}

var setFilters = map[string]*query.Kind{
	"users": query.Users, "groups": query.Groups, "applications": query.Applications, "servicePrincipals": query.Principals,
	edm.UnitSet: query.Units,
}

func (w *world) tryFilter(set, token string, objects []map[string]any, row filterRow, try try) {
	w.t.Helper()
	want := []string{}
	for _, object := range objects {
		if try.holds(textsAt(object, row)) {
			want = append(want, object["id"].(string))
		}
	}
	slices.Sort(want)
	link := "/v1.0/" + set + "?$select=id&$top=999&$filter=" + url.QueryEscape(try.filter)
	for advanced, counted := range []string{"", "&$count=true"} {
		headers := []string{"ConsistencyLevel: eventual"}[:advanced]
		got := w.do("GET", link+counted, token, "", headers...)
		answered := try.level == directory.LevelBasic || try.level == directory.LevelAdvanced && advanced == 1
		if !answered {
			w.isRefused(got, set, row, try.filter)
			continue
		}
		var page struct {
			Count *int `json:"@odata.count"`
			Value []struct{ ID string }
		}
		if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != 200 {
			w.t.Errorf("%s of %s (advanced: %d): %d %s", try.filter, set, advanced, got.status, got.body)
			continue
		}
		found := []string{}
		for _, v := range page.Value {
			found = append(found, v.ID)
		}
		slices.Sort(found)
		if !slices.Equal(found, want) || advanced == 1 && (page.Count == nil || *page.Count != len(want)) {
			w.t.Errorf("%s of %s found %q, want %q", try.filter, set, found, want)
		}
		if advanced == 1 {
			number := w.do("GET", "/v1.0/"+set+"/$count?$filter="+url.QueryEscape(try.filter), token, "", headers...)
			if number.body != strconv.Itoa(len(want)) {
				w.t.Errorf("%s of %s: $count is %s, want %d", try.filter, set, number.body, len(want))
			}
		}
	}
}

// isRefused expects the refusal in the words of P30.
func (w *world) isRefused(got answer, set string, row filterRow, filter string) {
	w.t.Helper()
	var answer struct {
		Error struct{ Code, Message string }
	}
	_ = json.Unmarshal([]byte(got.body), &answer)
	want := fmt.Sprintf("Unsupported or invalid query filter clause specified for property '%s' of resource '%s'.", row.property, setFilters[set].Resource)
	if got.status != 400 || answer.Error.Code != problem.CodeUnsupported || answer.Error.Message != want {
		w.t.Errorf("%s of %s: %d %s\nwant 400 %s", filter, set, got.status, got.body, want)
	}
}

// shownOf are all objects of a set with all properties that the table has.
func (w *world) shownOf(set, token string, rows []filterRow) []map[string]any {
	w.t.Helper()
	names := []string{"id"}
	shown := map[string]func(string) bool{
		"users": userFields.Has, "groups": groupFields.Has,
		"applications": applicationFields.Has, "servicePrincipals": principalFields.Has,
		edm.UnitSet: func(name string) bool { return unitFields.Has(name) },
	}[set]
	for _, row := range rows {
		name, _, _ := strings.Cut(row.property, "/")
		if row.set == set && !slices.Contains(names, name) && shown(name) {
			names = append(names, name)
		}
	}
	link := "/v1.0/" + set + "?$top=999&$select=" + strings.Join(names, ",")
	if set == "users" {
		link += "&$expand=manager($select=id)"
	}
	var page struct{ Value []map[string]any }
	w.must(json.Unmarshal([]byte(w.do("GET", link, token, "").body), &page))
	if set == "users" || set == "servicePrincipals" {
		for _, object := range page.Value {
			var created struct{ Value []any }
			w.must(json.Unmarshal([]byte(w.do("GET", fmt.Sprintf("/v1.0/%s/%s/createdObjects?$select=id", set, object["id"]), token, "").body), &created))
			object["createdObjects"] = created.Value
		}
	}
	return page.Value
}

// textsAt are the values that an object shows of what a line is about, as texts.
func textsAt(object map[string]any, row filterRow) (texts []string) {
	at := any(object)
	for name := range strings.SplitSeq(row.property, "/") {
		inner, _ := at.(map[string]any)
		at = inner[name]
	}
	list, ok := at.([]any)
	if !ok {
		list = []any{at}
	}
	for _, element := range list {
		if row.member != "" {
			inner, _ := element.(map[string]any)
			element = inner[row.member]
		}
		if element != nil {
			texts = append(texts, fmt.Sprint(element))
		}
	}
	return texts
}

// valuesOf are all values that objects show, each once, in order.
func valuesOf(objects []map[string]any, row filterRow) (values []string) {
	for _, object := range objects {
		values = append(values, textsAt(object, row)...)
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// populate makes users and groups that have or lack each property.
func (w *world) populate(token string) {
	w.t.Helper()
	var lines []string
	for i := range 9 {
		lines = append(lines, `{"user":{"id":"`+manyID(i)+`",`+userWith(i)+`}}`, `{"group":{"id":"`+groupID(i)+`",`+groupWith(i)+`}}`)
		lines = append(lines, `{"member":{"group":"`+groupID(i%3)+`","member":"`+manyID(i)+`"}}`)
	}
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, "\n", "") // one line each
	}
	w.imports(lines...)
	w.do("POST", "/licensor/v1/subscriptions", token, `{"skuId":"`+e3+`","totalLicenses":4}`).want(w.t, 201)
	for i := range 2 {
		w.do("POST", "/v1.0/groups/"+groupID(i)+"/assignLicense", token, `{"addLicenses":[{"skuId":"`+e3+`"}],"removeLicenses":[]}`).want(w.t, 202)
		w.do("PUT", "/v1.0/users/"+manyID(i+3)+"/manager/$ref", token, `{"@odata.id":"https://graph.microsoft.com/v1.0/users/`+manyID(i)+`"}`).want(w.t, 204)
	}
}

func groupID(i int) string { return fmt.Sprintf("b0000000-0000-4000-8000-%012d", i) }

// userWith are the properties of a user: those that all have, and of the others every second one.
func userWith(i int) string {
	text := fmt.Sprintf(`"displayName":"%s %d","userPrincipalName":"u%d@contoso.example","mailNickname":"u%d","accountEnabled":%t,"usageLocation":"%s"`,
		[]string{"Ann", "bob", "Çem"}[i%3], i, i, i, i%3 != 0, []string{"DE", "FR"}[i%2])
	if i%2 == 0 {
		text += fmt.Sprintf(`,"companyName":"C%d","ageGroup":"Adult","businessPhones":["+49 %d"],"city":"Oslo %d","consentProvidedForMinor":"Granted","country":"Norway",
			"creationType":"Invitation","department":"Sales %d","mail":"m%d@contoso.example","employeeHireDate":"2026-0%d-01T00:00:00Z","employeeId":"E%d",
			"employeeOrgData":{"costCenter":"K%d","division":"D"},"employeeType":"Staff","externalUserState":"Accepted","faxNumber":"%d","givenName":"Ann",
			"identities":[{"issuer":"contoso.example","issuerAssignedId":"i%d","signInType":"emailAddress"}],"imAddresses":["im%d@contoso.example"],"isResourceAccount":true`,
			i%4, i, i%4, i%4, i, i+1, i, i%4, i, i, i)
	}
	if i%3 != 2 {
		text += fmt.Sprintf(`,"jobTitle":"Job %d","mobilePhone":"+1 %d","officeLocation":"O%d","onPremisesExtensionAttributes":{%s},"onPremisesImmutableId":"I%d",
			"onPremisesLastSyncDateTime":"2026-01-0%dT00:00:00Z","onPremisesSamAccountName":"sam%d","onPremisesSecurityIdentifier":"S-1-%d","onPremisesSyncEnabled":%t,
			"onPremisesUserPrincipalName":"p%d@contoso.example","otherMails":["o%d@contoso.example"],"passwordPolicies":"DisablePasswordExpiration",
			"passwordProfile":{"forceChangePasswordNextSignIn":%t},"postalCode":"%d","preferredLanguage":"de-DE","proxyAddresses":["SMTP:x%d@contoso.example","sip:u%d"],
			"showInAddressList":%t,"surname":"Berg","state":"S%d","streetAddress":"Road %d","userType":"Guest"`,
			i%4, i, i%4, extensions(i), i, i+1, i, i, i%2 == 0, i, i, i%2 == 0, i, i, i, i%2 == 0, i%4, i)
	}
	return text
}

func extensions(i int) string {
	var all []string
	for n := range 15 {
		if (n+i)%3 != 0 {
			all = append(all, fmt.Sprintf(`"extensionAttribute%d":"X%d"`, n+1, i%4))
		}
	}
	return strings.Join(all, ",")
}

// groupWith is userWith for groups.
func groupWith(i int) string {
	text := fmt.Sprintf(`"displayName":"%s %d","mailNickname":"g%d","mailEnabled":%t,"securityEnabled":true`, []string{"Red", "blue", "Älpha"}[i%3], i, i, i%2 == 0)
	if i%2 == 0 {
		text += fmt.Sprintf(`,"classification":"K%d","description":"About %d","mail":"g%d@contoso.example","expirationDateTime":"2027-01-0%dT00:00:00Z","groupTypes":["Unified"],
			"isAssignableToRole":true,"onPremisesLastSyncDateTime":"2026-01-0%dT00:00:00Z","onPremisesSamAccountName":"sam%d","onPremisesSecurityIdentifier":"S-1-%d"`,
			i%4, i, i, i+1, i+1, i, i)
	}
	if i%3 != 1 {
		text += fmt.Sprintf(`,"onPremisesSyncEnabled":%t,"preferredLanguage":"de-DE","proxyAddresses":["SMTP:g%d@contoso.example"],"renewedDateTime":"2026-01-1%dT00:00:00Z",
			"resourceBehaviorOptions":["B%d"],"resourceProvisioningOptions":["Team"]`, i%2 == 0, i, i, i%4)
	}
	return text
}

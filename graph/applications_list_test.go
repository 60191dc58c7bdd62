package graph

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"licensor/directory"
	"licensor/tenant"
)

// withApplications is a world with n applications whose properties differ, most with a service principal.
func withApplications(t *testing.T, n int) (w *world, token string) {
	w = newWorld(t)
	token = w.appToken(allPermissions...)
	for i := range n {
		body := fmt.Sprintf(`{"displayName":"%s %d","tags":["t%d","All"],"identifierUris":["api://robot-%d"],"isFallbackPublicClient":%t`,
			[]string{"Red", "blue", "Älpha"}[i%3], i, i%4, i, i%2 == 0)
		if i%2 == 0 {
			body += fmt.Sprintf(`,"description":"Robot of team %d","serviceManagementReference":"S%d","web":{"homePageUrl":"https://home.example/%d","redirectUris":["https://web.example/%d"]},
				"requiredResourceAccess":[{"resourceAppId":"00000003-0000-0000-c000-000000000000","resourceAccess":[]}]`, i%4, i%4, i%4, i%4)
		}
		if i%3 == 0 {
			body += fmt.Sprintf(`,"info":{"logoUrl":"https://logo.example","termsOfServiceUrl":"https://terms.example/%d"},"spa":{"redirectUris":["https://spa.example/%d"]},"publicClient":{"redirectUris":["http://localhost/%d","app://b"]}`, i%2, i%2, i%2)
		}
		var made struct{ AppID string }
		got := w.do("POST", "/v1.0/applications", token, body+"}")
		got.want(t, 201)
		w.must(json.Unmarshal([]byte(got.body), &made))
		if i%5 == 4 {
			continue
		}
		body = fmt.Sprintf(`{"appId":%q,"accountEnabled":%t,"tags":["p%d"],"alternativeNames":["N%d","x"]`, made.AppID, i%4 != 0, i%3, i%2)
		if i%2 == 1 {
			body += fmt.Sprintf(`,"description":"Acts for %d","homepage":"https://home.example/%d"`, i%4, i%4)
		}
		w.do("POST", "/v1.0/servicePrincipals", token, body+"}").want(t, 201)
	}
	return w, token
}

// filteredPaths are the properties, or those within, of applications and service principals that filters are tried with.
var filteredPaths = map[string][]string{
	"applications": {
		"appId", "createdDateTime", "description", "displayName", "id", "identifierUris", "info/logoUrl", "info/termsOfServiceUrl",
		"publicClient/redirectUris", "publisherDomain", "requiredResourceAccess", "serviceManagementReference", "signInAudience", "spa/redirectUris",
		"tags", "web/homePageUrl", "web/redirectUris",
		"uniqueName", "disabledByMicrosoftStatus", "createdOnBehalfOf/id", "createdOnBehalfOf/deletedDateTime", "deletedDateTime", "verifiedPublisher/displayName",
	},
	"servicePrincipals": {
		"accountEnabled", "alternativeNames", "appDisplayName", "appId", "appOwnerOrganizationId", "appRoleAssignmentRequired", "description",
		"displayName", "homepage", "id", "info/logoUrl", "info/termsOfServiceUrl", "servicePrincipalNames", "tags",
		"applicationTemplateId", "createdObjects", "preferredTokenSigningKeyEndDateTime", "publisherName",
	},
}

// TestFiltersOfApplications asks for every property in every way, with the header and without, and compares what is found with what
// the objects show.
func TestFiltersOfApplications(t *testing.T) {
	t.Parallel()
	w, token := withApplications(t, 12)
	for set, paths := range filteredPaths {
		f := map[string]*filters{"applications": applicationFilters, "servicePrincipals": principalFilters}[set]
		objects := w.objectsOf("/v1.0/"+set, token)
		for _, path := range paths {
			about, ok := f.about(path)
			if !ok {
				t.Errorf("%s of %s is not known", path, set)
				continue
			}
			values := valuesOf(objects, path)
			for _, try := range triesOf(about, values) {
				if slices.Contains(f.answered, about.Path) {
					try.level = directory.Basic
				}
				if try.not && try.level != directory.Never {
					try.level = directory.Advanced
				}
				w.tryFilter(set, token, objects, path, try)
			}
		}
	}
}

// try is a filter, the level at which it is answered, and whether it is true of an object with some values.
type try struct {
	filter string
	not    bool // it is ne or not, which are advanced where eq is possible
	level  directory.Level
	holds  func(values []string) bool
}

// triesOf makes filters of all operators for a property.
func triesOf(about *directory.Asked, values []string) []try {
	value := "nothing like that"
	if about.Kind == directory.DateTime {
		value = "2026-01-31T12:00:00Z"
	}
	if len(values) > 0 {
		value = values[len(values)/2]
	}
	quoted, start := "'"+strings.ToUpper(value)+"'", value[:min(len(value), 3)]
	switch about.Kind {
	case directory.Bool:
		if quoted = value; len(values) == 0 {
			quoted = "true"
		}
	case directory.DateTime:
		quoted = value
	}
	equal := func(have []string) bool {
		return slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, value) })
	}
	starts := func(have []string) bool {
		return slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(strings.ToLower(h), strings.ToLower(start)) })
	}
	not := func(is func([]string) bool) func([]string) bool { return func(have []string) bool { return !is(have) } }
	if about.Kind.Collection() {
		element, lambda := "x", about.Path+"/any(x:%s)"
		if about.Kind == directory.ComplexCollection {
			element = map[string]string{"requiredResourceAccess": "x/resourceAppId", "createdObjects": "x/id"}[about.Path]
		}
		return []try{
			{fmt.Sprintf(lambda, element+" eq "+quoted), false, about.Equal, equal},
			{"not " + fmt.Sprintf(lambda, element+" eq "+quoted), true, about.Equal, not(equal)},
			{fmt.Sprintf(lambda, fmt.Sprintf("startsWith(%s,'%s')", element, start)), false, about.Starts, starts},
		}
	}
	tries := []try{
		{about.Path + " eq " + quoted, false, about.Equal, equal},
		{about.Path + " in (" + quoted + ")", false, about.Equal, equal},
		{about.Path + " ne " + quoted, true, about.Equal, not(equal)},
		{"not (" + about.Path + " eq " + quoted + ")", true, about.Equal, not(equal)},
		{about.Path + " eq null", false, about.Null, func(have []string) bool { return len(have) == 0 }},
		{about.Path + " ne null", true, about.Null, func(have []string) bool { return len(have) > 0 }},
	}
	switch about.Kind {
	case directory.String:
		tries = append(tries, try{fmt.Sprintf("startsWith(%s,'%s')", about.Path, start), false, about.Starts, starts})
	case directory.DateTime:
		tries = append(tries,
			try{about.Path + " ge " + quoted, false, about.Range, func(have []string) bool { return len(have) > 0 && have[0] >= value }},
			try{about.Path + " le " + quoted, false, about.Range, func(have []string) bool { return len(have) > 0 && have[0] <= value }})
	}
	return tries
}

func (w *world) tryFilter(set, token string, objects []map[string]any, path string, try try) {
	w.t.Helper()
	var want []string
	for _, object := range objects {
		if try.holds(textsAt(object, path)) {
			want = append(want, object["id"].(string))
		}
	}
	slices.Sort(want)
	link := "/v1.0/" + set + "?$select=id&$filter=" + url.QueryEscape(try.filter)
	for advanced, query := range []string{"", "&$count=true"} {
		headers := []string{"ConsistencyLevel: eventual"}[:advanced]
		got := w.do("GET", link+query, token, "", headers...)
		if answered := try.level == directory.Basic || try.level == directory.Advanced && advanced == 1; !answered {
			if got.status != 400 {
				w.t.Errorf("%s of %s is answered (advanced: %d), and should not be: %s", try.filter, set, advanced, got.body)
			}
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
		if !slices.Equal(found, append([]string{}, want...)) || advanced == 1 && (page.Count == nil || *page.Count != len(want)) {
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

// objectsOf are all objects of a set with all their properties.
func (w *world) objectsOf(path, token string) []map[string]any {
	w.t.Helper()
	var page struct{ Value []map[string]any }
	w.must(json.Unmarshal([]byte(w.do("GET", path+"?$top=999", token, "").body), &page))
	return page.Value
}

// textsAt are the values that an object shows at a path, as texts.
func textsAt(object map[string]any, path string) (texts []string) {
	at := any(object)
	for name := range strings.SplitSeq(path, "/") {
		inner, _ := at.(map[string]any)
		at = inner[name]
	}
	switch at := at.(type) {
	case nil:
	case []any:
		for _, element := range at {
			if inner, ok := element.(map[string]any); ok {
				element = inner["resourceAppId"]
			}
			texts = append(texts, fmt.Sprint(element))
		}
	default:
		texts = append(texts, fmt.Sprint(at))
	}
	return texts
}

func valuesOf(objects []map[string]any, path string) []string {
	all := map[string]bool{}
	for _, object := range objects {
		for _, text := range textsAt(object, path) {
			all[text] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func TestListsOfApplicationsAreOrderedAndSearched(t *testing.T) {
	t.Parallel()
	w, token := withApplications(t, 6)
	for _, c := range []struct {
		query, want string
	}{
		{"applications?$orderby=displayName", "Blue 1,blue 4,Red 0,Red 3,Test,Älpha 2,Älpha 5"},
		{"applications?$orderby=displayName desc&$top=2", "Älpha 5,Älpha 2"},
		{"applications?$orderby=createdDateTime desc&$count=true&$top=1", "Älpha 5"},
		{`applications?$search="displayName:4"`, "blue 4"},
		{`applications?$search="description:team" AND "displayName:red"`, "Red 0"},
		{`servicePrincipals?$search="displayName:GRAPH"`, "Microsoft Graph"},
		{`servicePrincipals?$filter=startsWith(displayName,'m')`, "Microsoft Graph"},
		{`servicePrincipals?$filter=servicePrincipalNames/any(n:n eq 'https://graph.microsoft.com')`, "Microsoft Graph"},
		{`servicePrincipals?$filter=appId eq 00000003-0000-0000-C000-000000000000`, "Microsoft Graph"},
		{`servicePrincipals?$filter=appOwnerOrganizationId eq f8cdef31-a31e-4b4a-93e4-5f571e91255a&$count=true`, "Microsoft Graph"},
		{`applications?$filter=displayName eq 5 or displayName in (true,'Test') or startsWith(displayName,5)`, "Test"},
		{`servicePrincipals?$filter=displayName ne 'Test' and tags/any(t:t eq 'p0')&$orderby=displayName&$count=true`, "Red 0,Red 3"},
	} {
		path, query, _ := strings.Cut(c.query, "?")
		values, err := url.ParseQuery(strings.ReplaceAll(query, "+", "%2B"))
		w.must(err)
		got := w.do("GET", "/v1.0/"+path+"?"+values.Encode(), token, "", "ConsistencyLevel: eventual")
		var page struct {
			Value []struct{ DisplayName string }
		}
		w.must(json.Unmarshal([]byte(got.body), &page))
		var names []string
		for _, v := range page.Value {
			names = append(names, v.DisplayName)
		}
		if found := strings.Join(names, ","); !strings.EqualFold(found, c.want) {
			t.Errorf("%s: %q, want %q: %.300s", c.query, found, c.want, got.body)
		}
	}
	w.do("GET", "/v1.0/applications/$count", token, "", "ConsistencyLevel: eventual").want(t, 200)
	w.do("GET", "/v1.0/applications?$expand=owners", token, "").want(t, 400)
}

// TestPagesOfApplicationsWhileOthersWrite goes through lists while applications are renamed, deleted and registered: those that are
// there all the while are shown once.
func TestPagesOfApplicationsWhileOthersWrite(t *testing.T) {
	t.Parallel()
	w, token := withApplications(t, 20)
	stay := map[string][]string{}
	for _, set := range []string{"applications", "servicePrincipals"} {
		for _, object := range w.objectsOf("/v1.0/"+set, token) {
			stay[set] = append(stay[set], object["id"].(string))
		}
	}
	var stop atomic.Bool
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; !stop.Load(); i++ {
			id := stay["applications"][1+i*7%20]
			w.do("PATCH", "/v1.0/applications/"+id, token, fmt.Sprintf(`{"displayName":"%c %d","tags":["All"]}`, 'A'+rune(i*5%26), i))
			var made struct{ ID, AppID string }
			w.must(json.Unmarshal([]byte(w.do("POST", "/v1.0/applications", token, `{"displayName":"New","tags":["All"]}`).body), &made))
			w.do("POST", "/v1.0/servicePrincipals", token, `{"appId":"`+made.AppID+`"}`)
			w.do("DELETE", "/v1.0/applications/"+made.ID, token, "")
		}
	})
	for _, query := range []string{"", "&$orderby=displayName", "&$orderby=displayName%20desc", "&$filter=displayName%20ne%20'x'&$count=true"} {
		for set, ids := range stay {
			for _, top := range []int{3, 7} {
				seen := w.follow(fmt.Sprintf("/v1.0/%s?$select=id&$top=%d%s", set, top, query), token)
				for _, id := range ids {
					if seen[id] != 1 {
						t.Errorf("$top=%d%s shows %s %d times", top, query, id, seen[id])
					}
				}
			}
		}
	}
	stop.Store(true)
	writer.Wait()
}

// TestOldTokensOfApplicationsStayGood resumes lists of the version before, whose tokens name the last object by id.
func TestOldTokensOfApplicationsStayGood(t *testing.T) {
	t.Parallel()
	w, token := withApplications(t, 4)
	for set, of := range map[string]func(directory.Client) uuid.UUID{
		"applications":      func(c directory.Client) uuid.UUID { return c.ID },
		"servicePrincipals": func(c directory.Client) uuid.UUID { return c.Principal.ID },
	} {
		clients := w.tenant.Image().Clients()
		last := of(clients[2])
		first := w.do("GET", "/v1.0/"+set+"?$top=1", token, "")
		var page struct {
			Next string `json:"@odata.nextLink"`
		}
		w.must(json.Unmarshal([]byte(first.body), &page))
		link, text, _ := strings.Cut(strings.TrimPrefix(page.Next, w.server.URL), "$skiptoken=")
		now, err := base64.RawURLEncoding.DecodeString(text)
		w.must(err)
		old := binary.BigEndian.AppendUint64(nil, 1+uint64(clients[2].CreatedDateTime.Unix()))
		old = append(append(old, now[8:16]...), last[:]...)
		got := w.do("GET", strings.Replace(link, "$top=1", "$top=1&$select=id", 1)+"$skiptoken="+base64.RawURLEncoding.EncodeToString(old), token, "")
		got.want(t, 200)
		if !strings.Contains(got.body, `"id":"`+of(clients[3]).String()+`"`) {
			t.Errorf("%s after %s: %s", set, last, got.body)
		}
		w.must(errorOf(w.tenant.Do(t.Context(), "system", tenant.DeleteApplication{AppID: clients[2].AppID})))
		w.do("GET", link+"$skiptoken="+base64.RawURLEncoding.EncodeToString(old), token, "").want(t, 400)
		w, token = withApplications(t, 4)
	}
}

package graph

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/tenant"
)

func TestApplicationsAreFilteredAndPaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, name := range []string{"Alpha", "Beta", "O'Hara"} {
		app := newClient(name)
		app.CreatedDateTime = w.now().Add(time.Duration(i) * time.Second)
		_, err := w.tenant.Do(t.Context(), "system", tenant.SetClient{Client: app})
		w.must(err)
	}
	alpha := w.tenant.Image().Clients()[1]
	for _, c := range []struct {
		set, query string
		status     int
		want       string // names, or a part of the message
	}{
		{"applications", "", 200, "Test Alpha Beta O'Hara"},
		{"servicePrincipals", "$filter=appId eq '" + alpha.AppID.String() + "'", 200, "Alpha"},
		{"servicePrincipals", "$filter=appId eq " + alpha.AppID.String(), 200, "Alpha"},
		{"applications", "$filter=id eq '" + alpha.ID.String() + "'", 200, "Alpha"},
		{"applications", "$filter=id eq '" + alpha.Principal.ID.String() + "'", 200, ""},
		{"servicePrincipals", "$filter=id eq '" + alpha.Principal.ID.String() + "'", 200, "Alpha"},
		{"applications", "$filter=displayName eq 'o''hara'", 200, "O'Hara"},
		{"applications", "$filter=appDisplayName eq 'o''hara'", 200, "O'Hara"},
		{"servicePrincipals", "$filter=appDisplayName eq 'Alpha'", 400, "for property 'appDisplayName' of resource 'ServicePrincipal'."},
		{"applications", "$expand=owners,Owners", 400, "'owners' is in $expand more than once"},
		{"applications", "$filter=displayName in ('Beta','Alpha')", 200, "Alpha Beta"},
		{"applications", "$filter=startsWith(displayName,'al') or displayName eq 'Beta'", 200, "Alpha Beta"},
		{"applications", "$filter=startsWith(displayName,'al') and displayName eq 'Beta'", 200, ""},
		{"applications", "$filter=displayName eq null", 400, "for property 'displayName' of resource 'Application'."},
		{"applications", "$filter=displayName ne 'Beta'", 400, "for property 'displayName' of resource 'Application'."},
		{"applications", "$filter=tags/any(t:t eq 'x')", 200, ""},
		{"applications", "$filter=publisherDomain eq 'CONTOSO.example'", 200, "Test Alpha Beta O'Hara"},
		{"applications", "$filter='x' eq 'y'", 400, "clause specified."},
		{"applications", "$top=0", 400, "Invalid page size"},
		{"applications", "$filter=notes eq 'x'", 400, "for property 'notes' of resource 'Application'."},
		{"applications", "$filter=endsWith(displayName,'a')", 400, "for property 'displayName' of resource 'Application'."},
		{"applications", "$orderby=displayName", 200, "Alpha Beta O'Hara Test"},
		{"applications", "$orderby=appId", 400, "Applications can be ordered by createdDateTime, displayName."},
	} {
		got := w.do("GET", "/v1.0/"+c.set+"?"+strings.ReplaceAll(c.query, " ", "%20"), w.appToken(allPermissions...), "")
		if c.status != got.status {
			t.Errorf("%s: %d %s", c.query, got.status, got.body)
		}
		have := namesIn(got.body)
		if c.status == 200 && have != c.want || c.status != 200 && !strings.Contains(readMessage(got.body), c.want) {
			t.Errorf("%s: %q, want %q: %s", c.query, have, c.want, got.body)
		}
	}
	first := w.do("GET", "/v1.0/applications?$top=3&$count=true", w.appToken(allPermissions...), "", "ConsistencyLevel: eventual")
	var page struct {
		Next  string `json:"@odata.nextLink"`
		Count int    `json:"@odata.count"`
	}
	w.must(json.Unmarshal([]byte(first.body), &page))
	for _, gone := range w.tenant.Image().Clients()[1:3] { // the last one shown, and one before it
		w.must(errorOf(w.tenant.Do(t.Context(), "system", tenant.DeleteApplication{AppID: gone.AppID})))
	}
	second := w.do("GET", strings.TrimPrefix(page.Next, w.server.URL), w.appToken(allPermissions...), "", "ConsistencyLevel: eventual")
	if namesIn(first.body) != "Test Alpha Beta" || namesIn(second.body) != "O'Hara" || page.Count != 4 {
		t.Errorf("%s\n%s", first.body, second.body)
	}
}

func errorOf[T any](_ T, err error) error { return err }

// namesIn are the displayNames of a list.
func namesIn(body string) string {
	var list struct {
		Value []struct{ DisplayName string }
	}
	_ = json.Unmarshal([]byte(body), &list)
	var names []string
	for _, v := range list.Value {
		names = append(names, v.DisplayName)
	}
	return strings.Join(names, " ")
}

func TestSecretsOfApplicationsAreNotShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.app
	app.Secrets = []directory.Secret{{KeyID: uuid.New(), Hash: []byte("a hash that is long enough"), Hint: "abc", Expires: w.now()}}
	_, err := w.tenant.Do(t.Context(), "system", tenant.SetClient{Client: app})
	w.must(err)
	for _, path := range []string{
		"/v1.0/applications", "/v1.0/applications/" + app.ID.String(), "/beta/applications(appId='" + app.AppID.String() + "')",
		"/v1.0/servicePrincipals", "/v1.0/servicePrincipals/" + app.Principal.ID.String(),
	} {
		got := w.do("GET", path, w.appToken(allPermissions...), "")
		if got.status != 200 || strings.Contains(got.body, "hash") || strings.Contains(got.body, "YSBoYXNo") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		if strings.Contains(path, "/applications") && !strings.Contains(got.body, `"hint":"abc","keyId":"`+app.Secrets[0].KeyID.String()+`","secretText":null`) {
			t.Errorf("%s does not say what may be known: %s", path, got.body)
		}
	}
}

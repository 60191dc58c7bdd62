package oauth

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// What MSAL for Go, .NET and Java ask before they send a user's password, in the letter case of
// each.
func TestClientsAreToldWhereAUserSignsIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{
		"/common/UserRealm/" + annName, "/common/userrealm/nobody@CONTOSO.example", "/organizations/UserRealm/ann%40contoso.example", "/Contoso.Example/USERREALM/a%2Fb@contoso.example",
	} {
		got := w.get(t, path+"?api-version=1.0")
		if want := `{"ver":"1.0","account_type":"Managed","domain_name":"contoso.example","cloud_instance_name":"microsoftonline.com","cloud_audience_urn":"urn:federation:MicrosoftOnline"}`; got.status != http.StatusOK || got.text != want {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
	}
	for _, name := range []string{"ann@nowhere.example", "ann", "@", "ann@" + contoso.String()} {
		got := w.get(t, "/common/UserRealm/"+name+"?api-version=1.0")
		if got.status != http.StatusOK || got.body["account_type"] != "Unknown" || got.body["domain_name"] != nil {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
	}
	wantRefusal(t, w.get(t, "/consumers/UserRealm/"+annName), http.StatusBadRequest, "invalid_request", 90002)
}

// As scripts older than ADAL ask.
func TestProgramsAreToldWhereAUserSignsIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, want := range map[string]string{
		"/getuserrealm.srf?login=" + annName + "&json=1": `{"State":4,"UserState":1,"Login":"` + annName + `","NameSpaceType":"Managed","DomainName":"contoso.example",` +
			`"FederationBrandName":"contoso.example","CloudInstanceName":"microsoftonline.com","CloudInstanceIssuerUri":"urn:federation:MicrosoftOnline"}`,
		"/common/GetUserRealm.srf?login=ann@nowhere.example": `{"State":4,"UserState":1,"Login":"ann@nowhere.example","NameSpaceType":"Unknown","CloudInstanceName":"microsoftonline.com",` +
			`"CloudInstanceIssuerUri":"urn:federation:MicrosoftOnline"}`,
		"/common/GetUserRealm.srf?login=" + annName + "&xml=1": `<RealmInfo Success="true"><State>4</State><UserState>1</UserState><Login>` + annName + `</Login><NameSpaceType>Managed</NameSpaceType>` +
			`<DomainName>contoso.example</DomainName><FederationBrandName>contoso.example</FederationBrandName><CloudInstanceName>microsoftonline.com</CloudInstanceName>` +
			`<CloudInstanceIssuerUri>urn:federation:MicrosoftOnline</CloudInstanceIssuerUri></RealmInfo>`,
	} {
		if got := w.get(t, path); got.status != http.StatusOK || got.text != want {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
	}
	wantRefusal(t, w.get(t, "/getuserrealm.srf"), http.StatusBadRequest, "invalid_request", 900144)
}

func TestClientsAreToldWhereTheServicesOfTheCloudAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login := fmt.Sprintf(`"authentication":{"loginEndpoint":"%s","audiences":["%[1]s"],"tenant":"common","identityProvider":"AAD"}`, w.https.URL)
	newest := w.get(t, "/metadata/endpoints?api-version=2022-09-01")
	for _, part := range []string{
		login, `"name":"Licensor"`, fmt.Sprintf(`"microsoftGraphResourceId":"%s"`, w.https.URL), fmt.Sprintf(`"resourceManager":"%s"`, w.https.URL),
		`"suffixes":{"storage":"",`, `"sqlManagement":""`,
	} {
		if !strings.Contains(newest.text, part) {
			t.Errorf("there is no %s in %s", part, newest.text)
		}
	}
	if list := w.get(t, "/Metadata/Endpoints?api-version=2019-05-01"); list.text != "["+newest.text+"]" {
		t.Errorf("the list is %s", list.text)
	}
	if first := w.get(t, "/metadata/endpoints?api-version=2015-01-01"); first.text != fmt.Sprintf(`{"galleryEndpoint":"","graphEndpoint":"%s","portalEndpoint":"",%s}`, w.https.URL, login) {
		t.Errorf("the first version is %s", first.text)
	}
	wantRefusal(t, w.get(t, "/metadata/endpoints"), http.StatusBadRequest, "invalid_request", 900144)
}

// Clients that know only the real service's names are told its other name, too.
func TestGraphGoesByItsRealNameWhereTheAuthorityDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.https.URL+"/common/v2.0/.well-known/openid-configuration", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "login.microsoftonline.com"
	if got := do(t, w.https.Client(), r); got.body["msgraph_host"] != "graph.microsoft.com" || got.body["token_endpoint"] != "https://login.microsoftonline.com/common/oauth2/v2.0/token" {
		t.Errorf("answered %s", got.text)
	}
}

// As in the real service, and as some clients write them.
func TestTheLetterCaseOfAddressesDoesNotMatter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.post(t, "/Contoso.Example/OAuth2/V2.0/Token", form()); got.status != http.StatusOK {
		t.Errorf("answered %d %s", got.status, got.text)
	}
	b := w.browser(t).open("/"+contosoDomain+"/OAuth2/v2.0/Authorize", request(portal, portalRedirect)).signIn(annName)
	if back := b.back(portalRedirect); back.Get("code") == "" {
		t.Errorf("sent back with %v", back)
	}
}

// What az asks Azure Resource Manager after a login.
func TestNobodyHasASubscriptionOfAzure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.post(t, tokenPath, form("scope", w.https.URL+"/.default")).body["access_token"].(string)
	for path, want := range map[string]string{
		"/subscriptions?api-version=2019-06-01": `{"value":[]}`,
		"/tenants?api-version=2019-06-01":       fmt.Sprintf(`{"value":[{"id":"/tenants/%s","tenantId":"%[1]s","tenantCategory":"Home"}]}`, contoso),
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.https.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantRefusal(t, do(t, w.https.Client(), r), http.StatusUnauthorized, "invalid_token", 50027)
		r.Header.Set("Authorization", "Bearer "+token)
		if got := do(t, w.https.Client(), r); got.status != http.StatusOK || got.text != want {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
	}
}

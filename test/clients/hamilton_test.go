package clients

import (
	"testing"

	"github.com/manicminer/hamilton/auth"
	"github.com/manicminer/hamilton/environments"
	"github.com/manicminer/hamilton/msgraph"
	"github.com/manicminer/hamilton/odata"
)

// hamilton before 0.59, which names the tenant in each path, as Terraform's azuread had it for
// years.
func TestHamiltonManagesAGroup(t *testing.T) {
	w := open(t)
	api := environments.Api{AppId: environments.MsGraphGlobal.AppId, Endpoint: environments.ApiEndpoint(w.Graph)}
	config := auth.Config{
		Environment: environments.Environment{AzureADEndpoint: environments.AzureADEndpoint(w.Authority), MsGraph: api},
		TenantID:    w.TenantID, ClientID: w.ClientID, ClientSecret: w.ClientSecret, EnableClientSecretAuth: true,
	}
	authorizer, err := config.NewAuthorizer(t.Context(), api)
	if err != nil {
		t.Fatal(err)
	}
	users, groups := msgraph.NewUsersClient(w.TenantID), msgraph.NewGroupsClient(w.TenantID)
	users.BaseClient.Authorizer, users.BaseClient.Endpoint = authorizer, api.Endpoint
	groups.BaseClient.Authorizer, groups.BaseClient.Endpoint = authorizer, api.Endpoint

	found, _, err := users.List(t.Context(), odata.Query{Filter: "startswith(displayName,'Clara')"})
	if err != nil || len(*found) != 10 {
		t.Fatalf("found %v, %v", found, err)
	}
	name, mailEnabled, securityEnabled := "made-by-hamilton", false, true
	group, _, err := groups.Create(t.Context(), msgraph.Group{
		DisplayName: &name, MailNickname: &name, MailEnabled: &mailEnabled, SecurityEnabled: &securityEnabled,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range (*found)[:2] {
		id := odata.Id(user.Uri(api.Endpoint, msgraph.Version10))
		user.ODataId = &id
		group.Members = &msgraph.Members{user.DirectoryObject}
		if _, err := groups.AddMembers(t.Context(), group); err != nil {
			t.Fatal(err)
		}
	}
	members, _, err := groups.ListMembers(t.Context(), *group.ID)
	if err != nil || len(*members) != 2 {
		t.Fatalf("members %v, %v", members, err)
	}
	if _, err := groups.RemoveMembers(t.Context(), *group.ID, members); err != nil {
		t.Error(err)
	}
	if _, err := groups.Delete(t.Context(), *group.ID); err != nil {
		t.Error(err)
	}
}

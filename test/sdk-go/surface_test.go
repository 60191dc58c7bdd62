package sdk

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/microsoftgraph/msgraph-sdk-go/directoryobjects"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

func TestTheTenantItself(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	organizations, err := g.Organization().Get(t.Context(), nil)
	must(t, err)
	list := organizations.GetValue()
	if len(list) != 1 || text(list[0].GetId()) != server.TenantID || len(list[0].GetVerifiedDomains()) == 0 {
		t.Fatalf("%d organizations", len(list))
	}
	domains, err := g.Domains().Get(t.Context(), nil)
	must(t, err)
	if list := domains.GetValue(); len(list) != 1 || text(list[0].GetId()) != domain || !*list[0].GetIsDefault() {
		t.Fatalf("%d domains", len(list))
	}
	bought, err := g.Directory().Subscriptions().Get(t.Context(), nil)
	must(t, err)
	for _, one := range bought.GetValue() {
		if one.GetSkuId() == nil || one.GetTotalLicenses() == nil ||
			one.GetCreatedDateTime() == nil || len(one.GetServiceStatus()) == 0 {
			t.Errorf("of the subscription %s something is missing", text(one.GetId()))
		}
	}
	if len(bought.GetValue()) != 13 {
		t.Errorf("%d subscriptions", len(bought.GetValue()))
	}
}

func TestManagersAndReports(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	boss, report := newUser(t, g), newUser(t, g)
	reference := models.NewReferenceUpdate()
	reference.SetOdataId(ptr(server.Graph + "/v1.0/users/" + text(boss.GetId())))
	must(t, g.Users().ByUserId(text(report.GetId())).Manager().Ref().Put(t.Context(), reference, nil))
	manager, err := g.Users().ByUserId(text(report.GetId())).Manager().Get(t.Context(), nil)
	must(t, err)
	user, ok := manager.(models.Userable)
	if !ok || text(user.GetUserPrincipalName()) != text(boss.GetUserPrincipalName()) {
		t.Fatalf("the manager is %T %s", manager, text(manager.GetId()))
	}
	id := text(boss.GetId())
	expanded, err := g.Users().ByUserId(id).Get(t.Context(), &users.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{
			Select: []string{"id"}, Expand: []string{"directReports($select=id,displayName)"},
		},
	})
	must(t, err)
	if list := expanded.GetDirectReports(); len(list) != 1 || text(list[0].GetId()) != text(report.GetId()) {
		t.Fatalf("%d direct reports", len(list))
	}
}

func TestAGroupWithMembersFromTheStartAndItsDelta(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	delta := g.Groups().Delta()
	page, err := delta.GetAsDeltaGetResponse(t.Context(), &groups.DeltaRequestBuilderGetRequestConfiguration{
		QueryParameters: &groups.DeltaRequestBuilderGetQueryParameters{Select: []string{"displayName", "members", "owners"}},
	})
	for err == nil && page.GetOdataNextLink() != nil {
		page, err = delta.WithUrl(*page.GetOdataNextLink()).GetAsDeltaGetResponse(t.Context(), nil)
	}
	must(t, err)
	link := text(page.GetOdataDeltaLink())

	member, owner := text(newUser(t, g).GetId()), text(newUser(t, g).GetId())
	group := models.NewGroup()
	group.SetDisplayName(ptr("go-start"))
	group.SetMailNickname(ptr("go-start"))
	group.SetMailEnabled(ptr(false))
	group.SetSecurityEnabled(ptr(true))
	group.GetAdditionalData()["members@odata.bind"] = []string{server.Graph + "/v1.0/users/" + member}
	group.GetAdditionalData()["owners@odata.bind"] = []string{server.Graph + "/v1.0/users/" + owner}
	created, err := g.Groups().Post(t.Context(), group, nil)
	must(t, err)

	page, err = g.Groups().Delta().WithUrl(link).GetAsDeltaGetResponse(t.Context(), nil)
	must(t, err)
	if list := page.GetValue(); len(list) != 1 || text(list[0].GetId()) != text(created.GetId()) {
		t.Fatalf("%d groups have changed", len(list))
	}
	for name, want := range map[string]string{"members@delta": member, "owners@delta": owner} {
		list, _ := page.GetValue()[0].GetAdditionalData()[name].([]any)
		if len(list) != 1 {
			t.Fatalf("%s is %v", name, list)
		}
		if id, _ := list[0].(map[string]any)["id"].(*string); text(id) != want {
			t.Errorf("%s has %s, want %s", name, text(id), want)
		}
	}
}

func TestMembershipsByID(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	group, user := text(newGroup(t, g, "go-by-id").GetId()), text(newUser(t, g).GetId())
	join(t, g, group, user)
	ask := users.NewItemGetMemberGroupsPostRequestBody()
	ask.SetSecurityEnabledOnly(ptr(false))
	in, err := g.Users().ByUserId(user).GetMemberGroups().PostAsGetMemberGroupsPostResponse(t.Context(), ask, nil)
	must(t, err)
	if got := in.GetValue(); !slices.Equal(got, []string{group}) {
		t.Fatalf("the user is in %v", got)
	}
	find := directoryobjects.NewGetByIdsPostRequestBody()
	find.SetIds([]string{user, group, uuid.NewString()})
	found, err := g.DirectoryObjects().GetByIds().PostAsGetByIdsPostResponse(t.Context(), find, nil)
	must(t, err)
	kinds := map[string]bool{}
	for _, object := range found.GetValue() {
		switch object.(type) {
		case models.Userable:
			kinds["user"] = true
		case models.Groupable:
			kinds["group"] = true
		}
	}
	if len(found.GetValue()) != 2 || !kinds["user"] || !kinds["group"] {
		t.Fatalf("found %d objects: %v", len(found.GetValue()), kinds)
	}
}

func TestRolesAndGrantsAreReadAndTakenBack(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	user := newUser(t, g)
	makeLicenseAdministrator(t, g, user)
	roles, err := g.DirectoryRoles().Get(t.Context(), nil)
	must(t, err)
	i := slices.IndexFunc(roles.GetValue(), func(r models.DirectoryRoleable) bool {
		return text(r.GetRoleTemplateId()) == licenseAdministrator
	})
	if i < 0 {
		t.Fatalf("License Administrator is not among the %d roles", len(roles.GetValue()))
	}
	role := text(roles.GetValue()[i].GetId())
	members, err := g.DirectoryRoles().ByDirectoryRoleId(role).Members().Get(t.Context(), nil)
	must(t, err)
	isUser := func(o models.DirectoryObjectable) bool { return text(o.GetId()) == text(user.GetId()) }
	if !slices.ContainsFunc(members.GetValue(), isUser) {
		t.Fatal("the user is not a member of the role")
	}
	assignments, err := g.RoleManagement().Directory().RoleAssignments().Get(t.Context(), nil)
	must(t, err)
	for _, one := range assignments.GetValue() {
		if text(one.GetPrincipalId()) == text(user.GetId()) {
			must(t, g.RoleManagement().Directory().RoleAssignments().
				ByUnifiedRoleAssignmentId(text(one.GetId())).Delete(t.Context(), nil))
		}
	}
	held, err := g.Users().ByUserId(text(user.GetId())).MemberOf().Get(t.Context(), nil)
	must(t, err)
	if len(held.GetValue()) != 0 {
		t.Fatalf("after the role is taken back, the user is a member of %T", held.GetValue()[0])
	}

	app := application("go-grants")
	_, principal := registered(t, g, app)
	consent(t, g, principal, "User.Read Group.Read.All")
	grants, err := g.ServicePrincipals().ByServicePrincipalId(text(principal.GetId())).
		Oauth2PermissionGrants().Get(t.Context(), nil)
	must(t, err)
	if list := grants.GetValue(); len(list) != 1 || text(list[0].GetConsentType()) != "AllPrincipals" {
		t.Fatalf("%d grants", len(list))
	}
	must(t, g.Oauth2PermissionGrants().
		ByOAuth2PermissionGrantId(text(grants.GetValue()[0].GetId())).Delete(t.Context(), nil))
}

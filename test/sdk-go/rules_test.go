package sdk

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/microsoftgraph/msgraph-sdk-go/auditlogs"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
)

// dynamic is a group that has the users of a department as its members.
func dynamic(t *testing.T, g client, name, department string) models.Groupable {
	t.Helper()
	group := models.NewGroup()
	group.SetDisplayName(&name)
	group.SetMailNickname(&name)
	group.SetMailEnabled(ptr(false))
	group.SetSecurityEnabled(ptr(true))
	group.SetGroupTypes([]string{"DynamicMembership"})
	group.SetMembershipRule(ptr(`user.department -eq "` + department + `"`))
	group.SetMembershipRuleProcessingState(ptr("On"))
	created, err := g.Groups().Post(t.Context(), group, nil)
	must(t, err)
	return created
}

func TestADynamicGroupGivesALicenseAndTheAuditLogSaysSo(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	group := text(dynamic(t, g, "go-dynamic", "Rockets").GetId())
	body := groups.NewItemAssignLicensePostRequestBody()
	body.SetAddLicenses(license(ems))
	body.SetRemoveLicenses([]uuid.UUID{})
	_, err := g.Groups().ByGroupId(group).AssignLicense().Post(t.Context(), body, nil)
	must(t, err)

	user := text(newUser(t, g).GetId())
	change := models.NewUser()
	change.SetDepartment(ptr("Rockets"))
	_, err = g.Users().ByUserId(user).Patch(t.Context(), change, nil)
	must(t, err)
	members, err := g.Groups().ByGroupId(group).Members().Get(t.Context(), nil)
	must(t, err)
	if list := members.GetValue(); len(list) != 1 || text(list[0].GetId()) != user {
		t.Fatalf("%d members of the dynamic group", len(list))
	}
	if got, reason := state(t, g, user); got != "Active" {
		t.Errorf("the license is %s, %s", got, reason)
	}
	reference := models.NewReferenceCreate()
	reference.SetOdataId(ptr(server.Graph + "/v1.0/directoryObjects/" + user))
	err = g.Groups().ByGroupId(group).Members().Ref().Post(t.Context(), reference, nil)
	refused(t, err, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation. "+
		"The members of group "+group+" follow from its rule.")

	entries := audited(t, g, user)
	names := activities(entries)
	for _, want := range []string{"Add user", "Update user", "Add member to group", "Change user license"} {
		if !slices.Contains(names, want) {
			t.Errorf("the audit log has no %q about the user: %q", want, names)
		}
	}
	newest := entries[0]
	one, err := g.AuditLogs().DirectoryAudits().ByDirectoryAuditId(text(newest.GetId())).Get(t.Context(), nil)
	must(t, err)
	app := one.GetInitiatedBy().GetApp()
	if text(one.GetActivityDisplayName()) != names[0] || app == nil || text(app.GetServicePrincipalId()) == "" ||
		*one.GetResult() != models.SUCCESS_OPERATIONRESULT || one.GetActivityDateTime() == nil {
		t.Errorf("the entry %s is %q, of %v", text(newest.GetId()), text(one.GetActivityDisplayName()), app)
	}
}

// audited returns the entries of the audit log about an object, the newest first.
func audited(t *testing.T, g client, id string) []models.DirectoryAuditable {
	t.Helper()
	about := auditlogs.DirectoryAuditsRequestBuilderGetQueryParameters{
		Filter: ptr("targetResources/any(t:t/id eq '" + id + "')"),
	}
	page, err := g.AuditLogs().DirectoryAudits().Get(t.Context(),
		&auditlogs.DirectoryAuditsRequestBuilderGetRequestConfiguration{QueryParameters: &about})
	must(t, err)
	if len(page.GetValue()) == 0 {
		t.Fatalf("the audit log has nothing about %s", id)
	}
	return page.GetValue()
}

func activities(entries []models.DirectoryAuditable) (names []string) {
	for _, e := range entries {
		names = append(names, text(e.GetActivityDisplayName()))
	}
	return names
}

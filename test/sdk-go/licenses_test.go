package sdk

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

// Products of the demo: one with seats, one without a seat left, one with five.
var (
	ems = uuid.MustParse("efccb6f7-5641-4e0e-bd10-b4976e1bf68e")
	e3  = uuid.MustParse("6fd2c87f-b296-42f0-b197-1e91e994b900")
	f3  = uuid.MustParse("4b585984-651b-448a-9e53-3b10f069cf7f")
)

func license(sku uuid.UUID) []models.AssignedLicenseable {
	one := models.NewAssignedLicense()
	one.SetSkuId(&sku)
	one.SetDisabledPlans([]uuid.UUID{})
	return []models.AssignedLicenseable{one}
}

func assign(t *testing.T, g client, user string, sku uuid.UUID) (models.Userable, error) {
	body := users.NewItemAssignLicensePostRequestBody()
	body.SetAddLicenses(license(sku))
	body.SetRemoveLicenses([]uuid.UUID{})
	return g.Users().ByUserId(user).AssignLicense().Post(t.Context(), body, nil)
}

func products(user models.Userable) []uuid.UUID {
	var list []uuid.UUID
	for _, one := range user.GetAssignedLicenses() {
		list = append(list, *one.GetSkuId())
	}
	return list
}

// state is how the only license of a user stands.
func state(t *testing.T, g client, user string) (state, reason string) {
	t.Helper()
	read, err := g.Users().ByUserId(user).Get(t.Context(), &users.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: []string{"licenseAssignmentStates"}},
	})
	must(t, err)
	states := read.GetLicenseAssignmentStates()
	if len(states) != 1 {
		t.Fatalf("%d licenses of %s, want 1", len(states), user)
	}
	return text(states[0].GetState()), text(states[0].GetError())
}

func TestAssignLicenseAndFailForWantOfSeats(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	user := text(newUser(t, g).GetId())
	licensed, err := assign(t, g, user, ems)
	must(t, err)
	if got := products(licensed); !slices.Equal(got, []uuid.UUID{ems}) {
		t.Fatalf("the user has %v", got)
	}
	_, err = assign(t, g, user, e3)
	refused(t, err, 400, "Request_BadRequest", "Subscription with SKU "+e3.String()+" does not have any available licenses.")

	details, err := g.Users().ByUserId(user).LicenseDetails().Get(t.Context(), nil)
	must(t, err)
	list := details.GetValue()
	if len(list) != 1 || text(list[0].GetSkuPartNumber()) != "EMS" || len(list[0].GetServicePlans()) == 0 {
		t.Fatalf("license details of %d products", len(list))
	}
	skus, err := g.SubscribedSkus().Get(t.Context(), nil)
	must(t, err)
	i := slices.IndexFunc(skus.GetValue(), func(s models.SubscribedSkuable) bool { return *s.GetSkuId() == e3 })
	if i < 0 || *skus.GetValue()[i].GetConsumedUnits() != *skus.GetValue()[i].GetPrepaidUnits().GetEnabled() {
		t.Fatal("Office 365 E3 has seats left in subscribedSkus")
	}
}

func join(t *testing.T, g client, group, user string) {
	t.Helper()
	reference := models.NewReferenceCreate()
	reference.SetOdataId(ptr(server.Graph + "/v1.0/directoryObjects/" + user))
	must(t, g.Groups().ByGroupId(group).Members().Ref().Post(t.Context(), reference, nil))
}

func TestGroupLicenseFailsForWantOfASeatAndReprocessingPutsItRight(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	team := text(newGroup(t, g, "go-team").GetId())
	body := groups.NewItemAssignLicensePostRequestBody()
	body.SetAddLicenses(license(f3))
	body.SetRemoveLicenses([]uuid.UUID{})
	_, err := g.Groups().ByGroupId(team).AssignLicense().Post(t.Context(), body, nil)
	must(t, err)
	people := make([]string, 6)
	for i := range people {
		people[i] = text(newUser(t, g).GetId())
		join(t, g, team, people[i])
	}
	first, last := people[0], people[5]
	if state, reason := state(t, g, last); state != "Error" || reason != "CountViolation" {
		t.Fatalf("the sixth of five seats is in state %s, %s", state, reason)
	}
	failing, err := g.Groups().ByGroupId(team).MembersWithLicenseErrors().Get(t.Context(), nil)
	must(t, err)
	if list := failing.GetValue(); len(list) != 1 || text(list[0].GetId()) != last {
		t.Fatalf("%d members with license errors", len(list))
	}

	must(t, g.Groups().ByGroupId(team).Members().ByDirectoryObjectId(first).Ref().Delete(t.Context(), nil))
	if state, _ := state(t, g, last); state != "Error" {
		t.Fatalf("without being reprocessed, the license is in state %s", state)
	}
	user, err := g.Users().ByUserId(last).ReprocessLicenseAssignment().Post(t.Context(), nil)
	must(t, err)
	if got := products(user); !slices.Equal(got, []uuid.UUID{f3}) {
		t.Fatalf("reprocessing answers a user with %v", got)
	}
	if state, reason := state(t, g, last); state != "Active" || reason != "None" {
		t.Fatalf("reprocessed, the license is in state %s, %s", state, reason)
	}
}

func TestMembersAndMemberOf(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	outer, inner := text(newGroup(t, g, "go-outer").GetId()), text(newGroup(t, g, "go-inner").GetId())
	user := text(newUser(t, g).GetId())
	join(t, g, inner, user)
	join(t, g, outer, inner)

	members, err := g.Groups().ByGroupId(outer).Members().Get(t.Context(), nil)
	must(t, err)
	if list := members.GetValue(); len(list) != 1 || text(list[0].GetId()) != inner {
		t.Fatalf("%d members", len(list))
	} else if group, ok := list[0].(models.Groupable); !ok || text(group.GetDisplayName()) != "go-inner" {
		t.Fatalf("a group among the members is read as %T", list[0])
	}
	everybody, err := g.Groups().ByGroupId(outer).TransitiveMembers().GraphUser().Get(t.Context(), nil)
	must(t, err)
	if list := everybody.GetValue(); len(list) != 1 || text(list[0].GetId()) != user {
		t.Fatalf("%d users among the transitive members", len(list))
	}
	direct, err := g.Users().ByUserId(user).MemberOf().Get(t.Context(), nil)
	must(t, err)
	if list := direct.GetValue(); len(list) != 1 || text(list[0].GetId()) != inner {
		t.Fatalf("a direct member of %d groups", len(list))
	}
	all, err := g.Users().ByUserId(user).TransitiveMemberOf().GraphGroup().Get(t.Context(), nil)
	must(t, err)
	if len(all.GetValue()) != 2 {
		t.Fatalf("a member of %d groups", len(all.GetValue()))
	}
	n, err := g.Groups().ByGroupId(inner).Members().Count().Get(t.Context(),
		&groups.ItemMembersCountRequestBuilderGetRequestConfiguration{Headers: eventual()})
	must(t, err)
	if n == nil || *n != 1 {
		t.Fatalf("%v members counted", n)
	}
	reference := models.NewReferenceCreate()
	reference.SetOdataId(ptr(server.Graph + "/v1.0/directoryObjects/" + user))
	err = g.Groups().ByGroupId(inner).Members().Ref().Post(t.Context(), reference, nil)
	refused(t, err, 400, "Request_BadRequest", "One or more added object references already exist for the following modified properties: 'members'.")
}

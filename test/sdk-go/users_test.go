package sdk

import (
	"strings"
	"testing"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

// eventual are the headers of an advanced query.
func eventual() *abstractions.RequestHeaders {
	headers := abstractions.NewRequestHeaders()
	headers.Add("ConsistencyLevel", "eventual")
	return headers
}

func TestListPageByPage(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	page, err := g.Users().Get(t.Context(), &users.UsersRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UsersRequestBuilderGetQueryParameters{Select: []string{"id", "displayName"}, Top: ptr(int32(30))},
	})
	must(t, err)
	if len(page.GetValue()) != 30 || text(page.GetValue()[0].GetDisplayName()) == "" ||
		page.GetValue()[0].GetUserPrincipalName() != nil {
		t.Fatalf("a page of %d users, the first with the user principal name %q that was not selected",
			len(page.GetValue()), text(page.GetValue()[0].GetUserPrincipalName()))
	}
	iterator, err := core.NewPageIterator[models.Userable](
		page, g.adapter, models.CreateUserCollectionResponseFromDiscriminatorValue)
	must(t, err)
	seen := map[string]bool{}
	must(t, iterator.Iterate(t.Context(), func(user models.Userable) bool {
		if seen[text(user.GetId())] {
			t.Errorf("the user %s stands on two pages", text(user.GetId()))
		}
		seen[text(user.GetId())] = true
		return true
	}))
	if len(seen) < 200 {
		t.Fatalf("%d users on all pages", len(seen))
	}
}

func TestFilter(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	ask := func(filter string) (models.UserCollectionResponseable, error) {
		return g.Users().Get(t.Context(), &users.UsersRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.UsersRequestBuilderGetQueryParameters{Filter: &filter, Select: []string{"displayName"}},
		})
	}
	found, err := ask("startsWith(displayName,'Ann') and usageLocation eq 'DE'")
	must(t, err)
	if len(found.GetValue()) == 0 {
		t.Fatal("nobody found")
	}
	for _, user := range found.GetValue() {
		if !strings.HasPrefix(text(user.GetDisplayName()), "Ann") {
			t.Errorf("found %q", text(user.GetDisplayName()))
		}
	}
	_, err = ask("displayName gt")
	refused(t, err, 400, "BadRequest", "Invalid filter clause: Syntax error at position 15 in 'displayName gt': it ends where a property, a value, a function or '(' is expected.")
}

func TestCountAndAdvancedQuery(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	n, err := g.Users().Count().Get(t.Context(), &users.CountRequestBuilderGetRequestConfiguration{Headers: eventual()})
	must(t, err)
	if n == nil || *n < 200 {
		t.Fatalf("%v users", n)
	}
	found, err := g.Users().Get(t.Context(), &users.UsersRequestBuilderGetRequestConfiguration{
		Headers: eventual(),
		QueryParameters: &users.UsersRequestBuilderGetQueryParameters{
			Search: ptr(`"displayName:olga"`), Orderby: []string{"displayName desc"}, Count: ptr(true), Top: ptr(int32(3)),
		},
	})
	must(t, err)
	names := make([]string, 0, 3)
	for _, user := range found.GetValue() {
		names = append(names, text(user.GetDisplayName()))
	}
	if count := found.GetOdataCount(); count == nil || *count != 10 || strings.Join(names, ", ") != "Olga Jung, Olga Iven, Olga Haas" {
		t.Fatalf("%v, %v in all", names, count)
	}
	_, err = g.Users().Count().Get(t.Context(), nil)
	refused(t, err, 400, "Request_BadRequest", "$count is not currently supported.")
}

func TestCreateChangeDelete(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	before := compressed.Load()
	user := newUser(t, g)
	if n := compressed.Load() - before; n != 1 {
		t.Fatalf("creating a user took %d requests with compressed bodies, want 1", n)
	}
	change := models.NewUser()
	change.SetDepartment(ptr("Sales, not in English: Vertrieb für Österreich"))
	_, err := g.Users().ByUserId(text(user.GetId())).Patch(t.Context(), change, nil)
	must(t, err)
	configuration := &users.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: []string{"id", "department", "createdDateTime"}},
	}
	read, err := g.Users().ByUserId(text(user.GetUserPrincipalName())).Get(t.Context(), configuration)
	must(t, err)
	if text(read.GetDepartment()) != text(change.GetDepartment()) ||
		text(read.GetId()) != text(user.GetId()) || read.GetCreatedDateTime() == nil {
		t.Fatalf("read %q of %s", text(read.GetDepartment()), text(read.GetId()))
	}
	must(t, g.Users().ByUserId(text(user.GetId())).Delete(t.Context(), nil))
	_, err = g.Users().ByUserId(text(user.GetId())).Get(t.Context(), nil)
	refused(t, err, 404, "Request_ResourceNotFound",
		"Resource '"+text(user.GetId())+"' does not exist or one of its queried reference-property objects are not present.")
	restored, err := g.Directory().DeletedItems().
		ByDirectoryObjectId(text(user.GetId())).Restore().Post(t.Context(), nil)
	must(t, err)
	if _, ok := restored.(models.Userable); !ok || text(restored.GetId()) != text(user.GetId()) {
		t.Fatalf("restored %T %s", restored, text(restored.GetId()))
	}
}

func TestBatch(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	batch := core.NewBatchRequest(g.adapter)
	add := func(request *abstractions.RequestInformation, err error) core.BatchItem {
		t.Helper()
		must(t, err)
		item, err := batch.AddBatchRequestStep(*request)
		must(t, err)
		return item
	}
	wanted := person("A-long-enough-1")
	created := add(g.Users().ToPostRequestInformation(t.Context(), wanted, nil))
	missing := add(g.Users().ByUserId("nobody@"+domain).ToGetRequestInformation(t.Context(), nil))
	after := add(g.Users().ByUserId(text(wanted.GetUserPrincipalName())).ToGetRequestInformation(t.Context(), nil))
	after.DependsOnItem(created)
	failed := add(g.Users().ToGetRequestInformation(t.Context(), nil))
	failed.DependsOnItem(missing)

	answer, err := batch.Send(t.Context(), g.adapter)
	must(t, err)
	for item, want := range map[core.BatchItem]int32{created: 201, missing: 404, after: 200, failed: 424} {
		if got := answer.GetResponseById(*item.GetId()); got == nil || *got.GetStatus() != want {
			t.Fatalf("the answer to %s %s is %+v, want %d", *item.GetMethod(), *item.GetUrl(), got, want)
		}
	}
	user, err := core.GetBatchResponseById[models.Userable](
		answer, *after.GetId(), models.CreateUserFromDiscriminatorValue)
	must(t, err)
	if text(user.GetDisplayName()) != text(wanted.GetDisplayName()) {
		t.Fatalf("the batch read %q", text(user.GetDisplayName()))
	}
	_, err = core.GetBatchResponseById[models.Userable](
		answer, *missing.GetId(), models.CreateUserFromDiscriminatorValue)
	if err == nil {
		t.Fatal("a step that failed is read as a user")
	}
}

func TestDelta(t *testing.T) {
	g := graph(t, secret(t, server.ClientSecret))
	// follow reads from a link to the end and returns what was there by id, and where to continue.
	follow := func(page users.DeltaGetResponseable) (map[string]models.Userable, string) {
		t.Helper()
		found := map[string]models.Userable{}
		for {
			for _, user := range page.GetValue() {
				found[text(user.GetId())] = user
			}
			if page.GetOdataNextLink() == nil {
				return found, text(page.GetOdataDeltaLink())
			}
			var err error
			page, err = g.Users().Delta().WithUrl(*page.GetOdataNextLink()).GetAsDeltaGetResponse(t.Context(), nil)
			must(t, err)
		}
	}
	since := func(link string) (map[string]models.Userable, string) {
		t.Helper()
		page, err := g.Users().Delta().WithUrl(link).GetAsDeltaGetResponse(t.Context(), nil)
		must(t, err)
		return follow(page)
	}
	configuration := &users.DeltaRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.DeltaRequestBuilderGetQueryParameters{Select: []string{"displayName", "department"}},
	}
	first, err := g.Users().Delta().GetAsDeltaGetResponse(t.Context(), configuration)
	must(t, err)
	all, link := follow(first)
	if len(all) < 200 {
		t.Fatalf("%d users in the first round", len(all))
	}
	user := newUser(t, g)
	id := text(user.GetId())
	changed, link := since(link)
	if len(changed) != 1 || changed[id] == nil || text(changed[id].GetDisplayName()) != text(user.GetDisplayName()) {
		t.Fatalf("after a user was created, delta has %v", changed)
	}
	must(t, g.Users().ByUserId(id).Delete(t.Context(), nil))
	changed, link = since(link)
	if len(changed) != 1 || changed[id] == nil || changed[id].GetAdditionalData()["@removed"] == nil {
		t.Fatalf("after a user was deleted, delta has %v", changed)
	}
	if changed, _ = since(link); len(changed) != 0 {
		t.Fatalf("after nothing, delta has %v", changed)
	}
}

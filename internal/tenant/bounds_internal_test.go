package tenant

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/identity"
)

// The numbers of all kinds of objects in a tenant are bounded, and the error names the bound.
func TestWhatIsAddedIsBounded(t *testing.T) {
	t.Parallel()
	img := NewImage()
	img.Subscriptions = make([]Subscription, 10_001)
	base := NewImage()
	err := img.within(base, bounds)
	problem, ok := errors.AsType[*CommandError](err)
	if !ok || problem.Kind != ProblemInvalid || !strings.Contains(problem.Message, "at most 10000 subscriptions") {
		t.Errorf("told %v", err)
	}
	if err := img.within(img, bounds); err != nil {
		t.Errorf("what was there before is refused: %v", err)
	}
	img.Subscriptions = img.Subscriptions[:10_000]
	if err := img.within(base, bounds); err != nil {
		t.Errorf("as many as can be are refused: %v", err)
	}
}

// Permanently deleted objects are not counted.
func TestPurgedObjectsAreNotCounted(t *testing.T) {
	t.Parallel()
	draft := directory.NewUnits().Draft()
	for i := range uint32(20) {
		draft.Set(i, &directory.AdministrativeUnit{ID: uuid.New(), DisplayName: "Unit"})
	}
	for i := range uint32(5) {
		draft.Purge(i)
	}
	if got := countOf(draft.Finish(), 10); got != 15 {
		t.Errorf("counted %d", got)
	}
}

// A command that exceeds a bound of a tenant is refused, and the error names the bound.
func TestEachBoundIsReached(t *testing.T) {
	t.Parallel()
	h := newPure(t)
	ann, bob := h.must(h.newUser("ann")), h.must(h.newUser("bob"))
	outer, inner := h.must(h.newGroup("outer")), h.must(h.newGroup("inner"))
	shop := testClient(1)
	h.must(SetClient{Client: shop})
	patch, err := directory.ParseUnitPatch(h.members(`{"displayName":"Unit"}`))
	if err != nil {
		t.Fatal(err)
	}
	unit := h.must(CreateUnit{Patch: patch})
	adding := map[string]Command{
		"users, permanently deleted ones included":  h.newUser("cid"),
		"groups, permanently deleted ones included": h.newGroup("more"),
		"applications":                SetClient{Client: testClient(2)},
		"service principals":          SetClient{Client: testClient(3)},
		"administrative units":        CreateUnit{Patch: patch},
		"subscriptions":               CreateSubscription{SKUID: e3, TotalLicenses: 1},
		"delegated permission grants": SetGrant{Grant: directory.Grant{Client: shop.Principal.ID, User: ann.ID, Scopes: []string{"User.Read"}}},
		"owners, sponsors, app role assignments and members that are not users, together": AddLink{Link: directory.Link{Relation: directory.RelationSponsoredBy, From: ann.ID, To: bob.ID}},
		"memberships of users in groups":                            AddMembers{Group: outer.Ordinal, Members: []uuid.UUID{ann.ID}},
		"groups that are members of groups":                         AddMembers{Group: outer.Ordinal, Members: []uuid.UUID{inner.ID}},
		"members of administrative units":                           AddUnitMember{Unit: unit.Ordinal, Member: ann.ID},
		"users, groups and service principals with directory roles": SetRole{Role: identity.GlobalAdministrator.ID, Principal: ann.ID},
	}
	for _, b := range bounds {
		what := b.what
		cmd := adding[what]
		if cmd == nil {
			t.Errorf("nothing adds %s", what)
			continue
		}
		before := h.img
		h.must(cmd)
		b.most = b.count(before)
		reached := []bound{b}
		problem, ok := errors.AsType[*CommandError](h.img.within(before, reached))
		if !ok || problem.Kind != ProblemInvalid || !strings.Contains(problem.Message, what) {
			t.Errorf("one more of %s: %v", what, problem)
		}
		if err := h.img.within(h.img, reached); err != nil {
			t.Errorf("as many of %s as before: %v", what, err)
		}
	}
}

func testClient(i byte) directory.Client {
	return directory.Client{
		Application: directory.Application{ID: uuid.UUID{1, i}, AppID: uuid.UUID{2, i}, DisplayName: "Shop"},
		Principal:   directory.ServicePrincipal{ID: uuid.UUID{3, i}, Permissions: []string{"User.Read.All"}},
	}
}

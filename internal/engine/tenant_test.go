package engine_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// TestMain looks for goroutines that tests have left behind. The clock of slow patterns ends by
// itself when it is not needed for a while.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

func TestARestartChangesNothing(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]int{"replayed from the start": 1 << 30, "from snapshots": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, after)
			playEverything(h)
			before := content(t, h.Image())
			h.reopen()
			if after := content(t, h.Image()); after != before {
				t.Fatalf("before\n%s\nafter\n%s", before, after)
			}
			h.must(newUser(t, "somebody-new")) // it continues where it was
		})
	}
}

// playEverything executes every command at least once.
func playEverything(h *house) {
	t := h.tb
	h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 2})
	sub := h.must(tenant.CreateSubscription{SKUID: ems, TotalLicenses: 5})
	var users []tenant.Done
	for i := range 6 {
		users = append(users, h.must(newUser(t, fmt.Sprint("user", i))))
	}
	group, other := h.must(newGroup(t, "group")), h.must(newGroup(t, "other"))
	owned := newGroup(t, "owned")
	owned.Owners, owned.Members = []uuid.UUID{users[0].ID}, []uuid.UUID{users[5].ID, other.ID}
	h.must(owned)
	h.must(tenant.AssignGroup{Group: group.Ordinal, Add: []licensing.Assign{{SKUID: e3}, {SKUID: ems}}})
	h.must(tenant.AddMembers{
		Group: group.Ordinal, Members: []uuid.UUID{users[0].ID, users[1].ID, users[2].ID, other.ID},
	})
	h.must(tenant.AddOwners{Group: group.Ordinal, Owners: []uuid.UUID{users[3].ID, users[4].ID}})
	h.must(tenant.RemoveOwner{Group: group.Ordinal, Owner: users[4].ID})
	h.must(tenant.AssignUser{User: users[4].Ordinal, Add: []licensing.Assign{{SKUID: ems}}})
	h.clock.Add(10)
	h.must(tenant.UpdateUser{User: users[1].Ordinal, Patch: userPatch(t, `{"mail":"user0@test.example","department":"Sales"}`)})
	h.must(tenant.UpdateUser{User: users[1].Ordinal, Patch: userPatch(t, `{"userPrincipalName":"renamed@test.example","usageLocation":null}`)})
	for i, manager := range []int{1, 2, 3, 3} {
		h.must(tenant.SetManager{User: users[i].Ordinal, Manager: users[(manager+i)%6].ID})
	}
	h.must(tenant.SetManager{User: users[0].Ordinal, Manager: users[3].ID}) // users[3] is purged
	h.must(tenant.RemoveManager{User: users[1].Ordinal})
	h.must(tenant.RemoveMember{Group: group.Ordinal, Member: users[0].ID})
	h.must(tenant.RemoveMember{Group: group.Ordinal, Member: other.ID})
	h.must(tenant.Reprocess{All: true})
	h.must(tenant.DeleteUser{User: users[2].Ordinal})
	h.must(tenant.DeleteUser{User: users[3].Ordinal})
	h.must(tenant.RestoreUser{User: users[2].Ordinal})
	h.must(tenant.PurgeUser{User: users[3].Ordinal})
	h.must(tenant.DeleteGroup{Group: other.Ordinal})
	playSettings(h, sub.ID)
}

func playSettings(h *house, subscription uuid.UUID) {
	t := h.tb
	on, total := true, 7
	h.must(tenant.UpdateSettings{AutoReprocess: &on})
	h.must(tenant.UpdateSubscription{ID: subscription, TotalLicenses: &total})
	h.must(tenant.DeleteSubscription{ID: subscription})
	c := catalog.BuiltIn()
	c.ServicePlans[0].ProhibitedIn = []licensing.Country{licensing.Country('K')<<8 | 'P'}
	h.must(tenant.SetCatalog{Catalog: c})
	patch, err := directory.ParseOrganizationPatch(members(t, `{"displayName":"Renamed"}`))
	if err != nil {
		t.Fatal(err)
	}
	h.must(tenant.UpdateOrganization{Patch: patch})
	app := directory.Client{
		Application: directory.Application{ID: uuid.UUID{1, 3}, AppID: uuid.UUID{1, 2}, DisplayName: "App"},
		Principal:   directory.ServicePrincipal{ID: uuid.UUID{1, 1}, Permissions: []string{"User.Read.All"}},
	}
	h.must(tenant.SetClient{Client: app})
	app.Principal.ID, app.AppID = uuid.UUID{2, 1}, uuid.UUID{2, 2}
	h.must(tenant.SetClient{Client: app})
	h.must(tenant.DeleteApplication{AppID: app.AppID})
	done := h.must(tenant.Import{ID: "import", Rows: []tenant.ImportRow{
		{Line: 1, User: &tenant.ImportUser{ID: uuid.UUID{9}, Patch: newUser(t, "imported").Patch}},
		{Line: 2, User: &tenant.ImportUser{Patch: newUser(t, "user0").Patch}}, // taken
		{Line: 3, Group: &tenant.ImportGroup{ID: uuid.UUID{8}, Patch: newGroup(t, "imported").Patch}},
		{Line: 4, Membership: &tenant.Membership{Group: uuid.UUID{8}.String(), Member: "imported@test.example"}},
	}})
	if len(done.Rows) != 1 || done.Rows[0].Line != 2 {
		t.Fatalf("problems %+v, want one in line 2", done.Rows)
	}
}

// failing is a store whose Append can be made to fail or wait.
type failing struct {
	store.Store
	fail  atomic.Bool
	block chan struct{} // if not nil, Append waits for it
}

var errDisk = errors.New("no space left on device")

func (f *failing) Append(
	ctx context.Context, id uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	if f.block != nil {
		<-f.block
	}
	if f.fail.Load() {
		return errDisk
	}
	return f.Store.Append(ctx, id, at, commits, objects)
}

func TestWhatCannotBeMadeDurableDidNotHappen(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	h.close()
	f := new(failing)
	h.open(func(s store.Store) store.Store { f.Store = s; return f })
	before := h.Image()
	f.fail.Store(true)
	_, err := h.do(newUser(t, "ann"))
	var problem *tenant.CommandError
	if !errors.As(err, &problem) || problem.Kind != tenant.ProblemUnavailable || !errors.Is(err, errDisk) {
		t.Fatalf("answered %v", err)
	}
	if h.Image() != before {
		t.Fatal("the image changed")
	}
	f.fail.Store(false)
	if done := h.must(newUser(t, "ann")); done.Image.Seq != before.Seq+1 {
		t.Fatalf("the next commit has number %d after %d", done.Image.Seq, before.Seq)
	}
}

func TestReadersDoNotWaitForTheWriter(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	ann := h.must(newUser(t, "ann"))
	h.close()
	f := &failing{block: make(chan struct{})}
	h.open(func(s store.Store) store.Store { f.Store = s; return f })
	answered := make(chan error)
	go func() {
		_, err := h.do(newUser(t, "ben"))
		answered <- err
	}()
	img := h.Image()
	if u, err := h.User(t.Context(), img, ann.Ordinal); err != nil || u.DisplayName != "ann" {
		t.Fatalf("read %+v, %v", u, err)
	}
	if _, err := h.do(tenant.Reprocess{All: true}); err != nil { // changes nothing, so it needs no writer
		t.Fatal(err)
	}
	select {
	case err := <-answered:
		t.Fatalf("a command was answered before it was durable: %v", err)
	default:
	}
	close(f.block)
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
}

func TestARefusedCommandLeavesNoTrace(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	ann, g := h.must(newUser(t, "ann")), h.must(newGroup(t, "g"))
	h.must(tenant.AddMembers{Group: g.Ordinal, Members: []uuid.UUID{ann.ID}})
	before, rest := h.Image(), content(t, h.Image())
	withMembers := newGroup(t, "h")
	withMembers.Members = []uuid.UUID{ann.ID, {7}}
	for name, cmd := range map[string]tenant.Command{
		"a name that is taken":            newUser(t, "ann"),
		"a domain of somebody else":       tenant.CreateUser{Patch: userPatch(t, `{"accountEnabled":true,"displayName":"B","mailNickname":"b","userPrincipalName":"b@other.example","passwordProfile":{"password":"Secret-123"}}`)},
		"a group with an unknown member":  withMembers,
		"a member who is there":           tenant.AddMembers{Group: g.Ordinal, Members: []uuid.UUID{ann.ID}},
		"a license that is not bought":    tenant.AssignUser{User: ann.Ordinal, Add: []licensing.Assign{{SKUID: e3}}},
		"a user who is not deleted":       tenant.RestoreUser{User: ann.Ordinal},
		"a subscription of nothing":       tenant.CreateSubscription{SKUID: uuid.UUID{5}, TotalLicenses: 1},
		"a subscription with seats below": tenant.CreateSubscription{SKUID: e3, TotalLicenses: -1},
		"a user there never was":          tenant.DeleteUser{User: 77},
	} {
		if _, err := h.do(cmd); err == nil {
			t.Errorf("%s was taken", name)
		}
		if h.Image() != before {
			t.Fatalf("%s changed the image", name)
		}
	}
	h.reopen()
	if content(t, h.Image()) != rest {
		t.Fatal("after a restart the tenant is another")
	}
}

// If many callers want something that exists once, exactly one gets it; and they share
// transactions.
func TestOneWinner(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 1})
	var users []tenant.Done
	for i := range 20 {
		users = append(users, h.must(newUser(t, fmt.Sprint("user", i))))
	}
	for name, cmd := range map[string]func(i int) tenant.Command{
		"the last seat": func(i int) tenant.Command {
			return tenant.AssignUser{User: users[i].Ordinal, Add: []licensing.Assign{{SKUID: e3}}}
		},
		"a name": func(int) tenant.Command { return newUser(t, "wanted") },
	} {
		var wait sync.WaitGroup
		var won atomic.Int32
		for i := range users {
			wait.Go(func() {
				if _, err := h.do(cmd(i)); err == nil {
					won.Add(1)
				}
			})
		}
		wait.Wait()
		if won.Load() != 1 {
			t.Errorf("%s: %d won", name, won.Load())
		}
	}
	if s := h.Stats(); s.Batches >= s.Commits+s.Rejected {
		t.Errorf("no transaction was shared: %+v", s)
	}
}

func TestReprocessingTwiceWritesNothingTheSecondTime(t *testing.T) { // L72
	t.Parallel()
	h := newHouse(t, 0)
	playEverything(h)
	h.must(tenant.Reprocess{All: true})
	before := h.Image()
	h.clock.Add(100)
	if done := h.must(tenant.Reprocess{All: true}); done.Changed || h.Image() != before {
		t.Fatalf("it changed something: %+v", done.Report)
	}
}

func TestWhatWasDeletedGoesAfter30Days(t *testing.T) { // P52
	t.Parallel()
	h := newHouse(t, 0)
	ann, ben := h.must(newUser(t, "ann")), h.must(newUser(t, "ben"))
	h.must(tenant.DeleteUser{User: ann.Ordinal})
	h.clock.Add(int64(tenant.KeptFor/time.Second) - 5)
	h.must(tenant.DeleteUser{User: ben.Ordinal})
	if err := h.PurgeExpired(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.Image().Directory.UserPurged(ann.Ordinal) {
		t.Fatal("a user went early")
	}
	h.clock.Add(10)
	if _, err := h.do(tenant.RestoreUser{User: ann.Ordinal}); err == nil {
		t.Error("a user was restored late")
	}
	if err := h.PurgeExpired(t.Context()); err != nil {
		t.Fatal(err)
	}
	if dir := h.Image().Directory; !dir.UserPurged(ann.Ordinal) || dir.UserPurged(ben.Ordinal) {
		t.Error("not just what is old enough went")
	}
}

func TestACanceledCommandIsNotCarriedOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := h.Image()
	if _, err := h.Do(ctx, "user test", newUser(t, "ann")); !errors.Is(err, context.Canceled) {
		t.Fatalf("answered %v", err)
	}
	h.must(tenant.Reprocess{All: true})
	if !reflect.DeepEqual(before, h.Image()) {
		t.Error("it was carried out")
	}
}

func TestAnImportGoesOnWhereItWasCutOff(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	rows := func(from, to int) (list []tenant.ImportRow) {
		for i := from; i <= to; i++ {
			list = append(list, tenant.ImportRow{
				Line: int64(i), User: &tenant.ImportUser{Patch: newUser(t, fmt.Sprint("row", i)).Patch},
			})
		}
		return list
	}
	h.must(tenant.Import{ID: "file", Rows: rows(1, 10)})
	h.reopen()
	if done := h.must(tenant.Import{ID: "file", Rows: rows(1, 15)}); len(done.Rows) != 0 {
		t.Errorf("rows that were taken were refused: %v", done.Rows[0].Problem)
	}
	if n := h.Image().Directory.Users(); n != 15 {
		t.Errorf("%d users, want 15", n)
	}
}

// Removing a group from itself is a usual error, since it is not a member.
func TestAGroupIsNoMemberOfItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	group := h.must(newGroup(t, "Sales"))
	_, err := h.do(tenant.RemoveMember{Group: group.Ordinal, Member: group.ID})
	if problem, ok := errors.AsType[*tenant.CommandError](err); !ok || problem.Kind != tenant.ProblemNotFound {
		t.Errorf("got %v, want a Problem of the kind NotFound", err)
	}
}

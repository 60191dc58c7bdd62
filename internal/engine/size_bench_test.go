package engine_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/store/sqlite"
	"licensor/internal/tenant"
)

// size is the number of objects in a tenant.
type size struct{ users, groups, applications int }

// The last block of users and of groups, which a new one copies, is equally full in both.
var (
	smallSize = size{1000, 100, 10}
	largeSize = size{1000 + 3903*256, 100 + 391*256, 10_000} // a million users and 100,000 groups
)

// targets is the number of users that commands are about, spread over all.
const targets = 1000

// BenchmarkSize executes each command in turn in a small and a large tenant. For each it prints the
// median times, and their ratio; the metric is the ratio for all commands together. It takes two
// minutes, mostly for filling the large tenant, and 1 GB of memory. -benchtime=300x makes enough
// rounds.
func BenchmarkSize(b *testing.B) {
	b.Run("memory", func(b *testing.B) {
		compareSizes(b, func(s size) store.Store {
			return &forgetful{
				Store: memory.New().Open(), every: uint32(s.users / targets), rows: map[row]store.Object{},
			}
		})
	})
	b.Run("sqlite", func(b *testing.B) {
		compareSizes(b, func(s size) store.Store {
			file, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), fmt.Sprint(s.users, ".db")))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = file.Close() })
			return file
		})
	})
}

func compareSizes(b *testing.B, open func(size) store.Store) {
	towns := []*town{newTown(b, smallSize, open), newTown(b, largeSize, open)}
	runtime.GC()
	round := 0
	for b.Loop() {
		for _, t := range towns {
			t.round(round)
		}
		round++
	}
	var all [2]time.Duration
	table := fmt.Sprintf("\n%-24s %10s %10s\n", "", "small", "large")
	for _, name := range towns[0].order {
		small, large := median(towns[0].took[name]), median(towns[1].took[name])
		all[0], all[1] = all[0]+small, all[1]+large
		table += fmt.Sprintf("%-24s %10s %10s %6.2f\n", name, small, large, float64(large)/float64(small))
	}
	fmt.Println(table)
	b.ReportMetric(float64(all[1])/float64(all[0]), "times")
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

// town is a tenant to measure, with a licensed group of all users and many small groups.
type town struct {
	*engine.Tenant
	b         *testing.B
	size      size
	everybody uint32
	bought    tenant.Done // a subscription
	order     []string
	took      map[string][]time.Duration
}

func newTown(b *testing.B, s size, open func(size) store.Store) *town {
	t := &town{b: b, size: s, took: map[string][]time.Duration{}}
	tenants, err := engine.Open(b.Context(), open(s), engine.Options{
		// There are no snapshots meanwhile.
		Now: time.Now, NewID: uuid.New, Log: slog.New(slog.DiscardHandler), SnapshotAfter: 1 << 60,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = tenants.Close(context.Background()) })
	org := directory.Organization{
		DisplayName: "Size", CountryLetterCode: "DE",
		VerifiedDomains: []directory.VerifiedDomain{{Name: "size.example", IsDefault: true, IsInitial: true, Type: "Managed"}},
	}
	if t.Tenant, err = tenants.Create(b.Context(), uuid.UUID{1}, org, catalog.BuiltIn()); err != nil {
		b.Fatal(err)
	}
	t.fill()
	return t
}

func (t *town) do(cmd tenant.Command) tenant.Done {
	done, err := t.Do(t.b.Context(), "size", cmd)
	if err != nil {
		t.b.Fatalf("%T: %v", cmd, err)
	}
	if len(done.Rows) > 0 {
		t.b.Fatalf("row %d: %v", done.Rows[0].Line, done.Rows[0].Problem)
	}
	return done
}

func numbered(kind byte, n int) (id uuid.UUID) {
	binary.BigEndian.PutUint32(id[:], uint32(n)*2654435761) // ids are found by their first bytes
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	id[8] = kind
	return id
}

func (t *town) fill() {
	t.b.Helper()
	t.imports(t.size.users, func(i int) tenant.ImportRow {
		return tenant.ImportRow{User: &tenant.ImportUser{ID: numbered('u', i), Patch: t.person(i)}}
	})
	t.imports(1+t.size.groups, func(i int) tenant.ImportRow {
		return tenant.ImportRow{Group: &tenant.ImportGroup{ID: numbered('g', i), Patch: t.groupPatch(i)}}
	})
	everybody := numbered('g', 0).String()
	t.imports(t.size.users, func(i int) tenant.ImportRow {
		return tenant.ImportRow{Membership: &tenant.Membership{Group: everybody, Member: numbered('u', i).String()}}
	})
	t.imports(t.size.groups*10, func(i int) tenant.ImportRow {
		return tenant.ImportRow{Membership: &tenant.Membership{
			Group: numbered('g', 1+i/10).String(), Member: numbered('u', i*3%t.size.users).String(),
		}}
	})
	t.bought = t.do(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 2 * t.size.users})
	t.do(tenant.CreateSubscription{SKUID: ems, TotalLicenses: 2 * t.size.users})
	t.do(tenant.AssignGroup{Group: t.everybody, Add: []licensing.Assign{{SKUID: e3}}})
	for i := range t.size.applications {
		t.do(t.application(i, "first"))
		t.do(tenant.SetGrant{Grant: directory.Grant{Client: numbered('p', i), Scopes: []string{"User.Read"}}})
	}
}

func (t *town) imports(n int, row func(i int) tenant.ImportRow) {
	for all := range slices.Chunk(slices.Collect(countTo(n)), 50_000) {
		var rows []tenant.ImportRow
		for _, i := range all {
			r := row(i)
			r.Line = int64(i + 1)
			rows = append(rows, r)
		}
		t.do(tenant.Import{Rows: rows})
	}
}

func countTo(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n && yield(i); i++ {
		}
	}
}

func (t *town) person(i int) directory.UserPatch {
	patch, err := directory.ParseUserImport(members(t.b, fmt.Sprintf(
		`{"accountEnabled":true,"displayName":"Person %[1]d","givenName":"Person","surname":"Number %[1]d","userPrincipalName":"person.%[1]d@size.example",`+
			`"mailNickname":"person.%[1]d","mail":"person.%[1]d@size.example","usageLocation":"DE","department":"Department %[2]d","jobTitle":"Tester"}`, i, i%40)))
	if err != nil {
		t.b.Fatal(err)
	}
	return patch
}

func (t *town) groupPatch(i int) directory.GroupPatch {
	patch, err := directory.ParseGroupPatch(members(t.b, fmt.Sprintf(
		`{"displayName":"Group %[1]d","mailEnabled":false,"mailNickname":"group-%[1]d","securityEnabled":true}`, i)))
	if err != nil {
		t.b.Fatal(err)
	}
	return patch
}

func (t *town) application(i int, name string) tenant.SetClient {
	return tenant.SetClient{Client: directory.Client{
		Application: directory.Application{ID: numbered('o', i), AppID: numbered('a', i), DisplayName: name},
		Principal:   directory.ServicePrincipal{ID: numbered('p', i)},
	}}
}

// target returns one of the users that commands are about.
func (t *town) target(i int) uint32 { return uint32(i % targets * (t.size.users / targets)) }

// timed executes a command and records its duration.
func (t *town) timed(name string, cmd tenant.Command) tenant.Done {
	start := time.Now()
	done := t.do(cmd)
	if t.took[name] == nil {
		t.order = append(t.order, name)
	}
	t.took[name] = append(t.took[name], time.Since(start))
	return done
}

// round executes each command once, and leaves the tenant about as it was.
func (t *town) round(i int) {
	n := t.size.users + i
	target, other := t.target(i), t.Image().Directory.UserID(t.target(i+1))
	user := t.timed("create user", tenant.CreateUser{Patch: userPatch(t.b, `{"accountEnabled":true,"displayName":"New %[1]d","userPrincipalName":"new.%[1]d@size.example",`+
		`"mailNickname":"new.%[1]d","usageLocation":"DE","passwordProfile":{"password":"Secret-123"}}`, n)})
	group := t.timed("create group", tenant.CreateGroup{Patch: t.groupPatch(n)})
	t.timed("update user", tenant.UpdateUser{User: target, Patch: userPatch(t.b, `{"department":"Round %d"}`, i)})
	t.timed("rename user", tenant.UpdateUser{User: user.Ordinal, Patch: userPatch(t.b, `{"userPrincipalName":"renamed.%d@size.example"}`, i)})
	t.timed("move user", tenant.UpdateUser{User: target, Patch: userPatch(t.b, `{"usageLocation":"%s"}`, []string{"FR", "IT"}[i/targets%2])})
	t.timed("set manager", tenant.SetManager{User: user.Ordinal, Manager: other})
	t.timed("update group", tenant.UpdateGroup{Group: group.Ordinal, Patch: t.groupPatch(n + 1)})
	t.timed("add owner", tenant.AddOwners{Group: group.Ordinal, Owners: []uuid.UUID{other}})
	t.timed("add member", tenant.AddMembers{Group: group.Ordinal, Members: []uuid.UUID{user.ID}})
	t.timed("add member to all", tenant.AddMembers{Group: t.everybody, Members: []uuid.UUID{user.ID}})
	t.timed("assign group", tenant.AssignGroup{Group: group.Ordinal, Add: []licensing.Assign{{SKUID: ems}}})
	t.timed("assign user", tenant.AssignUser{User: user.Ordinal, Add: []licensing.Assign{{SKUID: ems}}})
	t.timed("reprocess user", tenant.Reprocess{Users: []uint32{target}})
	t.timed("reprocess group", tenant.Reprocess{Groups: []uint32{group.Ordinal}})
	t.timed("set role", tenant.SetRole{Role: uuid.UUID{9}, Principal: other})
	t.timed("remove role", tenant.SetRole{Role: uuid.UUID{9}, Principal: other, Removed: true})
	t.timed("delete user", tenant.DeleteUser{User: user.Ordinal})
	t.timed("restore user", tenant.RestoreUser{User: user.Ordinal})
	t.timed("remove member", tenant.RemoveMember{Group: group.Ordinal, Member: user.ID})
	t.timed("remove member from all", tenant.RemoveMember{Group: t.everybody, Member: user.ID})
	t.do(tenant.AddMembers{Group: t.everybody, Members: []uuid.UUID{user.ID}})
	t.do(tenant.DeleteUser{User: user.Ordinal})
	t.timed("purge user", tenant.PurgeUser{User: user.Ordinal})
	t.do(tenant.AssignGroup{Group: group.Ordinal, Remove: []uuid.UUID{ems}})
	t.timed("delete group", tenant.DeleteGroup{Group: group.Ordinal})
	t.smallThings(i)
}

func (t *town) smallThings(i int) {
	bought := t.timed("create subscription", tenant.CreateSubscription{SKUID: ems, TotalLicenses: 1})
	t.timed("delete subscription", tenant.DeleteSubscription{ID: bought.ID})
	seats := 2*t.size.users + i%2 + 1
	t.timed("update subscription", tenant.UpdateSubscription{ID: t.bought.ID, TotalLicenses: &seats})
	failure := []licensing.Failure{licensing.FailureError, licensing.FailureState}[i%2]
	t.timed("update settings", tenant.UpdateSettings{ReprocessFailure: &failure})
	t.timed("change application", t.application(i%t.size.applications, fmt.Sprint("round ", i)))
	grant := directory.Grant{Client: numbered('p', i%t.size.applications), User: numbered('u', 1), Scopes: []string{"User.Read"}}
	t.timed("set grant", tenant.SetGrant{Grant: grant})
	grant.Scopes = nil
	t.timed("remove grant", tenant.SetGrant{Grant: grant})
	t.timed("add application", t.application(t.size.applications+i, "new")) // its id stays in use when it is deleted
	t.timed("delete application", tenant.DeleteApplication{AppID: numbered('a', t.size.applications+i)})
}

// forgetful is a store that keeps the log, and only the rows that commands read: those written by
// commands, and some of those written by imports.
type forgetful struct {
	store.Store
	every uint32
	rows  map[row]store.Object
}

type row struct {
	kind    store.Kind
	ordinal uint32
}

func (f *forgetful) SaveParts(context.Context, uuid.UUID, []store.Part, time.Time) error { return nil }

func (f *forgetful) Manifests(context.Context, uuid.UUID) ([]store.Manifest, error) { return nil, nil }

func (f *forgetful) ReplaceManifest(context.Context, uuid.UUID, store.Manifest, time.Time) error {
	return nil
}

func (f *forgetful) Sweep(context.Context, uuid.UUID, time.Time) (int, error) { return 0, nil }

func (f *forgetful) Append(
	ctx context.Context, id uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	for _, o := range objects {
		if len(objects) < 100 || o.Ordinal%f.every == 0 {
			f.rows[row{o.Kind, o.Ordinal}] = o
		}
	}
	return f.Store.Append(ctx, id, at, commits, nil)
}

func (f *forgetful) Objects(_ context.Context, _ uuid.UUID, query store.Query) (found []store.Object, err error) {
	for _, ordinal := range query.Ordinals {
		if o, ok := f.rows[row{query.Kind, ordinal}]; ok {
			found = append(found, o)
		}
	}
	return found, nil
}

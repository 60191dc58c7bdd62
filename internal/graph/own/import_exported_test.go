package own

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/export"
	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/tenant"
	"licensor/internal/verify"
)

// TestAnyExportIsImportedAsItIs: the export of a tenant with any content, imported into an empty
// one, has the same bytes when it is exported again.
func TestAnyExportIsImportedAsItIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var clock atomic.Int64 // seconds since 1970
		clock.Store(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Unix())
		now := func() time.Time { return time.Unix(clock.Load(), 0).UTC() }
		from := newHolder(rt, now)
		defer from.close()
		for range rapid.SampledFrom([]int{5, 60, 200}).Draw(rt, "commands") {
			clock.Add(int64(from.below(100)) * 60)
			cmd := from.command()
			_, err := from.Do(context.Background(), "user test", cmd)
			rt.Logf("%T %+v: %v", cmd, cmd, err)
		}
		from.seeUsers(now())
		lines := from.export()
		clock.Add(3600)
		to := newHolder(rt, now)
		defer to.close()
		to.importLines(lines)
		from.verify()
		to.verify()
		if again := to.export(); !bytes.Equal(lines, again) {
			rt.Fatalf("the export\n%s\nis imported and exported as\n%s", lines, again)
		}
	})
}

// TestADamagedStateIsNotImported: a state must fit the memberships and the catalog.
func TestADamagedStateIsNotImported(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		to := newHolder(rt, time.Now)
		defer to.close()
		user := uuid.UUID{1}
		to.importLines(fmt.Appendf(nil, `{"user":{"id":%q,"accountEnabled":true,"displayName":"a","mailNickname":"a","userPrincipalName":"a@test.example"}}`, user))
		before := to.export()
		for _, line := range []string{
			`"state":"Gone","error":"None"`, `"state":"Active","error":"Gone"`,
			`"state":"Active","error":"None","disabledPlans":["` + user.String() + `"]`,
			`"state":"Error","error":"None","assignedByGroup":"` + user.String() + `"`,
		} {
			row, err := new(rowReader).read(fmt.Appendf(nil, `{"state":{"user":%q,"skuId":%q,%s}}`, user, e3, line))
			if err != nil {
				rt.Fatal(err)
			}
			done, err := to.Do(context.Background(), "system", tenant.Import{Rows: []tenant.ImportRow{row}, Exact: true})
			if err != nil || len(done.Rows) != 1 || !bytes.Equal(to.export(), before) {
				rt.Errorf("%s: %v, %v", line, done.Rows, err)
			}
		}
	})
}

var (
	e3       = uuid.MustParse("6fd2c87f-b296-42f0-b197-1e91e994b900")
	e1       = uuid.MustParse("18181a46-0d4e-45cd-891e-60aabd171b4e")
	business = uuid.MustParse("f245ecc8-75af-4f8e-b61f-27d8114de5f3")
	ems      = uuid.MustParse("efccb6f7-5641-4e0e-bd10-b4976e1bf68e")
)

// holder is a store with one tenant.
type holder struct {
	t       *rapid.T
	random  *rand.Rand // which is even, unlike what rapid draws
	store   store.Store
	tenants *engine.Tenants
	*engine.Tenant
}

// below returns a number from 0 up to n.
func (h *holder) below(n int) int { return h.random.IntN(max(n, 1)) }

func pick[T any](h *holder, list ...T) T { return list[h.below(len(list))] }

func newHolder(t *rapid.T, now func() time.Time) *holder {
	h := &holder{t: t, store: memory.New().Open(), random: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))}
	n := 0
	newID := func() uuid.UUID {
		n++
		return uuid.UUID{byte(n * 37), byte(n), byte(n >> 8), 6: 0x40, 8: 0x80}
	}
	var err error
	h.tenants, err = engine.Open(context.Background(), h.store, engine.Options{
		Now: now, NewID: newID, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Tenant, err = h.tenants.Create(context.Background(), uuid.UUID{15: 1}, directory.Organization{
		DisplayName: "Test", CountryLetterCode: "DE",
		VerifiedDomains: []directory.VerifiedDomain{{Name: "test.example", IsDefault: true, IsInitial: true, Type: "Managed"}},
	}, catalog.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *holder) close() {
	if err := errors.Join(h.tenants.Close(context.Background()), h.store.Close()); err != nil {
		h.t.Error(err)
	}
}

// verify examines what is stored.
func (h *holder) verify() {
	o := verify.Options{Deep: true, Report: func(d verify.Damage) { h.t.Errorf("verify finds: %s", d) }}
	if _, err := verify.Tenant(context.Background(), h.store, h.ID(), o); err != nil {
		h.t.Error(err)
	}
}

func (h *holder) export() []byte {
	var b bytes.Buffer
	err := export.View(context.Background(), h.store, h.ID(), export.Options{}, func(t *export.Tenant) error {
		return t.Write(&b, export.FormatJSONLines, export.Importable()...)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return b.Bytes()
}

// importLines imports an export in several commits. Each of its lines must be accepted.
func (h *holder) importLines(text []byte) {
	lines := slices.Collect(bytes.Lines(text))
	size := 1 + h.below(len(lines))
	reader := rowReader{exact: true} // nothing of a line is kept in its memory
	for part := range slices.Chunk(lines, size) {
		var rows []tenant.ImportRow
		for _, line := range part {
			row, err := reader.read(bytes.TrimSpace(line))
			if err != nil {
				h.t.Fatalf("%s: %v", line, err)
			}
			rows = append(rows, row)
		}
		done, err := h.Do(context.Background(), "system", tenant.Import{Rows: rows, Exact: true})
		if err != nil || len(done.Rows) > 0 {
			h.t.Fatalf("%s: %v, %v", bytes.Join(part, nil), err, done.Rows)
		}
		if err := h.store.AddSignIns(context.Background(), nil, seenIn(rows, done, h.ID())); err != nil {
			h.t.Fatal(err)
		}
	}
}

// seeUsers has some users sign in.
func (h *holder) seeUsers(now time.Time) {
	var list []store.Activity
	seen := func() store.Seen {
		before := now.Add(-time.Duration(h.below(1000)) * time.Second)
		return pick(h, store.Seen{}, store.Seen{At: now}, store.Seen{At: before, ID: uuid.UUID{15: 7}})
	}
	for user := range h.Image().Directory.Users() {
		if h.below(2) == 0 && !h.Image().Directory.UserPurged(user) {
			list = append(list, store.Activity{
				Tenant: h.ID(), User: user, Interactive: seen(), NonInteractive: seen(),
				Successful: store.Seen{At: now},
			})
		}
	}
	if err := h.store.AddSignIns(context.Background(), nil, list); err != nil {
		h.t.Fatal(err)
	}
}

func (h *holder) user() uint32 {
	return uint32(h.below(int(h.Image().Directory.Users())))
}

func (h *holder) group() uint32 {
	return uint32(h.below(int(h.Image().Directory.Groups())))
}

func (h *holder) id() uuid.UUID {
	if pick(h, true, false) {
		return h.Image().Directory.GroupID(h.group())
	}
	return h.Image().Directory.UserID(h.user())
}

func (h *holder) assign() licensing.Assign {
	a := licensing.Assign{SKUID: pick(h, e3, e3, ems, e1, business)}
	if p, ok := h.Image().Licensing.Product(a.SKUID); ok && h.below(3) == 0 {
		a.DisabledPlans = slices.Compact([]uuid.UUID{pick(h, p.ServicePlanIDs...), pick(h, p.ServicePlanIDs...)})
	}
	return a
}

// command returns a command that may be refused.
func (h *holder) command() tenant.Command {
	img := h.Image()
	switch {
	case img.Directory.Users() == 0:
		return h.newUser()
	case img.Directory.Groups() == 0:
		return h.newGroup()
	}
	assign := h.assign()
	switch h.below(32) {
	case 28, 29:
		return h.ruleChange()
	case 30:
		to := pick(h, tenant.MemberOfRulesFollowed, tenant.MemberOfRulesFrozen)
		return tenant.UpdateSettings{MemberOfRules: &to}
	case 31:
		return tenant.EvaluateRules{}
	case 0, 1, 2:
		return h.newUser()
	case 3:
		return h.newGroup()
	case 4, 5:
		return tenant.AddMembers{Group: h.group(), Members: []uuid.UUID{h.id()}}
	case 6:
		return tenant.AddOwners{Group: h.group(), Owners: []uuid.UUID{h.id()}}
	case 7:
		return tenant.SetManager{User: h.user(), Manager: h.id()}
	case 8, 9:
		return tenant.AssignGroup{Group: h.group(), Add: []licensing.Assign{assign}}
	case 10, 11:
		return tenant.AssignUser{User: h.user(), Add: []licensing.Assign{assign}}
	case 12:
		return tenant.DeleteUser{User: h.user()}
	case 13:
		return tenant.DeleteGroup{Group: h.group()}
	case 14, 15:
		return tenant.UpdateUser{
			User: h.user(), Patch: patchOf(h, directory.UserProperties(), directory.ParseUserImport),
		}
	case 16:
		return tenant.UpdateGroup{
			Group: h.group(), Patch: patchOf(h, directory.GroupProperties(), directory.ParseGroupImport),
		}
	}
	return h.otherCommand(assign)
}

func (h *holder) otherCommand(assign licensing.Assign) tenant.Command {
	switch h.below(14) {
	case 8, 9:
		location := pick(h, `"DE"`, `"KP"`, `"CU"`, "null")
		patch, err := directory.ParseUserImport(membersOf(h.t, `{"usageLocation":`+location+`}`))
		if err != nil {
			h.t.Fatal(err)
		}
		return tenant.UpdateUser{User: h.user(), Patch: patch}
	case 0, 1, 10, 11, 12:
		next := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		return tenant.CreateSubscription{
			SKUID: assign.SKUID, TotalLicenses: h.below(4), NextLifecycleDateTime: &next,
			Status: pick(h, "Enabled", "Enabled", "Warning", "Suspended", "LockedOut"),
		}
	case 2:
		if list := h.Image().Subscriptions; len(list) > 0 {
			return tenant.DeleteSubscription{ID: list[0].ID}
		}
	case 3:
		on, bundles := pick(h, true, false), pick(h, licensing.BundlesTogether, licensing.BundlesIndependent)
		return tenant.UpdateSettings{AutoReprocess: &on, GroupBundles: &bundles}
	case 4:
		return tenant.PurgeUser{User: h.user()}
	case 5:
		return tenant.RestoreUser{User: h.user()}
	case 6:
		return tenant.AssignGroup{Group: h.group(), Remove: []uuid.UUID{assign.SKUID}}
	case 7:
		return tenant.RemoveMember{Group: h.group(), Member: h.id()}
	}
	return tenant.Reprocess{All: true}
}

func (h *holder) newUser() tenant.Command {
	name := fmt.Sprint("user", h.below(30))
	patch, err := directory.ParseUserPatch(membersOf(h.t, fmt.Sprintf(`{"accountEnabled":true,"displayName":%[1]q,"mailNickname":%[1]q,`+
		`"userPrincipalName":"%[1]s@test.example","usageLocation":"DE","passwordProfile":{"password":"Secret-123"}}`, name)))
	if err != nil {
		h.t.Fatal(err)
	}
	return tenant.CreateUser{Patch: patch, PasswordHash: "hash"}
}

func (h *holder) newGroup() tenant.Command {
	name := fmt.Sprint("group", h.below(30))
	kind := pick(h,
		`"mailEnabled":false,"securityEnabled":true`, `"mailEnabled":true,"securityEnabled":true`,
		`"mailEnabled":true,"securityEnabled":true,"groupTypes":["Unified"]`,
		`"mailEnabled":true,"securityEnabled":false,"groupTypes":["Unified"]`,
		`"mailEnabled":false,"securityEnabled":true,"isAssignableToRole":true`,
		h.dynamic(), h.dynamic(), h.dynamic())
	patch, err := directory.ParseGroupPatch(membersOf(h.t, fmt.Sprintf(`{"displayName":%[1]q,"mailNickname":%[1]q,%s}`, name, kind)))
	if err != nil {
		h.t.Fatal(err)
	}
	return tenant.CreateGroup{Patch: patch}
}

// dynamic returns the properties of a dynamic group.
func (h *holder) dynamic() string {
	return `"mailEnabled":false,"securityEnabled":true,"groupTypes":["DynamicMembership"],"membershipRule":` + h.rule() +
		`,"membershipRuleProcessingState":"` + pick(h, "On", "On", "Paused") + `"`
}

// rule returns a rule of each kind, as JSON.
func (h *holder) rule() string {
	source, manager := uuid.Nil, uuid.Nil
	if h.Image().Directory.Groups() > 0 {
		source = h.Image().Directory.GroupID(h.group())
	}
	if h.Image().Directory.Users() > 0 {
		manager = h.Image().Directory.UserID(h.user())
	}
	rule := pick(h, `user.usageLocation -eq "DE"`, `user.accountEnabled -eq true`, `user.department -ne "a"`,
		`user.createdDateTime -ge system.now -minus PT1H`, `user.displayName -startsWith "user1"`,
		`user.memberof -any (group.objectId -in ['`+source.String()+`'])`,
		`Direct Reports for "`+manager.String()+`"`,
		`user.assignedPlans -any (assignedPlan.service -eq "exchange")`,
		`user.assignedPlans -all (assignedPlan.service -ne "exchange")`)
	text, err := json.Marshal(rule)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

// ruleChange makes a group static or dynamic, or changes its rule.
func (h *holder) ruleChange() tenant.Command {
	to := pick(h, `"membershipRuleProcessingState":"On"`, `"membershipRuleProcessingState":"Paused"`,
		`"membershipRule":`+h.rule(), `"membershipRule":null`,
		`"groupTypes":[],"membershipRuleProcessingState":"Paused"`,
		`"groupTypes":["DynamicMembership"],"membershipRule":`+h.rule()+`,"membershipRuleProcessingState":"On"`)
	patch, err := directory.ParseGroupPatch(membersOf(h.t, `{`+to+`}`))
	if err != nil {
		h.t.Fatal(err)
	}
	return tenant.UpdateGroup{Group: h.group(), Patch: patch}
}

func membersOf(t *rapid.T, body string) []directory.Member {
	list, err := directory.Members([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// values are values for properties of each kind. Some properties do not accept all of them.
var values = map[directory.Kind][]string{
	directory.KindBool:     {"true", "false", "null"},
	directory.KindDateTime: {`"2020-02-29T12:34:56Z"`, `"0001-01-01T00:00:00Z"`, "null"},
	directory.KindInt32:    {"1", "null"},
	directory.KindString: {
		`"a"`, `"=1+1"`, `"ä\n\"b\", c;d\\\u2028 "`, `"DE"`, `"US"`, `"en-US"`, `"x@test.example"`, `"Minor"`, `"Granted"`,
		`"Guest"`, `"Member"`, `"Public"`, `"DisablePasswordExpiration"`, "null",
	},
	directory.KindStringCollection: {`["a"]`, `["b;c","+d"]`, `["x@test.example"]`, `["SMTP:x@test.example","smtp:y@test.example"]`, "[]"},
	directory.KindComplex: {
		`{"costCenter":"a"}`, `{"division":null}`, `{"extensionAttribute1":"a","extensionAttribute15":null}`,
		`{"forceChangePasswordNextSignIn":true}`, `{"isEnabled":true}`, "null",
	},
	directory.KindComplexCollection: {`[{"signInType":"federated","issuer":"a","issuerAssignedId":"b"}]`, "[]"},
}

// patchOf returns a change of a few properties, also read-only ones, of which one does not exist
// unless a value fits.
func patchOf[T any](
	h *holder, all []*directory.Property[T], parse func([]directory.Member) (directory.Patch[T], error),
) (patch directory.Patch[T]) {
	var fitting []directory.Member
	for range 1 + h.below(8) {
		p := pick(h, all...)
		if slices.Contains([]string{"id", "deletedDateTime", "createdDateTime"}, p.Name) {
			continue
		}
		m := directory.Member{Name: p.Name, Value: json.RawMessage(pick(h, values[p.Kind]...))}
		if _, err := parse(append(fitting, m)); err == nil {
			fitting = append(fitting, m)
		}
	}
	patch, err := parse(fitting)
	if err != nil {
		h.t.Fatal(err)
	}
	return patch
}

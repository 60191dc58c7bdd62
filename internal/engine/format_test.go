package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

var writeFormat = flag.Int("write-format", 0, "write the database of this format to testdata (see testdata/README.md)")

// heldTenant is the content of a tenant, as stored next to a database in testdata.
type heldTenant struct {
	Seq           uint64
	At            time.Time
	Organization  json.RawMessage
	Settings      licensing.Settings
	SKUs          []heldSKU
	Subscriptions []tenant.Subscription
	Applications  []heldClient
	Grants        []directory.Grant
	Links         []directory.Link `json:",omitempty"`
	Roles         map[uuid.UUID][]uuid.UUID
	SignIn        json.RawMessage
	Imports       map[string]int64
	Prices        []tenant.Price         `json:",omitempty"`
	Units         map[uuid.UUID]heldUnit `json:",omitempty"`
	Users         map[uuid.UUID]heldUser
	Groups        map[uuid.UUID]heldGroup
}

type heldUnit struct {
	Ordinal  uint32
	Document json.RawMessage
	Members  []uuid.UUID `json:",omitempty"`
}

type heldClient struct {
	Application json.RawMessage
	Principal   json.RawMessage `json:",omitempty"`
}

type heldSKU struct {
	Part     string
	Units    licensing.Units
	Consumed int
}

type heldUser struct {
	Ordinal  uint32
	Deleted  bool `json:",omitempty"`
	Document json.RawMessage
	Password string      `json:",omitempty"`
	Manager  *uuid.UUID  `json:",omitempty"`
	MemberOf []uuid.UUID `json:",omitempty"`
	Licenses []string    `json:",omitempty"`
}

type heldGroup struct {
	Ordinal  uint32
	Deleted  bool `json:",omitempty"`
	Document json.RawMessage
	Nested   []uuid.UUID        `json:",omitempty"`
	Owners   []uuid.UUID        `json:",omitempty"`
	Licenses []licensing.Assign `json:",omitempty"`
}

// held returns the content of all tenants as indented JSON.
func (h *house) held() string {
	h.tb.Helper()
	all := map[uuid.UUID]heldTenant{}
	for _, t := range h.all() {
		all[t.ID()] = heldBy(h.tb, t)
	}
	data, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		h.tb.Fatal(err)
	}
	return string(data) + "\n"
}

func heldBy(tb testing.TB, t *engine.Tenant) heldTenant {
	tb.Helper()
	img := t.Image()
	held := heldTenant{
		Seq: img.Seq, At: img.At, Organization: img.Organization.Document(), Settings: img.Licensing.Settings(),
		Subscriptions: img.Subscriptions, Grants: slices.Collect(img.Grants.All()),
		Links: slices.Collect(img.Links.All()), Roles: img.Roles,
		SignIn: img.SignIn.Document(), Prices: img.Prices(),
		Units: map[uuid.UUID]heldUnit{}, Users: map[uuid.UUID]heldUser{}, Groups: map[uuid.UUID]heldGroup{},
	}
	for _, i := range img.Imports {
		if held.Imports == nil {
			held.Imports = map[string]int64{}
		}
		held.Imports[i.ID] = i.Line
	}
	for unit := range img.Units.Len() {
		if u := img.Units.At(unit); u != nil {
			held.Units[u.ID] = heldUnit{unit, u.Document(), membersOf(img, unit)}
		}
	}
	for _, s := range img.Licensing.SKUs() {
		held.SKUs = append(held.SKUs, heldSKU{s.Product.SKUPartNumber, s.Units, s.Consumed})
	}
	for _, c := range img.Clients() {
		held.Applications = append(held.Applications, heldClientOf(c))
	}
	for user := range img.Directory.Users() {
		if !img.Directory.UserPurged(user) {
			held.Users[img.Directory.UserID(user)] = heldUserOf(tb, t, img, user)
		}
	}
	for group := range img.Directory.Groups() {
		if img.Directory.GroupPurged(group) {
			continue
		}
		g, err := t.Group(context.Background(), img, group)
		if err != nil {
			tb.Fatal(err)
		}
		held.Groups[g.ID] = heldGroup{
			Ordinal: group, Deleted: img.Directory.GroupDeleted(group), Document: g.Document(),
			Nested:   idsOf(img.Directory.GroupMembersOf(group), img.Directory.GroupID),
			Owners:   idsOf(img.Directory.Owners(group), img.Directory.UserID),
			Licenses: img.Licensing.GroupLicenses(group),
		}
	}
	return held
}

func heldClientOf(c directory.Client) heldClient {
	held := heldClient{Application: c.Application.Document()}
	if c.Principal.ID != uuid.Nil {
		held.Principal = c.Principal.Document()
	}
	return held
}

// afterMigration returns the content of tenants after the migration from format 1, given the
// content before: applications and service principals are documents of their own since a commit at
// the time of the last one.
func afterMigration(tb testing.TB, former []byte) string {
	tb.Helper()
	var all map[uuid.UUID]struct {
		heldTenant
		Applications []json.RawMessage
	}
	if err := json.Unmarshal(former, &all); err != nil {
		tb.Fatal(err)
	}
	now := map[uuid.UUID]heldTenant{}
	for id, held := range all {
		for _, document := range held.Applications {
			c, err := directory.ParseFormerApplication(document)
			if err != nil {
				tb.Fatal(err)
			}
			held.heldTenant.Applications = append(held.heldTenant.Applications, heldClientOf(*c))
		}
		held.Seq++
		now[id] = held.heldTenant
	}
	data, err := json.MarshalIndent(now, "", " ")
	if err != nil {
		tb.Fatal(err)
	}
	return string(data) + "\n"
}

func heldUserOf(tb testing.TB, t *engine.Tenant, img *tenant.Image, user uint32) heldUser {
	tb.Helper()
	u, err := t.User(context.Background(), img, user)
	if err != nil {
		tb.Fatal(err)
	}
	held := heldUser{
		Ordinal: user, Deleted: img.Directory.UserDeleted(user), Document: u.Document(),
		MemberOf: idsOf(img.Directory.MemberOf(user), img.Directory.GroupID),
	}
	if held.Password, err = t.Password(context.Background(), user); err != nil {
		tb.Fatal(err)
	}
	if manager, ok := img.Directory.Manager(user); ok {
		id := img.Directory.UserID(manager)
		held.Manager = &id
	}
	for s := range img.Licensing.States(user) {
		source := "direct"
		if !s.Direct {
			source = img.Directory.GroupID(s.Group).String()
		}
		held.Licenses = append(held.Licenses, fmt.Sprint(s.SKUID, " without ", s.DisabledPlans, " from ", source, ": ",
			s.State, " ", s.Error, " since ", s.Updated.Format(time.RFC3339)))
	}
	for p := range img.Licensing.Plans(user, img.At) {
		if p.Capability == licensing.Deleted {
			held.Licenses = append(held.Licenses, "lost "+p.Plan.Name+" at "+p.At.Format(time.RFC3339))
		}
	}
	return held
}

func idsOf(ordinals []uint32, id func(uint32) uuid.UUID) (ids []uuid.UUID) {
	for _, ordinal := range ordinals {
		ids = append(ids, id(ordinal))
	}
	return ids
}

// TestDatabasesOfAllFormats opens the databases in testdata, compares their content with what is
// expected, and continues to use them.
func TestDatabasesOfAllFormats(t *testing.T) {
	t.Parallel()
	databases, err := filepath.Glob("testdata/format-*.db")
	if err != nil || len(databases) == 0 {
		t.Fatalf("there are no databases in testdata: %v", err)
	}
	for _, path := range databases {
		base := strings.TrimSuffix(path, ".db")
		t.Run(filepath.Base(base), func(t *testing.T) {
			t.Parallel()
			database, expected := mustRead(t, path), mustRead(t, base+".json")
			h := &house{tb: t, path: filepath.Join(t.TempDir(), "licensor.db"), after: 1}
			if err := os.WriteFile(h.path, database, 0o600); err != nil {
				t.Fatal(err)
			}
			h.open(nil)
			defer h.close()
			if filepath.Base(base) == "format-1" {
				expected = []byte(afterMigration(t, expected))
			}
			wantHeld(t, h.held(), string(expected))
			h.clock.Store(h.Image().At.Unix() + 60)
			h.ids.Store(1 << 20)
			for _, one := range h.all() {
				h.Tenant = one
				domain := one.Image().Organization.DefaultDomain()
				h.must(tenant.CreateUser{Patch: userPatch(t, `{"accountEnabled":true,"displayName":"New","mailNickname":"new",`+
					`"userPrincipalName":"new@%s","passwordProfile":{"password":"Secret-123"}}`, domain)})
				h.must(tenant.UpdateUser{User: 0, Patch: userPatch(t, `{"jobTitle":"Changed"}`)})
				h.must(tenant.Reprocess{All: true})
				h.must(tenant.CreateUnit{
					Patch:   unitPatch(t, `{"displayName":"New"}`),
					Members: []uuid.UUID{one.Image().Directory.UserID(0)},
				})
			}
			changed := h.held()
			h.reopen()
			wantHeld(t, h.held(), changed)
			h.forgetSnapshots()
			wantHeld(t, h.held(), changed)
		})
	}
}

func mustRead(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// wantHeld reports the first different line.
func wantHeld(tb testing.TB, got, want string) {
	tb.Helper()
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		if i >= len(gotLines) || i >= len(wantLines) || gotLines[i] != wantLines[i] {
			tb.Fatalf("line %d of what is held is\n%q\nwant\n%q", i+1, gotLines[min(i, len(gotLines)):min(i+3, len(gotLines))],
				wantLines[min(i, len(wantLines)):min(i+3, len(wantLines))])
		}
	}
}

// TestWriteFormat makes the two tenants of a database in testdata, and checks that a restart does
// not change them. With -write-format it writes the database and its content to testdata.
func TestWriteFormat(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	playDirectory(h)
	playSecondTenant(h)
	h.after = 1
	h.reopen()
	h.must(tenant.UpdateSignIn{SignIn: directory.SignIn{
		AllowPasswordGrant: true,
		TrustedIssuers: []directory.TrustedIssuer{{
			Issuer: "https://issuer.example/realm", Audiences: []string{"api://licensor"}, PermissionsClaim: "roles",
			Permissions: map[string][]string{"reader": {"User.Read.All"}},
		}},
	}}) // the snapshot is of this commit
	h.after = 1 << 30
	h.reopen()
	playAfterSnapshot(h)
	before := h.held()
	h.reopen()
	wantHeld(t, h.held(), before)
	if *writeFormat == 0 {
		return
	}
	h.close()
	base := filepath.Join("testdata", fmt.Sprintf("format-%d", *writeFormat))
	err := os.WriteFile(base+".db", mustRead(t, h.path), 0o644)
	if err := errors.Join(err, os.WriteFile(base+".json", []byte(before), 0o644)); err != nil {
		t.Fatal(err)
	}
}

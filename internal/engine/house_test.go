package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/store/sqlite"
	"licensor/internal/tenant"
)

// house is a store with one tenant, and a clock and ids that a test can repeat.
type house struct {
	tb      testing.TB
	path    string
	world   *memory.World // if not nil, used instead of the path
	store   store.Store
	tenants *engine.Tenants
	*engine.Tenant
	clock atomic.Int64 // seconds since 1970
	ids   atomic.Uint32
	after int          // Options.SnapshotAfter
	log   *slog.Logger // nil: nowhere
}

var (
	e3  = uuid.MustParse("6fd2c87f-b296-42f0-b197-1e91e994b900")
	ems = uuid.MustParse("efccb6f7-5641-4e0e-bd10-b4976e1bf68e")
)

func newHouse(tb testing.TB, snapshotAfter int) *house {
	tb.Helper()
	h := &house{tb: tb, path: filepath.Join(tb.TempDir(), "licensor.db"), after: snapshotAfter}
	h.build()
	return h
}

// newHouseInMemory is newHouse for tests in which the store only has to keep what it is given: no
// disk is waited for.
func newHouseInMemory(tb testing.TB, snapshotAfter int) *house {
	tb.Helper()
	h := &house{tb: tb, world: memory.New(), after: snapshotAfter}
	h.build()
	return h
}

// build adds the tenant.
func (h *house) build() {
	h.tb.Helper()
	h.clock.Store(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC).Unix())
	h.open(nil)
	h.tb.Cleanup(h.close)
	org := directory.Organization{
		DisplayName: "Test", CountryLetterCode: "DE",
		VerifiedDomains: []directory.VerifiedDomain{{Name: "test.example", IsDefault: true, IsInitial: true, Type: "Managed"}},
	}
	t, err := h.tenants.Create(h.tb.Context(), uuid.UUID{1}, org, catalog.BuiltIn())
	if err != nil {
		h.tb.Fatal(err)
	}
	h.Tenant = t
}

// open opens the store and the tenant; between, if not nil, wraps the store.
func (h *house) open(between func(store.Store) store.Store) {
	h.tb.Helper()
	s := h.openStore()
	h.store = s
	if between != nil {
		h.store = between(s)
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if h.tenants, err = engine.Open(h.tb.Context(), h.store, h.options()); err != nil {
		h.tb.Fatal(err)
	}
	switch t, err := h.tenants.Tenant(h.tb.Context(), uuid.UUID{1}); {
	case err == nil:
		h.Tenant = t
	case !errors.Is(err, store.ErrNotFound):
		h.tb.Fatal(err)
	}
}

// all loads all tenants.
func (h *house) all() (list []*engine.Tenant) {
	h.tb.Helper()
	err := h.tenants.Each(h.tb.Context(), func(t *engine.Tenant) error {
		list = append(list, t)
		return nil
	})
	if err != nil {
		h.tb.Fatal(err)
	}
	return list
}

func (h *house) openStore() store.Store {
	h.tb.Helper()
	if h.world != nil {
		return h.world.Open()
	}
	s, err := sqlite.Open(h.tb.Context(), h.path)
	if err != nil {
		h.tb.Fatal(err)
	}
	return s
}

func (h *house) options() engine.Options {
	return engine.Options{
		Now: func() time.Time { return time.Unix(h.clock.Load(), 0) }, NewID: h.newID,
		Log: h.log, SnapshotAfter: h.after,
	}
}

func (h *house) newID() uuid.UUID {
	n := h.ids.Add(1)
	id := uuid.UUID{6: 0x40, 8: 0x80}
	binary.BigEndian.PutUint32(id[12:], n)
	binary.BigEndian.PutUint32(id[:], n*2654435761)
	return id
}

func (h *house) close() {
	if h.tenants == nil {
		return
	}
	if err := errors.Join(h.tenants.Close(context.Background()), h.store.Close()); err != nil {
		h.tb.Error(err)
	}
	h.tenants = nil
}

func (h *house) reopen() {
	h.tb.Helper()
	h.close()
	h.open(nil)
}

func (h *house) do(cmd tenant.Command) (tenant.Done, error) {
	return h.Do(h.tb.Context(), "user test", cmd)
}

func (h *house) must(cmd tenant.Command) tenant.Done {
	h.tb.Helper()
	done, err := h.do(cmd)
	if err != nil {
		h.tb.Fatalf("%T: %v", cmd, err)
	}
	return done
}

func userPatch(tb testing.TB, body string, args ...any) directory.UserPatch {
	tb.Helper()
	patch, err := directory.ParseUserPatch(members(tb, fmt.Sprintf(body, args...)))
	if err != nil {
		tb.Fatal(err)
	}
	return patch
}

func members(tb testing.TB, body string) []directory.Member {
	tb.Helper()
	list, err := directory.Members([]byte(body))
	if err != nil {
		tb.Fatal(err)
	}
	return list
}

func newUser(tb testing.TB, name string) tenant.CreateUser {
	tb.Helper()
	return tenant.CreateUser{Patch: userPatch(tb, `{"accountEnabled":true,"displayName":%[1]q,"mailNickname":%[1]q,"userPrincipalName":"%[1]s@test.example",`+
		`"mail":"%[1]s@test.example","usageLocation":"DE","passwordProfile":{"password":"Secret-123"}}`, name)}
}

func newGroup(tb testing.TB, name string) tenant.CreateGroup {
	tb.Helper()
	patch, err := directory.ParseGroupPatch(members(tb, fmt.Sprintf(`{"displayName":%[1]q,"mailEnabled":false,"mailNickname":%[1]q,"securityEnabled":true}`, name)))
	if err != nil {
		tb.Fatal(err)
	}
	return tenant.CreateGroup{Patch: patch}
}

// content returns everything in an image, for comparison.
func content(tb testing.TB, img *tenant.Image) string {
	tb.Helper()
	var b bytes.Buffer
	head, err := json.Marshal(img.Licensing.Head())
	if err != nil {
		tb.Fatal(err)
	}
	fmt.Fprintf(&b, "%d %s\n%s\n%x\n", img.Seq, img.At, head, img.Directory.AppendHead(nil))
	for i := range img.Licensing.Parts() {
		fmt.Fprintf(&b, "%x\n%x\n", img.Licensing.AppendPart(nil, i), img.Licensing.AppendSets(nil, i))
	}
	for i := range img.Directory.Parts() {
		fmt.Fprintf(&b, "%x\n", img.Directory.AppendPart(nil, i))
	}
	rest, err := json.Marshal([]any{img.Organization, img.Subscriptions, img.Imports})
	if err != nil {
		tb.Fatal(err)
	}
	b.Write(rest)
	fmt.Fprintf(&b, "\n%v %v %v", slices.Collect(img.Grants.All()), img.Roles, img.SignIn)
	for l := range img.Links.All() {
		fmt.Fprintf(&b, "\n%v since %s", l, img.Links.Since(l))
	}
	appendObjects(&b, img.Applications, (*directory.Application).Document)
	appendObjects(&b, img.Principals, (*directory.ServicePrincipal).Document)
	appendObjects(&b, img.Units, (*directory.AdministrativeUnit).Document)
	fmt.Fprintf(&b, "\n%d memberships, %d of groups, %d of units", img.Memberships, img.Nested, img.UnitMembers.Len())
	for unit := range img.UnitMembers.Units() {
		fmt.Fprintf(&b, "\n%v %v", img.UnitMembers.Users(unit), img.UnitMembers.Groups(unit))
	}
	for part := range img.Trail.Parts() {
		fmt.Fprintf(&b, "\n%x", img.Trail.AppendPart(nil, part))
	}
	return b.String()
}

// appendObjects writes the documents and the values of objects.
func appendObjects[T any](b *bytes.Buffer, objects *directory.Objects[T], document func(*T) []byte) {
	for ordinal := range objects.Len() {
		object := objects.At(ordinal)
		if object == nil {
			continue
		}
		fmt.Fprintf(b, "\n%d %s", ordinal, document(object))
		for place, c := range objects.Columns().Schema().Columns {
			fmt.Fprintf(b, " %s %v", c.Name, objects.Columns().Value(ordinal, place))
		}
	}
	fmt.Fprintf(b, "\nof %d", objects.Len())
}

package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/tenant"
)

// rowOf returns a line of an import that adds a user.
func rowOf(t *testing.T, line int, name string) []tenant.ImportRow {
	t.Helper()
	return []tenant.ImportRow{{Line: int64(line), User: &tenant.ImportUser{Patch: newUser(t, name).Patch}}}
}

func TestIdsOfImportsAreShort(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	h.refused(tenant.Import{ID: strings.Repeat("x", tenant.MaxImportID+1), Rows: rowOf(t, 1, "one")}, tenant.ProblemInvalid)
	h.must(tenant.Import{ID: strings.Repeat("x", tenant.MaxImportID), Rows: rowOf(t, 1, "one")})
}

// The latest thousand imports are remembered, however the tenant is opened.
func TestTheNewestImportsAreRemembered(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	h.must(tenant.Import{ID: "first", Rows: rowOf(t, 1, "one")})
	h.must(tenant.Import{ID: "second", Rows: rowOf(t, 2, "two")})
	h.must(tenant.Import{ID: "first", Rows: rowOf(t, 3, "three")}) // is later than the second one now
	for i := range 999 {
		// A line without content counts as well.
		h.must(tenant.Import{ID: fmt.Sprint(i), Rows: []tenant.ImportRow{{Line: 1}}})
	}
	for range 2 {
		imports := h.Image().Imports
		if len(imports) != 1000 || imports[0].ID != "first" || imports[0].Line != 3 || imports[999].ID != "998" {
			t.Fatalf("%d imports are remembered, from %+v on", len(imports), imports[0])
		}
		h.forgetSnapshots()
	}
	h.after = 1
	h.reopen()
	h.must(tenant.CreateUser{Patch: newUser(t, "more").Patch})
	want := content(t, h.Image())
	h.reopen()
	if got := content(t, h.Image()); got != want {
		t.Error("the snapshot has others")
	}
}

func TestAnImportIsForgottenAfterAWeek(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	h.must(tenant.Import{ID: "file", Rows: rowOf(t, 5, "one")})
	h.clock.Add(int64((7*24*time.Hour - time.Second).Seconds()))
	if done := h.must(tenant.Import{ID: "file", Rows: rowOf(t, 5, "two")}); done.Skipped != 1 {
		t.Errorf("skipped %d within a week", done.Skipped)
	}
	h.clock.Add(1)
	if done := h.must(tenant.Import{ID: "file", Rows: rowOf(t, 5, "two")}); done.Skipped != 0 || len(done.Rows) != 0 {
		t.Errorf("skipped %d after a week, refused %v", done.Skipped, done.Rows)
	}
	h.must(tenant.Import{ID: "other", Rows: rowOf(t, 1, "three")})
	h.clock.Add(int64((8 * 24 * time.Hour).Seconds()))
	h.must(tenant.Import{ID: "last", Rows: rowOf(t, 1, "four")})
	for range 2 {
		if imports := h.Image().Imports; len(imports) != 1 || imports[0].ID != "last" {
			t.Errorf("%+v are remembered", imports)
		}
		h.forgetSnapshots()
	}
}

// Whether a group is role-assignable is checked when a line is imported: someone else may have
// created the group after the caller was checked.
func TestAnImportAddsNobodyToAGroupThatCanHaveRoles(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	why := errors.New("not for you")
	group := uuid.UUID{9}
	lines := append(rowOf(t, 1, "one"),
		tenant.ImportRow{Line: 2, Group: &tenant.ImportGroup{ID: group, Patch: groupPatch(t, `{"displayName":"x","mailEnabled":false,"mailNickname":"x","securityEnabled":true,"isAssignableToRole":true}`)}},
		tenant.ImportRow{Line: 3, Membership: &tenant.Membership{Group: group.String(), Member: "one@test.example"}})
	done := h.must(tenant.Import{Rows: lines, NoRoles: why})
	if len(done.Rows) != 1 || done.Rows[0].Line != 3 || !errors.Is(done.Rows[0].Problem, why) {
		t.Errorf("refused: %v", done.Rows)
	}
	if done = h.must(tenant.Import{Rows: lines[2:]}); len(done.Rows) != 0 {
		t.Errorf("by who may give roles: %v", done.Rows)
	}
}

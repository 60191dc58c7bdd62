package engine_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/tenant"
)

// A tenant takes memory for its content: data that is the same for many tenants, such as the
// catalog, is shared, and nothing is allocated in advance. No other test runs at the same time.
func TestATenantOfAHundredUsersIsSmall(t *testing.T) {
	const tenants, users = 100, 100
	const most = 120 << 10 // bytes; 84 KB on 64 bits, and some for what other tests leave behind
	h := newHouse(t, 1<<30)
	before := heap()
	for n := range tenants {
		org := directory.Organization{
			DisplayName: "Test", CountryLetterCode: "DE",
			VerifiedDomains: []directory.VerifiedDomain{
				{Name: fmt.Sprintf("t%d.example", n), IsDefault: true, IsInitial: true, Type: "Managed"},
			},
		}
		one, err := h.tenants.Create(t.Context(), uuid.New(), org, catalog.BuiltIn())
		if err != nil {
			t.Fatal(err)
		}
		var rows []tenant.ImportRow
		for u := range users {
			patch, err := directory.ParseUserImport(members(t, fmt.Sprintf(`{"accountEnabled":true,"displayName":"User %[1]d",`+
				`"mailNickname":"u%[1]d","userPrincipalName":"u%[1]d@t%[2]d.example","department":"Department %[1]d of many",`+
				`"jobTitle":"Title %[1]d","city":"A town with the number %[1]d"}`, u, n)))
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, tenant.ImportRow{Line: int64(u + 1), User: &tenant.ImportUser{Patch: patch}})
		}
		if _, err := one.Do(t.Context(), "system", tenant.Import{Rows: rows}); err != nil {
			t.Fatal(err)
		}
	}
	made := (heap() - before) / tenants
	h.reopen()
	opened := (heap() - before) / tenants
	t.Logf("%d bytes a tenant, %d after a restart", made, opened)
	if made > most || opened > most {
		t.Errorf("a tenant takes %d bytes, %d after a restart; at most %d are right", made, opened, most)
	}
}

// heap returns the bytes in use.
func heap() int64 {
	for range 2 { // the first does not free objects with finalizers
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

package engine

import (
	"licensor/internal/store"
)

// mostDuplicates is the maximum number of log lines about duplicates of a tenant.
const mostDuplicates = 100

// reportDuplicates logs duplicates in a loaded tenant of values that must be unique, which earlier
// versions allowed. They are kept, because only an administrator can tell which one is right.
func (all *Tenants) reportDuplicates(t *Tenant, others []store.Claim) {
	found, img := 0, t.Image()
	for problem := range img.Duplicates(others) {
		if found++; found <= mostDuplicates {
			t.options.Log.Warn("a value that must be unique is stored more than once", "tenant", t.id, "duplicate", problem)
		}
	}
	if found > mostDuplicates {
		t.options.Log.Warn("more values that must be unique are stored more than once",
			"tenant", t.id, "shown", mostDuplicates, "all", found)
	}
}

package engine_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"licensor/internal/tenant"
)

// However many callers change large rows at once, the writer has few of them at a time.
func TestATransactionHasFewLargeRows(t *testing.T) {
	t.Parallel()
	const changes, largeRows = 40, 5 // rows of 1.8 MB; 5 are more than a transaction waits for
	h := newHouse(t, 0)
	text := strings.Repeat("x", 900)
	large := `{"interests":["` + strings.Repeat(text+`","`, 999) + text + `"],"skills":["` + strings.Repeat(text+`","`, 999) + text + `"]}`
	var users []uint32
	for i := range changes {
		users = append(users, h.must(newUser(t, fmt.Sprint("user", i))).Ordinal)
	}
	before := h.Stats()
	var wait sync.WaitGroup
	for _, user := range users {
		wait.Go(func() {
			if _, err := h.do(tenant.UpdateUser{User: user, Patch: userPatch(t, "%s", large)}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	after := h.Stats()
	commits, transactions := after.Commits-before.Commits, after.Batches-before.Batches
	if commits != changes || commits > largeRows*transactions {
		t.Errorf("%d changes were made in %d transactions", commits, transactions)
	}
}

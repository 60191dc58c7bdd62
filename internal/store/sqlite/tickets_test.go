package sqlite

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// The space of expired tickets is reused: a steady flow of tickets does not make the file larger.
func TestExpiredTicketsMakeRoom(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "licensor.db"))
	pages := func() (n int) {
		t.Helper()
		if err := s.writer.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const lives, minutes, aMinute = 5, 40, 60
	now := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	settled := 0
	for minute := range minutes {
		for i := range aMinute {
			ticket := store.Ticket{
				ID: sha256.Sum256(fmt.Append(nil, minute, " ", i)), Tenant: firstTenant,
				Family:  uuid.NewSHA1(firstTenant, fmt.Append(nil, minute, i)),
				Expires: now.Add(lives * time.Minute), Data: make([]byte, 300),
			}
			if err := s.AddTicket(t.Context(), ticket); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(time.Minute)
		if _, err := s.DropTickets(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if minute == 2*lives {
			settled = pages()
		}
	}
	if got := pages(); got > settled+settled/10 {
		t.Errorf("the file has grown from %d to %d pages", settled, got)
	}
}

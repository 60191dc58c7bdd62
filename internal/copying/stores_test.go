package copying_test

import (
	"testing"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/store/storetest"
	"licensor/internal/store/storetest/everystore"
)

func TestMain(m *testing.M) { everystore.Main(m) }

var (
	stores    = everystore.Kinds
	written   = everystore.Written
	saved     = everystore.Snapshot
	wantError = everystore.WantError
)

func write(t *testing.T, s store.Store, a storetest.Author, id uuid.UUID, many int) {
	t.Helper()
	if _, err := a.Write(t.Context(), s, id, many); err != nil {
		t.Fatal(err)
	}
}

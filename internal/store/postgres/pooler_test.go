package postgres_test

import (
	"testing"

	"licensor/internal/store"
	"licensor/internal/store/postgres"
	"licensor/internal/store/postgres/postgrestest"
	"licensor/internal/store/storetest"
)

// TestStoreBehindPooler runs the suite where each statement may be executed on another connection
// of the server.
func TestStoreBehindPooler(t *testing.T) {
	t.Parallel()
	through := postgrestest.Pooler(t, postgrestest.Empty(t))
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, storetest.Stores{Shared: true, New: func(t *testing.T) storetest.Place {
			url := through(postgrestest.Database(t))
			return func(t *testing.T) store.Store { return open(t, url) }
		}})
	})
	url := through(postgrestest.Empty(t))
	if err := postgres.Create(t.Context(), url, postgres.Options{}); err != nil {
		t.Errorf("make the tables: %v", err)
	}
	if err := tryOpen(t, url, postgres.Options{}); err != nil {
		t.Error(err)
	}
}

package postgres_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"licensor/internal/store"
	"licensor/internal/store/postgres"
	"licensor/internal/store/postgres/postgrestest"
	"licensor/internal/store/storetest"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(childEnv); url != "" {
		child(url)
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		postgrestest.Close()
		os.Exit(code)
	}), goleak.IgnoreAnyFunction("licensor/internal/store/postgres/postgrestest.run.func1"))
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Stores{Shared: true, New: func(t *testing.T) storetest.Place {
		url := postgrestest.Database(t)
		return func(t *testing.T) store.Store { return open(t, url) }
	}})
}

func open(t testing.TB, url string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
	"licensor/internal/store/postgres/postgrestest"
)

// TestLargeValuesAreCompressedWithLZ4 where the server can, but not behind a pooler, where other
// programs would have the setting, too.
func TestLargeValuesAreCompressedWithLZ4(t *testing.T) {
	t.Parallel()
	url := postgrestest.Database(t)
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	var usual string
	const setting = "SELECT setting FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)"
	if err := db.QueryRow(t.Context(), setting).Scan(&usual); err != nil {
		t.Skip("the server has no lz4: PostgreSQL has it since version 14, if it was built with it")
	}
	through := postgrestest.Pooler(t, postgrestest.Empty(t))
	for _, test := range []struct{ name, url, want string }{{"direct", url, "lz4"}, {"pooler", through(url), usual}} {
		s := open(t, test.url)
		tenant := withTenant(t, s)
		part := store.Part{Name: test.name, Data: []byte(strings.Repeat("Person 7 of many", 10_000))}
		if err := s.SaveParts(t.Context(), tenant, []store.Part{part}, time.Now()); err != nil {
			t.Fatal(err)
		}
		var got string
		const compression = "SELECT pg_column_compression(data) FROM licensor.part WHERE name = $1"
		if err := db.QueryRow(t.Context(), compression, test.name).Scan(&got); err != nil || got != test.want {
			t.Errorf("%s: compressed with %q, %v; want %s", test.name, got, err, test.want)
		}
	}
}

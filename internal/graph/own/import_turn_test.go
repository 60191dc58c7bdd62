package own

import (
	"bufio"
	"context"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/graph/wire"
	"licensor/internal/store/sqlite"
)

// A caller whose time is over while its import waits for a turn is told that, and not that the body
// has ended.
func TestAnImportThatGetsNoTurnSaysWhy(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "licensor.db"))
	if err != nil {
		t.Fatal(err)
	}
	tenants, err := engine.Open(ctx, store, engine.Options{Now: time.Now, NewID: uuid.New})
	if err != nil {
		t.Fatal(err)
	}
	contoso, err := tenants.Create(ctx, uuid.New(), directory.Organization{
		DisplayName: "Contoso", CountryLetterCode: "DE",
		VerifiedDomains: []directory.VerifiedDomain{{Name: "contoso.example", IsDefault: true, IsInitial: true, Type: "Managed"}},
	}, catalog.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(tenants.Close(context.WithoutCancel(ctx)), store.Close()); err != nil {
			t.Error(err)
		}
	})
	for range runtime.GOMAXPROCS(0) { // all turns, and one that is not to be had
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		turn, err := contoso.Turn(ctx)
		if err == nil {
			defer turn.End()
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	r := wire.NewRequest(over, nil, httptest.NewRequest("POST", "/", nil), &wire.Environment{
		Clock: time.Now, NewID: uuid.New,
	})
	r.Tenant = wire.Direct{Tenant: contoso}
	r.ImportPieces = 1
	lines := newLines(r, bufio.NewReader(strings.NewReader(`{"user":{}}`)), 1)
	if err := readPieces(r, lines, false, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("it says %v", err)
	}
}

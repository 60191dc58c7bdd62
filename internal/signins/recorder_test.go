package signins_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"licensor/internal/signins"
	"licensor/internal/store"
	"licensor/internal/store/memory"
)

var (
	contoso = uuid.MustParse("84841066-274d-4ec0-a5c1-276be684bdd3")
	noon    = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
)

func signIn(at time.Time) signins.SignIn {
	return signins.SignIn{Tenant: contoso, At: at, ID: uuid.New(), Kind: signins.KindInteractive}
}

func anything(*signins.SignIn) bool { return true }

func count(t *testing.T, r *signins.Recorder) int {
	t.Helper()
	page, err := r.Read(t.Context(), contoso, signins.Query{Holds: anything, Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.SignIns)
}

// TestU34AtMostAThousandASecond: what is over is counted, and other tenants and seconds have their
// own thousand.
func TestU34AtMostAThousandASecond(t *testing.T) {
	t.Parallel()
	r := signins.NewRecorder(memory.New().Open(), nil)
	for i := range signins.MostASecond + 5 {
		r.Report(signIn(noon.Add(time.Duration(i) * time.Microsecond)))
	}
	other := signIn(noon)
	other.Tenant = uuid.New()
	r.Report(other)
	r.Report(signIn(noon.Add(time.Second)))
	if n := count(t, r); n != signins.MostASecond+1 {
		t.Errorf("%d are kept", n)
	}
	if stats := r.Stats(); stats.Dropped != 5 || stats.Written != signins.MostASecond+2 {
		t.Errorf("counted %+v", stats)
	}
}

// failing is a store that fails until it is repaired, after it has written what it was given.
type failing struct {
	*memory.Store
	broken atomic.Bool
	tried  atomic.Int64
}

func (f *failing) AddSignIns(ctx context.Context, list []store.SignIn, seen []store.Activity) error {
	f.tried.Add(1)
	err := f.Store.AddSignIns(ctx, list, seen)
	if f.broken.Load() {
		return fmt.Errorf("the line broke: %w", store.ErrUnknown)
	}
	return err
}

// TestU34WrittenInTheBackground within a second, and again when that has failed, each once.
func TestU34WrittenInTheBackground(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &failing{Store: memory.New().Open()}
		s.broken.Store(true)
		var log strings.Builder
		r := signins.NewRecorder(s, logTo(&log))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { r.Run(ctx); close(done) }()
		r.Report(signIn(noon))
		r.Report(signIn(noon))
		time.Sleep(time.Second)
		synctest.Wait()
		if s.tried.Load() != 1 || r.Stats().Written != 0 || !strings.Contains(log.String(), "could not be written") {
			t.Errorf("tried %d times, counted %+v, logged %q", s.tried.Load(), r.Stats(), log.String())
		}
		s.broken.Store(false)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if r.Stats().Written != 2 {
			t.Errorf("counted %+v after the repair", r.Stats())
		}
		r.Report(signIn(noon))
		time.Sleep(time.Second)
		synctest.Wait()
		if r.Stats().Written != 3 || count(t, r) != 3 {
			t.Errorf("counted %+v", r.Stats())
		}
		stop()
		<-done
	})
}

// TestAPageReadsABoundedPart: a condition that nothing fulfills has a next page, too.
func TestAPageReadsABoundedPart(t *testing.T) {
	t.Parallel()
	s := memory.New().Open()
	var rows []store.SignIn
	for i := range 21_000 {
		id := uuid.UUID{byte(i), byte(i >> 8)}
		rows = append(rows, store.SignIn{Tenant: contoso, At: noon, ID: id, Data: []byte("{}")})
	}
	if err := s.AddSignIns(t.Context(), rows, nil); err != nil {
		t.Fatal(err)
	}
	r := signins.NewRecorder(s, nil)
	q := signins.Query{Holds: func(*signins.SignIn) bool { return false }, Limit: 10}
	page, err := r.Read(t.Context(), contoso, q)
	if err != nil || len(page.SignIns) != 0 || page.Next == nil {
		t.Fatalf("the first page is %+v, %v", page, err)
	}
	q.UpTo, q.After = page.UpTo, page.Next
	if page, err = r.Read(t.Context(), contoso, q); err != nil || page.Next != nil {
		t.Errorf("the second page is %+v, %v", page, err)
	}
}

func TestAnErrorOfTheStoreIsReturned(t *testing.T) {
	t.Parallel()
	s := &failing{Store: memory.New().Open()}
	s.broken.Store(true)
	r := signins.NewRecorder(s, nil)
	r.Report(signIn(noon))
	_, err := r.Read(t.Context(), contoso, signins.Query{Holds: anything, Limit: 1})
	if _, _, found := r.Find(t.Context(), contoso, uuid.New()); !errors.Is(err, store.ErrUnknown) || found == nil {
		t.Errorf("got %v and %v", err, found)
	}
}

func logTo(b *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

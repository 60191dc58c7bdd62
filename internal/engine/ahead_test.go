package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// gated is a store whose appends wait until the test tells their outcome.
type gated struct {
	store.Store
	begun     chan struct{}
	outcome   chan error // nil: the append is carried out
	appending atomic.Bool
	early     atomic.Int64 // claims during an append
}

func newGated(h *house) *gated {
	g := &gated{begun: make(chan struct{}), outcome: make(chan error)}
	h.close()
	h.open(func(s store.Store) store.Store { g.Store = s; return g })
	return g
}

func (g *gated) Append(
	ctx context.Context, id uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	g.appending.Store(true)
	defer g.appending.Store(false)
	g.begun <- struct{}{}
	if err := <-g.outcome; err != nil {
		return err
	}
	return g.Store.Append(ctx, id, at, commits, objects)
}

func (g *gated) Claim(ctx context.Context, id uuid.UUID, names []string, at time.Time) ([]store.Claim, error) {
	if g.appending.Load() {
		g.early.Add(1)
	}
	return g.Store.Claim(ctx, id, names, at)
}

// noticed is a command that tells when it is executed.
func noticed(cmd tenant.Command) (_ tenant.Command, executed chan struct{}) {
	executed = make(chan struct{}, 8)
	return tenant.If{Holds: func(*tenant.Image) bool { executed <- struct{}{}; return true }, Then: cmd}, executed
}

// begin sends a command and returns its result later.
func (h *house) begin(ctx context.Context, cmd tenant.Command) <-chan error {
	result := make(chan error, 1)
	go func() {
		_, err := h.Do(ctx, "test", cmd)
		result <- err
	}()
	return result
}

// A command that is executed while the batch before it is made durable gets the answer that follows
// from the outcome of that batch.
func TestWhatIsExecutedAheadFollowsFromWhatBecameDurable(t *testing.T) {
	t.Parallel()
	for name, outcome := range map[string]error{"durable": nil, "not durable": errDisk} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 0)
			g := newGated(h)
			first := h.begin(t.Context(), newUser(t, "ann"))
			<-g.begun
			same, executed := noticed(newUser(t, "ann"))
			second := h.begin(t.Context(), same)
			<-executed
			other, executed := noticed(newUser(t, "ben"))
			third := h.begin(t.Context(), other)
			<-executed
			g.outcome <- outcome
			<-g.begun
			if err := <-first; !errors.Is(err, outcome) {
				t.Errorf("the first is told %v, want %v", err, outcome)
			}
			g.outcome <- nil
			want := tenant.ProblemTaken
			if outcome != nil {
				want = 0
			}
			if err := <-second; kindOf(err) != want || (err == nil) != (want == 0) {
				t.Errorf("the second is told %v, want kind %d", err, want)
			}
			if err := <-third; err != nil {
				t.Errorf("the third is told %v", err)
			}
			for _, name := range []string{"ann", "ben"} {
				if _, err := h.Image().LiveUser(name + "@test.example"); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A command that its caller withdraws after it was executed ahead has no effect on those after it.
func TestWhatIsWithdrawnAfterItWasExecutedAheadIsNotDone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	g := newGated(h)
	first := h.begin(t.Context(), newUser(t, "ann"))
	<-g.begun
	ctx, cancel := context.WithCancel(t.Context())
	withdrawn, executed := noticed(newUser(t, "ben"))
	second := h.begin(ctx, withdrawn)
	<-executed
	same, executed := noticed(newUser(t, "ben"))
	third := h.begin(t.Context(), same)
	<-executed
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) || kindOf(err) != 0 {
		t.Errorf("the caller is told %v", err)
	}
	g.outcome <- nil
	<-g.begun
	g.outcome <- nil
	if err := errors.Join(<-first, <-third); err != nil {
		t.Errorf("the others are told %v", err)
	}
}

// Names are claimed in the store only when the batch before is durable, since others see a claim at
// once.
func TestNothingIsClaimedAhead(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	g := newGated(h)
	first := h.begin(t.Context(), newUser(t, "ann"))
	<-g.begun
	trust, executed := noticed(tenant.UpdateSignIn{SignIn: directory.SignIn{
		TrustedIssuers: []directory.TrustedIssuer{{Issuer: "https://issuer.example", Audiences: []string{"a"}, PermissionsClaim: "roles"}},
	}})
	second := h.begin(t.Context(), trust)
	<-executed
	g.outcome <- nil
	<-g.begun
	g.outcome <- nil
	if err := errors.Join(<-first, <-second); err != nil {
		t.Error(err)
	}
	if early := g.early.Load(); early > 0 {
		t.Errorf("names were claimed %d times during an append", early)
	}
	if claims, err := h.store.ClaimsOf(t.Context(), h.ID()); err != nil || len(claims) < 2 {
		t.Errorf("the tenant has the claims %v, %v", claims, err)
	}
}

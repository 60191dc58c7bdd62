package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/store/storetest"
	"licensor/internal/tenant"
)

// Simulations are played for so long, but not more than so many, unless LICENSOR_SEEDS says how
// many.
const (
	simulationTime = time.Minute
	simulations    = 1000
)

// TestSimulation plays random commands of several callers over a store that fails in every way,
// with crashes in between. The log is trimmed, and the tenant is dropped and loaded again. It plays
// a new seed each time; a seed determines everything:
//
//	LICENSOR_SEED=7 go test ./internal/engine -run TestSimulation     # plays one again
//	LICENSOR_SEEDS=5000 go test ./internal/engine -run TestSimulation # plays many
//
// The last line of the log tells whether two runs of a seed were the same.
func TestSimulation(t *testing.T) {
	t.Parallel()
	played := 0
	for seed := range seeds(t) {
		done := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newSimulation(t, seed).play() })
		})
		if played++; !done {
			t.Fatalf("play it again with LICENSOR_SEED=%d go test ./internal/engine -run '^TestSimulation$'", seed)
		}
	}
	t.Logf("played %d seeds", played)
}

// seeds yields the seeds in the environment, or new ones for a while.
func seeds(t *testing.T) func(yield func(uint64) bool) {
	number := func(name string) (uint64, bool) {
		text := os.Getenv(name)
		if text == "" {
			return 0, false
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("%s must be a number: %v", name, err)
		}
		return n, true
	}
	return func(yield func(uint64) bool) {
		if one, ok := number("LICENSOR_SEED"); ok {
			yield(one)
			return
		}
		many, counted := number("LICENSOR_SEEDS")
		if !counted {
			many = simulations
		}
		first, until := uint64(rand.Uint32()), time.Now().Add(simulationTime)
		for seed := first; seed < first+many && (counted || time.Now().Before(until)); seed++ {
			if !yield(seed) {
				return
			}
		}
	}
}

// simulation is a tenant over a store in memory with an unreliable connection, in a bubble of
// synctest: time advances only when all goroutines wait, so waiting takes no time.
type simulation struct {
	*house
	random  *rand.Rand // of the actions
	line    *storetest.Unreliable
	weather *weather
	archive archived
	calls   []*call
	callers sync.WaitGroup
}

// call is a command that was sent, with a name of its own.
type call struct {
	actor string
	cmd   tenant.Command
	done  tenant.Done
	err   error
}

func newSimulation(t *testing.T, seed uint64) *simulation {
	random := rand.New(rand.NewPCG(seed, 0))
	after := []int{1, 400, 4000, 1 << 30}[random.IntN(4)]
	s := &simulation{
		house:   &house{tb: t, world: memory.New(), after: after},
		random:  random,
		weather: newWeather(seed),
		archive: archived{},
	}
	s.build()
	s.crash() // from now on the store is behind the connection
	for _, c := range []tenant.CreateSubscription{{SKUID: e3, TotalLicenses: 2}, {SKUID: ems, TotalLicenses: 1}} {
		s.must(c)
	}
	return s
}

// play plays rounds of commands, with crashes in between.
func (s *simulation) play() {
	for range 4 {
		for range s.random.IntN(8) {
			s.clock.Add(s.random.Int64N(3))
			s.round(s.weather.bad)
			s.weather.calm()
			time.Sleep(2 * time.Second) // until the writer knows the outcome of its last append
			s.checkPublished()
			switch s.random.IntN(6) {
			case 0:
				s.trim(s.ID(), true)
				s.checkPublished()
			case 1:
				s.evict()
			}
		}
		s.round(func() { s.weather.breaking(s.random.IntN(6)) })
		s.crash()
	}
	s.check()
	img := s.Image()
	s.tb.Logf("%d calls, %d commits, chain %x", len(s.calls), img.Seq, img.Chain)
}

// round sends some commands while the writer waits for the store, so that some share a transaction,
// and changes the weather before they continue.
func (s *simulation) round(change func()) {
	s.weather.hold()
	for range 1 + s.random.IntN(6) {
		s.send(s.command())
		synctest.Wait()
	}
	change()
	s.weather.release()
	if s.weather.breaks() {
		time.Sleep(time.Duration(s.random.IntN(3000)) * time.Millisecond)
		return
	}
	s.callers.Wait()
}

// send sends a command. Some callers do not wait for long.
func (s *simulation) send(cmd tenant.Command) {
	c := &call{actor: fmt.Sprint("user ", len(s.calls)), cmd: cmd}
	s.calls = append(s.calls, c)
	ctx, cancel := context.Background(), func() {}
	if s.random.IntN(5) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(s.random.IntN(2000))*time.Millisecond)
	}
	t := s.Tenant
	s.callers.Go(func() {
		defer cancel()
		c.done, c.err = t.Do(ctx, c.actor, c.cmd)
	})
}

// must is house.must for a command that is recorded as a call.
func (s *simulation) must(cmd tenant.Command) tenant.Done {
	s.tb.Helper()
	c := &call{actor: fmt.Sprint("user ", len(s.calls)), cmd: cmd}
	s.calls = append(s.calls, c)
	if c.done, c.err = s.Do(context.Background(), c.actor, cmd); c.err != nil {
		s.tb.Fatalf("%T: %v", cmd, c.err)
	}
	return c.done
}

// crash ends the program without letting it finish anything, and starts it again. An append that
// was in progress reaches the store before that, later, or never.
func (s *simulation) crash() {
	s.tb.Helper()
	_ = s.store.Close()                       // from now on nothing reaches the store
	_ = s.tenants.Close(context.Background()) // ends the goroutines
	s.callers.Wait()
	s.weather.calm()
	was, when := s.line, s.random.IntN(3)
	if was != nil && when == 0 {
		was.Arrive(s.world.Open())
	}
	s.line = &storetest.Unreliable{}
	s.line.Decide(s.weather.decide)
	s.open(func(opened store.Store) store.Store { s.line.Store = opened; return s.line })
	switch {
	case was == nil:
		return
	case when == 1: // while the new one starts
		s.weather.bring(func() { was.Arrive(s.world.Open()) })
		s.checkReplay()
	default:
		s.check()
	}
	for _, wrong := range was.Wrong() {
		s.tb.Error(wrong)
	}
}

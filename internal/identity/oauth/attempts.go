package oauth

import (
	"context"
	"crypto/sha256"
	"hash/maphash"
	"net/netip"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// attempts limits guessing: passwords of an account, passwords of many accounts from one address,
// and device codes. No one is refused because of guesses from elsewhere: otherwise wrong guesses
// could lock an owner out of an account. So attempts are counted by their origin (see source), and
// an attempt that comes too soon waits for its turn. It is refused only if the wait would be too
// long.
//
// All counts are in memory; a restart resets them.
type attempts struct {
	wait func(ctx context.Context, d time.Duration) error // waits; tests use their clock
	// So that an account that shares another's budget cannot be chosen deliberately.
	seed maphash.Seed

	mu sync.Mutex
	// When each budget would be full again, in nanoseconds since 1970. Accounts that share one, by
	// chance, share the limit for strangers.
	budgets []int64
	lanes   *lru.Cache[key, lane]
	lines   [2]line // of strangers, and of known devices and addresses
}

// key identifies what attempts are counted by.
type key [sha256.Size]byte

func keyOfAttempts(parts ...string) key { return sha256.Sum256([]byte(strings.Join(parts, " "))) }

// lane is the sequence of attempts from one place.
type lane struct {
	failed int
	until  time.Time // no later attempt before
	last   time.Time
}

// line counts the attempts in progress.
type line struct{ waiting, checking int }

// class is the queue of an attempt, so that strangers do not fill the queue of the others.
type class int

const (
	stranger class = iota
	known
)

const (
	// guessesPerHour is how many wrong passwords of an account are checked in any hour for all
	// strangers together, and also for each known device or address. Half of them may come in a
	// burst, the others one by one. Half of the budget of strangers is reserved for newcomers, so
	// that an owner at a new place is not locked out by others who are guessing.
	guessesPerHour = 100
	ofNewcomers    = guessesPerHour / 2
	newcomerTries  = 2 // the first attempts from a large network in a day
	newcomerAgain  = 24 * time.Hour

	// Attempts from one place at an account, after which the waiting time doubles each time.
	freeOfLane    = 5
	freeOfAddress = 20 // attempts at any accounts from one address, which may be that of a whole office

	longestOfStranger = 4 * time.Minute // between two attempts
	// So that, including the queued work, the right password is checked within 10.
	longestOfKnown   = 5 * time.Second
	longestOfAddress = time.Minute

	longestLine = 10 * time.Second // an attempt gets its turn within that time, or is refused immediately
	mostWaiting = 256              // waiting attempts in total, of each class
	// Strangers' attempts in total that are being checked: some 3 s of work for two processors.
	mostChecking = 256
	knownMore    = mostChecking / 4 // attempts of known devices and addresses

	forgotten   = time.Hour
	keptLanes   = 1 << 16
	keptBudgets = 1 << 16
)

func newAttempts() *attempts {
	return &attempts{
		wait:    waitFor,
		seed:    maphash.MakeSeed(),
		budgets: make([]int64, keptBudgets),
		lanes:   newCache[key, lane](keptLanes),
	}
}

func waitFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// limit is one limit of attempts: a lane, or a budget of so many in an hour.
type limit struct {
	key     key
	free    int
	longest time.Duration
	hourly  int

	newcomers *newcomers // that have a budget instead of this one
}

// newcomers are attempts from a large network with few recent attempts.
type newcomers struct {
	from   key // of a lane, which identifies them
	budget key
}

func (l limit) isBudget() bool { return l.hourly > 0 }

// interval returns the time between attempts when a budget is used up.
func (l limit) interval() int64 { return int64(time.Hour) / int64(l.hourly-l.atOnce()) }

func (l limit) atOnce() int { return l.hourly / 2 }

// ahead is how far in advance a budget may be used.
func (l limit) ahead() int64 { return int64(l.atOnce()-1) * l.interval() }

// ofAccount returns the key of a user name, whether or not the user exists.
func ofAccount(tenant, name string) key {
	return keyOfAttempts("account", tenant, strings.ToLower(name))
}

// ofAddress returns the limit of the address from which passwords of any accounts are tried.
// Loopback has no limit: it may be a proxy that is not configured (--trusted-proxy), and one
// guesser behind it would slow down all strangers.
func ofAddress(remote string) []limit {
	network, local := networkOf(remote)
	if local {
		return nil
	}
	return []limit{{key: keyOfAttempts("address", network.String()), free: freeOfAddress, longest: longestOfAddress}}
}

// networkOf returns the address of a connection, or for IPv6 its network, which belongs to one
// subscriber. local reports whether it is of this machine, or unknown.
func networkOf(remote string) (network netip.Prefix, local bool) {
	return prefixOf(remote, 32, 64)
}

// rangeOf returns the range within which an address probably changes.
func rangeOf(remote string) netip.Prefix {
	network, _ := prefixOf(remote, 24, 48)
	return network
}

// atLarge returns the network of a provider: a client with many addresses has most of them there.
func atLarge(remote string) netip.Prefix {
	network, _ := prefixOf(remote, 16, 32)
	return network
}

func prefixOf(remote string, of4, of6 int) (network netip.Prefix, local bool) {
	from, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}, true
	}
	address := from.Addr().Unmap().WithZone("")
	bits := of6
	if address.Is4() {
		bits = of4
	}
	network, err = address.Prefix(bits)
	return network, err != nil || address.IsLoopback()
}

// enter waits for an attempt's turn, or refuses it if the wait would be too long. The caller must
// call the returned function when the attempt is over.
func (a *attempts) enter(ctx context.Context, now time.Time, of class, limits ...limit) (leave func(), err error) {
	wait, err := a.begin(now, of, limits)
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		gone := a.wait(ctx, wait)
		if err := a.turn(of, gone); err != nil {
			return nil, err
		}
	}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.lines[of].checking--
	}, nil
}

// begin queues an attempt and returns its waiting time. It counts the attempt as failed before it
// is made, so that concurrent attempts cannot evade the limit; a refused one does not count. It
// sets the limits of the attempt.
func (a *attempts) begin(now time.Time, of class, limits []limit) (time.Duration, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, line := now, &a.lines[of]
	for i := range limits {
		a.welcome(&limits[i], now)
	}
	for _, l := range limits {
		if next := a.next(l, now); next.After(at) {
			at = next
		}
	}
	wait := at.Sub(now)
	if wait > longestLine {
		return 0, slowDown(wait)
	}
	switch {
	case wait > 0 && line.waiting >= mostWaiting, line.checking >= of.mostChecking():
		return 0, slowDown(time.Second)
	case wait > 0:
		line.waiting++
	default:
		line.checking++
	}
	for _, l := range limits {
		a.count(l, at)
	}
	return wait, nil
}

// welcome counts an attempt of a newcomer as such, unless its turn comes earlier with the others.
func (a *attempts) welcome(l *limit, now time.Time) {
	if l.newcomers == nil {
		return
	}
	early := limit{key: l.newcomers.budget, hourly: ofNewcomers, newcomers: l.newcomers}
	if a.triedFrom(*l.newcomers, now) < newcomerTries && !a.next(early, now).After(a.next(*l, now)) {
		*l = early
	} else {
		l.newcomers = nil
	}
}

// triedFrom returns the number of newcomers' attempts from their network.
func (a *attempts) triedFrom(n newcomers, now time.Time) int {
	known, _ := a.lanes.Get(n.from)
	if age := now.Sub(known.last); age >= newcomerAgain || age < -longestLine {
		return 0
	}
	return known.failed
}

// turn ends the waiting of an attempt, at its turn or because the client has disconnected.
func (a *attempts) turn(of class, gone error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	line := &a.lines[of]
	line.waiting--
	if gone != nil || line.checking >= of.mostChecking() {
		return slowDown(time.Second)
	}
	line.checking++
	return nil
}

func (of class) mostChecking() int {
	if of == known {
		return knownMore
	}
	return mostChecking
}

// next returns the time of the next attempt under one limit.
func (a *attempts) next(l limit, now time.Time) time.Time {
	if l.isBudget() {
		return time.Unix(0, a.budget(l, now)-l.ahead())
	}
	return a.lane(l, now).until
}

// count counts an attempt that is made at a time.
func (a *attempts) count(l limit, at time.Time) {
	if n := l.newcomers; n != nil {
		a.lanes.Add(n.from, lane{failed: a.triedFrom(*n, at) + 1, last: at})
	}
	if l.isBudget() {
		a.budgets[a.slot(l)] = max(a.budget(l, at), at.UnixNano()) + l.interval()
		return
	}
	now := a.lane(l, at)
	now.failed, now.last = now.failed+1, at
	if beyond := now.failed - l.free; beyond >= 0 {
		now.until = at.Add(min(l.longest, time.Second<<min(beyond, 10)))
	}
	a.lanes.Add(l.key, now)
}

// lane returns the state of a lane; an empty one after an hour, and after the clock was set back.
func (a *attempts) lane(l limit, now time.Time) lane {
	known, _ := a.lanes.Get(l.key)
	if age := now.Sub(known.last); age >= forgotten || age < -longestLine {
		return lane{}
	}
	return known
}

// budget returns when a budget is full again; zero if that is implausibly late, which happens after
// the clock was set back.
func (a *attempts) budget(l limit, now time.Time) int64 {
	full := a.budgets[a.slot(l)]
	if full-now.UnixNano() > l.ahead()+l.interval()+int64(longestLine) {
		return 0
	}
	return full
}

// slot returns the place of a budget. Their number is fixed, so that no budget is lost when many
// names are tried.
func (a *attempts) slot(l limit) uint64 { return maphash.Bytes(a.seed, l.key[:]) % keptBudgets }

// forgive reverts the count of a successful attempt by begin.
func (a *attempts) forgive(limits ...limit) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range limits {
		if n := l.newcomers; n != nil {
			a.lanes.Remove(n.from)
		}
		if l.isBudget() {
			a.budgets[a.slot(l)] -= l.interval()
		} else if known, ok := a.lanes.Get(l.key); ok {
			known.failed, known.until = known.failed-1, time.Time{}
			a.lanes.Add(l.key, known)
		}
	}
}

// forget removes the lane of a proven owner.
func (a *attempts) forget(l limit) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lanes.Remove(l.key)
}

// newCache returns a cache of at most size entries, which evicts the least recently used ones.
func newCache[K comparable, V any](size int) *lru.Cache[K, V] {
	cache, err := lru.New[K, V](size)
	if err != nil { // the size is a constant above zero
		panic(err)
	}
	return cache
}

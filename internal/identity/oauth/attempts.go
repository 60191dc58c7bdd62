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

// attempts bounds guessing: passwords of an account, passwords of many accounts from one address,
// and codes of devices. Nobody is refused for what others do elsewhere: an account could otherwise
// be taken from its owner by guessing wrongly on purpose. So an attempt is counted by where it
// comes from (see source), and one that comes too soon waits in line for its turn. Only when that
// is too far away it is refused.
//
// All of this is kept in memory; a restart forgives.
type attempts struct {
	wait func(ctx context.Context, d time.Duration) error // waits, in tests by the clock they set
	// So that nobody can choose an account that shares another's budget.
	seed maphash.Seed

	mu sync.Mutex
	// When each would be full again, in nanoseconds since 1970; accounts that share one, by chance,
	// share their strangers.
	budgets []int64
	lanes   *lru.Cache[key, lane]
	lines   [2]line // of strangers, and of known devices and addresses
}

// key names what attempts are counted by.
type key [sha256.Size]byte

func keyOfAttempts(parts ...string) key { return sha256.Sum256([]byte(strings.Join(parts, " "))) }

// lane is where attempts from one place follow each other.
type lane struct {
	failed int
	until  time.Time // no further one before
	last   time.Time
}

// line counts the attempts that are under way.
type line struct{ waiting, checking int }

// class says whose line an attempt is in, so that strangers do not fill that of the others.
type class int

const (
	stranger class = iota
	known
)

const (
	// guessesPerHour is how many wrong passwords of an account are checked in any hour for all
	// strangers together, and as many for each known device or address. Half of them may come at
	// once, the others follow one by one. Half of those of strangers are kept for newcomers, so that
	// an owner who has come to a new place is not shut out by those who guess already.
	guessesPerHour = 100
	ofNewcomers    = guessesPerHour / 2
	newcomerTries  = 2 // the first of a network at large in a day
	newcomerAgain  = 24 * time.Hour

	// Attempts from one place at an account; from then on each has to wait twice as long as the one
	// before.
	freeOfLane    = 5
	freeOfAddress = 20 // attempts at any accounts from one address, behind which there may be a whole office

	longestOfStranger = 4 * time.Minute // between two attempts
	// So that, with the work that is in line already, the right password is checked within 10.
	longestOfKnown   = 5 * time.Second
	longestOfAddress = time.Minute

	longestLine = 10 * time.Second // an attempt has its turn within that time, or is refused at once
	mostWaiting = 256              // attempts in all that wait for their turn, of each class
	// Strangers' attempts in all that are being checked: some 3 s of work for two processors.
	mostChecking = 256
	knownMore    = mostChecking / 4 // those of known devices and addresses

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

// limit is one thing that attempts are counted by: a lane, or a budget of so many in an hour.
type limit struct {
	key     key
	free    int
	longest time.Duration
	hourly  int

	newcomers *newcomers // who have a budget in place of this one
}

// newcomers are attempts from a network at large from which few have come lately.
type newcomers struct {
	from   key // of a lane, by which they are known
	budget key
}

func (l limit) isBudget() bool { return l.hourly > 0 }

// interval is how long after each other attempts come when a budget is used up.
func (l limit) interval() int64 { return int64(time.Hour) / int64(l.hourly-l.atOnce()) }

func (l limit) atOnce() int { return l.hourly / 2 }

// ahead is how far a budget may be used ahead.
func (l limit) ahead() int64 { return int64(l.atOnce()-1) * l.interval() }

// ofAccount is by a name that is signed in with, whether or not there is such a user.
func ofAccount(tenant, name string) key {
	return keyOfAttempts("account", tenant, strings.ToLower(name))
}

// ofAddress is by the address from which passwords of any accounts are tried. Loopback has no
// limit: a proxy may be there that is not named (--trusted-proxy), and one guesser behind it would
// slow down all strangers.
func ofAddress(remote string) []limit {
	network, local := networkOf(remote)
	if local {
		return nil
	}
	return []limit{{key: keyOfAttempts("address", network.String()), free: freeOfAddress, longest: longestOfAddress}}
}

// networkOf is the address of a connection: of IPv6 its network, because all of that is one
// subscriber's. Local says that it is of this machine, or not known.
func networkOf(remote string) (network netip.Prefix, local bool) {
	return prefixOf(remote, 32, 64)
}

// rangeOf is the range that an address is likely to be changed within.
func rangeOf(remote string) netip.Prefix {
	network, _ := prefixOf(remote, 24, 48)
	return network
}

// atLarge is the network that a provider has: who has many addresses has most of them there.
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

// enter waits for an attempt's turn, or refuses it when that is too far away. What it returns must
// be called when the attempt is over.
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

// begin takes a place in line and returns how long to wait there. It counts the attempt as failed
// before it is made, so that many at once do not get around it; one that is refused does not count.
// What it is counted by is in the limits afterwards.
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

// welcome has an attempt of a newcomer counted as such, unless its turn comes earlier with the
// others.
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

// triedFrom is how many attempts of newcomers have come from their network.
func (a *attempts) triedFrom(n newcomers, now time.Time) int {
	known, _ := a.lanes.Get(n.from)
	if age := now.Sub(known.last); age >= newcomerAgain || age < -longestLine {
		return 0
	}
	return known.failed
}

// turn ends the waiting of an attempt, by its turn or because the client has gone.
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

// next is when an attempt may be made as far as one limit goes.
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

// lane is how far attempts have come; an empty one after an hour, and after the clock was set back.
func (a *attempts) lane(l limit, now time.Time) lane {
	known, _ := a.lanes.Get(l.key)
	if age := now.Sub(known.last); age >= forgotten || age < -longestLine {
		return lane{}
	}
	return known
}

// budget is when one is full again; zero when that is further away than it can be, which is so
// after the clock was set back.
func (a *attempts) budget(l limit, now time.Time) int64 {
	full := a.budgets[a.slot(l)]
	if full-now.UnixNano() > l.ahead()+l.interval()+int64(longestLine) {
		return 0
	}
	return full
}

// slot is where a budget is kept. There are as many as there are, so that nobody can have one
// forgotten by trying many names.
func (a *attempts) slot(l limit) uint64 { return maphash.Bytes(a.seed, l.key[:]) % keptBudgets }

// forgive takes back what begin counted of an attempt that was right.
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

// forget ends the lane of who has shown to be the owner.
func (a *attempts) forget(l limit) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lanes.Remove(l.key)
}

// newCache makes a memory of at most size entries, of which those not used for longest are
// forgotten.
func newCache[K comparable, V any](size int) *lru.Cache[K, V] {
	cache, err := lru.New[K, V](size)
	if err != nil { // the size is a constant above zero
		panic(err)
	}
	return cache
}

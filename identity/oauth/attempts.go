package oauth

import (
	"crypto/sha256"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// attempts slows down who guesses: passwords of an account, or of many accounts from one address, or codes of devices. After so many
// failures each further one must wait, longer each time, up to a minute. Nobody is locked out: an account could otherwise be
// taken from its owner by guessing wrongly on purpose. It is kept in memory; a restart forgives.
type attempts struct {
	mu    sync.Mutex
	known *lru.Cache[[sha256.Size]byte, tries]
}

type tries struct {
	failed int
	until  time.Time // no further one before
	last   time.Time
}

const (
	knownAttempts = 1 << 16
	freeOfAccount = 5
	freeOfAddress = 20 // behind one address there may be a whole office
	longestWait   = time.Minute
	forgotten     = 15 * time.Minute
)

func newAttempts() *attempts {
	return &attempts{known: newCache[[sha256.Size]byte, tries](knownAttempts)}
}

// limit is one thing that attempts are counted by; of the zero one there may be as many as there are.
type limit struct {
	key  [sha256.Size]byte
	free int
}

// ofAccount is by a name that is signed in with, whether or not there is such a user.
func ofAccount(tenant, name string) limit {
	return limit{sha256.Sum256([]byte("account " + tenant + " " + strings.ToLower(name))), freeOfAccount}
}

func ofAddress(remote string) limit { return ofNetwork("address", remote) }

// ofCodes is by an address from which codes of devices are entered.
func ofCodes(remote string) limit { return ofNetwork("codes", remote) }

func ofNetwork(what, remote string) limit {
	network, ok := networkOf(remote)
	if !ok {
		return limit{}
	}
	return limit{sha256.Sum256([]byte(what + " " + network.String())), freeOfAddress}
}

// networkOf is the address of a connection: of IPv6 its network, for whoever has one address has all of that. Loopback is nobody's: it
// is the machine's own, or a proxy on it behind which everybody is, whom one guesser would shut out.
func networkOf(remote string) (netip.Prefix, bool) {
	from, err := netip.ParseAddrPort(remote)
	address := from.Addr().Unmap().WithZone("")
	if err != nil || address.IsLoopback() {
		return netip.Prefix{}, false
	}
	bits := 64
	if address.Is4() {
		bits = 32
	}
	network, err := address.Prefix(bits)
	return network, err == nil
}

// begin counts an attempt as failed, before it is made, so that many at once do not get around it. It answers how long to wait,
// when it may not be made now.
func (a *attempts) begin(now time.Time, limits ...limit) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	limits = slices.DeleteFunc(limits, func(l limit) bool { return l.free == 0 })
	for _, l := range limits {
		if known, ok := a.known.Get(l.key); ok && now.Before(known.until) {
			return known.until.Sub(now)
		}
	}
	for _, l := range limits {
		known, _ := a.known.Get(l.key)
		if now.Sub(known.last) >= forgotten {
			known = tries{}
		}
		known.failed, known.last = known.failed+1, now
		if beyond := known.failed - l.free; beyond >= 0 {
			known.until = now.Add(min(longestWait, time.Second<<min(beyond, 10)))
		}
		a.known.Add(l.key, known)
	}
	return 0
}

// succeeded takes back what begin counted: of an account all, since its owner is here; of an address this one only, since it
// may be that of a guesser who has an account too.
func (a *attempts) succeeded(account, address limit) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known.Remove(account.key)
	a.takeBack(address)
}

// forgive takes back what begin counted of a limit.
func (a *attempts) forgive(l limit) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.takeBack(l)
}

func (a *attempts) takeBack(l limit) {
	if known, ok := a.known.Get(l.key); ok {
		known.failed, known.until = known.failed-1, time.Time{}
		a.known.Add(l.key, known)
	}
}

// newCache makes a memory of at most size entries, of which those not used for longest are forgotten.
func newCache[K comparable, V any](size int) *lru.Cache[K, V] {
	cache, err := lru.New[K, V](size)
	if err != nil { // the size is a constant above zero
		panic(err)
	}
	return cache
}

package oauth

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// polls remembers when devices asked last. It is kept in memory: a device that asks too often after a restart does so once.
type polls struct {
	mu   sync.Mutex
	last *lru.Cache[[32]byte, poll]
}

type poll struct {
	at       time.Time
	interval time.Duration
}

const knownPolls = 1 << 14

func newPolls() *polls { return &polls{last: newCache[[32]byte, poll](knownPolls)} }

// pending says that the user has not signed in yet, and to ask less often when the device does not keep to the interval
// (RFC 8628 section 3.5). A second less is forgiven, for the network's sake.
func (p *polls) pending(id [32]byte, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.last.Get(id)
	if !ok {
		known = poll{interval: deviceInterval}
	}
	early := ok && now.Sub(known.at) < known.interval-time.Second
	if known.at = now; early {
		known.interval += deviceInterval
	}
	p.last.Add(id, known)
	if early {
		return refuse(70016, "slow_down", "The device asks too often: wait %d seconds between two requests.", int(known.interval.Seconds()))
	}
	return refuse(70016, "authorization_pending", "OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
}

// deviceBounds holds back who asks for codes for no device: each is kept in the store for its fifteen minutes, and may be asked for by
// anybody who knows a client id.
type deviceBounds struct {
	mu      sync.Mutex
	buckets *lru.Cache[netip.Prefix, *rate.Limiter]
}

const (
	knownAddresses   = 1 << 14
	devicesPerSecond = 1
	devicesAtOnce    = 60
)

func newDeviceBounds() *deviceBounds {
	return &deviceBounds{buckets: newCache[netip.Prefix, *rate.Limiter](knownAddresses)}
}

// take counts a code that an address asks for, and refuses one too many.
func (b *deviceBounds) take(remote string, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	network, local := networkOf(remote)
	if local {
		return nil
	}
	bucket, ok := b.buckets.Get(network)
	if !ok {
		bucket = rate.NewLimiter(devicesPerSecond, devicesAtOnce)
		b.buckets.Add(network, bucket)
	}
	if !bucket.AllowN(now, 1) {
		return &refusal{http.StatusTooManyRequests, 90055, "temporarily_unavailable", "There are too many incoming requests for device codes. Try again in a few seconds."}
	}
	return nil
}

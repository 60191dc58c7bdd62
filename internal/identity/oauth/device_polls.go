package oauth

import (
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// polls remembers when devices last polled. It is in memory: after a restart, a device can poll too
// often once.
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

// pending returns the refusal for a user who has not signed in yet, or for a device that does not
// keep to the interval (RFC 8628 section 3.5). It tolerates one second less, because of network
// delays.
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
		return refuse(70016, "slow_down",
			"The device asks too often: wait %d seconds between two requests.", int(known.interval.Seconds()))
	}
	return refuse(70016, "authorization_pending", "OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
}

// deviceBounds limits requests for device codes: each code is stored for fifteen minutes, and
// anyone who knows a client id can request one. They are limited by address, by address range, and
// in total.
type deviceBounds struct {
	byNetwork, byRange, byMachine *rates

	mu    sync.Mutex
	given []time.Time // the unexpired codes, oldest first
}

const (
	devicesAtOnce = 60 // burst of codes for one address; afterwards one a second
	devicesInAll  = 40_000

	// An address of this machine may be a proxy for others, or tests that sign in repeatedly.
	machineDevicesAtOnce = 1000
	machineDevicesEvery  = time.Second / 10
	rangeDevicesAtOnce   = 4 * devicesAtOnce
)

func newDeviceBounds() *deviceBounds {
	return &deviceBounds{
		byNetwork: newRates(devicesAtOnce, time.Second), byRange: newRates(rangeDevicesAtOnce, time.Second/4),
		byMachine: newRates(machineDevicesAtOnce, machineDevicesEvery),
	}
}

// ask counts a code that an address requests, and refuses it beyond the limit.
func (b *deviceBounds) ask(remote string, now time.Time) error {
	network, local := networkOf(remote)
	switch {
	case local && b.byMachine.take("", 1, now),
		!local && b.byNetwork.take(network.String(), 1, now) && b.byRange.take(rangeOf(remote).String(), 1, now):
		return nil
	}
	return tooManyDevices()
}

// give counts an issued code, and refuses it if too many are waiting.
func (b *deviceBounds) give(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	over := slices.IndexFunc(b.given, func(at time.Time) bool {
		age := now.Sub(at)
		return age >= 0 && age < deviceLife
	})
	if over < 0 {
		over = len(b.given)
	}
	if b.given = b.given[over:]; len(b.given) >= devicesInAll {
		return tooManyDevices()
	}
	b.given = append(b.given, now)
	return nil
}

func tooManyDevices() error {
	return tooMany("There are too many incoming requests for device codes. Try again in a few seconds.")
}

// Package throttle limits the requests of callers (docs/spec/protocol.md P43), in resource units:
// the cost of requests (cost.go), the buckets that the units are taken from (bucket.go), and the
// buckets that a request counts against. An application and its tenant have one each, callers
// without a valid token have that of their address, and guesses at a password count against the
// user.
//
//	buckets := throttle.New(throttle.Limits{PerApplication: 3500, PerTenant: 8000})
//	err := buckets.Admit(&charge, caller, cost, now, header) // a 429 when it is too much
//	…
//	charge.Work(spent, now, header) // work that took long costs more than it seemed
package throttle

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"licensor/internal/graph/problem"
	"licensor/internal/identity"
)

// Limits are the limits of callers, in resource units: the read of one object costs 1, others more.
// Each caller has a bucket, which is full initially and refills over the window.
type Limits struct {
	PerApplication int           // of an application in a tenant; 0: no limit
	PerTenant      int           // of all applications in a tenant together; 0: no limit
	Window         time.Duration // usualWindow if zero
}

// usualWindow is the window of Graph's own limits.
const usualWindow = 10 * time.Second

// Buckets are the buckets of callers. Only the most recently used ones are kept, so that their
// number is limited: a caller that returns later gets a full bucket, which its own would be by then
// anyway.
type Buckets struct {
	Limits
	applications *lru.Cache[applicationKey, *bucket]
	tenants      *lru.Cache[uuid.UUID, *bucket]
	strangers    *lru.Cache[netip.Prefix, *bucket]
	guesses      *lru.Cache[userKey, *bucket]
}

type applicationKey struct{ tenant, application uuid.UUID }

type userKey struct{ tenant, user uuid.UUID }

// keptBuckets is how many buckets of each kind are kept, about 200 bytes each.
const keptBuckets = 16384

// New returns buckets with limits.
func New(l Limits) *Buckets {
	l.Window = cmp.Or(l.Window, usualWindow)
	return &Buckets{
		Limits:       l,
		applications: newCache[applicationKey, *bucket](keptBuckets),
		tenants:      newCache[uuid.UUID, *bucket](keptBuckets),
		strangers:    newCache[netip.Prefix, *bucket](keptBuckets),
		guesses:      newCache[userKey, *bucket](keptBuckets),
	}
}

// newCache returns a cache with a capacity of at least 1, for which lru.New does not fail.
func newCache[K comparable, V any](size int) *lru.Cache[K, V] {
	cache, err := lru.New[K, V](size)
	if err != nil {
		panic(err)
	}
	return cache
}

// Forget resets all buckets, which would not refill after a clock was set back.
func (l *Buckets) Forget() {
	l.applications.Purge()
	l.tenants.Purge()
	l.strangers.Purge()
	l.guesses.Purge()
}

// bucketOf returns the bucket of a key, a full one if it is new; nil if there is no limit.
func bucketOf[K comparable](cache *lru.Cache[K, *bucket], key K, size int, window time.Duration) *bucket {
	if size <= 0 {
		return nil
	}
	if b, ok := cache.Get(key); ok {
		return b
	}
	made := newBucket(size, window)
	if b, ok, _ := cache.PeekOrAdd(key, made); ok {
		return b
	}
	return made
}

// Charge is the cost of a request to its caller. The zero value costs nothing.
type Charge struct {
	units   int        // by its kind
	buckets [2]*bucket // of the application and the tenant; nil if there is no limit
	extra   int        // units for long work, in addition to those
}

// Admit takes the cost of a request from the buckets of its application and its tenant, or from
// neither and refuses it with a *problem.ResponseError. It must be called once the caller is known
// and before any work. It sets the headers that report the cost to the caller.
func (l *Buckets) Admit(c *Charge, caller *identity.Caller, cost int, now time.Time, h http.Header) error {
	if cost == 0 {
		return nil
	}
	h["X-Ms-Resource-Unit"] = unitTexts[cost]
	c.units = cost
	if l.PerApplication <= 0 && l.PerTenant <= 0 {
		return nil
	}
	application := bucketOf(l.applications, applicationKey{caller.Tenant, caller.AppID}, l.PerApplication, l.Window)
	own, ok := application.take(now, cost)
	if !ok {
		return application.refuse(caller, cost, now, "Tenant_Application")
	}
	tenant := bucketOf(l.tenants, caller.Tenant, l.PerTenant, l.Window)
	if _, ok := tenant.take(now, cost); !ok {
		own.GiveBack(now)
		return tenant.refuse(caller, cost, now, "Tenant")
	}
	c.buckets = [2]*bucket{application, tenant}
	fuller := application
	if tenant.used(now) > application.used(now) {
		fuller = tenant
	}
	fuller.warn(h, now)
	return nil
}

// unitTime is the processor time that the units of a request cover, and that each further unit
// covers.
const unitTime = 10 * time.Millisecond

// Work takes more units for long work, whose time is known only at its end. It can no longer be
// refused, so a bucket may become negative: then its callers wait longer.
func (c *Charge) Work(spent time.Duration, now time.Time, h http.Header) {
	more := int(spent/unitTime) - c.extra
	if more <= 0 || c.units == 0 {
		return
	}
	c.extra += more
	h.Set("X-Ms-Resource-Unit", strconv.Itoa(c.units+c.extra))
	for _, b := range c.buckets {
		b.owe(now, more)
	}
}

// GuessesPerHour is how many wrong current passwords of a user are accepted per hour: a token may
// be stolen, and it must not be usable to guess its user's password.
const GuessesPerHour = 20

// Guess counts a guess at a user's current password. Return the unit if the guess is right.
func (l *Buckets) Guess(tenant, user uuid.UUID, now time.Time) (Taken, error) {
	b := bucketOf(l.guesses, userKey{tenant, user}, GuessesPerHour, time.Hour)
	guess, ok := b.take(now, 1)
	if !ok {
		return guess, problem.TooMany(b.until(now, 1))
	}
	return guess, nil
}

// unitTexts are the values of x-ms-resource-unit, by cost. No cost is above 6.
var unitTexts = func() (texts [10][]string) {
	for cost := range texts {
		texts[cost] = []string{strconv.Itoa(cost)}
	}
	return texts
}()

// worthSaying is the use of a bucket from which it is reported to its caller.
const worthSaying = 0.8

// warn reports the remaining units to a caller who has used most of its bucket.
func (b *bucket) warn(h http.Header, now time.Time) {
	if b == nil || b.used(now) < worthSaying {
		return
	}
	b.describe(h.Set, now, b.until(now, b.size))
}

func (b *bucket) describe(set func(name, value string), now time.Time, reset int) {
	set("RateLimit-Limit", strconv.Itoa(b.size))
	set("RateLimit-Remaining", strconv.Itoa(b.remaining(now)))
	set("RateLimit-Reset", strconv.Itoa(reset))
	set("x-ms-throttle-limit-percentage", strconv.FormatFloat(math.Round(b.used(now)*100)/100, 'f', -1, 64))
}

// refuse returns the 429 for a request that costs more than the bucket has left.
func (b *bucket) refuse(caller *identity.Caller, cost int, now time.Time, scope string) *problem.ResponseError {
	who := "The tenant's applications together"
	if scope != "Tenant" {
		who = fmt.Sprintf("Application %s", caller.AppID)
	}
	p := b.tooMany(now, cost, who)
	p.Header["x-ms-throttle-scope"] = fmt.Sprintf("%s/ReadWrite/%s/%s", scope, caller.AppID, caller.Tenant)
	return p
}

func (b *bucket) tooMany(now time.Time, cost int, who string) *problem.ResponseError {
	wait := b.until(now, cost)
	p := problem.TooMany(wait)
	b.describe(func(name, value string) { p.Header[name] = value }, now, wait)
	p.Header["x-ms-throttle-information"] = "ResourceUnitLimitExceeded"
	p.Detail = &problem.Detail{Code: "ResourceUnitLimitExceeded", Message: fmt.Sprintf(
		"%s may use %d resource units in %s. This request costs %d, and %d are left. Send it again after %d s.",
		who, b.size, b.window, cost, b.remaining(now), wait)}
	return p
}

package graph

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"licensor/internal/graph/problem"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
)

// Limits bound how much callers may ask for (P43), in resource units: the read of one object costs
// 1, others more (limits_cost.go). Each caller has a bucket of them that is full at first and fills
// again over the window.
type Limits struct {
	PerApplication int           // of an application in a tenant; 0: no bound
	PerTenant      int           // of all applications in a tenant together; 0: no bound
	Window         time.Duration // LimitWindow when zero
}

// LimitWindow is the window of Graph's own limits.
const LimitWindow = 10 * time.Second

// limits are the buckets of callers. They are kept for the last so many, so that their number is
// bounded: who has not come for that long finds a full bucket, which it would be by then anyway.
type limits struct {
	Limits
	applications *lru.Cache[applicationKey, *bucket]
	tenants      *lru.Cache[uuid.UUID, *bucket]
	strangers    *lru.Cache[netip.Prefix, *bucket]
	guesses      *lru.Cache[userKey, *bucket] // at the current password, see changePassword
}

type applicationKey struct{ tenant, application uuid.UUID }

type userKey struct{ tenant, user uuid.UUID }

// keptBuckets is how many buckets of each kind are kept, about 200 bytes each.
const keptBuckets = 16384

func newLimits(l Limits) *limits {
	l.Window = cmp.Or(l.Window, LimitWindow)
	return &limits{
		Limits:       l,
		applications: newCache[applicationKey, *bucket](keptBuckets),
		tenants:      newCache[uuid.UUID, *bucket](keptBuckets),
		strangers:    newCache[netip.Prefix, *bucket](keptBuckets),
		guesses:      newCache[userKey, *bucket](keptBuckets),
	}
}

// newCache makes a cache for a number of entries, 1 or more: then lru.New does not fail.
func newCache[K comparable, V any](size int) *lru.Cache[K, V] {
	cache, err := lru.New[K, V](size)
	if err != nil {
		panic(err)
	}
	return cache
}

// forget empties all buckets of what they remember. They would not fill up again after a clock was
// set back.
func (l *limits) forget() {
	l.applications.Purge()
	l.tenants.Purge()
	l.strangers.Purge()
	l.guesses.Purge()
}

// bucketOf is the bucket of a key, a full one when it is new; nil when there is no bound.
func bucketOf[K comparable](l *limits, cache *lru.Cache[K, *bucket], key K, size int) *bucket {
	if size <= 0 {
		return nil
	}
	if b, ok := cache.Get(key); ok {
		return b
	}
	made := newBucket(size, l.Window)
	if b, ok, _ := cache.PeekOrAdd(key, made); ok {
		return b
	}
	return made
}

// admit takes what a request costs out of the buckets of its application and its tenant, or out of
// neither and refuses it. It is done once the caller is known and before any work.
func (api *API) admit(r *request, cost int) error {
	if cost == 0 {
		return nil
	}
	h := r.w.Header()
	h["X-Ms-Resource-Unit"] = unitTexts[cost]
	r.units = cost
	l := api.limits
	if l.PerApplication <= 0 && l.PerTenant <= 0 {
		return nil
	}
	application := bucketOf(l, l.applications, applicationKey{r.caller.Tenant, r.caller.AppID}, l.PerApplication)
	own, ok := application.take(r.now, cost)
	if !ok {
		return application.refuse(r, cost, "Tenant_Application")
	}
	tenant := bucketOf(l, l.tenants, r.caller.Tenant, l.PerTenant)
	if _, ok := tenant.take(r.now, cost); !ok {
		own.giveBack(r.now)
		return tenant.refuse(r, cost, "Tenant")
	}
	r.buckets = [2]*bucket{application, tenant}
	fuller := application
	if tenant.used(r.now) > application.used(r.now) {
		fuller = tenant
	}
	fuller.warn(h, r.now)
	return nil
}

// unitTime is the processor's time that a request may take for the units of its kind, and for each
// further unit.
const unitTime = 10 * time.Millisecond

// chargeWork takes more units for work that was long, now that it is known. It was done before
// anybody could refuse it, so a bucket may come to hold less than nothing: then its callers wait
// the longer.
func (r *request) chargeWork() {
	extra := int(r.work.Spent()/unitTime) - r.charged
	if extra <= 0 || r.units == 0 {
		return
	}
	r.charged += extra
	r.w.Header().Set("X-Ms-Resource-Unit", strconv.Itoa(r.units+r.charged))
	for _, b := range r.buckets {
		b.owe(r.now, extra)
	}
}

// unitTexts are the values of x-ms-resource-unit, by cost. No cost is above 6.
var unitTexts = func() (texts [10][]string) {
	for cost := range texts {
		texts[cost] = []string{strconv.Itoa(cost)}
	}
	return texts
}()

// worthSaying is the use of a bucket from which on its caller is told of it.
const worthSaying = 0.8

// warn tells a caller who has used most of its bucket how much is left.
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

// refuse is the 429 for a request that costs more than the bucket has left.
func (b *bucket) refuse(r *request, cost int, scope string) *problem.Problem {
	who := "The tenant's applications together"
	if scope != "Tenant" {
		who = fmt.Sprintf("Application %s", r.caller.AppID)
	}
	p := b.tooMany(r.now, cost, who)
	p.Header["x-ms-throttle-scope"] = fmt.Sprintf("%s/ReadWrite/%s/%s", scope, r.caller.AppID, r.caller.Tenant)
	return p
}

func (b *bucket) tooMany(now time.Time, cost int, who string) *problem.Problem {
	wait := b.until(now, cost)
	p := problem.TooMany(wait)
	b.describe(func(name, value string) { p.Header[name] = value }, now, wait)
	p.Header["x-ms-throttle-information"] = "ResourceUnitLimitExceeded"
	p.Detail = &problem.Detail{Code: "ResourceUnitLimitExceeded", Message: fmt.Sprintf(
		"%s may use %d resource units in %s. This request costs %d, and %d are left. Send it again after %d s.", who, b.size, b.window, cost, b.remaining(now), wait)}
	return p
}

// Package devkit provides operations for testing programs, under /licensor/v1/development: a clock
// to move (clock.go), faults on demand (faults.go), delayed licenses of groups as in the real
// service (processing.go), any token (tokens.go), a reset to how the server started (reset.go,
// alone.go), and the permissions that requests would have needed (permissions.go). A server has it
// only if configured so.
//
// A Kit wraps the production code: Before is called before every operation, and Open wraps the
// tenant of a request. Rules are cited from docs/spec/protocol.md and docs/spec/licensing.md.
package devkit

import (
	"context"
	"sync"
	"time"

	"licensor/internal/clock"
	"licensor/internal/engine"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
)

// Kit has the clock, the faults and the other test functions of a server. Its operations exist only
// if the server has a Kit. Callers that may use them can act as any user of the tenant.
type Kit struct {
	clock      *clock.Clock
	tenants    func() []*engine.Tenant
	moving     sync.Mutex // the clock; guards start
	requests   requests
	noted      noted
	start      *start
	forget     []func(ctx context.Context) error
	faults     faults
	processing processing
}

// New returns a Kit for a server with the given clock and tenants.
func New(c *clock.Clock, tenants func() []*engine.Tenant) *Kit {
	d := &Kit{clock: c, tenants: tenants}
	d.faults.reset(1)
	return d
}

// Operations returns the operations under wire.DevelopmentRoot.
func (d *Kit) Operations() []wire.Operation {
	return []wire.Operation{
		{Method: "GET", Path: wire.DevelopmentRoot + "clock", Need: identity.Develop, Do: d.getClock},
		{Method: "PUT", Path: wire.DevelopmentRoot + "clock", Need: identity.Develop, Do: d.setClock},
		{Method: "GET", Path: wire.DevelopmentRoot + "faults", Need: identity.Develop, Do: d.getFaults},
		{Method: "PUT", Path: wire.DevelopmentRoot + "faults", Need: identity.Develop, Do: d.setFaults},
		{Method: "POST", Path: wire.DevelopmentRoot + "faults", Need: identity.Develop, Do: d.addFault},
		{Method: "DELETE", Path: wire.DevelopmentRoot + "faults", Need: identity.Develop, Do: d.deleteFaults},
		{Method: "GET", Path: wire.DevelopmentRoot + "groupProcessing", Need: identity.Develop, Do: d.getGroupProcessing},
		{Method: "PUT", Path: wire.DevelopmentRoot + "groupProcessing", Need: identity.Develop, Do: d.setGroupProcessing},
		{Method: "GET", Path: wire.DevelopmentRoot + "permissions", Need: identity.Develop, Do: d.getPermissions},
		{Method: "POST", Path: wire.DevelopmentRoot + "reset", Need: identity.Develop, Do: d.reset},
		{Method: "POST", Path: wire.DevelopmentRoot + "tokens", Need: identity.Develop, Do: d.mintToken},
	}
}

// Before is called before an operation. It applies changes that are due, and the faults for the
// request.
func (d *Kit) Before(r *wire.Request) error {
	if d == nil {
		return nil
	}
	d.processing.settle(r.Context(), r.Log, r.Now)
	if r.Op.IsDevelopment() {
		return nil
	}
	return d.faults.meet(r)
}

// Open returns the tenant for the requests of a moment.
func (d *Kit) Open(t *engine.Tenant, now time.Time) wire.Tenant {
	if d == nil {
		return wire.Direct{Tenant: t}
	}
	return heldTenant{wire.Direct{Tenant: t}, t, &d.processing, now}
}

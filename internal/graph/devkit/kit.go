// Package devkit is what others test their programs with, under /licensor/v1/development: a clock
// to move (clock.go), faults on demand (faults.go), licenses of groups that come later as with the
// real service (processing.go), and any token (tokens.go). A server has it only when it is told so.
//
// A Kit puts itself around what production has: Before stands before every operation, and Open
// around the tenant that a request finds. Rules are cited from docs/spec/protocol.md and
// docs/spec/licensing.md.
package devkit

import (
	"sync"
	"time"

	"licensor/internal/clock"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// Kit is the clock, the faults and what else there is of a server. Its operations are not there
// unless the server has it, and it is for nothing else: callers that may use them can act as any
// user of the tenant.
type Kit struct {
	clock      *clock.Clock
	tenants    func() []*tenant.Tenant
	moving     sync.Mutex // the clock
	faults     faults
	processing processing
}

// New makes one for a server whose clock and tenants these are.
func New(c *clock.Clock, tenants func() []*tenant.Tenant) *Kit {
	d := &Kit{clock: c, tenants: tenants}
	d.faults.reset(1)
	return d
}

// Operations are those under wire.DevelopmentRoot.
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
		{Method: "POST", Path: wire.DevelopmentRoot + "tokens", Need: identity.Develop, Do: d.mintToken},
	}
}

// Before is what happens before an operation: what is due comes, and the faults that the request
// meets.
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

// Open is a tenant as requests of a moment find it.
func (d *Kit) Open(t *tenant.Tenant, now time.Time) wire.Tenant {
	if d == nil {
		return wire.Direct{Tenant: t}
	}
	return heldTenant{wire.Direct{Tenant: t}, t, &d.processing, now}
}

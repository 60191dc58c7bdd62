package graph

import (
	"sync"
	"time"

	"licensor/internal/clock"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// Development is what others test their programs with, under /licensor/v1/development: a clock to
// move, faults on demand, licenses of groups that come later as with the real service, and any
// token. Its operations are not there unless a server has it, and it is for nothing else: whoever
// may use them can be anybody in the tenant.
type Development struct {
	clock      *clock.Clock
	tenants    func() []*tenant.Tenant
	moving     sync.Mutex // the clock
	faults     faults
	processing processing
}

// NewDevelopment makes one for a server whose clock and tenants these are.
func NewDevelopment(c *clock.Clock, tenants func() []*tenant.Tenant) *Development {
	d := &Development{clock: c, tenants: tenants}
	d.faults.reset(1)
	return d
}

// operations are those under developmentRoot.
func (d *Development) operations() []wire.Operation {
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

// before is what happens before an operation: what is due comes, and the faults that the request
// meets.
func (d *Development) before(r *wire.Request) error {
	if d == nil {
		return nil
	}
	d.processing.settle(r.Context(), r.Log, r.Now)
	if r.Op.IsDevelopment() {
		return nil
	}
	return d.faults.meet(r)
}

// opened is a tenant as requests of a moment find it.
func (d *Development) opened(t *tenant.Tenant, now time.Time) wire.Tenant {
	if d == nil {
		return wire.Direct{Tenant: t}
	}
	return heldTenant{wire.Direct{Tenant: t}, t, &d.processing, now}
}

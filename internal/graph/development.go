package graph

import (
	"sync"
	"time"

	"licensor/internal/clock"
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
func (d *Development) operations() []operation {
	return []operation{
		{method: "GET", path: developmentRoot + "clock", need: identity.Develop, do: d.getClock},
		{method: "PUT", path: developmentRoot + "clock", need: identity.Develop, do: d.setClock},
		{method: "GET", path: developmentRoot + "faults", need: identity.Develop, do: d.getFaults},
		{method: "PUT", path: developmentRoot + "faults", need: identity.Develop, do: d.setFaults},
		{method: "POST", path: developmentRoot + "faults", need: identity.Develop, do: d.addFault},
		{method: "DELETE", path: developmentRoot + "faults", need: identity.Develop, do: d.deleteFaults},
		{method: "GET", path: developmentRoot + "groupProcessing", need: identity.Develop, do: d.getGroupProcessing},
		{method: "PUT", path: developmentRoot + "groupProcessing", need: identity.Develop, do: d.setGroupProcessing},
		{method: "POST", path: developmentRoot + "tokens", need: identity.Develop, do: d.mintToken},
	}
}

// before is what happens before an operation: what is due comes, and the faults that the request
// meets.
func (d *Development) before(r *request) error {
	if d == nil {
		return nil
	}
	d.processing.settle(r.Context(), r.log, r.now)
	if r.op.isDevelopment() {
		return nil
	}
	return d.faults.meet(r)
}

// opened is a tenant as requests of a moment find it.
func (d *Development) opened(t *tenant.Tenant, now time.Time) handle {
	if d == nil {
		return direct{t}
	}
	return heldTenant{direct{t}, t, &d.processing, now}
}

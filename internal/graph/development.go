package graph

import (
	"slices"
	"sync"

	"licensor/internal/clock"
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

// withoutDevelopment is a table of operations without those that need a Development.
func withoutDevelopment(table []operation) []operation {
	return slices.DeleteFunc(slices.Clone(table), func(op operation) bool { return op.isDevelopment() })
}

// before is what happens before an operation: what is due comes, and the faults that the request
// meets.
func (d *Development) before(api *API, r *request) error {
	if d == nil {
		return nil
	}
	d.processing.settle(r.ctx, api.config.Log, r.now)
	r.processing = &d.processing
	if r.op.isDevelopment() {
		return nil
	}
	return d.faults.meet(r)
}

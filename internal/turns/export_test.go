package turns

import (
	"time"

	"github.com/google/uuid"
)

// SetBudget makes the budget of all work smaller than Budget.
func (p *Processors) SetBudget(d time.Duration) { p.budget = d }

// AtOnce is how much short work of a tenant continues at once.
func AtOnce(processors int) int { return atOnceOf(processors) }

// Long returns the turns that long work takes.
func (p *Processors) Long() *Turns { return p.long }

// Working is how much short work of a tenant continues.
func (p *Processors) Working(tenant uuid.UUID) int {
	p.short.mu.Lock()
	defer p.short.mu.Unlock()
	return p.short.held[tenant]
}

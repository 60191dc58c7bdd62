package turns

import "time"

// SetBudget makes the budget of all work smaller than Budget.
func (t *Turns) SetBudget(d time.Duration) { t.budget = d }

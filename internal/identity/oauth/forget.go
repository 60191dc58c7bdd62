package oauth

// Forget brings what is in memory back to how it was at the start: counts of attempts and rates,
// and tokens that would be given again. Tickets are in the store.
func (s *Server) Forget() {
	s.given.tokens.Purge()
	s.attempts.forgetAll()
	s.polls.forget()
	s.devices.forget()
	s.codes.forget()
	s.used.forget()
}

func (a *attempts) forgetAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.budgets)
	a.lanes.Purge()
}

func (r *rates) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.full.Purge()
}

func (p *polls) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last.Purge()
}

func (b *deviceBounds) forget() {
	for _, r := range []*rates{b.byNetwork, b.byRange, b.byMachine} {
		r.forget()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.given = nil
}

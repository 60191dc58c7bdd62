package model

import (
	"cmp"
	"slices"

	"github.com/google/uuid"
)

// pass processes users in the order of their creation (L52), again while a seat is freed for which an earlier user of the
// same pass had waited in vain.
func (w *work) pass(users Set, in scope) {
	for again := true; again; {
		again = false
		waits := Set{}
		for _, u := range w.Users {
			if !users[u.ID] {
				continue
			}
			out := w.process(u, in)
			for sku := range out.freed {
				again = again || waits[sku]
			}
			for sku := range out.waits {
				waits[sku] = true
			}
		}
	}
}

// reprocess takes all bundles of groups of the users, until a pass changes nothing in force (L70, L72).
func (w *work) reprocess(users Set) {
	for changed := true; changed; {
		changed = false
		for _, u := range w.Users {
			if users[u.ID] && w.process(u, allGroups).changed {
				changed = true
			}
		}
	}
}

// autoReprocess is L61: those touched, then those who wait for what became free.
func (w *work) autoReprocess() {
	w.reprocess(w.touched)
	for changed := true; changed; {
		changed = false
		for _, sku := range w.freed.sorted() {
			if w.serve(sku) {
				changed = true
			}
		}
	}
	w.reprocess(w.touched) // seats that were free when they were looked at may be others' now (L72)
}

// serve reprocesses the users who wait for a SKU, oldest error first, while it has a free seat.
func (w *work) serve(sku uuid.UUID) (changed bool) {
	for _, u := range w.waiting(sku) {
		if w.free(sku) == 0 {
			break
		}
		w.touched[u.ID] = true
		if w.process(u, allGroups).changed {
			changed = true
		}
	}
	return changed
}

func (w *work) waiting(sku uuid.UUID) []*User {
	w.stamp()
	oldest := map[*User]uint32{}
	var users []*User
	for _, u := range w.Users {
		for source, e := range u.Entries {
			if source.SKU != sku || e.Error != Count {
				continue
			}
			if at, known := oldest[u]; !known || e.Updated < at {
				oldest[u] = e.Updated
			}
		}
		if _, waits := oldest[u]; waits {
			users = append(users, u)
		}
	}
	slices.SortStableFunc(users, func(a, b *User) int { return cmp.Compare(oldest[a], oldest[b]) })
	return users
}

package model

import (
	"cmp"
	"math"
	"slices"

	"github.com/google/uuid"
)

// inTurn returns the users of a command in the order of L52: first those who wait for a seat, the
// longest waiting first, then the others, in order of creation.
func (w *work) inTurn(users Set) []*User {
	var list []*User
	for _, u := range w.Users {
		if users[u.ID] {
			list = append(list, u)
		}
	}
	return w.line(list, func(Source) bool { return true })
}

// line sorts users by how long they have waited in one of these entries; those who do not wait come
// last.
func (w *work) line(users []*User, counts scope) []*User {
	w.stamp()
	since := map[*User]uint64{}
	for _, u := range users {
		since[u] = math.MaxUint64
		for source, e := range u.Entries {
			if e.Error == Count && counts(source) {
				since[u] = min(since[u], e.Waiting)
			}
		}
	}
	slices.SortStableFunc(users, func(a, b *User) int { return cmp.Compare(since[a], since[b]) })
	return users
}

// pass processes users, again while a seat is freed for which an earlier user of the same pass had
// waited without success.
func (w *work) pass(users []*User, in scope) {
	for again := true; again; {
		again = false
		waits := Set{}
		for _, u := range users {
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

// reprocess takes all bundles of groups of the users, until a pass changes nothing in force (L70,
// L72).
func (w *work) reprocess(users Set) {
	for changed := true; changed; {
		changed = false
		for _, u := range w.inTurn(users) {
			if w.process(u, allGroups).changed {
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
	w.reprocess(w.touched) // seats that were free when these users were processed may be taken now (L72)
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
	var users []*User
	for _, u := range w.Users {
		for source, e := range u.Entries {
			if source.SKU == sku && e.Error == Count {
				users = append(users, u)
				break
			}
		}
	}
	return w.line(users, func(s Source) bool { return s.SKU == sku })
}

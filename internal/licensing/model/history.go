package model

import (
	"slices"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/licensing"
)

// weights determines how often each kind of operation is drawn.
var weights = func() (kinds []string) {
	for _, k := range []struct {
		kind   string
		weight int
	}{
		{"AssignGroup", 8},
		{"AddMembers", 6},
		{"AssignUser", 6},
		{"RemoveMembers", 4},
		{"Reprocess", 4},
		{"SetUnits", 4},
		{"RestoreUser", 3},
		{"SetLocation", 2},
		{"SetDuplicate", 2},
		{"SetCatalog", 2},
		{"DeleteUser", 2},
		{"SetSettings", 1},
		{"SetOrganization", 1},
		{"AddUser", 1},
		{"PurgeUser", 1},
		{"DeleteGroup", 1},
	} {
		for range k.weight {
			kinds = append(kinds, k.kind)
		}
	}
	return kinds
}()

// Draw draws the next operation of a history that has led to the tenant m. Most operations succeed,
// some are refused.
func (w *World) Draw(t *rapid.T, m *Model) Op {
	kind := pick(t, weights, "operation")
	switch kind {
	case "AssignGroup":
		return w.drawAssignGroup(t, m)
	case "AssignUser":
		return w.drawAssignUser(t, m)
	case "AddMembers":
		return AddMembers{pick(t, w.Groups, "group"), w.drawUsers(t, m, false)}
	case "RemoveMembers":
		group := pick(t, w.Groups, "group")
		if g, err := m.group(group); err == nil && len(g.Members) > 0 {
			return RemoveMembers{group, some(t, g.Members.sorted(), 1, 2, "members")}
		}
		return RemoveMembers{group, w.drawUsers(t, m, false)}
	case "Reprocess":
		return Reprocess{w.drawUsers(t, m, true)}
	case "SetUnits":
		return w.drawUnits(t, pick(t, w.SKUs, "sku"))
	case "SetCatalog":
		return SetCatalog{w.drawChange(t, m.Catalog)}
	case "SetSettings":
		return SetSettings{w.drawSettings(t)}
	case "SetOrganization":
		return SetOrganization{w.drawCountry(t)}
	case "AddUser":
		return AddUser{w.Users[min(len(m.Users), len(w.Users)-1)], w.drawCountry(t)}
	case "DeleteGroup":
		return DeleteGroup{pick(t, w.Groups, "group")}
	case "RestoreUser":
		if deleted := deletedUsers(m); len(deleted) > 0 {
			return RestoreUser{pick(t, deleted, "deleted user")}
		}
	case "PurgeUser":
		if deleted := deletedUsers(m); len(deleted) > 0 {
			return PurgeUser{pick(t, deleted, "deleted user")}
		}
	}
	return w.drawOfUser(t, m, kind)
}

// DrawScarce draws an operation of a history in which users wait for seats of two products and get
// them (L52, L61).
func (w *World) DrawScarce(t *rapid.T, m *Model) Op {
	sku, group := pick(t, w.SKUs[:2], "sku"), pick(t, w.Groups, "group")
	switch pick(t, []string{"join", "join", "join", "many join", "leave", "license", "license", "seats", "seats", "reprocess", "reprocess"}, "operation") {
	case "join":
		return AddMembers{group, []uuid.UUID{pick(t, w.drawUsers(t, m, false), "joining")}}
	case "many join":
		return AddMembers{group, w.drawUsers(t, m, false)}
	case "leave":
		return RemoveMembers{group, []uuid.UUID{pick(t, w.drawUsers(t, m, false), "leaving")}}
	case "license":
		plans := m.enabled(sku, Set{}).plans
		return AssignGroup{Group: group, Add: []Assign{{sku, some(t, plans.sorted(), 0, 1, "disabled plans")}}}
	case "seats":
		return SetUnits{sku, Units{Enabled: evenly(t, 3, "seats")}, true}
	}
	return Reprocess{w.drawUsers(t, m, true)}
}

// drawOfUser draws an operation on one user; restoring or purging one that is not deleted is
// refused.
func (w *World) drawOfUser(t *rapid.T, m *Model, kind string) Op {
	user := w.drawUsers(t, m, true)[0]
	switch kind {
	case "SetLocation":
		return SetLocation{user, w.drawCountry(t)}
	case "SetDuplicate":
		return SetDuplicate{user, rapid.Bool().Draw(t, "duplicate")}
	case "DeleteUser":
		return DeleteUser{user}
	case "PurgeUser":
		return PurgeUser{user}
	case "RestoreUser":
		if onceIn(t, 8, "restore without reason") {
			return RestoreUser{user}
		}
	}
	return Reprocess{[]uuid.UUID{user}}
}

// drawUsers draws users that are not purged, in any order, only live ones if requested; any user if
// there is none.
func (w *World) drawUsers(t *rapid.T, m *Model, living bool) []uuid.UUID {
	var users []uuid.UUID
	for _, u := range m.Users {
		if !u.Purged && !(living && u.Deleted) {
			users = append(users, u.ID)
		}
	}
	if len(users) == 0 {
		return w.Users[:1]
	}
	chosen := some(t, users, 1, len(users), "users")
	return rapid.Permutation(chosen).Draw(t, "order of users")
}

func deletedUsers(m *Model) (users []uuid.UUID) {
	for _, u := range m.Users {
		if u.Deleted && !u.Purged {
			users = append(users, u.ID)
		}
	}
	return users
}

// drawAssignGroup draws a request that, most of the time, makes the products of the group fit
// (L31).
func (w *World) drawAssignGroup(t *rapid.T, m *Model) Op {
	op := AssignGroup{Group: pick(t, w.Groups, "group")}
	var had []uuid.UUID
	licenses := map[uuid.UUID]Set{}
	if g, err := m.group(op.Group); err == nil {
		for sku, disabled := range g.Licenses {
			licenses[sku] = disabled
			had = append(had, sku)
		}
	}
	slices.SortFunc(had, compareID)
	op.Add, op.Remove = w.drawRequest(t, m, had)
	for _, sku := range op.Remove {
		delete(licenses, sku)
	}
	if onceIn(t, 5, "carelessly") {
		return op
	}
	for _, a := range op.Add {
		licenses[a.SKU] = setOf(a.Disabled...)
	}
	for i := range op.Add {
		m.fitIn(&op.Add[i], licenses)
	}
	return op
}

// fitIn disables the plans of an addition that conflict with the other licenses of the group.
func (m *Model) fitIn(a *Assign, licenses map[uuid.UUID]Set) {
	skus := Set{}
	for sku := range licenses {
		skus[sku] = true
	}
	for changed := true; changed; {
		changed = false
		var products []product
		for _, sku := range skus.sorted() {
			products = append(products, m.enabled(sku, licenses[sku]))
		}
		for _, plan := range m.enabled(a.SKU, licenses[a.SKU]).plans.sorted() {
			one := product{a.SKU, setOf(plan)}
			if m.dependency(one, products) != None || m.exclusive(one, products) != None {
				a.Disabled = append(a.Disabled, plan)
				licenses[a.SKU] = setOf(a.Disabled...)
				changed = true
			}
		}
	}
}

// drawAssignUser draws a request for a user, most of the time about what it holds directly.
func (w *World) drawAssignUser(t *rapid.T, m *Model) Op {
	op := AssignUser{User: w.drawUsers(t, m, true)[0]}
	var had []uuid.UUID
	if u, err := m.user(op.User); err == nil {
		for source := range u.Entries {
			if source.Group == Direct {
				had = append(had, source.SKU)
			}
		}
	}
	slices.SortFunc(had, compareID)
	op.Add, op.Remove = w.drawRequest(t, m, had)
	return op
}

// drawRequest draws additions, and removals of existing licenses; rarely invalid ones.
func (w *World) drawRequest(t *rapid.T, m *Model, had []uuid.UUID) (add []Assign, remove []uuid.UUID) {
	remove = some(t, had, 0, 2, "removed")
	if onceIn(t, 15, "wrong removal") {
		remove = append(remove, pick(t, w.SKUs, "sku"))
	}
	sound := !onceIn(t, 15, "wrong addition")
	addable := slices.DeleteFunc(slices.Clone(w.SKUs), func(sku uuid.UUID) bool {
		p, _ := m.product(sku)
		return sound && (slices.Contains(remove, sku) ||
			!m.Subscriptions[sku].Subscribed || p.AppliesTo == licensing.AppliesToCompany)
	})
	for _, sku := range some(t, addable, 0, 3, "added") {
		p, _ := m.product(sku)
		plans := p.ServicePlanIDs
		if !sound {
			plans = w.Plans
		}
		add = append(add, Assign{sku, some(t, plans, 0, 2, "disabled")})
	}
	return add, remove
}

package model

import (
	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// Op is one command. Its text names users u0, u1…, groups g0…, SKUs s0… and plans p0… if they were
// drawn.
type Op interface {
	String() string
	apply(w *work) error
}

// The operations. Users and groups are added once; a deleted user can be restored or purged, a
// group only deleted.
type (
	// AddUser adds a user.
	AddUser struct {
		User     uuid.UUID
		Location licensing.Country
	}
	// SetLocation changes a user's usageLocation.
	SetLocation struct {
		User     uuid.UUID
		Location licensing.Country
	}
	// SetDuplicate sets whether another user has an address of the user (L43).
	SetDuplicate struct {
		User      uuid.UUID
		Duplicate bool
	}
	// DeleteUser deletes a user, which can be restored (L38).
	DeleteUser struct{ User uuid.UUID }
	// RestoreUser restores a deleted user (L38).
	RestoreUser struct{ User uuid.UUID }
	// PurgeUser deletes a deleted user permanently.
	PurgeUser struct{ User uuid.UUID }
	// AddGroup adds a group without members or licenses.
	AddGroup struct{ Group uuid.UUID }
	// DeleteGroup deletes a group without licenses (L35).
	DeleteGroup struct{ Group uuid.UUID }
	// AddMembers adds users to a group (L32).
	AddMembers struct {
		Group uuid.UUID
		Users []uuid.UUID
	}
	// RemoveMembers removes users from a group (L32).
	RemoveMembers struct {
		Group uuid.UUID
		Users []uuid.UUID
	}
	// SetUnits sets the units of a SKU, and whether there is a subscription (L1, L2).
	SetUnits struct {
		SKU        uuid.UUID
		Units      Units
		Subscribed bool
	}
	// SetCatalog replaces the catalog (L61).
	SetCatalog struct{ Catalog licensing.Catalog }
	// SetSettings replaces the tenant's settings.
	SetSettings struct{ Settings Settings }
	// SetOrganization sets the organization's country (L34).
	SetOrganization struct{ Country licensing.Country }
	// Reprocess evaluates all bundles of groups of the users (L70, L75).
	Reprocess struct{ Users []uuid.UUID }
)

func (op AddUser) apply(w *work) error {
	for _, u := range w.Users {
		if u.ID == op.User {
			return refuse(Exists, uuid.Nil)
		}
	}
	w.Users = append(w.Users, &User{ID: op.User, Location: op.Location, Entries: map[Source]*Entry{}})
	w.touched[op.User] = true
	return nil
}

func (op SetLocation) apply(w *work) error {
	u, err := w.user(op.User)
	if err != nil {
		return err
	}
	u.Location = op.Location
	w.touched[u.ID] = true
	return nil
}

func (op SetDuplicate) apply(w *work) error {
	u, err := w.user(op.User)
	if err != nil {
		return err
	}
	u.Duplicate = op.Duplicate
	w.touched[u.ID] = true
	return nil
}

// apply accepts all values, and keeps the wishes (L38, L60).
func (op DeleteUser) apply(w *work) error {
	u, err := w.living(op.User)
	if err != nil {
		return err
	}
	for sku := range w.heldSet(u) {
		w.freed[sku] = true
	}
	u.Deleted = true
	for source, e := range u.Entries {
		e.InForce, e.Error = nil, None
		if e.Wished == nil {
			delete(u.Entries, source)
		}
	}
	return nil
}

// apply processes every bundle as new; a direct one that cannot be given is removed (L38).
func (op RestoreUser) apply(w *work) error {
	u, err := w.user(op.User)
	if err != nil {
		return err
	}
	if !u.Deleted {
		return refuse(NotFound, uuid.Nil)
	}
	u.Deleted = false
	w.process(u, everything)
	for source, e := range u.Entries {
		if source.Group != Direct {
			continue
		}
		e.Error = None
		if e.InForce == nil {
			delete(u.Entries, source)
		}
	}
	w.touched[u.ID] = true
	return nil
}

func (op PurgeUser) apply(w *work) error {
	u, err := w.user(op.User)
	if err != nil {
		return err
	}
	if !u.Deleted {
		return refuse(NotFound, uuid.Nil)
	}
	u.Purged, u.Entries = true, map[Source]*Entry{}
	for _, g := range w.Groups {
		delete(g.Members, u.ID)
	}
	return nil
}

func (op AddGroup) apply(w *work) error {
	for _, g := range w.Groups {
		if g.ID == op.Group {
			return refuse(Exists, uuid.Nil)
		}
	}
	w.Groups = append(w.Groups, &Group{ID: op.Group, Licenses: map[uuid.UUID]Set{}, Members: Set{}})
	return nil
}

// apply refuses a group with licenses (L35). Otherwise its memberships end like any (L60).
func (op DeleteGroup) apply(w *work) error {
	g, err := w.group(op.Group)
	if err != nil {
		return err
	}
	if len(g.Licenses) > 0 {
		return refuse(GroupLicensed, uuid.Nil)
	}
	members := g.Members
	g.Deleted, g.Members = true, Set{}
	w.follow(g, members)
	return nil
}

func (op AddMembers) apply(w *work) error {
	return w.membership(op.Group, op.Users, func(g *Group, user uuid.UUID) { g.Members[user] = true })
}

func (op RemoveMembers) apply(w *work) error {
	return w.membership(op.Group, op.Users, func(g *Group, user uuid.UUID) { delete(g.Members, user) })
}

// membership changes the memberships of users in a group and processes the group's bundle of those
// whose membership changed.
func (w *work) membership(group uuid.UUID, users []uuid.UUID, change func(*Group, uuid.UUID)) error {
	g, err := w.group(group)
	if err != nil {
		return err
	}
	changed := Set{}
	for _, id := range users {
		if _, err := w.user(id); err != nil {
			return err
		}
		w.touched[id] = true
		was := g.Members[id]
		change(g, id)
		if g.Members[id] != was {
			changed[id] = true
		}
	}
	w.follow(g, changed)
	return nil
}

// follow updates users after a change of a group's licenses or of their membership (L60).
func (w *work) follow(g *Group, users Set) {
	order := w.inTurn(users)
	for _, u := range w.Users {
		if users[u.ID] {
			w.wish(u, g)
			w.touched[u.ID] = true
		}
	}
	w.pass(order, only(g.ID))
}

func (op SetUnits) apply(w *work) error {
	if _, known := w.product(op.SKU); !known {
		return refuse(UnknownSKU, op.SKU)
	}
	before := w.Subscriptions[op.SKU].seats()
	w.Subscriptions[op.SKU] = Subscription{op.Units, op.Subscribed}
	if w.Subscriptions[op.SKU].seats() > before {
		w.freed[op.SKU] = true
	}
	return nil
}

func (op SetCatalog) apply(w *work) error {
	w.Catalog = op.Catalog
	w.touchEverybody()
	return nil
}

func (op SetSettings) apply(w *work) error {
	w.Settings = op.Settings
	return nil
}

func (op SetOrganization) apply(w *work) error {
	w.Organization = op.Country
	w.touchEverybody()
	return nil
}

func (w *work) touchEverybody() {
	for _, u := range w.Users {
		w.touched[u.ID] = true
	}
}

func (op Reprocess) apply(w *work) error {
	for _, id := range op.Users {
		if _, err := w.living(id); err != nil {
			return err
		}
		w.touched[id] = true
	}
	w.reprocess(setOf(op.Users...))
	return nil
}

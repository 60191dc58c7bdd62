package model

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// Direct is the group of a Source for direct assignments.
var Direct = uuid.Nil

// Commit is the number and the time, in whole seconds, of an operation.
type Commit struct {
	Seq uint64
	At  uint32
}

// Set is a set of ids. As disabled plans, nil means no assignment, and the empty set that no plan
// is disabled.
type Set map[uuid.UUID]bool

func setOf(ids ...uuid.UUID) Set {
	set := Set{}
	for _, id := range ids {
		set[id] = true
	}
	return set
}

func (s Set) sorted() []uuid.UUID {
	if s == nil {
		return nil
	}
	ids := make([]uuid.UUID, 0, len(s))
	for id := range s {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, compareID)
	return ids
}

func same(a, b Set) bool { return (a == nil) == (b == nil) && maps.Equal(a, b) }

func compareID(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

// Settings are the tenant settings that licensing uses (L33, L61).
type Settings struct {
	AutoReprocess bool
	Independent   bool // groupBundles: independent
}

// Units are the prepaid units of a SKU, summed over its subscriptions (L2).
type Units struct{ Enabled, Warning, Suspended, LockedOut int }

// Subscription is the tenant's subscription to a SKU.
type Subscription struct {
	Units      Units
	Subscribed bool
}

func (s Subscription) seats() int {
	if !s.Subscribed {
		return 0
	}
	return s.Units.Enabled + s.Units.Warning
}

// Source is the origin of an entry: a group, or Direct, and its SKU.
type Source struct{ Group, SKU uuid.UUID }

// Entry is one assignment of a user. Wished and InForce are sets of disabled plans, nil if there is
// none.
type Entry struct {
	Wished, InForce Set
	Error           Violation
	Since           uint64 // the commit in which the wish of its bundle arose (L50)
	Updated         uint32
	Assigned        uint32 // 0 while nothing is in force
	Waiting         uint64 // the commit in which it began to wait for a seat (L52), 0 while it does not
}

// User is a user; a purged one keeps only its place.
type User struct {
	ID                         uuid.UUID
	Location                   licensing.Country
	Duplicate, Deleted, Purged bool
	Entries                    map[Source]*Entry
}

// Group is a group with its licenses (SKU to disabled plans) and its members, including deleted
// users.
type Group struct {
	ID       uuid.UUID
	Licenses map[uuid.UUID]Set
	Members  Set
	Deleted  bool
}

// Model is a tenant as licensing sees it. Users and Groups are in order of creation.
type Model struct {
	Catalog       licensing.Catalog
	Settings      Settings
	Organization  licensing.Country
	Subscriptions map[uuid.UUID]Subscription
	Users         []*User
	Groups        []*Group
}

// New returns an empty tenant.
func New() *Model { return &Model{Subscriptions: map[uuid.UUID]Subscription{}} }

// RefusalError is the reason that nothing was done. SKU is the product concerned, if any.
type RefusalError struct {
	Kind RefusalKind
	SKU  uuid.UUID
}

func (r *RefusalError) Error() string {
	if r.SKU == uuid.Nil {
		return string(r.Kind)
	}
	return fmt.Sprintf("%s: %s", r.Kind, Name(r.SKU))
}

// RefusalKind is the reason of a refusal. A failed check refuses a direct assignment with the name
// of its Violation.
type RefusalKind string

// The refusals other than violations.
const (
	NotFound        RefusalKind = "NotFound"        // the user or group does not exist, or is deleted (L25, L74)
	Exists          RefusalKind = "Exists"          // a user or group with that id exists, or existed
	UnknownSKU      RefusalKind = "UnknownSKU"      // not in the catalog
	RepeatedSKU     RefusalKind = "RepeatedSKU"     // L23
	NotSubscribed   RefusalKind = "NotSubscribed"   // L22
	CompanySKU      RefusalKind = "CompanySKU"      // L5
	UnknownPlan     RefusalKind = "UnknownPlan"     // a disabled plan that is not in the SKU (L23)
	NotHeld         RefusalKind = "NotHeld"         // L22
	Inherited       RefusalKind = "Inherited"       // L22
	NoUsageLocation RefusalKind = "NoUsageLocation" // L22
	GroupDependency RefusalKind = "GroupDependency" // L31
	GroupExclusive  RefusalKind = "GroupExclusive"  // L31
	GroupLicensed   RefusalKind = "GroupLicensed"   // L35
)

func refuse(kind RefusalKind, sku uuid.UUID) error { return &RefusalError{Kind: kind, SKU: sku} }

// Apply performs one operation as one commit. If it returns a *RefusalError, nothing has changed.
func (m *Model) Apply(now Commit, op Op) error {
	after := m.clone()
	w := &work{Model: after, before: m, now: now, touched: Set{}, freed: Set{}}
	if err := op.apply(w); err != nil {
		return err
	}
	if w.Settings.AutoReprocess {
		w.autoReprocess()
	}
	w.stamp()
	*m = *after
	return nil
}

// work is a commit in progress: the tenant during the change, and before it.
type work struct {
	*Model
	before  *Model
	now     Commit
	touched Set // users that the change touches (L61)
	freed   Set // SKUs of which a seat became free in this commit (L61)
}

// stamp sets the times of every entry by comparing it with its state before the commit (L11). It is
// idempotent within a commit.
func (w *work) stamp() {
	for i, u := range w.Users {
		for source, e := range u.Entries {
			old := &Entry{Error: "nothing"}
			if i < len(w.before.Users) && w.before.Users[i].Entries[source] != nil {
				old = w.before.Users[i].Entries[source]
			}
			e.Updated = old.Updated
			if (old.InForce == nil) != (e.InForce == nil) || old.Error != e.Error || !same(old.shown(), e.shown()) {
				e.Updated = w.now.At
			}
			switch {
			case e.Error != Count:
				e.Waiting = 0
			case old.Error == Count:
				e.Waiting = old.Waiting
			default:
				e.Waiting = w.now.Seq
			}
			switch {
			case e.InForce == nil:
				e.Assigned = 0
			case same(old.InForce, e.InForce):
				e.Assigned = old.Assigned
			default:
				e.Assigned = w.now.At
			}
		}
	}
}

// shown returns the disabled plans to show (L11).
func (e *Entry) shown() Set {
	if e.InForce != nil {
		return e.InForce
	}
	return e.Wished
}

func (m *Model) clone() *Model {
	c := *m
	c.Subscriptions = maps.Clone(m.Subscriptions)
	c.Users = make([]*User, len(m.Users))
	for i, u := range m.Users {
		copied := *u
		copied.Entries = map[Source]*Entry{}
		for source, e := range u.Entries {
			entry := *e
			entry.Wished, entry.InForce = maps.Clone(e.Wished), maps.Clone(e.InForce)
			copied.Entries[source] = &entry
		}
		c.Users[i] = &copied
	}
	c.Groups = make([]*Group, len(m.Groups))
	for i, g := range m.Groups {
		copied := *g
		copied.Members = maps.Clone(g.Members)
		copied.Licenses = map[uuid.UUID]Set{}
		for sku, disabled := range g.Licenses {
			copied.Licenses[sku] = maps.Clone(disabled)
		}
		c.Groups[i] = &copied
	}
	return &c
}

// user finds a user that is not purged, deleted or not.
func (m *Model) user(id uuid.UUID) (*User, error) {
	for _, u := range m.Users {
		if u.ID == id && !u.Purged {
			return u, nil
		}
	}
	return nil, refuse(NotFound, uuid.Nil)
}

// living finds a user that is not deleted.
func (m *Model) living(id uuid.UUID) (*User, error) {
	u, err := m.user(id)
	if err == nil && u.Deleted {
		return nil, refuse(NotFound, uuid.Nil)
	}
	return u, err
}

func (m *Model) group(id uuid.UUID) (*Group, error) {
	for _, g := range m.Groups {
		if g.ID == id && !g.Deleted {
			return g, nil
		}
	}
	return nil, refuse(NotFound, uuid.Nil)
}

func (m *Model) product(sku uuid.UUID) (licensing.Product, bool) {
	for _, p := range m.Catalog.Products {
		if p.SKUID == sku {
			return p, true
		}
	}
	return licensing.Product{}, false
}

func (m *Model) plan(id uuid.UUID) licensing.ServicePlan {
	for _, p := range m.Catalog.ServicePlans {
		if p.ID == id {
			return p
		}
	}
	return licensing.ServicePlan{}
}

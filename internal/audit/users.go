package audit

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// Categories of activities, and types of operations (U21, U22).
const (
	users        = "UserManagement"
	groups       = "GroupManagement"
	applications = "ApplicationManagement"
	roles        = "RoleManagement"
	units        = "AdministrativeUnit"
	company      = "DirectoryManagement"

	opAdd      = "Add"
	opUpdate   = "Update"
	opDelete   = "Delete"
	opAssign   = "Assign"
	opUnassign = "Unassign"
)

// was returns the record of a document; nil if there is none.
func (b *builder) was(of tenant.Changeable, ordinal uint32) *tenant.Was {
	for i := range b.record.Changed {
		if w := &b.record.Changed[i]; w.Of == of && w.Ordinal == ordinal {
			return w
		}
	}
	return nil
}

// byPassword are properties that follow from a new password, of which nothing is shown (U17).
var byPassword = []string{"lastPasswordChangeDateTime", "signInSessionsValidFromDateTime", "passwordProfile"}

// users adds the entries of users that were created, changed or deleted.
func (b *builder) users() {
	first := uint32(0)
	if len(b.f.NewUsers) > 0 {
		first = b.firstUser()
	}
	for i, u := range b.f.NewUsers {
		ordinal := first + uint32(i)
		var list []Property
		if w := b.was(tenant.Changeable(store.KindUser), ordinal); w != nil {
			list = updated(properties(w.Properties, byPassword...))
		}
		t := b.user(ordinal, list...)
		t.ID = u.ID.String()
		b.add("Add user", users, opAdd, t)
	}
	for _, m := range b.f.Users {
		b.userMark(tenant.Mark(m))
	}
	for _, m := range b.f.Managers {
		b.manager(m)
	}
	for _, l := range b.f.Links {
		if l.Relation == directory.RelationSponsoredBy && !b.gone[l.From] {
			p := Property{"Sponsors", "[]", listed(l.To.String())}
			if l.Removed {
				p.Old, p.New = p.New, p.Old
			}
			b.add("Update user", users, opUpdate, b.object(l.From, updated([]Property{p})...))
		}
	}
}

// firstUser returns the ordinal of the first user that the commit adds.
func (b *builder) firstUser() uint32 {
	for _, w := range b.record.Changed {
		if w.Of == tenant.Changeable(store.KindUser) && w.New {
			return w.Ordinal
		}
	}
	if len(b.f.UserValues) > 0 {
		return b.f.UserValues[0].Ordinal
	}
	user, _ := b.world.Image.Directory.UserByID(b.f.NewUsers[0].ID)
	return user
}

func (b *builder) userMark(m tenant.Mark) {
	switch m.What {
	case tenant.MarkWritten:
		b.updateUser(m)
	case tenant.MarkDeleted:
		b.add("Delete user", users, opDelete, b.user(m.Ordinal, Property{"Is Hard Deleted", "", single("False")}))
	case tenant.MarkRestored:
		b.add("Restore user", users, opUpdate, b.user(m.Ordinal))
	case tenant.MarkPurged:
		t := b.user(m.Ordinal)
		if m.ID != nil {
			t.ID = m.ID.String()
		}
		b.add("Hard Delete user", users, opDelete, t)
	}
}

func (b *builder) updateUser(m tenant.Mark) {
	w := b.was(tenant.Changeable(store.KindUser), m.Ordinal)
	if w == nil {
		w = new(tenant.Was)
		for _, name := range m.Properties {
			w.Properties = append(w.Properties, tenant.Difference{Name: name})
		}
	}
	password := slices.Contains(b.record.Passwords, m.Ordinal) ||
		!b.recorded && differs(w.Properties, "lastPasswordChangeDateTime")
	var omitted []string
	if password {
		omitted = byPassword
	} else if b.operation == "revokeSessions" || differs(w.Properties, "signInSessionsValidFromDateTime") {
		d := differenceOf(w.Properties, "signInSessionsValidFromDateTime")
		d.Name = "signInSessionsValidFromDateTime"
		p := b.asFarAsKnown(properties([]tenant.Difference{d}))
		b.add("Update StsRefreshTokenValidFrom Timestamp", users, opUpdate, b.user(m.Ordinal, updated(p)...))
		omitted = byPassword[1:2]
	}
	if list := properties(w.Properties, omitted...); len(list) > 0 {
		list = updated(b.asFarAsKnown(list))
		t := b.user(m.Ordinal)
		if t.userType != "" {
			list = append(list, Property{"TargetId.UserType", "", single(t.userType)})
		}
		t.Properties = list
		b.add("Update user", users, opUpdate, t)
	}
	if d := differenceOf(w.Properties, "accountEnabled"); d.Name != "" && b.recorded {
		activity := "Disable account"
		if string(d.New) == "true" {
			activity = "Enable account"
		}
		b.add(activity, users, opUpdate, b.user(m.Ordinal, properties([]tenant.Difference{d})...))
	}
	if password {
		activity, t := "Reset password", b.user(m.Ordinal)
		if b.caller.IsUser && strings.EqualFold(b.caller.ID, t.ID) {
			activity = "Change user password"
		}
		b.add(activity, users, opUpdate, t)
	}
}

// asFarAsKnown removes the values of properties of which only the names are known.
func (b *builder) asFarAsKnown(list []Property) []Property {
	for i := range list {
		if !b.recorded {
			list[i].Old, list[i].New = "", ""
		}
	}
	return list
}

func (b *builder) manager(m tenant.ManagerNow) {
	if b.lost.Contains(m.User) || m.Removed && m.Before > 0 && b.lost.Contains(m.Before-1) {
		return // it follows from the deletion
	}
	p := Property{Name: "Manager", Old: "[]", New: "[]"}
	var manager Target
	if m.Before > 0 {
		manager = b.user(m.Before - 1)
		p.Old = listed(manager.ID)
	}
	if !m.Removed {
		manager = b.user(m.Manager)
		p.New = listed(manager.ID)
	}
	targets := []Target{b.user(m.User, p)}
	if manager.ID != "" {
		targets = append(targets, manager)
	}
	b.add("Set user manager", users, opUpdate, targets...)
}

// purged collects the objects that the commit purges, and the users that it deletes or purges.
func (b *builder) purged() {
	b.gone = map[uuid.UUID]bool{}
	for _, m := range b.f.Users {
		if m.What == tenant.MarkPurged || m.What == tenant.MarkDeleted {
			b.lost.Add(m.Ordinal)
		}
		if m.What == tenant.MarkPurged && m.ID != nil {
			b.gone[*m.ID] = true
		}
	}
	for _, m := range b.f.Groups {
		if m.What == tenant.MarkPurged && m.ID != nil {
			b.gone[*m.ID] = true
		}
	}
	for _, now := range slices.Concat(b.f.Applications, b.f.Principals, b.f.Units) {
		if now.Document == nil && now.ID != nil {
			b.gone[*now.ID] = true
		}
	}
}

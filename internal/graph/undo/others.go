package undo

import (
	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/tenant"
)

// others notes what no request of a change set brings back.
func (u *undoing) others(s *step) {
	u.othersOfTenant(s)
	if !u.rights.Users {
		u.othersUnseen(s)
		return
	}
	for _, list := range []struct {
		kind      string
		documents []tenant.DocumentNow
		id        func(ordinal uint32) (uuid.UUID, string)
	}{
		{"application", s.Applications, u.applicationAt},
		{"servicePrincipal", s.Principals, u.principalAt},
		{"administrativeUnit", s.Units, u.unitAt},
	} {
		for _, now := range list.documents {
			stay := Stay{Type: list.kind, What: "properties", Why: whyNoRequest}
			if stay.ID, stay.Name = list.id(now.Ordinal); now.ID != nil {
				stay.ID, stay.Why = *now.ID, whyPurged
			}
			if now.What != tenant.MarkWritten {
				stay.What = "id"
			}
			u.stays(stay)
		}
	}
	for _, g := range s.Grants {
		u.otherOf(g.Grant.Client, "oauth2PermissionGrants", g.Grant.User)
	}
	for _, r := range s.Roles {
		u.otherOf(r.Principal, "directoryRoles", r.Role)
	}
	for _, m := range s.UnitMembers {
		id, name := u.unitAt(m.Unit)
		key := userKey(m.Member)
		if m.IsGroup {
			key.Kind = store.KindGroup
		}
		member := u.of(key, members)
		if !u.before.purged[member.ID] && !u.before.created(key) {
			u.stays(Stay{
				Type: "administrativeUnit", ID: id, Name: name, What: members, Other: member.ID, Why: whyNoRequest,
			})
		}
	}
	for _, user := range s.record.Passwords {
		if key := userKey(user); !u.before.created(key) && stateIn(u.Image(), key) != absent {
			stay := u.of(key, "password")
			stay.Why = whyPassword
			u.stays(stay)
		}
	}
}

// othersUnseen notes that there is more, to a caller who may not see what.
func (u *undoing) othersUnseen(s *step) {
	n := len(s.Applications) + len(s.Principals) + len(s.Units) + len(s.UnitMembers) + len(s.Grants) + len(s.Roles)
	if n+len(s.record.Passwords) > 0 {
		org := u.Base().Organization
		u.stays(Stay{Type: "tenant", ID: org.ID, Name: org.DisplayName, What: "directory", Why: whyPrivate})
	}
}

// otherOf notes a relation of an object that the commit did not permanently delete.
func (u *undoing) otherOf(id uuid.UUID, what string, other uuid.UUID) {
	if u.before.purged[id] || u.before.purged[other] {
		return
	}
	s := u.ofID(id, what)
	s.Other, s.Why = other, whyNoRequest
	u.stays(s)
}

func (u *undoing) othersOfTenant(s *step) {
	org := u.Base().Organization
	note := func(what, why string) {
		u.stays(Stay{Type: "tenant", ID: org.ID, Name: org.DisplayName, What: what, Why: why})
	}
	if s.Organization != nil {
		note("organization", whyNoRequest)
	}
	if s.Licensing != nil && s.Licensing.Catalog != nil {
		note("catalog", whyUnknown)
	}
	if s.SignIn != nil {
		note("signIn", whyNoRequest)
	}
	if len(s.Prices) > 0 {
		note("prices", whyNoRequest)
	}
}

func (u *undoing) applicationAt(ordinal uint32) (uuid.UUID, string) {
	if a := u.Image().Applications.At(ordinal); a != nil {
		return a.ID, a.DisplayName
	}
	return uuid.Nil, ""
}

func (u *undoing) principalAt(ordinal uint32) (uuid.UUID, string) {
	if p := u.Image().Principals.At(ordinal); p != nil {
		return p.ID, p.DisplayName
	}
	return uuid.Nil, ""
}

func (u *undoing) unitAt(ordinal uint32) (uuid.UUID, string) {
	if unit := u.Image().Units.At(ordinal); unit != nil {
		return unit.ID, unit.DisplayName
	}
	return uuid.Nil, ""
}

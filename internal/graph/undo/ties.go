package undo

import (
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/jsontext"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// tie is a relation of two objects other than that of a user to a group.
type tie struct {
	what     string // as in Stay
	relation directory.Relation
	role     uuid.UUID // an app role
	from, to uuid.UUID
}

// Relations.
const (
	members  = "members"
	owners   = "owners"
	sponsors = "sponsors"
	appRoles = "appRoleAssignments"
)

// ties returns the relations that the command added or removed.
func (s *step) ties(img *tenant.Image, yield func(t tie, removed bool)) {
	for _, l := range s.Nested {
		yield(tie{what: members, from: img.Directory.GroupID(l.Group), to: img.Directory.GroupID(l.Member)}, l.Removed)
	}
	for _, l := range s.Owners {
		yield(tie{what: owners, from: img.Directory.GroupID(l.Group), to: img.Directory.UserID(l.Member)}, l.Removed)
	}
	for _, l := range s.Links {
		what := map[directory.Relation]string{
			directory.RelationHasMember: members, directory.RelationOwnedBy: owners,
			directory.RelationSponsoredBy: sponsors, directory.RelationHasRole: appRoles,
		}[l.Relation]
		if what != "" { // the creator of an object follows from its creation
			yield(tie{what, l.Relation, l.Role, l.From, l.To}, l.Removed)
		}
	}
}

// learnTies adds the relations that were before. Those of an object that the commit permanently
// deleted are not mentioned in addition to it.
func (b *before) learnTies(s *step, img *tenant.Image) {
	for _, l := range s.Nested {
		b.lose(img, groupKey(l.Group), groupKey(l.Member))
	}
	for _, l := range s.Owners {
		b.lose(img, groupKey(l.Group), userKey(l.Member))
	}
	s.ties(img, func(t tie, removed bool) {
		if t.from == uuid.Nil || t.to == uuid.Nil {
			return
		}
		if _, known := b.ties[t]; !known {
			b.ties[t] = removed
			b.tieOrder = append(b.tieOrder, t)
		}
	})
}

func (b *before) lose(img *tenant.Image, keys ...tenant.ObjectKey) {
	for _, key := range keys {
		if stateIn(img, key) == absent {
			b.lost = append(b.lost, key)
		}
	}
}

// exists reports whether a relation exists in an image.
func (t tie) exists(img *tenant.Image) bool {
	if t.relation != 0 {
		return img.Links.Has(directory.Link{Relation: t.relation, From: t.from, To: t.to, Role: t.role})
	}
	group, ok := img.Directory.GroupByID(t.from)
	if !ok {
		return false
	}
	if t.what == owners {
		user, ok := img.Directory.UserByID(t.to)
		return ok && slices.Contains(img.Directory.Owners(group), user)
	}
	member, ok := img.Directory.GroupByID(t.to)
	return ok && slices.Contains(img.Directory.GroupMembersOf(group), member)
}

// private reports whether the caller may not see a relation of an object of a kind.
func (u *undoing) private(t tie, kind store.Kind) bool {
	switch {
	case t.what == sponsors || t.what == appRoles:
		return !u.rights.Users
	case t.what == members:
		return !u.rights.Members
	}
	return kind == store.KindGroup && !u.rights.Groups
}

func (t tie) subject() subject { return subject{of: t.from, what: t.what, toward: t.to} }

// revertTies adds relations that were removed, and removes those that were added, as far as a
// change set can.
func (u *undoing) revertTies(s *step) (err error) {
	img := u.Image()
	s.ties(u.Base(), func(t tie, removed bool) {
		if err != nil || t.exists(img) == removed || u.skipped(t) {
			return
		}
		kind, _ := img.Kind(t.from)
		switch {
		case u.private(t, kind):
			u.because(t.subject(), whyPrivate)
		case t.what == members && removed:
			err = u.try(t.subject(), "POST", "/groups/"+t.from.String()+"/members/$ref", referring(t.to))
		case t.what == members:
			err = u.try(t.subject(), "DELETE", "/groups/"+t.from.String()+"/members/"+t.to.String()+"/$ref", nil)
		case t.what == owners && removed && kind == store.KindGroup:
			err = u.try(t.subject(), "PATCH", "/groups/"+t.from.String(), binding("owners@odata.bind", t.to))
		case t.what == sponsors && removed:
			err = u.try(t.subject(), "PATCH", "/users/"+t.from.String(), binding("sponsors@odata.bind", t.to))
		default:
			u.because(t.subject(), whyNoRequest)
		}
	})
	return err
}

// skipped reports whether one end of a relation was created or permanently deleted by the commit.
func (u *undoing) skipped(t tie) bool {
	for _, id := range []uuid.UUID{t.from, t.to} {
		if u.before.purged[id] || u.createdID(id) {
			return true
		}
	}
	return false
}

func (u *undoing) createdID(id uuid.UUID) bool {
	dir := u.Base().Directory
	if user, ok := dir.UserByID(id); ok {
		return u.before.created(userKey(user))
	}
	group, ok := dir.GroupByID(id)
	return ok && u.before.created(groupKey(group))
}

// referring is the body of a request that adds an object to a relation.
func referring(id uuid.UUID) []byte {
	return append(jsontext.AppendText([]byte(`{"@odata.id":`), address(id)), '}')
}

// binding is the body of a PATCH that adds objects to a relation.
func binding(name string, ids ...uuid.UUID) []byte {
	b := append(jsontext.AppendText([]byte{'{'}, name), ':')
	b = jsontext.AppendList(b, ids, func(b []byte, id uuid.UUID) []byte { return jsontext.AppendText(b, address(id)) })
	return append(b, '}')
}

func address(id uuid.UUID) string {
	return "https://graph.microsoft.com/v1.0/directoryObjects/" + id.String()
}

// revertManagers sets the managers that users had. A change set cannot remove one.
func (u *undoing) revertManagers(s *step) error {
	for i := len(s.Managers) - 1; i >= 0; i-- {
		m := s.Managers[i]
		dir := u.Image().Directory
		id := dir.UserID(m.User)
		about := subject{of: id, what: "manager"}
		now, has := dir.Manager(m.User)
		switch {
		case u.before.created(userKey(m.User)) || u.before.purged[id] || id == uuid.Nil:
		case has == m.Removed || has && now != m.Manager:
			u.because(about, whyChanged)
		case !u.rights.Users:
			u.because(about, whyPrivate)
		case m.Before == 0:
			u.because(about, whyNoRequest)
		case dir.UserPurged(m.Before - 1):
			u.because(about, whyPurged)
		default:
			body := jsontext.AppendText([]byte(`{"manager@odata.bind":`), address(dir.UserID(m.Before-1)))
			if err := u.try(about, "PATCH", "/users/"+id.String(), append(body, '}')); err != nil {
				return err
			}
		}
	}
	return nil
}

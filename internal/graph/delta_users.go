package graph

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/store"
)

// usersDelta answers GET /users/delta: everybody at first, later who came, went or changed in what
// is shown, licenses included; with manager@delta when $select has the manager.
func usersDelta(r *wire.Request) error {
	d, err := deltaRound(r, store.KindUser, "users", userFields.Spell)
	if err != nil {
		return err
	}
	names := except(d.token.selected, "manager")
	manager := len(names) < len(d.token.selected)
	if manager && d.Access != identity.AccessFull {
		return &identity.ForbiddenError{Operation: r.Op.Need}
	}
	fields, err := deltaFields(d, userFields, names)
	if err != nil {
		return err
	}
	if err := d.read(); err != nil {
		return err
	}
	w := userWriter{d, fields, manager}
	page, more := d.elements(d.among(w.touched))
	rows := userList.At(r, there(page), wire.Documented(fields))
	return w.send(page, wire.Finder(rows, func(u *user) uint32 { return u.ordinal }), more)
}

// userWriter writes a page of users.
type userWriter struct {
	*round
	fields  []*wire.Field[user]
	manager bool
}

// touched are the users who changed in what is shown.
func (w *userWriter) touched() *roaring.Bitmap {
	touched := w.objects.Touched(namesOf(w.fields))
	if w.manager {
		touched.Or(w.changes.Managers.Touched())
	}
	return touched
}

func (w *userWriter) send(page []deltaElement, find func(uint32) (*user, error), more bool) error {
	b := w.head()
	for _, e := range page {
		if err := w.Work.Pace(); err != nil {
			return err
		}
		if e.removed != "" {
			b = w.appendRemoved(wire.AppendNext(b), userType, e)
			continue
		}
		user, err := find(e.ordinal)
		if err != nil {
			return err
		}
		if user == nil { // gone since; the next round says so
			continue
		}
		b = wire.AppendFields(append(wire.AppendNext(b), '{'), w.fields, user)
		if w.manager {
			b = w.appendManager(b, e.ordinal)
		}
		if b, err = w.Request.More(append(b, '}')); err != nil {
			return err
		}
	}
	if !more {
		return w.finish(b, nil)
	}
	return w.finish(b, w.continued(int64(page[len(page)-1].ordinal)))
}

// appendManager writes who is a user's manager, and who is not any more. The client does not know
// it when the user came.
func (w *userWriter) appendManager(b []byte, user uint32) []byte {
	x := w.Image.Directory
	managers := roaring.New()
	if touched := w.changes.Managers[user]; touched != nil {
		managers.Or(touched)
	}
	now, managed := x.Manager(user)
	if managed && (w.whole || w.objects.Created(user)) {
		managers.Add(now)
	}
	return w.appendLinks(b, "manager@delta", func(b []byte) []byte {
		for manager := range roaring.Values(managers) {
			b = w.appendLinked(b, userType, w.userID(manager), managed && manager == now && !x.UserDeleted(manager))
		}
		return b
	})
}

// except is a $select with a name taken out.
func except(selected []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(selected), func(s string) bool { return s == name })
}

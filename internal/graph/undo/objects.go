package undo

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/jsontext"
	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/trail"
)

// object is a user or group, as images have both.
type object struct {
	tenant.ObjectKey
	id  uuid.UUID
	set string // the set of its URL
}

// object returns the user or group with a key; false if it is permanently deleted.
func (u *undoing) object(key tenant.ObjectKey) (object, bool) {
	dir := u.Image().Directory
	if key.Kind == store.KindUser {
		return object{key, dir.UserID(key.Ordinal), "/users/"}, !dir.UserPurged(key.Ordinal)
	}
	return object{key, dir.GroupID(key.Ordinal), "/groups/"}, !dir.GroupPurged(key.Ordinal)
}

func (o object) path() string { return o.set + o.id.String() }

func (o object) kind() trail.Kind {
	if o.Kind == store.KindUser {
		return trail.User
	}
	return trail.Group
}

// stateIn returns whether an object exists in an image.
func stateIn(img *tenant.Image, key tenant.ObjectKey) state {
	dir := img.Directory
	purged, isDeleted := dir.GroupPurged, dir.GroupDeleted
	if key.Kind == store.KindUser {
		purged, isDeleted = dir.UserPurged, dir.UserDeleted
	}
	switch {
	case purged(key.Ordinal):
		return absent
	case isDeleted(key.Ordinal):
		return deleted
	}
	return live
}

// marks returns the events of objects of a command.
func (s *step) marks(what tenant.MarkKind) (keys []tenant.ObjectKey) {
	for _, m := range s.Users {
		if m.What == what {
			keys = append(keys, userKey(m.Ordinal))
		}
	}
	for _, m := range s.Groups {
		if m.What == what {
			keys = append(keys, groupKey(m.Ordinal))
		}
	}
	return keys
}

// restore restores objects that the command deleted, unless a later one did so again.
func (u *undoing) restore(s *step) error {
	for _, key := range s.marks(tenant.MarkDeleted) {
		o, ok := u.object(key)
		if !ok || u.before.created(key) || stateIn(u.Image(), key) != deleted {
			continue
		}
		about := subject{of: o.id}
		at, err := u.deletedAt(key)
		if err != nil {
			return err
		}
		if !at.Equal(u.at.Truncate(time.Second)) {
			u.because(about, whyChanged)
			continue
		}
		if err := u.try(about, "POST", "/directory/deletedItems/"+o.id.String()+"/restore", nil); err != nil {
			return err
		}
	}
	return nil
}

// deletedAt returns when an object was deleted.
func (u *undoing) deletedAt(key tenant.ObjectKey) (at time.Time, err error) {
	document, err := u.Document(u.ctx, key.Kind, key.Ordinal)
	if err != nil {
		return at, err
	}
	for _, d := range directory.Differences(nil, document) {
		if d.Name == "deletedDateTime" {
			err = json.Unmarshal(d.New, &at)
		}
	}
	return at.Truncate(time.Second), err
}

// remove deletes objects that the command created or restored. A group that would be permanently
// deleted, and that was changed since, is left alone.
func (u *undoing) remove(s *step) error {
	keys := s.marks(tenant.MarkRestored)
	for _, g := range slices.Backward(s.groupEffects()) {
		if g.New != nil {
			keys = append(keys, groupKey(g.Group))
		}
	}
	for _, n := range slices.Backward(s.NewUsers) {
		if user, ok := u.Base().Directory.UserByID(n.ID); ok {
			keys = append(keys, userKey(user))
		}
	}
	for _, key := range keys {
		if err := u.pace(); err != nil {
			return err
		}
		o, ok := u.object(key)
		if !ok || stateIn(u.Image(), key) != live {
			continue
		}
		forever := key.Kind == store.KindGroup && !u.Image().GroupNamed(key.Ordinal).Unified
		if forever && u.since(trail.Group, key.Ordinal) {
			u.because(subject{of: o.id}, whyChanged)
			continue
		}
		if err := u.try(subject{of: o.id}, "DELETE", o.path(), nil); err != nil {
			return err
		}
	}
	return nil
}

// byPassword are properties that follow from a password.
var byPassword = []string{"lastPasswordChangeDateTime", "passwordProfile"}

// sessionsFrom is from when on sessions are valid.
const sessionsFrom = "signInSessionsValidFromDateTime"

// revertProperties sets properties of users and groups to what they were.
func (u *undoing) revertProperties(s *step) error {
	for _, key := range s.marks(tenant.MarkWritten) {
		if err := u.pace(); err != nil {
			return err
		}
		o, ok := u.object(key)
		w := s.changed(tenant.Changeable(key.Kind), key.Ordinal, uuid.Nil)
		if !ok || u.before.created(key) || w == nil || stateIn(u.Image(), key) != live {
			continue
		}
		if err := u.revertDocument(o, w, slices.Contains(s.record.Passwords, key.Ordinal)); err != nil {
			return err
		}
	}
	return nil
}

// revertDocument sets properties of one object: together, or if that is refused, one by one.
func (u *undoing) revertDocument(o object, w *tenant.Was, password bool) error {
	document, err := u.Document(u.ctx, o.Kind, o.Ordinal)
	if err != nil {
		return err
	}
	values := flat(document)
	var list []tenant.Difference
	for _, d := range w.Properties {
		about := subject{of: o.id, what: d.Name}
		switch {
		case slices.Contains(byPassword, d.Name) && password:
			u.because(about, whyPassword)
		case d.Name == sessionsFrom:
			u.because(about, whySession)
		case !equalJSON(values[d.Name], d.New):
			u.because(about, whyChanged)
		case o.Kind == store.KindUser && !u.rights.Users, o.Kind == store.KindGroup && !u.rights.Groups:
			u.because(about, whyPrivate)
		default:
			list = append(list, d)
		}
	}
	if len(list) == 0 {
		return nil
	}
	refusal, err := u.Try(u.ctx, "PATCH", o.path(), former(list))
	if err != nil || refusal == "" {
		return err
	}
	for i := range list {
		if err := u.try(subject{of: o.id, what: list[i].Name}, "PATCH", o.path(), former(list[i:i+1])); err != nil {
			return err
		}
	}
	return nil
}

// former is the body of a PATCH that sets properties to their former values.
func former(list []tenant.Difference) []byte {
	b := []byte{'{'}
	for _, d := range list {
		b = append(jsontext.AppendName(b, d.Name), formerValue(d)...)
	}
	return append(b, '}')
}

// formerValue returns the value of a property that it had. A stored document omits values that are
// null, false or empty.
func formerValue(d tenant.Difference) []byte {
	isList, isObject := bytes.HasPrefix(d.New, []byte("[")), bytes.HasPrefix(d.New, []byte("{"))
	switch {
	case len(d.Old) > 0 && isObject:
		return formerMembers(d)
	case len(d.Old) > 0:
		return d.Old
	case isList:
		return []byte("[]")
	case slices.Contains(flags, d.Name):
		return []byte("false")
	}
	return []byte("null")
}

// flags are the properties that are never null, and are omitted if they are false.
var flags = []string{"accountEnabled", "mailEnabled", "securityEnabled"}

// formerMembers returns the former members of an object, with null for those that it did not have:
// a PATCH keeps the members that it does not have.
func formerMembers(d tenant.Difference) []byte {
	b := []byte{'{'}
	for _, m := range directory.Differences(nil, d.Old) {
		b = append(jsontext.AppendName(b, m.Name), m.New...)
	}
	for _, m := range directory.Differences(d.Old, d.New) {
		if len(m.Old) == 0 && string(m.New) != "null" {
			b = append(jsontext.AppendName(b, m.Name), "null"...)
		}
	}
	return append(b, '}')
}

// flat returns the values of the properties of a document.
func flat(document []byte) map[string][]byte {
	values := map[string][]byte{}
	for _, d := range directory.Differences(nil, document) {
		values[d.Name] = d.New
	}
	return values
}

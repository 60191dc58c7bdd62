package undo

import (
	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// maxBound is the maximum number of members that one request binds (docs/spec/protocol.md P51), and
// manyMembers is from how many on members are added by such requests, which need the permission to
// change groups.
const (
	maxBound    = 20
	manyMembers = 200
)

// revertMembers removes users who joined groups, and adds those who left them. The members of
// dynamic groups follow from their rules.
func (u *undoing) revertMembers(s *step) error {
	for _, g := range s.groupEffects() {
		key := groupKey(g.Group)
		if len(g.Joined)+len(g.Left) == 0 || u.before.created(key) || stateIn(u.Image(), key) == absent {
			continue
		}
		o, _ := u.object(key)
		about := subject{of: o.id, what: members}
		switch {
		case u.Image().Dynamic(g.Group) != nil:
			u.because(about, whyRule)
			continue
		case !u.rights.Members:
			u.because(about, whyPrivate)
			continue
		}
		if err := u.revertMembersOf(o, g); err != nil {
			return err
		}
	}
	return nil
}

func (u *undoing) revertMembersOf(o object, g licensing.GroupEffect) error {
	joined, left := roaring.New(), roaring.New()
	for _, list := range []struct {
		data []byte
		into *roaring.Bitmap
	}{{g.Joined, joined}, {g.Left, left}} {
		if len(list.data) > 0 {
			if err := tenant.Unite(list.into, list.data); err != nil {
				return err
			}
		}
	}
	img := u.Image()
	joined.And(img.Licensing.GroupMembers(o.Ordinal))
	left.AndNot(img.Licensing.GroupMembers(o.Ordinal))
	for user := range roaring.Values(joined) {
		if u.full() || u.pace() != nil {
			break
		}
		id, ok := u.member(o.id, user)
		if !ok {
			continue
		}
		if err := u.try(memberOf(o.id, id), "DELETE", o.path()+"/members/"+id.String()+"/$ref", nil); err != nil {
			return err
		}
	}
	if err := u.pace(); err != nil {
		return err
	}
	return u.addMembers(o, left)
}

func memberOf(group, user uuid.UUID) subject { return subject{of: group, what: members, toward: user} }

// member returns the id of a user whose membership is changed; false if it is not.
func (u *undoing) member(group uuid.UUID, user uint32) (id uuid.UUID, ok bool) {
	id = u.Image().Directory.UserID(user)
	switch stateIn(u.Image(), userKey(user)) {
	case absent:
		return id, false
	case deleted:
		u.because(memberOf(group, id), whyDeleted)
		return id, false
	}
	return id, !u.before.created(userKey(user)) // those are deleted
}

// addMembers adds users to a group: one by one, or many by requests of several.
func (u *undoing) addMembers(o object, users *roaring.Bitmap) error {
	var ids []uuid.UUID
	for user := range roaring.Values(users) {
		if id, ok := u.member(o.id, user); ok {
			ids = append(ids, id)
		}
	}
	if len(ids) > manyMembers {
		for len(ids) > 0 && !u.full() {
			if err := u.pace(); err != nil {
				return err
			}
			some := ids[:min(len(ids), maxBound)]
			refusal, err := u.Try(u.ctx, "PATCH", o.path(), binding("members@odata.bind", some...))
			if err != nil {
				return err
			}
			if refusal != "" {
				break // those that are left are added one by one
			}
			ids = ids[len(some):]
		}
	}
	for _, id := range ids {
		if u.full() {
			break
		}
		if err := u.pace(); err != nil {
			return err
		}
		if err := u.try(memberOf(o.id, id), "POST", o.path()+"/members/$ref", referring(id)); err != nil {
			return err
		}
	}
	return nil
}

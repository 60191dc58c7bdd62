package undo

import (
	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/licensing"
	"licensor/internal/trail"
)

// compareLicenses compares the licenses of users: those that the commit changed with what they
// were, and all others with what they are now.
func (u *undoing) compareLicenses() error {
	now, said := u.Image().Licensing, map[licensing.SKU]*roaring.Bitmap{}
	unclear := false // errors of users who do not hold the license now
	for i := range u.before.cells {
		c := &u.before.cells[i]
		for user := range roaring.Values(c.users) {
			if err := u.pace(); err != nil {
				return err
			}
			is := entryAt(now, user, placeOf(&c.was))
			if looksLike(is, c.was, u.before.errorsKnown) {
				unclear = unclear || is.Error != licensing.NoViolation
				continue
			}
			u.licenseStays(said, user, c.was, is)
		}
	}
	if unclear && !u.before.errorsKnown {
		org := u.Base().Organization
		u.stays(Stay{
			Type: "tenant", ID: org.ID, Name: org.DisplayName, What: "licenseAssignmentStates",
			Why: "Commits of earlier versions do not say in which errors licenses were.",
		})
	}
	return u.compareUntouched(said)
}

// compareUntouched notes the users whose licenses change although the commit has not changed them.
func (u *undoing) compareUntouched(said map[licensing.SKU]*roaring.Bitmap) error {
	base, now, changed := u.Base().Licensing, u.Image().Licensing, u.before.changed()
	for user := range base.ChangedUsers(now) {
		if err := u.pace(); err != nil {
			return err
		}
		for at := range places(base.CurrentEntries(user), now.CurrentEntries(user)) {
			if set := changed[at]; set != nil && set.Contains(user) {
				continue
			}
			if was, is := entryAt(base, user, at), entryAt(now, user, at); !looksLike(was, is, true) {
				u.licenseStays(said, user, was, is)
			}
		}
	}
	return nil
}

// places yields the places of entries.
func places(lists ...[]licensing.Entry) func(yield func(place) bool) {
	return func(yield func(place) bool) {
		for _, list := range lists {
			for i := range list {
				if !yield(place{list[i].Source, list[i].SKU}) {
					return
				}
			}
		}
	}
}

// licenseStays notes a license of a user that stays different, once for each product.
func (u *undoing) licenseStays(said map[licensing.SKU]*roaring.Bitmap, user uint32, was, is licensing.Outcome) {
	if u.beyond(userKey(user)) {
		return
	}
	if said[was.SKU] == nil {
		said[was.SKU] = roaring.New()
	}
	if !said[was.SKU].CheckedAdd(user) || u.counted() {
		return
	}
	s := u.of(userKey(user), licenses)
	s.SKUID = u.Image().Licensing.SKUOf(was.SKU)
	s.SKUName = u.partNumber(s.SKUID)
	s.Why = u.whyLicense(s, user, was, is)
	u.stays(s)
}

// whyLicense returns why the license of a user stays different.
func (u *undoing) whyLicense(s Stay, user uint32, was, is licensing.Outcome) string {
	otherwise := whyFollows
	switch {
	case stateIn(u.Image(), userKey(user)) == deleted:
		otherwise = whyDeleted
	case is.Error != licensing.NoViolation:
		otherwise = "The license is in the error " + is.Error.String() + "."
	case was.InForce == licensing.None && is.InForce != licensing.None:
		otherwise = "A license that a user holds is not taken away because seats or an error are as before."
	}
	if group, ok := is.Source.Group(); ok {
		if why, ok := u.reasons[licenseOf(u.Image().Licensing.GroupID(group), s.SKUID)]; ok {
			otherwise = why
		}
	}
	if why := u.reason(licenseOf(s.ID, s.SKUID), otherwise); why != otherwise {
		return why
	}
	if u.since(trail.User, user) {
		return whyChanged
	}
	return otherwise
}

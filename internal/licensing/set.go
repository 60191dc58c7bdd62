package licensing

import "github.com/RoaringBitmap/roaring/v2"

// All data that a change or a replay sets is set by these setters and by put, which sets entries.
// They also update derived data: the sets of users, and which users the draft has touched (L61).

// setFact sets the fact of a user.
func (d *Draft) setFact(user uint32, f fact) {
	d.touched.Add(user)
	was := d.factOf(user)
	if was == f {
		return
	}
	if (was.flags^f.flags)&deleted != 0 {
		put(d.ownSet(&d.next.deleted), user, f.flags&deleted != 0)
	}
	if f.flags&purged != 0 {
		d.ownSet(&d.next.purged).Add(user)
	}
	d.row(user).fact = f
}

// setFlag sets or clears one of a user's flags.
func (d *Draft) setFlag(user uint32, flag flags, is bool) {
	f := d.factOf(user)
	if f.flags &^= flag; is {
		f.flags |= flag
	}
	d.setFact(user, f)
}

// setMembers adds or removes members of a group, and returns the users whose membership changed.
func (d *Draft) setMembers(g uint32, users *roaring.Bitmap, members bool) *roaring.Bitmap {
	d.touched.Or(users)
	change, of := roaring.AndNot, (*roaring.Bitmap).Or
	if !members {
		change, of = roaring.And, (*roaring.Bitmap).AndNot
	}
	moved := change(users, d.next.group(g).members.bitmap)
	if moved.IsEmpty() {
		return moved
	}
	of(d.ownSet(&d.ownGroup(g).members), moved)
	if d.moved == nil {
		d.moved = map[uint32]*roaring.Bitmap{}
	}
	if d.moved[g] == nil {
		d.moved[g] = roaring.New()
	}
	d.moved[g].Or(moved)
	return moved
}

// setLicenses sets the licenses of a group and returns its members.
func (d *Draft) setLicenses(g uint32, list []license) *roaring.Bitmap {
	d.ownGroup(g).licenses = list
	members := d.next.group(g).members.bitmap
	d.touched.Or(members)
	return members
}

// setDirect stores the evaluation's entries after a request for direct licenses. It also touches
// the user if the request changes nothing.
func (d *Draft) setDirect(user uint32) {
	d.keep(user)
	d.touched.Add(user)
}

// setRules replaces the catalog's rules.
func (d *Draft) setRules(r *ruleset) {
	d.next.rules = r
	d.refresh()
	d.touched.Or(d.next.Everybody())
}

// setCountry sets the organization's country.
func (d *Draft) setCountry(c Country) {
	d.next.country = c
	d.refresh()
	d.touched.Or(d.next.Everybody())
}

// before returns what a user had before the commit.
func (d *Draft) before(user uint32, r *row) ([]Entry, []lost) {
	switch {
	case d.replays:
		return r.entries, r.lost
	case int(user) < d.base.users:
		return d.base.Entries(user), d.base.lost(user)
	}
	return nil, nil
}

// put sets the user's entries: it dates them, records lost licenses, and updates the sets of
// holders, of waiting users and of users in error. The entries must be in order; they are copied.
func (d *Draft) put(user uint32, entries []Entry) {
	r := d.row(user)
	base, lost := d.before(user, r)
	d.date(base, entries)
	d.record(user, r.entries, entries)
	r.entries = d.bench.keep(entries)
	r.lost = d.bench.keepLost(stillLost(lost, base, entries, d.at))
	d.touched.Add(user)
}

package licensing

import "github.com/RoaringBitmap/roaring/v2"

// Everything that a change or a replay sets goes through the setters here and through put, which
// sets entries. They keep what follows from it: the sets of users, and whom the draft has touched
// (L61).

// setFact sets what is known of a user.
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

// setFlag sets one of a user's flags, or takes it away.
func (d *Draft) setFlag(user uint32, flag flags, is bool) {
	f := d.factOf(user)
	if f.flags &^= flag; is {
		f.flags |= flag
	}
	d.setFact(user, f)
}

// setMembers makes users members of a group, or ends that, and returns those for whom it is a
// change.
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

// setDirect keeps the evaluation's entries after a request for direct licenses. It touches the user
// also when the request names what is there.
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

// put makes these the user's entries: it dates them, remembers what was lost, and keeps the sets of
// holders, waiting and users in error. The entries must be in order; they are copied.
func (d *Draft) put(user uint32, entries []Entry) {
	r := d.row(user)
	var base []Entry
	if int(user) < d.base.users {
		base = d.base.Entries(user)
	}
	d.date(base, entries)
	d.record(user, r.entries, entries)
	r.entries = d.bench.keep(entries)
	if int(user) < d.base.users {
		r.lost = d.bench.keepLost(stillLost(d.base.lost(user), base, entries, d.at))
	}
	d.touched.Add(user)
}

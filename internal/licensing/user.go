package licensing

import "github.com/RoaringBitmap/roaring/v2"

// AddUser adds a user and returns the ordinal: the next one, so that ordinals are in order of
// creation (L52).
func (d *Draft) AddUser(location Country) uint32 {
	user := uint32(d.next.users)
	number := int(user / blockSize)
	if d.bench.number != number {
		d.shut()
		d.bench.open(number, d.block(number))
	}
	d.bench.rows = append(d.bench.rows, row{fact: fact{location: location}})
	d.bench.dirty = true
	d.next.users++
	return user
}

// SetLocation sets the user's usageLocation. It takes effect on licenses when the user is
// reprocessed (L61).
func (d *Draft) SetLocation(user uint32, location Country) {
	f := d.factOf(user)
	f.location = location
	d.setFact(user, f)
}

// SetDuplicate sets whether another user has an address of the user (L43).
func (d *Draft) SetDuplicate(user uint32, is bool) {
	d.setFlag(user, duplicate, is)
}

// DeleteUser soft-deletes a user: all seats become free immediately, without checks (L60). The
// wishes are kept for RestoreUser.
func (d *Draft) DeleteUser(user uint32) {
	d.setFlag(user, deleted, true)
	d.take(user, func(e *Entry) bool { return e.Wished != None })
}

// RestoreUser restores a soft-deleted user and processes all bundles as new (L38, L60). A direct
// license that cannot be given is removed.
func (d *Draft) RestoreUser(user uint32) {
	d.setFlag(user, deleted, false)
	d.eval.load(d.factOf(user), d.entriesOf(user))
	d.eval.process(everyBundle)
	if !d.eval.changed {
		return
	}
	for i := range d.eval.entries {
		if e := &d.eval.entries[i]; e.Source == Direct && e.InForce == None {
			e.Wished = None
		}
	}
	d.keep(user)
}

// PurgeUser removes a user permanently, and also from its groups. The ordinal is not reused.
func (d *Draft) PurgeUser(user uint32, groups []uint32) {
	f := d.factOf(user)
	f.flags = purged
	d.setFact(user, f)
	d.take(user, func(*Entry) bool { return false })
	for _, g := range groups {
		d.setMembers(g, roaring.BitmapOf(user), false)
	}
}

// take ends all licenses in force and keeps the remaining entries as wishes.
func (d *Draft) take(user uint32, stays func(*Entry) bool) {
	e := &d.eval
	e.load(d.factOf(user), d.entriesOf(user))
	for i := range e.entries {
		e.edit()
		wished := e.entries[i].Wished
		e.entries[i].Wished, e.entries[i].Error = None, NoViolation
		e.putInForce(i)
		if e.entries[i].Wished = wished; !stays(&e.entries[i]) {
			e.entries[i].Wished = None
		}
	}
	d.keep(user)
}

// Everybody returns all users who are not deleted.
func (img *Image) Everybody() *roaring.Bitmap {
	all := roaring.New()
	all.AddRange(0, uint64(img.users))
	all.AndNot(img.deleted.bitmap)
	all.AndNot(img.purged.bitmap)
	return all
}

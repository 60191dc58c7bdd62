package licensing

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
)

// AddGroup adds a group and returns its ordinal, the next one.
func (d *Draft) AddGroup(id uuid.UUID) uint32 {
	g := uint32(d.next.groups.Len())
	d.next.groups.Append(d.owner, &group{owner: d.owner, id: id, members: d.newSet(), errors: d.newSet()})
	d.groups = append(d.groups, g)
	return g
}

// PurgeGroup removes a group permanently; with licenses it is refused (L35). Its members leave it.
func (d *Draft) PurgeGroup(g uint32) error {
	if len(d.next.group(g).licenses) > 0 {
		return &RefusalError{Kind: RefusalGroupLicensed}
	}
	d.RemoveMembers(g, d.next.group(g).members.bitmap.Clone())
	d.ownGroup(g).purged = true
	return nil
}

// AssignGroup changes a group's licenses and processes its bundle of every member, in the order of
// L52 (L30, L60).
func (d *Draft) AssignGroup(g uint32, add []Assign, remove []uuid.UUID) error {
	wants, err := d.wanted(g, add, remove)
	if err != nil || slices.Equal(d.next.group(g).licenses, wants) {
		return err
	}
	for user := range d.inTurn(d.setLicenses(g, wants)) {
		d.wish(user, FromGroup(g), wants)
	}
	return nil
}

// wanted returns the licenses of a group after a change of them.
func (d *Draft) wanted(g uint32, add []Assign, remove []uuid.UUID) ([]license, error) {
	if err := d.admissible(add, remove); err != nil {
		return nil, err
	}
	had, rules := d.next.group(g).licenses, d.next.rules
	for _, id := range remove {
		if !slices.ContainsFunc(had, func(l license) bool { return d.next.sku(l.sku).id == id }) {
			return nil, &RefusalError{Kind: RefusalGroupNotHolding, SKUID: id}
		}
	}
	wants := d.withLicenses(had, d.licenses(add), remove)
	if slices.Equal(had, wants) {
		return had, nil
	}
	if err := d.next.rules.fitting(wants); err != nil {
		d.next.rules, d.eval.rules = rules, rules // without the variants of a refused request
		return nil, err
	}
	return wants, nil
}

// AcceptsOfGroup returns the error that AssignGroup returns, without processing the members.
func (d *Draft) AcceptsOfGroup(g uint32, add []Assign, remove []uuid.UUID) error {
	_, err := d.wanted(g, add, remove)
	return err
}

func (d *Draft) withLicenses(had, add []license, remove []uuid.UUID) []license {
	var list []license
	for _, l := range had {
		replaced := slices.ContainsFunc(add, func(a license) bool { return a.sku == l.sku })
		if !replaced && !slices.Contains(remove, d.next.sku(l.sku).id) {
			list = append(list, l)
		}
	}
	list = append(list, add...)
	slices.SortFunc(list, func(a, b license) int { return int(a.sku) - int(b.sku) })
	return list
}

// fitting refuses products of one group that conflict with each other (L31).
func (r *ruleset) fitting(list []license) error {
	var own evaluation // of a user who has only these
	own.rules, own.lo, own.hi = r, 0, len(list)
	for _, l := range list {
		own.entries = append(own.entries, Entry{SKU: l.sku, Wished: l.variant})
	}
	for i := range own.entries {
		for _, c := range checksInGroup {
			own.why = &Reason{}
			if !c.fails(&own, i) {
				continue
			}
			kind := RefusalGroupConflict
			plans := []uuid.UUID{own.why.Plan, own.why.OtherPlan}
			if c.error == DependencyViolation {
				kind, plans = RefusalGroupDependency, append([]uuid.UUID{own.why.Plan}, own.why.Requires...)
			}
			return &RefusalError{Kind: kind, SKUID: r.skus[own.entries[i].SKU], Plans: plans, names: r.names(plans)}
		}
	}
	return nil
}

// AddMembers adds users to a group and processes its bundle for each new member (L32). It returns
// the number of new members.
func (d *Draft) AddMembers(g uint32, users *roaring.Bitmap) int {
	joining := d.setMembers(g, users, true)
	d.follow(g, joining, d.next.group(g).licenses)
	return int(joining.GetCardinality())
}

// RemoveMembers removes users from a group and the group's licenses from them, as far as L46
// permits. It returns how many were members.
func (d *Draft) RemoveMembers(g uint32, users *roaring.Bitmap) int {
	leaving := d.setMembers(g, users, false)
	d.follow(g, leaving, nil)
	return int(leaving.GetCardinality())
}

// follow updates users whose membership of the group changed. If the group has no licenses, only
// users who could not give up its former licenses (L46) have a bundle, which is an error.
func (d *Draft) follow(g uint32, users *roaring.Bitmap, list []license) {
	k := d.next.group(g)
	if users.IsEmpty() {
		return
	}
	if len(k.licenses) == 0 {
		users = roaring.And(users, k.errors.bitmap)
	}
	for user := range d.inTurn(users) {
		d.wish(user, FromGroup(g), list)
	}
}

// wish sets the licenses that a source should give the user, and processes its bundle.
func (d *Draft) wish(user uint32, source Source, list []license) {
	f := d.factOf(user)
	e := &d.eval
	e.load(f, d.entriesOf(user))
	e.wish(source, list, d.seq)
	if f.flags&(deleted|purged) == 0 && !d.exact {
		e.process(scope{source: source})
	}
	d.keep(user)
}

// wish replaces the wishes of the source's bundle. A new wish is as old as the bundle's other
// wishes, or new like the commit (L50).
func (e *evaluation) wish(source Source, list []license, seq uint64) {
	e.edit()
	lo := 0
	for lo < len(e.entries) && e.entries[lo].Source < source {
		lo++
	}
	hi, since := lo, seq
	for ; hi < len(e.entries) && e.entries[hi].Source == source; hi++ {
		if e.entries[hi].Wished != None {
			since = e.entries[hi].Since
		}
		e.entries[hi].Wished = None
	}
	for i := lo; i < hi && len(list) > 0; i++ {
		e.entries[i].Since = since
	}
	for _, l := range list {
		for lo < hi && e.entries[lo].SKU < l.sku {
			lo++
		}
		if lo == hi || e.entries[lo].SKU != l.sku {
			e.entries = slices.Insert(e.entries, lo, Entry{Source: source, SKU: l.sku})
			hi++
		}
		e.entries[lo].Wished, e.entries[lo].Since = l.variant, since
	}
	e.copy = e.entries // may have grown
}

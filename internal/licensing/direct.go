package licensing

import (
	"slices"

	"github.com/google/uuid"
)

// Assign is a license to assign: an element of addLicenses.
type Assign struct {
	SKUID         uuid.UUID
	DisabledPlans []uuid.UUID
}

// AssignUser changes a user's direct licenses: all of the request or, with a *RefusalError, nothing
// (L20 to L24). Removals count before additions, so a swap works between conflicting products. Any
// user can be licensed except a deleted one (L25).
func (d *Draft) AssignUser(user uint32, add []Assign, remove []uuid.UUID) error {
	if f := d.factOf(user); f.flags&(deleted|purged) != 0 {
		return &RefusalError{Kind: RefusalUserDeleted}
	}
	if err := d.admissible(add, remove); err != nil {
		return err
	}
	e := &d.eval
	e.load(d.factOf(user), d.entriesOf(user))
	if err := removable(e, remove); err != nil {
		return err
	}
	if len(add) > 0 && e.fact.location == NoCountry {
		return &RefusalError{Kind: RefusalNoUsageLocation}
	}
	rules := d.next.rules
	if err := d.assignDirect(user, d.licenses(add), remove); err != nil {
		d.next.rules, e.rules = rules, rules // without the variants of a refused request
		return err
	}
	return nil
}

// assignDirect evaluates the named direct licenses as one bundle (L24), which is moved to the end
// of the entries for that. A SKU that is held directly gets the new disabled plans; one from a
// group also gets a direct source (L21).
func (d *Draft) assignDirect(user uint32, add []license, remove []uuid.UUID) error {
	e := &d.eval
	e.rules = d.next.rules
	before := slices.Clone(e.entries)
	e.edit()
	named := func(en *Entry) bool { return en.Source == Direct && slices.Contains(remove, e.sku(en.SKU).id) }
	var bundle, rest []Entry
	for _, en := range e.entries {
		at := slices.IndexFunc(add, func(l license) bool { return l.sku == en.SKU })
		switch {
		case en.Source == Direct && at >= 0:
			en.Wished = add[at].variant
			bundle = append(bundle, en)
			add = slices.Delete(add, at, at+1)
		case named(&en):
			en.Wished = None
			bundle = append(bundle, en)
		default:
			rest = append(rest, en)
		}
	}
	for _, l := range add {
		bundle = append(bundle, Entry{Source: Direct, SKU: l.sku, Wished: l.variant, Since: d.seq})
	}
	e.entries = append(rest, bundle...)
	if b := (span{len(rest), len(e.entries)}); !e.give(b) {
		err := e.refusal(b)
		e.load(e.fact, before)
		return err
	}
	slices.SortFunc(e.entries, func(a, b Entry) int { return compareEntries(&a, &b) })
	d.setDirect(user)
	return nil
}

// admissible refuses what cannot be assigned to any user: L5, L22, L23.
func (d *Draft) admissible(add []Assign, remove []uuid.UUID) error {
	seen := map[uuid.UUID]bool{}
	for _, id := range remove {
		if seen[id] {
			return &RefusalError{Kind: RefusalRepeated, SKUID: id}
		}
		seen[id] = true
	}
	for _, a := range add {
		if seen[a.SKUID] {
			return &RefusalError{Kind: RefusalRepeated, SKUID: a.SKUID}
		}
		seen[a.SKUID] = true
		if err := d.assignable(a); err != nil {
			return err
		}
	}
	return nil
}

func (d *Draft) assignable(a Assign) error {
	at := slices.Index(d.next.rules.skus, a.SKUID)
	product := d.next.rules.product(a.SKUID)
	if at < 0 || product == nil || !d.next.sku(SKU(at)).subscribed {
		return &RefusalError{Kind: RefusalNotSubscribed, SKUID: a.SKUID}
	}
	if product.AppliesTo == AppliesToCompany {
		return &RefusalError{Kind: RefusalCompanyProduct, SKUID: a.SKUID}
	}
	for _, plan := range a.DisabledPlans {
		if !slices.Contains(product.ServicePlanIDs, plan) {
			return &RefusalError{Kind: RefusalPlanNotInSKU, SKUID: a.SKUID, Plans: []uuid.UUID{plan}}
		}
	}
	return nil
}

// licenses converts admissible requests to numbers, by SKU.
func (d *Draft) licenses(add []Assign) []license {
	list := make([]license, 0, len(add))
	for _, a := range add {
		s := SKU(slices.Index(d.next.rules.skus, a.SKUID))
		var v Variant
		d.next.rules, v = d.next.rules.withVariant(s, sortIDs(a.DisabledPlans))
		list = append(list, license{s, v})
	}
	slices.SortFunc(list, func(a, b license) int { return int(a.sku) - int(b.sku) })
	d.eval.rules = d.next.rules
	return list
}

// removable refuses to remove SKUs that the user does not hold directly (L22).
func removable(e *evaluation, remove []uuid.UUID) error {
	for _, id := range remove {
		direct, inherited := false, false
		for i := range e.entries {
			if e.sku(e.entries[i].SKU).id == id {
				direct = direct || e.entries[i].Source == Direct
				inherited = inherited || e.entries[i].InForce != None
			}
		}
		switch {
		case direct:
		case inherited:
			return &RefusalError{Kind: RefusalInherited, SKUID: id}
		default:
			return &RefusalError{Kind: RefusalNotHeld, SKUID: id}
		}
	}
	return nil
}

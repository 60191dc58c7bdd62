package own

import (
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/licensing"
	"licensor/internal/money"
	"licensor/internal/tenant"
)

// DriftKind is a kind of licenses that are not as they should be (docs/spec/licensing.md L85).
type DriftKind uint8

// The kinds, in the order of lists.
const (
	DriftCovered         DriftKind = iota // direct, and a group gives the same working product and plans, or more
	DriftDuplicate                        // all plans are in another working product that the user holds
	DriftDisabledAccount                  // held by a disabled account
	DriftEmptyGroup                       // of a group without members
	DriftStuck                            // in an error for many days
	DriftNoLocation                       // held by a user without a usage location
	DriftInactive                         // held by a user who has not signed in for many days
	DriftUnassigned                       // seats that no user holds
	driftKinds
)

var driftNames = [driftKinds]string{
	"covered", "duplicate", "disabledAccount", "emptyGroup", "stuck", "noLocation", "inactive", "unassigned",
}

func (k DriftKind) String() string { return driftNames[k] }

// driftSet is a set of kinds, a bit each.
type driftSet uint16

const everyKind driftSet = 1<<driftKinds - 1

func (s driftSet) has(k DriftKind) bool { return s&(1<<k) != 0 }

// DriftRow is a license that is not as it should be, or seats that are not used.
type DriftRow struct {
	Kind  DriftKind
	User  uint32          // NoUser: of a group or a product
	Entry licensing.Entry // of which kinds about groups and products have only the SKU and the source
	SKU   licensing.SKUInfo
	Seats int       // that would become free
	Seen  time.Time // of rows of kind inactive on a page
	// By is what covers the license: the group that gives the same product, or another product.
	By     licensing.Source
	Other  *licensing.SKUInfo
	number int // of the row among those of its user, group or product
}

// NoUser is the user of rows about groups and products.
const NoUser = noUser

// Group returns the group that the license comes from; false for direct ones.
func (row *DriftRow) Group() (group uint32, ok bool) { return row.Entry.Source.Group() }

// drift finds the rows of a tenant.
type drift struct {
	*driftCondition
	r     *wire.Request
	limit time.Time // so many days ago
	skus  []*costed // by number
	// status says why the rows of a kind cannot be known, and which rows of others are missing.
	status [driftKinds]driftStatus
	rows   []DriftRow                    // of one user
	others [][]*costed                   // of each SKU: those with all of its plans
	gives  map[[2]licensing.Variant]bool // whether the second has all plans of the first
}

type driftStatus struct {
	unknown bool
	text    string
}

const (
	// UsualDays are the days after which an error is stuck, and a user inactive, unless a request says
	// otherwise.
	UsualDays = 30
	mostDays  = 3650
)

// newDrift prepares the search for rows that satisfy a filter. Days are those of stuck and
// inactive.
func newDrift(r *wire.Request, filter *odata.Filter, days int) (*drift, error) {
	condition, err := driftConditionOf(r, filter)
	if err != nil {
		return nil, err
	}
	d := &drift{driftCondition: condition, r: r, limit: r.Now.AddDate(0, 0, -days)}
	d.gives = map[[2]licensing.Variant]bool{}
	today := tenant.DateOf(r.Now)
	c := &costs{r: r}
	for _, info := range r.Image.Licensing.EverySKU() {
		k := &costed{SKUInfo: info, copies: roaring.New()}
		k.price, k.priced = r.Image.PriceAt(info.SKUID, today)
		for i, users := range []*roaring.Bitmap{info.Holders, info.Waiting} {
			if k.users[i] = roaring.New(); users != nil {
				k.users[i] = roaring.AndNot(users, r.Image.Licensing.DeletedUsers())
			}
		}
		d.skus = append(d.skus, k)
	}
	c.skus = d.skus
	if d.kinds.has(DriftDuplicate) {
		d.others = make([][]*costed, len(d.skus))
		for i, k := range d.skus {
			k.copies = c.duplicates(k)
			for _, o := range d.skus {
				if o != k && !k.copies.IsEmpty() && o.Product != nil && covers(o, k) {
					d.others[i] = append(d.others[i], o)
				}
			}
		}
	}
	return d, nil
}

// daysAsked reads ?days=.
func daysAsked(r *wire.Request) (int, error) {
	asked := r.Values("days")
	if len(asked) == 0 {
		return UsualDays, nil
	}
	days := 0
	for _, digit := range asked[0] {
		if digit < '0' || digit > '9' || days > mostDays {
			days = 0
			break
		}
		days = days*10 + int(digit-'0')
	}
	if len(asked) > 1 {
		days = 0
	}
	return days, checkDays(days)
}

func checkDays(days int) error {
	if days < 1 || days > mostDays {
		return problem.Refuse("days must be a number from 1 to %d.", mostDays)
	}
	return nil
}

// driftPlace is the place of a row in the list: after it, the next page begins.
type driftPlace struct {
	kind    DriftKind
	ordinal uint32 // of the user, group or SKU
	number  int
}

// The bits of a place in a token.
const (
	numberBits  = 16
	ordinalBits = 32
)

func placeAfter(token int64) driftPlace {
	return driftPlace{
		DriftKind(token >> (ordinalBits + numberBits)), uint32(token >> numberBits), int(token & (1<<numberBits - 1)),
	}
}

func (p driftPlace) token() int64 {
	return int64(p.kind)<<(ordinalBits+numberBits) | int64(p.ordinal)<<numberBits | int64(p.number)
}

// place returns the place of a row.
func (row *DriftRow) place() driftPlace {
	p := driftPlace{row.Kind, row.User, row.number}
	if group, ok := row.Group(); row.Kind == DriftEmptyGroup && ok {
		p.ordinal = group
	} else if row.Kind == DriftUnassigned {
		p.ordinal = uint32(row.SKU.Number)
	}
	return p
}

// each calls take for the rows after a place, by kind, then by user, group or product, until take
// returns false.
func (d *drift) each(after *driftPlace, take func(*DriftRow) bool) error {
	for kind := range driftKinds {
		if !d.kinds.has(kind) || after != nil && kind < after.kind {
			continue
		}
		from := after
		if after != nil && kind > after.kind {
			from = nil
		}
		more, err := d.ofKind(kind, from, take)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// ofKind is each for one kind. It reports whether take wants more rows.
func (d *drift) ofKind(kind DriftKind, after *driftPlace, take func(*DriftRow) bool) (more bool, err error) {
	d.r.Work.Doing("finding licenses of the kind " + kind.String())
	candidates, err := d.candidates(kind)
	if err != nil {
		return false, err
	}
	it := candidates.Iterator()
	if after != nil {
		it.AdvanceIfNeeded(after.ordinal)
	}
	for n := 1; it.HasNext(); n++ {
		if n%pausing == 0 {
			if err := d.r.Work.Yield(); err != nil {
				return false, err
			}
		}
		ordinal := it.Next()
		rows := d.rowsOf(kind, ordinal)
		for i := range rows {
			row := &rows[i]
			row.number = i
			if after != nil && ordinal == after.ordinal && i <= after.number {
				continue
			}
			if !take(row) {
				return false, nil
			}
		}
	}
	return true, nil
}

// rowsOf returns the rows of a user, a group or a SKU that satisfy the condition. They are valid
// until the next call.
func (d *drift) rowsOf(kind DriftKind, ordinal uint32) []DriftRow {
	d.rows = d.rows[:0]
	switch kind {
	case DriftEmptyGroup:
		d.ofGroup(ordinal)
	case DriftUnassigned:
		k := d.skus[ordinal]
		entry := licensing.Entry{SKU: k.Number}
		d.add(DriftRow{Kind: kind, User: NoUser, Entry: entry, SKU: k.SKUInfo, Seats: k.Free()})
	default:
		d.ofUser(kind, ordinal)
	}
	return d.rows
}

// add adds a row that satisfies the condition.
func (d *drift) add(row DriftRow) {
	if d.holds(&row) {
		d.rows = append(d.rows, row)
	}
}

// ofGroup adds the licenses of a group without members.
func (d *drift) ofGroup(group uint32) {
	for _, l := range d.r.Image.Licensing.GroupLicenses(group) {
		at := slices.IndexFunc(d.skus, func(k *costed) bool { return k.SKUID == l.SKUID })
		d.add(DriftRow{
			Kind: DriftEmptyGroup, User: NoUser, SKU: d.skus[at].SKUInfo,
			Entry: licensing.Entry{SKU: d.skus[at].Number, Source: licensing.FromGroup(group)},
		})
	}
}

// ofUser adds the licenses of a user. A seat becomes free if all licenses of its product are among
// them.
func (d *drift) ofUser(kind DriftKind, user uint32) {
	entries := d.r.Image.Licensing.Entries(user)
	for i := range entries {
		row := DriftRow{Kind: kind, User: user, Entry: entries[i], SKU: d.skus[entries[i].SKU].SKUInfo}
		if d.is(&row, entries) {
			d.add(row)
		}
	}
	if kind == DriftDuplicate || kind == DriftDisabledAccount || kind == DriftInactive {
		d.countSeats(entries)
	}
}

// is reports whether a license of a user is of the kind of the row, and completes the row.
func (d *drift) is(row *DriftRow, entries []licensing.Entry) bool {
	e := &row.Entry
	if row.Kind == DriftStuck {
		return e.Error != licensing.NoViolation && began(e.Updated).Before(d.limit)
	}
	if e.InForce == licensing.None {
		return false
	}
	switch row.Kind {
	case DriftCovered:
		at := slices.IndexFunc(entries, func(o licensing.Entry) bool {
			return o.SKU == e.SKU && o.Source != licensing.Direct && o.InForce != licensing.None &&
				d.covered(e.InForce, o.InForce)
		})
		if e.Source != licensing.Direct || at < 0 || !row.SKU.Works() {
			return false
		}
		row.By = entries[at].Source
	case DriftDuplicate:
		k := d.skus[e.SKU]
		if !k.copies.Contains(row.User) {
			return false
		}
		others := d.others[e.SKU]
		at := slices.IndexFunc(others, func(o *costed) bool { return o.users[holding].Contains(row.User) })
		row.Other = &others[at].SKUInfo
	}
	return true
}

// covered reports whether a variant of a product has all plans of another one.
func (d *drift) covered(one, by licensing.Variant) bool {
	if one == by {
		return true
	}
	key := [2]licensing.Variant{one, by}
	is, ok := d.gives[key]
	if !ok {
		img := d.r.Image.Licensing
		disabled := img.VariantOf(one).DisabledPlans
		is = !slices.ContainsFunc(img.VariantOf(by).DisabledPlans, func(id uuid.UUID) bool {
			return !slices.Contains(disabled, id)
		})
		d.gives[key] = is
	}
	return is
}

// countSeats gives the seat of each product to the first of its rows, if the rows have all licenses
// by which the user holds it.
func (d *drift) countSeats(entries []licensing.Entry) {
	for i := range d.rows {
		sku := d.rows[i].Entry.SKU
		if slices.ContainsFunc(d.rows[:i], func(o DriftRow) bool { return o.Entry.SKU == sku }) {
			continue
		}
		left := 0
		for j := range entries {
			if entries[j].SKU == sku && entries[j].InForce != licensing.None {
				left++
			}
		}
		for j := i; j < len(d.rows); j++ {
			if d.rows[j].Entry.SKU == sku {
				left--
			}
		}
		if left == 0 {
			d.rows[i].Seats = 1
		}
	}
}

// cost returns what seats of the row's product cost per month; false if that is not known, or
// nothing.
func (d *drift) cost(row *DriftRow) (total *money.Total, currency string, ok bool) {
	k := d.skus[row.SKU.Number]
	if !k.priced || row.Seats <= 0 {
		return nil, "", false
	}
	return k.cost(row.Seats), k.price.Currency, true
}

// cost returns what seats of a product with a price cost per month.
func (k *costed) cost(seats int) *money.Total {
	total := new(money.Total)
	total.Add(k.price.Amount, k.price.Each, seats)
	return total
}

package own

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/graph/wire"
	"licensor/internal/licensing"
	"licensor/internal/money"
	"licensor/internal/tenant"
)

// seats are numbers of seats of a SKU (docs/spec/licensing.md L91).
type seats struct {
	held, disabled, duplicate, needed uint32
}

// costed is a SKU with its price, and the users whose seats are counted.
type costed struct {
	licensing.SKUInfo
	price  tenant.Price
	priced bool
	seats  // of all users
	users  [2]*roaring.Bitmap
	copies *roaring.Bitmap // the holders who hold all of its plans with another product, too
}

// The sets of users of a SKU.
const (
	holding = iota
	waiting
)

// costs are the SKUs of a tenant, and their seats by the values of a dimension.
type costs struct {
	r        *wire.Request
	skus     []*costed
	disabled *roaring.Bitmap // accounts
	by       *dimension
	cells    []seats // by value of the dimension, then SKU
}

// costsOf counts the seats of all SKUs, and those of each value of a dimension in one pass over
// their users.
func costsOf(r *wire.Request, by *dimension) (*costs, error) {
	r.Work.Doing("counting what seats cost")
	c := &costs{r: r, by: by}
	var err error
	if c.disabled, err = disabledAccounts(r); err != nil {
		return nil, err
	}
	today := tenant.DateOf(r.Now)
	gone := r.Image.Licensing.DeletedUsers()
	for _, info := range r.Image.Licensing.EverySKU() {
		if !info.Subscribed && info.Consumed == 0 && (info.Waiting == nil || info.Waiting.IsEmpty()) {
			continue
		}
		k := &costed{SKUInfo: info}
		k.price, k.priced = r.Image.PriceAt(info.SKUID, today)
		for i, users := range []*roaring.Bitmap{info.Holders, info.Waiting} {
			if k.users[i] = roaring.New(); users != nil {
				k.users[i] = roaring.AndNot(users, gone)
			}
		}
		c.skus = append(c.skus, k)
	}
	for _, k := range c.skus {
		k.copies = c.duplicates(k)
	}
	for _, k := range c.skus {
		k.seats = seats{
			held:      uint32(k.users[holding].GetCardinality()),
			disabled:  uint32(k.users[holding].AndCardinality(c.disabled)),
			duplicate: uint32(k.copies.GetCardinality()),
			needed:    uint32(k.users[waiting].GetCardinality()),
		}
	}
	if by == nil {
		return c, nil
	}
	if err := by.prepare(len(c.skus)); err != nil {
		return nil, err
	}
	for i, k := range c.skus {
		if err := c.count(i, k); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// disabledAccounts returns the users whose account is disabled.
func disabledAccounts(r *wire.Request) (*roaring.Bitmap, error) {
	enabled, _ := directory.AboutUser("accountEnabled")
	table, found := r.Image.Directory.UserColumns(), roaring.New()
	for user := range r.Image.Directory.Users() {
		if user%pausing == 0 {
			if err := r.Work.Yield(); err != nil {
				return nil, err
			}
		}
		if table.Truth(user, enabled.Column) == column.TruthFalse {
			found.Add(user)
		}
	}
	return found, nil
}

// duplicates returns the holders of a SKU who hold another one that works and has all of its plans.
// Of two with the same plans, the later one is the duplicate, or the one that does not work.
func (c *costs) duplicates(k *costed) *roaring.Bitmap {
	found := roaring.New()
	for _, other := range c.skus {
		if other == k || k.Product == nil || other.Product == nil || !covers(other, k) {
			continue
		}
		found.Or(roaring.And(k.users[holding], other.users[holding]))
	}
	return found
}

// covers reports whether a SKU works and has all plans of another, which it makes a duplicate.
func covers(k, other *costed) bool {
	mine, plans := k.Product.ServicePlanIDs, other.Product.ServicePlanIDs
	if len(plans) == 0 || len(mine) < len(plans) || !k.Works() {
		return false
	}
	if len(mine) == len(plans) && k.Number > other.Number && other.Works() {
		return false
	}
	return !slices.ContainsFunc(plans, func(id uuid.UUID) bool { return !slices.Contains(mine, id) })
}

// count counts the seats of a SKU by the values of the dimension.
func (c *costs) count(at int, k *costed) error {
	for kind, users := range k.users {
		n := 0
		for user := range roaring.Values(users) {
			if n++; n%pausing == 0 {
				if err := c.r.Work.Yield(); err != nil {
					return err
				}
			}
			value, err := c.by.of(user, k.Number)
			if err != nil {
				return err
			}
			cell := c.cell(value, at)
			if kind == waiting {
				cell.needed++
				continue
			}
			cell.held++
			if c.disabled.Contains(user) {
				cell.disabled++
			}
			if k.copies.Contains(user) {
				cell.duplicate++
			}
		}
	}
	return nil
}

// cell returns the seats of a SKU for a value.
func (c *costs) cell(value, sku int) *seats {
	at := value*len(c.skus) + sku
	if at >= len(c.cells) {
		c.cells = append(c.cells, make([]seats, at+1-len(c.cells))...)
	}
	return &c.cells[at]
}

// spent is what seats cost per month in a currency.
type spent struct {
	bought, held, unassigned, disabled, duplicate, needed money.Total
}

// byCurrency are sums of money by currency.
type byCurrency map[string]*spent

func (m byCurrency) in(currency string) *spent {
	if m[currency] == nil {
		m[currency] = new(spent)
	}
	return m[currency]
}

// add adds seats of a SKU.
func (m byCurrency) add(k *costed, s seats) {
	if !k.priced || s == (seats{}) {
		return
	}
	sum := m.in(k.price.Currency)
	for total, n := range map[*money.Total]uint32{
		&sum.held: s.held, &sum.disabled: s.disabled, &sum.duplicate: s.duplicate, &sum.needed: s.needed,
	} {
		total.Add(k.price.Amount, k.price.Each, int(n))
	}
}

// addUnassigned adds the seats of a SKU that no user holds.
func (m byCurrency) addUnassigned(k *costed) {
	if free := k.Free(); k.priced && free > 0 {
		m.in(k.price.Currency).unassigned.Add(k.price.Amount, k.price.Each, free)
	}
}

// addBought adds the seats of a SKU that were bought: those that can be assigned.
func (m byCurrency) addBought(k *costed) {
	if n := k.Units.Enabled + k.Units.Warning; k.priced && n > 0 {
		m.in(k.price.Currency).bought.Add(k.price.Amount, k.price.Each, n)
	}
}

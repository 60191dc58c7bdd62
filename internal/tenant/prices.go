package tenant

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/money"
)

// Price is what a seat of a SKU costs from a date on (docs/spec/licensing.md L90). Field numbers
// are stored; never renumber.
type Price struct {
	SKUID     uuid.UUID    `cbor:"1,keyasint"`
	ValidFrom Date         `cbor:"2,keyasint"`
	Amount    money.Amount `cbor:"3,keyasint"`
	Currency  string       `cbor:"4,keyasint"`
	Each      money.Period `cbor:"5,keyasint"`
}

// Date is a day in days since 1970.
type Date int32

// DateOf returns the day of a time, in UTC.
func DateOf(at time.Time) Date { return Date(floorDiv(at.Unix(), 24*60*60)) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// ParseDate reads a date such as 2026-01-31.
func ParseDate(text string) (Date, bool) {
	at, err := time.Parse(time.DateOnly, text)
	return DateOf(at), err == nil
}

// String returns a date as 2026-01-31.
func (d Date) String() string { return time.Unix(int64(d)*24*60*60, 0).UTC().Format(time.DateOnly) }

// MaxPrices is the maximum number of prices of a tenant.
const MaxPrices = 10_000

// Compare orders prices by SKU and date.
func (p Price) Compare(other Price) int {
	return cmp.Or(bytes.Compare(p.SKUID[:], other.SKUID[:]), cmp.Compare(p.ValidFrom, other.ValidFrom))
}

func (p Price) String() string { return fmt.Sprintf("%s %s per %s", p.Amount, p.Currency, p.Each) }

// Prices returns the prices by SKU and date.
func (img *Image) Prices() []Price { return img.prices }

// PriceAt returns the price of a SKU on a day; false if it has none.
func (img *Image) PriceAt(sku uuid.UUID, day Date) (p Price, ok bool) {
	at, found := slices.BinarySearchFunc(img.prices, Price{SKUID: sku, ValidFrom: day}, Price.Compare)
	if !found {
		at--
	}
	if at < 0 || img.prices[at].SKUID != sku {
		return p, false
	}
	return img.prices[at], true
}

// SetPrices replaces the prices of all SKUs.
type SetPrices struct{ Prices []Price }

func (SetPrices) name() string { return "setPrices" }

func (cmd SetPrices) run(c *change) error {
	now := slices.SortedFunc(slices.Values(cmd.Prices), Price.Compare)
	for i, p := range now {
		if err := c.checkPrice(p); err != nil {
			return err
		}
		if i > 0 && p.Compare(now[i-1]) == 0 {
			return invalid("prices", "There are two prices of %s from %s on.", p.SKUID, p.ValidFrom)
		}
	}
	if len(now) > MaxPrices {
		return invalid("prices", "There are %d prices, and at most %d are possible.", len(now), MaxPrices)
	}
	var changed []PriceNow
	was := c.next.prices
	for _, p := range slices.Backward(was) { // the last first, so that few are moved
		if _, ok := slices.BinarySearchFunc(now, p, Price.Compare); !ok {
			changed = append(changed, PriceNow{Price: p, Removed: true})
		}
	}
	for _, p := range now {
		if at, ok := slices.BinarySearchFunc(was, p, Price.Compare); !ok || was[at] != p {
			changed = append(changed, PriceNow{Price: p})
		}
	}
	c.notePrices(changed)
	for _, p := range changed {
		c.record(p)
	}
	return nil
}

// addPrice adds a price, or replaces that of the same SKU and date.
func (c *change) addPrice(p Price) error {
	if err := c.checkPrice(p); err != nil {
		return err
	}
	_, there := slices.BinarySearchFunc(c.next.prices, p, Price.Compare)
	if !there && len(c.next.prices) >= MaxPrices {
		return invalid("prices", "There are %d prices already, and more are not possible.", MaxPrices)
	}
	now := PriceNow{Price: p}
	c.notePrices([]PriceNow{now})
	c.record(now)
	return nil
}

func (c *change) checkPrice(p Price) error {
	if _, ok := c.next.Licensing.Product(p.SKUID); !ok {
		return invalid("skuId", "The catalog has no product with skuId %s.", p.SKUID)
	}
	switch {
	case p.Amount < 0 || p.Amount > money.MaxAmount:
		return invalid("amount", "amount is %s: it must be from 0 to %s.", p.Amount, money.MaxAmount)
	case !money.IsCurrency(p.Currency):
		return invalid("currency", "currency is '%s': it must be a code of ISO 4217, such as EUR.", p.Currency)
	case p.Each != money.PeriodMonth && p.Each != money.PeriodYear:
		return invalid("period", "period is '%s': it must be month or year.", p.Each)
	}
	return nil
}

// mostNotedPrices is the number of prices up to which the audit log shows each one.
const mostNotedPrices = 100

// notePrices notes the prices that change, or how many there are, by SKU and date.
func (c *change) notePrices(changed []PriceNow) {
	was, now := map[string]string{}, map[string]string{}
	for _, p := range changed {
		name := "price " + p.Price.SKUID.String() + " " + p.Price.ValidFrom.String()
		if at, ok := slices.BinarySearchFunc(c.next.prices, p.Price, Price.Compare); ok {
			was[name] = c.next.prices[at].String()
		}
		if !p.Removed {
			now[name] = p.Price.String()
		}
	}
	if len(changed) > mostNotedPrices {
		c.noteValues(Was{Of: ChangeablePrices}, struct{}{}, map[string]int{"changed": len(changed)})
		return
	}
	c.noteValues(Was{Of: ChangeablePrices}, was, now)
}

// PriceNow is a new price, or one that is removed. Field numbers are stored; never renumber.
type PriceNow struct {
	Price   Price `cbor:"1,keyasint"`
	Removed bool  `cbor:"2,keyasint,omitempty"`
}

func (now PriceNow) apply(d *draft) (bool, error) {
	list := d.next.prices
	at, there := slices.BinarySearchFunc(list, now.Price, Price.Compare)
	if now.Removed && !there || !now.Removed && there && list[at] == now.Price {
		return false, nil
	}
	if !d.ownsPrices {
		list, d.ownsPrices = slices.Clone(list), true
	}
	switch {
	case now.Removed:
		list = slices.Delete(list, at, at+1)
	case there:
		list[at] = now.Price
	default:
		list = slices.Insert(list, at, now.Price)
	}
	d.next.prices = list
	return true, nil
}

func (now PriceNow) note(f *Effects) { f.Prices = append(f.Prices, now) }

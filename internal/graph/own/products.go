package own

import (
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/money"
	"licensor/internal/tenant"
)

// product is a row of products: a SKU, and how its seats are used.
type product struct {
	licensing.SKUInfo
	waiting int // users in error because no seat was free
	inError int // users with any error of it
	renewal time.Time
	price   tenant.Price // now
	priced  bool
}

// short reports whether there are too few seats: users wait for one, or more are held than exist.
func (p *product) short() bool { return p.waiting > 0 || p.Free() < 0 }

// products returns the SKUs that the tenant is subscribed to, that users hold, or that users are in
// error with, in the order in which the tenant got them.
func products(img *tenant.Image, failures *tally, now time.Time) []product {
	today := tenant.DateOf(now)
	renewals := renewals(img.Subscriptions)
	var list []product
	for _, info := range img.Licensing.EverySKU() {
		p := product{SKUInfo: info, inError: failures.skus[info.Number], renewal: renewals[info.SKUID]}
		if !info.Subscribed && info.Consumed == 0 && p.inError == 0 {
			continue
		}
		if info.Waiting != nil {
			p.waiting = int(roaring.AndNot(info.Waiting, img.Licensing.DeletedUsers()).GetCardinality())
		}
		p.price, p.priced = img.PriceAt(p.SKUID, today)
		list = append(list, p)
	}
	return list
}

// renewals returns the next time at which a subscription of each SKU renews or changes its state.
func renewals(subscriptions []tenant.Subscription) map[uuid.UUID]time.Time {
	next := map[uuid.UUID]time.Time{}
	for i := range subscriptions {
		s := &subscriptions[i]
		if at := s.NextLifecycleDateTime; at != nil && (next[s.SKUID].IsZero() || at.Before(next[s.SKUID])) {
			next[s.SKUID] = *at
		}
	}
	return next
}

// ListProducts answers GET /licensor/v1/products (docs/spec/licensing.md L76): a row for each SKU.
func ListProducts(r *wire.Request) error {
	if err := r.Allow("at", "$top", "$skiptoken"); err != nil {
		return err
	}
	page, err := r.Page()
	if err != nil {
		return err
	}
	if _, err := asOf(r); err != nil {
		return err
	}
	failures, err := countErrors(r, r.Image.Licensing)
	if err != nil {
		return err
	}
	list := wire.List[product]{Context: "products", Count: -1, Write: appendProduct}
	for _, p := range products(r.Image, failures, r.Now) {
		if int64(p.Number) <= page.After {
			continue
		}
		if len(list.Rows) == page.Limit {
			list.Next = r.NextLink(int64(list.Rows[page.Limit-1].Number))
			break
		}
		list.Rows = append(list.Rows, p)
	}
	return wire.SendList(r, list)
}

func appendProduct(b []byte, p product) []byte {
	b = jsontext.AppendID(append(b, `{"skuId":`...), p.SKUID)
	partNumber, name := "", ""
	if p.Product != nil {
		partNumber, name = p.Product.SKUPartNumber, p.Product.DisplayName
	}
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "skuPartNumber"), partNumber)
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "name"), name)
	b = jsontext.AppendText(jsontext.AppendName(b, "capabilityStatus"), p.Capability)
	b = appendAllUnits(jsontext.AppendName(b, "units"), p.Units)
	b = jsontext.AppendInt(jsontext.AppendName(b, "held"), p.Consumed)
	b = jsontext.AppendInt(jsontext.AppendName(b, "unassigned"), max(0, p.Free()))
	b = jsontext.AppendInt(jsontext.AppendName(b, "waiting"), p.waiting)
	b = jsontext.AppendInt(jsontext.AppendName(b, "inError"), p.inError)
	b = jsontext.AppendTime(jsontext.AppendName(b, "renewalDateTime"), p.renewal)
	return append(appendPricePerMonth(b, &p), '}')
}

// appendPricePerMonth writes what a seat costs now; null if it has no price.
func appendPricePerMonth(b []byte, p *product) []byte {
	b = jsontext.AppendName(b, "pricePerMonth")
	if !p.priced {
		return append(b, "null"...)
	}
	b = jsontext.AppendText(append(b, `{"amount":`...), money.PerMonth(p.price.Amount, p.price.Each).String())
	return append(jsontext.AppendText(jsontext.AppendName(b, "currency"), p.price.Currency), '}')
}

func appendAllUnits(b []byte, u licensing.Units) []byte {
	b = jsontext.AppendInt(append(b, `{"enabled":`...), u.Enabled)
	b = jsontext.AppendInt(append(b, `,"warning":`...), u.Warning)
	b = jsontext.AppendInt(append(b, `,"suspended":`...), u.Suspended)
	b = jsontext.AppendInt(append(b, `,"lockedOut":`...), u.LockedOut)
	return append(b, '}')
}

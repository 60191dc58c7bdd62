package own

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"licensor/internal/fold"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/money"
)

// Costs answers GET /licensor/v1/costs: what seats cost per month by currency, in all, or
// (?by=department, companyName, country, usageLocation or group) by the users who hold them
// (docs/spec/licensing.md L91).
func Costs(r *wire.Request) error {
	if err := r.Allow("by", "at", "$top", "$skiptoken"); err != nil {
		return err
	}
	page, err := r.Page()
	if err != nil {
		return err
	}
	if _, err := asOf(r); err != nil {
		return err
	}
	by, err := dimensionOf(r)
	if err != nil {
		return err
	}
	c, err := costsOf(r, by)
	if err != nil {
		return err
	}
	b := r.AppendHead(r.Begin(), "costs")
	b = jsontext.AppendTime(jsontext.AppendName(b, "dateTime"), r.Now)
	if by != nil {
		b = c.appendPage(b, page)
	}
	return r.Send(http.StatusOK, append(c.appendTotals(b), '}'))
}

// appendTotals writes what all seats cost, and the SKUs that have no price.
func (c *costs) appendTotals(b []byte) []byte {
	total := byCurrency{}
	for _, k := range c.skus {
		total.add(k, k.seats)
		total.addUnassigned(k)
		total.addBought(k)
	}
	b = appendCosts(jsontext.AppendName(b, "costs"), total, true)
	return c.appendUnpriced(jsontext.AppendName(b, "withoutPrice"))
}

// appendPage writes the rows of a page: the values by their names, and at the end seats without
// one.
func (c *costs) appendPage(b []byte, page wire.Page) []byte {
	order := make([]int, len(c.by.values))
	for code := range order {
		order[code] = code
	}
	slices.SortFunc(order, func(x, y int) int {
		return cmp.Or(
			cmp.Compare(min(y, 1), min(x, 1)), // that without a value is the last
			strings.Compare(fold.Text(c.by.name(x)), fold.Text(c.by.name(y))),
			strings.Compare(c.by.values[x], c.by.values[y]),
		)
	})
	first := min(int(min(page.After, int64(len(order))))+1, len(order))
	end := min(first+page.Limit, len(order))
	if end < len(order) {
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.nextLink"), c.r.NextLink(int64(end-1)))
	}
	return jsontext.AppendList(jsontext.AppendName(b, "value"), order[first:end], c.appendRow)
}

func (c *costs) appendRow(b []byte, code int) []byte {
	b = jsontext.AppendText(append(b, `{"name":`...), c.by.name(code))
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "value"), c.by.values[code])
	sums := byCurrency{}
	for i, k := range c.skus {
		sums.add(k, *c.cell(code, i))
		if code == 0 {
			sums.addUnassigned(k)
		}
	}
	return append(appendCosts(jsontext.AppendName(b, "costs"), sums, false), '}')
}

// appendCosts writes sums by currency.
func appendCosts(b []byte, sums byCurrency, bought bool) []byte {
	return jsontext.AppendList(b, slices.Sorted(maps.Keys(sums)), func(b []byte, currency string) []byte {
		s := sums[currency]
		b = jsontext.AppendText(append(b, `{"currency":`...), currency)
		if bought {
			b = appendTotal(b, "bought", &s.bought)
		}
		b = appendTotal(b, "held", &s.held)
		b = appendTotal(b, "unassigned", &s.unassigned)
		b = appendTotal(b, "onDisabledAccounts", &s.disabled)
		b = appendTotal(b, "duplicate", &s.duplicate)
		return append(appendTotal(b, "needed", &s.needed), '}')
	})
}

func appendTotal(b []byte, name string, t *money.Total) []byte {
	return jsontext.AppendText(jsontext.AppendName(b, name), t.String())
}

// appendUnpriced writes the SKUs without a price.
func (c *costs) appendUnpriced(b []byte) []byte {
	unpriced := slices.DeleteFunc(slices.Clone(c.skus), func(k *costed) bool { return k.priced })
	return jsontext.AppendList(b, unpriced, func(b []byte, k *costed) []byte {
		b = jsontext.AppendID(append(b, `{"skuId":`...), k.SKUID)
		partNumber := ""
		if k.Product != nil {
			partNumber = k.Product.SKUPartNumber
		}
		b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "skuPartNumber"), partNumber)
		b = jsontext.AppendInt(jsontext.AppendName(b, "bought"), k.Units.Enabled+k.Units.Warning)
		b = jsontext.AppendInt(jsontext.AppendName(b, "held"), int(k.held))
		b = jsontext.AppendInt(jsontext.AppendName(b, "unassigned"), max(0, k.Free()))
		return append(jsontext.AppendInt(jsontext.AppendName(b, "needed"), int(k.needed)), '}')
	})
}

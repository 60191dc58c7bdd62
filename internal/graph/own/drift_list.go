package own

import (
	"maps"
	"net/http"
	"slices"

	"licensor/internal/graph/odata"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/money"
)

// ListDrift answers GET /licensor/v1/drift: licenses that are not as they should be, and seats that
// are not used, by kind (docs/spec/licensing.md L85, L86). The first page has the sums.
func ListDrift(r *wire.Request) error {
	if err := r.Allow("days", "$filter", "$count", "$top", "$skiptoken"); err != nil {
		return err
	}
	days, err := daysAsked(r)
	if err != nil {
		return err
	}
	page, err := r.Page()
	if err != nil {
		return err
	}
	d, err := newDrift(r, r.Options.Filter, days)
	if err != nil {
		return err
	}
	sums := newDriftSums(d)
	rows, more, err := d.page(page, sums)
	if err == nil {
		err = d.addSeen(rows)
	}
	if err != nil {
		return err
	}
	b := r.AppendHead(r.Begin(), "drift")
	if sums != nil && r.Options.Count && page.After < 0 {
		b = jsontext.AppendInt(jsontext.AppendName(b, "@odata.count"), sums.rows)
	}
	if more {
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.nextLink"), r.NextLink(rows[len(rows)-1].place().token()))
	}
	if page.After < 0 {
		b = sums.append(jsontext.AppendName(b, "kinds"))
	}
	x := newExplainer(r.Image)
	b = append(jsontext.AppendName(b, "value"), '[')
	for i := range rows {
		if b, err = r.More(d.append(wire.AppendNext(b), x, &rows[i])); err != nil {
			return err
		}
	}
	return r.Send(http.StatusOK, append(b, "]}"...))
}

// page returns the rows of a page, and whether there are more. For the first page it counts all
// rows.
func (d *drift) page(page wire.Page, sums *driftSums) (rows []DriftRow, more bool, err error) {
	var after *driftPlace
	if page.After >= 0 {
		place := placeAfter(page.After)
		after = &place
	}
	err = d.each(after, func(row *DriftRow) bool {
		if after == nil {
			sums.add(row)
		}
		if len(rows) < page.Limit {
			rows = append(rows, *row)
			return true
		}
		more = true
		return after == nil
	})
	return rows, more, err
}

// driftSums are the sums of all rows, by kind.
type driftSums struct {
	*drift
	rows  int
	kinds [driftKinds]driftSum
}

type driftSum struct {
	rows  int
	seats []int // by number of the SKU
}

func newDriftSums(d *drift) *driftSums {
	s := &driftSums{drift: d}
	for kind := range s.kinds {
		s.kinds[kind].seats = make([]int, len(d.skus))
	}
	return s
}

func (s *driftSums) add(row *DriftRow) {
	s.rows++
	sum := &s.kinds[row.Kind]
	sum.rows++
	sum.seats[row.SKU.Number] += row.Seats
}

// costs returns the seats of a kind, those of them whose products have no price, and what the
// others cost by currency.
func (s *driftSums) costs(kind DriftKind) (seats, unpriced int, costs map[string]*money.Total) {
	costs = map[string]*money.Total{}
	for number, n := range s.kinds[kind].seats {
		seats += n
		switch k := s.skus[number]; {
		case n == 0:
		case !k.priced:
			unpriced += n
		case costs[k.price.Currency] == nil:
			costs[k.price.Currency] = k.cost(n)
		default:
			costs[k.price.Currency].AddTotal(k.cost(n))
		}
	}
	return seats, unpriced, costs
}

func (s *driftSums) append(b []byte) []byte {
	b = append(b, '[')
	for kind := range driftKinds {
		if !s.drift.kinds.has(kind) {
			continue
		}
		status := s.status[kind]
		b = jsontext.AppendText(append(wire.AppendNext(b), `{"kind":`...), kind.String())
		if status.unknown {
			b = append(b, `,"status":"unknown","rows":null,"seats":null,"costsPerMonth":[],"seatsWithoutPrice":null`...)
		} else {
			b = s.appendSum(append(b, `,"status":"known"`...), kind)
		}
		b = append(jsontext.AppendTextOrNull(jsontext.AppendName(b, "text"), status.text), '}')
	}
	return append(b, ']')
}

func (s *driftSums) appendSum(b []byte, kind DriftKind) []byte {
	seats, unpriced, costs := s.costs(kind)
	b = jsontext.AppendInt(jsontext.AppendName(b, "rows"), s.kinds[kind].rows)
	b = jsontext.AppendInt(jsontext.AppendName(b, "seats"), seats)
	b = jsontext.AppendName(b, "costsPerMonth")
	b = jsontext.AppendList(b, slices.Sorted(maps.Keys(costs)), func(b []byte, currency string) []byte {
		return appendCost(b, costs[currency], currency)
	})
	return jsontext.AppendInt(jsontext.AppendName(b, "seatsWithoutPrice"), unpriced)
}

func appendCost(b []byte, cost *money.Total, currency string) []byte {
	b = jsontext.AppendText(append(b, `{"amount":`...), cost.String())
	return append(jsontext.AppendText(jsontext.AppendName(b, "currency"), currency), '}')
}

// append writes a row.
func (d *drift) append(b []byte, x *explainer, row *DriftRow) []byte {
	b = jsontext.AppendText(append(b, `{"kind":`...), row.Kind.String())
	b = jsontext.AppendName(b, "user")
	if row.User == NoUser {
		b = append(b, "null"...)
	} else {
		named := d.r.Image.UserNamed(row.User)
		b = jsontext.AppendID(append(b, `{"id":`...), named.ID)
		b = jsontext.AppendText(jsontext.AppendName(b, "userPrincipalName"), named.Principal)
		b = append(jsontext.AppendTextOrNull(jsontext.AppendName(b, "displayName"), named.Name), '}')
	}
	group, ok := row.Group()
	b = x.appendSource(b, row.SKU.SKUID, !ok, group)
	b = jsontext.AppendInt(jsontext.AppendName(b, "seats"), row.Seats)
	b = jsontext.AppendName(b, "costPerMonth")
	if cost, currency, ok := d.cost(row); ok {
		b = appendCost(b, cost, currency)
	} else {
		b = append(b, "null"...)
	}
	switch row.Kind {
	case DriftCovered:
		group, _ := row.By.Group()
		b = append(x.appendGroup(append(jsontext.AppendName(b, "coveredBy"), '{'), false, group), '}')
	case DriftDuplicate:
		b = append(x.appendSKU(append(jsontext.AppendName(b, "duplicateOf"), '{'), row.Other.SKUID), '}')
	case DriftStuck:
		b = jsontext.AppendText(jsontext.AppendName(b, "error"), row.Entry.Error.String())
		b = jsontext.AppendTime(jsontext.AppendName(b, "since"), began(row.Entry.Updated))
	case DriftInactive:
		b = jsontext.AppendTime(jsontext.AppendName(b, "lastSignInDateTime"), row.Seen)
	case DriftUnassigned:
		b = jsontext.AppendTime(jsontext.AppendName(b, "renewalDateTime"), renewals(d.r.Image.Subscriptions)[row.SKU.SKUID])
	}
	return append(b, '}')
}

// EachDrift calls take for the rows that satisfy a filter, until take returns an error. The row is
// valid until take returns.
func EachDrift(r *wire.Request, filter string, days int, take func(*DriftRow) error) error {
	if err := checkDays(days); err != nil {
		return err
	}
	parsed, err := odata.ParseFilter(filter)
	if err != nil {
		return err
	}
	d, err := newDrift(r, parsed, days)
	if err != nil {
		return err
	}
	var failed error
	err = d.each(nil, func(row *DriftRow) bool {
		failed = take(row)
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	return err
}

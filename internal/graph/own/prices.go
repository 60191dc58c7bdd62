package own

import (
	"encoding/json"
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/money"
	"licensor/internal/tenant"
)

// ListPrices answers GET /licensor/v1/prices: what a seat of each SKU costs, by date.
func ListPrices(r *wire.Request) error {
	if err := r.Allow("$top", "$skiptoken"); err != nil {
		return err
	}
	page, err := r.Page()
	if err != nil {
		return err
	}
	list := wire.List[tenant.Price]{Context: "prices", Count: -1, Write: func(b []byte, p tenant.Price) []byte {
		return appendPrice(b, r.Image, p)
	}}
	all := r.Image.Prices()
	first := min(int(min(page.After, int64(len(all))))+1, len(all))
	end := min(first+page.Limit, len(all))
	if list.Rows = all[first:end]; end < len(all) {
		list.Next = r.NextLink(int64(end - 1))
	}
	return wire.SendList(r, list)
}

func appendPrice(b []byte, img *tenant.Image, p tenant.Price) []byte {
	b = jsontext.AppendID(append(b, `{"skuId":`...), p.SKUID)
	partNumber := ""
	if known, ok := img.Licensing.Product(p.SKUID); ok {
		partNumber = known.SKUPartNumber
	}
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "skuPartNumber"), partNumber)
	b = jsontext.AppendText(jsontext.AppendName(b, "amount"), p.Amount.String())
	b = jsontext.AppendText(jsontext.AppendName(b, "currency"), p.Currency)
	b = jsontext.AppendText(jsontext.AppendName(b, "period"), string(p.Each))
	b = jsontext.AppendText(jsontext.AppendName(b, "validFrom"), p.ValidFrom.String())
	return append(b, '}')
}

// SetPrices answers PUT /licensor/v1/prices: the prices of the body replace all others. The body
// may be what ListPrices answers, if that is all prices.
func SetPrices(r *wire.Request) error {
	members, err := r.Members()
	if err != nil {
		return err
	}
	name := "prices"
	for _, m := range members {
		switch {
		case m.Is("@odata.nextLink"):
			return problem.Refuse("The body is one page of several, and all prices would be replaced by those of it.")
		case m.Is("value"):
			name = "value"
		}
	}
	var list []json.RawMessage
	if err := wire.Read("prices", members, map[string]any{name: &list}, name); err != nil {
		return err
	}
	if len(list) > tenant.MaxPrices {
		return problem.Refuse("There are %d prices, and at most %d are possible.", len(list), tenant.MaxPrices)
	}
	cmd := tenant.SetPrices{Prices: make([]tenant.Price, len(list))}
	for i, raw := range list {
		inner, err := directory.Members(raw)
		if err != nil {
			return err
		}
		if err := readPrice(inner, &cmd.Prices[i]); err != nil {
			return err
		}
	}
	return r.Change(cmd)
}

// readPrice reads a price. Its amount is a number or the text of one, which are read exactly; its
// skuPartNumber, which a list of prices has, says nothing.
func readPrice(members []directory.Member, p *tenant.Price) error {
	var amount json.RawMessage
	var currency, date string
	members = slices.DeleteFunc(members, func(m directory.Member) bool { return m.Is("skuPartNumber") })
	err := wire.Read("price", members, map[string]any{
		"skuId": (*wire.ID)(&p.SKUID), "amount": &amount, "currency": &currency,
		"period": wire.OneOfThem(&p.Each, money.PeriodMonth, money.PeriodYear), "validFrom": &date,
	}, "skuId", "amount", "currency", "period", "validFrom")
	if err != nil {
		return err
	}
	text := string(amount)
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(amount, &text); err != nil {
			return err
		}
	}
	if p.Amount, err = money.ParseAmount(text); err != nil {
		return problem.Refuse("amount is '%s': %s.", problem.Clip(text), err)
	}
	p.Currency = strings.ToUpper(currency)
	var ok bool
	if p.ValidFrom, ok = tenant.ParseDate(date); !ok {
		return problem.Refuse("validFrom is '%s': it must be a date, such as 2026-01-31.", problem.Clip(date))
	}
	return nil
}

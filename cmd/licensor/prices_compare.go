package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"licensor/internal/licensing"
	"licensor/internal/money"
)

// pricesChange is what an import of prices changes.
type pricesChange struct {
	added, changed, removed []string // a line for each price
	same                    int
}

// none reports whether the prices stay as they are.
func (p *pricesChange) none() bool { return len(p.added)+len(p.changed)+len(p.removed) == 0 }

// maxShownPrices is how many prices of each kind are printed.
const maxShownPrices = 5

// print prints the numbers of prices that are new, changed and removed, and the first of them.
func (p *pricesChange) print(out io.Writer) error {
	_, err := fmt.Fprintf(out, "Prices: %d new, %d changed, %d removed, %d unchanged\n",
		len(p.added), len(p.changed), len(p.removed), p.same)
	for _, kind := range []struct {
		name  string
		lines []string
	}{{"new", p.added}, {"changed", p.changed}, {"removed", p.removed}} {
		for _, line := range kind.lines[:min(len(kind.lines), maxShownPrices)] {
			fmt.Fprintf(out, "  %-8s %s\n", kind.name, line)
		}
		if more := len(kind.lines) - maxShownPrices; more > 0 {
			fmt.Fprintf(out, "  and %d more\n", more)
		}
	}
	return err
}

// pricesNow returns the prices of the tenant.
func pricesNow(ctx context.Context, c *connection) (list []price, err error) {
	_, err = c.pages(ctx, "/licensor/v1/prices", nil, 0, func(row json.RawMessage) error {
		var p price
		if err := json.Unmarshal(row, &p); err != nil {
			return fmt.Errorf("the server's price cannot be read: %w", err)
		}
		list = append(list, p)
		return nil
	})
	return list, err
}

// comparePrices returns what changes if some prices take the place of others.
func comparePrices(before, after []price, all *licensing.Catalog) *pricesChange {
	type key struct{ sku, from string }
	names := map[string]string{}
	for _, p := range all.Products {
		names[p.SKUID.String()] = p.SKUPartNumber
	}
	keyOf := func(p *price) key { return key{strings.ToLower(p.SKUID), p.ValidFrom} }
	named := func(p *price) string {
		return firstOf(names[strings.ToLower(p.SKUID)], p.SKUID) + " from " + p.ValidFrom + ": "
	}
	was := map[key]string{}
	for i := range before {
		was[keyOf(&before[i])] = before[i].text()
	}
	result, stays := new(pricesChange), map[key]bool{}
	for i := range after {
		p := &after[i]
		stays[keyOf(p)] = true
		switch old, known := was[keyOf(p)]; {
		case !known:
			result.added = append(result.added, named(p)+p.text())
		case old != p.text():
			result.changed = append(result.changed, named(p)+old+", then "+p.text())
		default:
			result.same++
		}
	}
	for i := range before {
		if p := &before[i]; !stays[keyOf(p)] {
			result.removed = append(result.removed, named(p)+p.text())
		}
	}
	return result
}

// text returns the price as it is printed. What is not valid is for the server to refuse.
func (p *price) text() string {
	amount := p.Amount
	if parsed, err := money.ParseAmount(amount); err == nil {
		amount = parsed.String()
	}
	return amount + " " + strings.ToUpper(p.Currency) + " per " + strings.ToLower(p.Period)
}

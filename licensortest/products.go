package licensortest

import (
	"cmp"
	"slices"
	"strings"
)

// product is a product of the catalog.
type product struct{ SKUID, SKUPartNumber, DisplayName string }

// find returns the skuId of a product by its part number, in any letter case.
func find(products []product, partNumber string) (skuID string, ok bool) {
	at := slices.IndexFunc(products, func(p product) bool { return strings.EqualFold(p.SKUPartNumber, partNumber) })
	if at < 0 {
		return "", false
	}
	return products[at].SKUID, true
}

// near returns the products most similar to a name: first those whose display name contains it,
// then those with a similar part number.
func near(products []product, name string) string {
	name = strings.ToUpper(name)
	distance := func(p product) int {
		if strings.Contains(strings.ToUpper(p.DisplayName), name) {
			return len(p.DisplayName) - len(name) - 1000
		}
		return edits(strings.ToUpper(p.SKUPartNumber), name)
	}
	products = slices.SortedStableFunc(slices.Values(products), func(a, b product) int {
		return cmp.Compare(distance(a), distance(b))
	})
	var names []string
	for _, p := range products[:min(3, len(products))] {
		names = append(names, p.SKUPartNumber+" ("+p.DisplayName+")")
	}
	return strings.Join(names, ", ")
}

// edits returns the Levenshtein distance of two texts: the number of bytes to insert, remove or
// replace to turn one into the other.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

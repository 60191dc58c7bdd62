package catalog

import (
	"bytes"
	"encoding/json"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

func productID(p licensing.Product) uuid.UUID         { return p.SKUID }
func servicePlanID(p licensing.ServicePlan) uuid.UUID { return p.ID }

// Merge adds a published list to a catalog. Names and the plans of products are taken from the
// list. The list does not have other properties, or they are guesses from names, so the catalog
// keeps its own.
func Merge(old, list *licensing.Catalog) *licensing.Catalog {
	return &licensing.Catalog{
		Products: mergeByID(old.Products, list.Products, productID, func(was, now licensing.Product) licensing.Product {
			now.AppliesTo = was.AppliesTo
			return now
		}),
		ServicePlans: mergeByID(old.ServicePlans, list.ServicePlans, servicePlanID, renamed),
	}
}

// renamed is a plan with its current names.
func renamed(was, now licensing.ServicePlan) licensing.ServicePlan {
	was.Name, was.DisplayName = now.Name, now.DisplayName
	return was
}

// mergeByID keeps the order of old and appends new elements.
func mergeByID[T any](old, list []T, id func(T) uuid.UUID, mix func(was, now T) T) []T {
	merged := make([]T, 0, len(old)+len(list))
	places := make(map[uuid.UUID]int, len(old))
	for i, element := range old {
		places[id(element)] = i
		merged = append(merged, element)
	}
	for _, element := range list {
		if at, ok := places[id(element)]; ok {
			merged[at] = mix(merged[at], element)
		} else {
			merged = append(merged, element)
		}
	}
	return merged
}

// Changes counts the elements of a catalog that differ from those of another.
type Changes struct {
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Removed   int `json:"removed"`
}

// Any reports whether anything differs.
func (c Changes) Any() bool { return c.Added+c.Changed+c.Removed > 0 }

// CompareProducts returns how the second list differs from the first. Order does not matter.
func CompareProducts(old, now []licensing.Product) Changes { return compare(old, now, productID) }

// CompareServicePlans returns how the second list differs from the first. Order does not matter.
func CompareServicePlans(old, now []licensing.ServicePlan) Changes {
	return compare(old, now, servicePlanID)
}

// compare distinguishes elements by the JSON that is sent for them.
func compare[T any](old, now []T, id func(T) uuid.UUID) (c Changes) {
	was := make(map[uuid.UUID][]byte, len(old))
	for _, element := range old {
		was[id(element)] = written(element)
	}
	for _, element := range now {
		before, ok := was[id(element)]
		switch {
		case !ok:
			c.Added++
		case bytes.Equal(before, written(element)):
			c.Unchanged++
		default:
			c.Changed++
		}
		delete(was, id(element))
	}
	c.Removed = len(was)
	return c
}

func written(element any) []byte {
	text, err := json.Marshal(element)
	if err != nil {
		panic(err) // products and plans can always be encoded
	}
	return text
}

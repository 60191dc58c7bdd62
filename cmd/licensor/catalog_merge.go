package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

func skuID(p licensing.Product) uuid.UUID      { return p.SKUID }
func planID(p licensing.ServicePlan) uuid.UUID { return p.ID }

// merge adds a published list to a catalog. Names and the plans of products are taken from the
// list. The list does not have other properties, or they are guesses from names, so the catalog
// keeps its own.
func merge(old, list *licensing.Catalog) *licensing.Catalog {
	return &licensing.Catalog{
		Products: mergeByID(old.Products, list.Products, skuID, func(was, now licensing.Product) licensing.Product {
			now.AppliesTo = was.AppliesTo
			return now
		}),
		ServicePlans: mergeByID(old.ServicePlans, list.ServicePlans, planID, renamed),
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

// changes counts the effects of a list.
type changes struct {
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	TakenOut  int `json:"takenOut"`
}

func (c changes) any() bool { return c.Added+c.Changed+c.TakenOut > 0 }

func (c changes) String() string {
	return fmt.Sprintf("%d\t%d\t%d\t%d", c.Added, c.Changed, c.Unchanged, c.TakenOut)
}

// compare distinguishes elements by the JSON that is sent for them.
func compare[T any](old, now []T, id func(T) uuid.UUID) (c changes) {
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
	c.TakenOut = len(was)
	return c
}

func written(element any) []byte {
	text, err := json.Marshal(element)
	if err != nil {
		panic(err) // products and plans can always be encoded
	}
	return text
}

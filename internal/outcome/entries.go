package outcome

import (
	"slices"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// same reports whether two lists give the same licenses and errors from the same sources.
func same(a, b []licensing.Entry) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || slices.EqualFunc(a, b, sameEntry))
}

func sameEntry(a, b licensing.Entry) bool {
	return a.Source == b.Source && a.SKU == b.SKU && a.InForce == b.InForce && a.Error == b.Error
}

func sameVariant(a, b licensing.Entry) bool { return a.InForce == b.InForce }

func has(entries []licensing.Entry, sku licensing.SKU) bool {
	return slices.ContainsFunc(entries, func(e licensing.Entry) bool { return e.SKU == sku })
}

// of returns the entries of a product.
func of(entries []licensing.Entry, sku licensing.SKU) (list []licensing.Entry) {
	for i := range entries {
		if entries[i].SKU == sku {
			list = append(list, entries[i])
		}
	}
	return list
}

func inForce(entries []licensing.Entry) bool {
	return slices.ContainsFunc(entries, func(e licensing.Entry) bool { return e.InForce != licensing.None })
}

func inError(entries []licensing.Entry) bool {
	return slices.ContainsFunc(entries, func(e licensing.Entry) bool { return e.Error != licensing.NoViolation })
}

// changedGroups returns the groups whose entries of a product are different, ascending.
func changedGroups(was, is []licensing.Entry) (groups []uint32) {
	add := func(list, other []licensing.Entry) {
		for i := range list {
			group, ok := list[i].Source.Group()
			if ok && !slices.Contains(groups, group) &&
				!slices.ContainsFunc(other, func(e licensing.Entry) bool { return sameEntry(e, list[i]) }) {
				groups = append(groups, group)
			}
		}
	}
	add(was, is)
	add(is, was)
	slices.Sort(groups)
	return groups
}

// plansOf returns the service plans that entries of one product enable together, in the order of
// the product.
func plansOf(img *licensing.Image, entries []licensing.Entry) (plans []uuid.UUID) {
	var disabled []uuid.UUID
	var product *licensing.Product
	for i := range entries {
		if entries[i].InForce == licensing.None {
			continue
		}
		one := img.VariantOf(entries[i].InForce)
		if product == nil {
			product, _ = img.Product(one.SKUID)
			disabled = slices.Clone(one.DisabledPlans)
			continue
		}
		disabled = slices.DeleteFunc(disabled, func(id uuid.UUID) bool {
			return !slices.Contains(one.DisabledPlans, id)
		})
	}
	if product == nil {
		return nil
	}
	for _, id := range product.ServicePlanIDs {
		if !slices.Contains(disabled, id) {
			plans = append(plans, id)
		}
	}
	return plans
}

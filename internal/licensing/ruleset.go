package licensing

import (
	"bytes"
	"slices"

	"github.com/google/uuid"
)

// ruleset is a catalog prepared for the evaluation of one tenant.
type ruleset struct {
	*book
	skus []uuid.UUID // SKU -> skuId
	// By Variant; 0 is None. Checks use mostly this, so it is one array, which is copied when a
	// variant is added.
	variants []variant
}

// variant is a (SKU, disabled plans) under a catalog. Only these two are stored, so a plan that a
// catalog adds to the SKU is enabled immediately for all users whose variants do not disable it
// (L36).
type variant struct {
	sku      SKU
	product  *Product // nil if the catalog does not have the SKU (any longer)
	disabled []uuid.UUID
	enabled  []int32   // plans, as indexes into the catalog
	plans    planSet   // of the enabled plans, those that occur in a rule
	excludes planSet   // all that any of them excludes
	picky    bool      // excludes is not empty
	requires []planSet // sets of which one plan is required, and the variant has none itself
	exchange bool      // enables a plan of the service exchange (L43)
}

// planSet is a set of plans by their bits in the ruleset.
type planSet []uint64

func (s planSet) has(bit int) bool { return s[bit/64]&(1<<(bit%64)) != 0 }
func (s planSet) add(bit int)      { s[bit/64] |= 1 << (bit % 64) }

func (s planSet) intersects(t planSet) bool {
	for i := range s {
		if s[i]&t[i] != 0 {
			return true
		}
	}
	return false
}

// newRuleset compiles a catalog for the existing SKUs and variants of a tenant.
func newRuleset(of *book, skus []uuid.UUID, known []variant) *ruleset {
	r := &ruleset{book: of, skus: skus}
	r.variants = make([]variant, max(1, len(known)))
	for i := 1; i < len(known); i++ {
		r.variants[i] = r.compile(known[i].sku, known[i].disabled)
	}
	return r
}

// compile computes the plans that a variant enables, excludes and requires.
func (r *ruleset) compile(sku SKU, disabled []uuid.UUID) variant {
	v := variant{
		sku: sku, disabled: disabled, product: r.products[r.skus[sku]], plans: r.newSet(), excludes: r.newSet(),
	}
	if v.product == nil {
		return v
	}
	for _, id := range v.product.ServicePlanIDs {
		if slices.Contains(disabled, id) {
			continue
		}
		at := r.plans[id]
		p := &r.catalog.ServicePlans[at]
		v.enabled = append(v.enabled, at)
		v.exchange = v.exchange || p.unique()
		if bit, ok := r.bits[id]; ok {
			v.plans.add(bit)
			r.excludedBy(p, v.excludes)
		}
	}
	v.picky = v.excludes.intersects(v.excludes)
	for _, at := range v.enabled {
		for _, set := range r.catalog.ServicePlans[at].RequiresAnyOf {
			need := r.setOf(set)
			if !need.intersects(v.plans) {
				v.requires = append(v.requires, need)
			}
		}
	}
	return v
}

// withSKU returns a ruleset that has the SKU, and its number.
func (r *ruleset) withSKU(id uuid.UUID) (*ruleset, SKU) {
	if at := slices.Index(r.skus, id); at >= 0 {
		return r, SKU(at)
	}
	next := *r
	next.skus = append(slices.Clip(r.skus), id)
	return &next, SKU(len(r.skus))
}

// withVariant returns a ruleset that has the variant, and its number. Disabled must be sorted and
// without duplicates.
func (r *ruleset) withVariant(sku SKU, disabled []uuid.UUID) (*ruleset, Variant) {
	for i := 1; i < len(r.variants); i++ {
		if v := &r.variants[i]; v.sku == sku && slices.Equal(v.disabled, disabled) {
			return r, Variant(i)
		}
	}
	next := *r
	next.variants = append(slices.Clip(r.variants), r.compile(sku, disabled))
	return &next, Variant(len(r.variants))
}

func sortIDs(ids []uuid.UUID) []uuid.UUID {
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(sorted)
}

package licensing

import (
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// MaxSKUs is the maximum number of different SKUs that a tenant can have, including former ones.
const MaxSKUs = 1 << 16

// SetUnits sets the units of a SKU in a tenant: the sum of its subscriptions, or that there is none
// any longer (L1, L2). No user loses a license (L4); free seats are assigned by reprocessing (L61).
func (d *Draft) SetUnits(skuID uuid.UUID, units Units, subscribed bool) error {
	s, err := d.number(skuID)
	if err != nil {
		return err
	}
	k := d.ownSKU(s)
	free := k.free()
	k.units, k.subscribed = units, subscribed
	if k.free() > max(free, 0) {
		d.free(s)
	}
	return nil
}

// number returns the number of a SKU, a new one if the tenant never had it.
func (d *Draft) number(skuID uuid.UUID) (SKU, error) {
	if at := slices.Index(d.next.rules.skus, skuID); at >= 0 {
		return SKU(at), nil
	}
	if d.next.rules.product(skuID) == nil {
		return 0, &RefusalError{Kind: RefusalUnknownProduct, SKUID: skuID}
	}
	if d.next.skus.Len() >= MaxSKUs {
		return 0, fmt.Errorf("a tenant can have at most %d different SKUs", MaxSKUs)
	}
	var s SKU
	d.next.rules, s = d.next.rules.withSKU(skuID)
	d.addSKU(skuID)
	return s, nil
}

func (d *Draft) addSKU(id uuid.UUID) {
	d.skus = append(d.skus, SKU(d.next.skus.Len()))
	d.next.skus.Append(d.owner, &sku{owner: d.owner, id: id})
	d.refresh()
}

// SetCatalog replaces the catalog. It must have all products that the tenant is subscribed to, or
// that users hold. No user is processed (L61).
func (d *Draft) SetCatalog(c *Catalog) error {
	if err := c.Validate(); err != nil {
		return err
	}
	next := newRuleset(bookOf(c), d.next.rules.skus, d.next.rules.variants)
	for _, k := range d.next.skus.All() {
		if next.product(k.id) == nil && (k.subscribed || k.consumed > 0) {
			return &CatalogError{
				"products",
				fmt.Sprintf("product %s is missing, but the tenant is subscribed to it or users hold it", k.id),
			}
		}
	}
	d.setRules(next)
	return nil
}

// SetSettings changes the tenant's settings. No user is processed (L61).
func (d *Draft) SetSettings(s Settings) error {
	if s.GroupBundles != BundlesTogether && s.GroupBundles != BundlesIndependent {
		return fmt.Errorf("groupBundles is %q: it must be %q or %q", s.GroupBundles,
			BundlesTogether, BundlesIndependent)
	}
	if s.ReprocessFailure != FailureState && s.ReprocessFailure != FailureError {
		return fmt.Errorf("reprocessFailure is %q: it must be %q or %q", s.ReprocessFailure, FailureState, FailureError)
	}
	d.next.settings = s
	d.refresh()
	return nil
}

// SetCountry sets the organization's country, which applies to users without a location for
// licenses of groups (L34).
func (d *Draft) SetCountry(c Country) {
	d.setCountry(c)
}

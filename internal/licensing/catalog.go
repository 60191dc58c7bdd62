package licensing

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Catalog lists the products (SKUs) that a tenant can subscribe to and the service plans in them,
// with the rules between plans. Its JSON form is the body of PUT /licensor/v1/catalog.
type Catalog struct {
	Products     []Product     `json:"products"`
	ServicePlans []ServicePlan `json:"servicePlans"`
}

// Product is a SKU (docs/spec/licensing.md L1).
type Product struct {
	SKUID          uuid.UUID   `json:"skuId"`
	SKUPartNumber  string      `json:"skuPartNumber"`
	DisplayName    string      `json:"displayName"`
	AppliesTo      AppliesTo   `json:"appliesTo"`
	ServicePlanIDs []uuid.UUID `json:"servicePlanIds"`
}

// ServicePlan is one service of a product and its requirements. Excludes is symmetric: it is
// sufficient that one of two plans lists the other (L41). Each set of RequiresAnyOf is satisfied by
// any one of its plans, and all sets must be (L42). ProhibitedIn lists the countries whose users
// may not have the plan (L40).
type ServicePlan struct {
	ID            uuid.UUID     `json:"servicePlanId"`
	Name          string        `json:"servicePlanName"`
	DisplayName   string        `json:"displayName"`
	Service       string        `json:"service"`
	AppliesTo     AppliesTo     `json:"appliesTo"`
	Excludes      []uuid.UUID   `json:"excludes"`
	RequiresAnyOf [][]uuid.UUID `json:"requiresAnyOf"`
	ProhibitedIn  []Country     `json:"prohibitedIn"`
}

// AppliesTo is the holder of a product or plan: a user, or the company as a whole (L5).
type AppliesTo string

// The two values of AppliesTo; the empty value means User.
const (
	AppliesToUser    AppliesTo = "User"
	AppliesToCompany AppliesTo = "Company"
)

// ExchangeService is the service whose plans require that no other user has an address of the user
// (L43).
const ExchangeService = "exchange"

// Country is a two-letter ISO 3166 code, or NoCountry.
type Country uint16

// NoCountry is the location of a user without usageLocation.
const NoCountry Country = 0

// ParseCountry parses two letters in any case; the empty text is NoCountry.
func ParseCountry(text string) (Country, error) {
	if text == "" {
		return NoCountry, nil
	}
	upper := strings.ToUpper(text)
	if len(upper) != 2 || upper[0] < 'A' || upper[0] > 'Z' || upper[1] < 'A' || upper[1] > 'Z' {
		return NoCountry, fmt.Errorf("%q is not a two-letter ISO 3166 country code", text)
	}
	return Country(upper[0])<<8 | Country(upper[1]), nil
}

// String returns the code in capital letters, empty for NoCountry.
func (c Country) String() string {
	if c == NoCountry {
		return ""
	}
	return string([]byte{byte(c >> 8), byte(c)})
}

// MarshalText returns the code.
func (c Country) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText parses the code.
func (c *Country) UnmarshalText(text []byte) (err error) {
	*c, err = ParseCountry(string(text))
	return err
}

// CatalogError describes an error in a catalog.
type CatalogError struct {
	Where string // such as products[3].servicePlanIds[0]
	What  string
}

func (e *CatalogError) Error() string { return fmt.Sprintf("catalog: %s: %s", e.Where, e.What) }

// Limits of a catalog. Microsoft's has some 700 plans, and at most 100 in a product.
const (
	maxPlans        = 10_000
	maxProductPlans = 1000
)

// Validate returns a *CatalogError for the first error: a missing or duplicate id, a product with a
// plan that the catalog does not have, a plan that excludes or requires itself or an unknown plan.
func (c *Catalog) Validate() error {
	if len(c.ServicePlans) > maxPlans {
		return &CatalogError{
			"servicePlans",
			fmt.Sprintf("there are %d service plans, and at most %d are possible", len(c.ServicePlans), maxPlans),
		}
	}
	if len(c.Products) > MaxSKUs {
		return &CatalogError{
			"products",
			fmt.Sprintf("there are %d products, and at most %d are possible", len(c.Products), MaxSKUs),
		}
	}
	for i, p := range c.Products {
		if len(p.ServicePlanIDs) > maxProductPlans {
			return &CatalogError{
				fmt.Sprintf("products[%d].servicePlanIds", i),
				fmt.Sprintf("there are %d, and at most %d are possible", len(p.ServicePlanIDs), maxProductPlans),
			}
		}
	}
	plans := make(map[uuid.UUID]bool, len(c.ServicePlans))
	for i, p := range c.ServicePlans {
		if err := checkIdentity(fmt.Sprintf("servicePlans[%d]", i), "servicePlan", p.ID, p.Name, p.AppliesTo, plans); err != nil {
			return err
		}
	}
	for i, p := range c.ServicePlans {
		if err := checkPlanRules(fmt.Sprintf("servicePlans[%d]", i), p, plans); err != nil {
			return err
		}
	}
	products := make(map[uuid.UUID]bool, len(c.Products))
	for i, p := range c.Products {
		where := fmt.Sprintf("products[%d]", i)
		if err := checkIdentity(where, "sku", p.SKUID, p.SKUPartNumber, p.AppliesTo, products); err != nil {
			return err
		}
		seen := make(map[uuid.UUID]bool, len(p.ServicePlanIDs))
		for j, id := range p.ServicePlanIDs {
			at := fmt.Sprintf("%s.servicePlanIds[%d]", where, j)
			if !plans[id] {
				return &CatalogError{at, fmt.Sprintf("servicePlans has no plan %s", id)}
			}
			if seen[id] {
				return &CatalogError{at, fmt.Sprintf("duplicate plan %s", id)}
			}
			seen[id] = true
		}
	}
	return nil
}

func checkIdentity(where, noun string, id uuid.UUID, name string, to AppliesTo, seen map[uuid.UUID]bool) error {
	switch {
	case id == uuid.Nil:
		return &CatalogError{where, noun + "Id is missing"}
	case seen[id]:
		return &CatalogError{where, fmt.Sprintf("duplicate %sId %s", noun, id)}
	case name == "":
		return &CatalogError{where, fmt.Sprintf("%s %s has no name", noun, id)}
	case to != "" && to != AppliesToUser && to != AppliesToCompany:
		return &CatalogError{where, fmt.Sprintf("appliesTo is %q: it must be User or Company", to)}
	}
	seen[id] = true
	return nil
}

func checkPlanRules(where string, p ServicePlan, plans map[uuid.UUID]bool) error {
	other := func(at string, id uuid.UUID) error {
		if id == p.ID {
			return &CatalogError{at, "a plan cannot name itself"}
		}
		if !plans[id] {
			return &CatalogError{at, fmt.Sprintf("servicePlans has no plan %s", id)}
		}
		return nil
	}
	for j, id := range p.Excludes {
		if err := other(fmt.Sprintf("%s.excludes[%d]", where, j), id); err != nil {
			return err
		}
	}
	for j, set := range p.RequiresAnyOf {
		if len(set) == 0 {
			return &CatalogError{fmt.Sprintf("%s.requiresAnyOf[%d]", where, j), "an empty set can never be satisfied"}
		}
		for k, id := range set {
			if err := other(fmt.Sprintf("%s.requiresAnyOf[%d][%d]", where, j, k), id); err != nil {
				return err
			}
		}
	}
	for j, country := range p.ProhibitedIn {
		if country == NoCountry {
			return &CatalogError{fmt.Sprintf("%s.prohibitedIn[%d]", where, j), "a country is missing"}
		}
	}
	return nil
}

// MarshalJSON writes empty lists as [] rather than null, which clients in typed languages often
// cannot parse.
func (p ServicePlan) MarshalJSON() ([]byte, error) {
	type plain ServicePlan
	q := plain(p)
	if q.AppliesTo == "" {
		q.AppliesTo = AppliesToUser
	}
	if q.Excludes == nil {
		q.Excludes = []uuid.UUID{}
	}
	if q.RequiresAnyOf == nil {
		q.RequiresAnyOf = [][]uuid.UUID{}
	}
	if q.ProhibitedIn == nil {
		q.ProhibitedIn = []Country{}
	}
	return json.Marshal(q)
}

// unique reports whether the plan requires addresses that no other user has (L43). Plans of
// Exchange do, except those of the company, such as Exchange Foundation, which nearly every product
// has and which is not a mailbox.
func (p *ServicePlan) unique() bool {
	return p.Service == ExchangeService && p.AppliesTo != AppliesToCompany
}

package licenses

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// sku is a SKU of a tenant.
type sku struct {
	licensing.SKUInfo
	image *tenant.Image
}

// SKUFields are the properties of subscribedSku (docs/spec/licensing.md L1 to L3).
var SKUFields = wire.NewFieldSet("microsoft.graph.subscribedSku", []wire.Field[sku]{
	wire.Default("accountId", jsontext.AppendID, func(s *sku) uuid.UUID { return s.image.Organization.ID }),
	wire.Default("accountName", jsontext.AppendTextOrNull, func(s *sku) string { return s.image.Organization.DisplayName }),
	{Name: "appliesTo", Write: appendSKUAppliesTo, When: directory.ReturnedByDefault},
	wire.Default("capabilityStatus", jsontext.AppendText, func(s *sku) string { return s.Capability }),
	wire.Default("consumedUnits", jsontext.AppendInt, func(s *sku) int { return s.Consumed }),
	{Name: "id", When: directory.ReturnedByDefault, Write: func(b []byte, s *sku) []byte {
		return append(append(append(b, '"'), s.id()...), '"')
	}},
	{Name: "prepaidUnits", Write: appendUnits, When: directory.ReturnedByDefault},
	{Name: "servicePlans", When: directory.ReturnedByDefault, Write: func(b []byte, s *sku) []byte {
		return appendServicePlans(b, s.image.Licensing, s.Product, nil)
	}},
	wire.Default("skuId", jsontext.AppendID, func(s *sku) uuid.UUID { return s.SKUID }),
	wire.Default("skuPartNumber", appendPartNumber, func(s *sku) *licensing.Product { return s.Product }),
	{Name: "subscriptionIds", Write: appendSubscriptionIDs, When: directory.ReturnedByDefault},
}).In("subscribedSkus")

func (s *sku) id() string { return s.image.Organization.ID.String() + "_" + s.SKUID.String() }

func appendSKUAppliesTo(b []byte, s *sku) []byte {
	if s.Product == nil {
		return append(b, "null"...)
	}
	return jsontext.AppendText(b, string(appliesTo(s.Product.AppliesTo)))
}

func appendUnits(b []byte, s *sku) []byte {
	b = jsontext.AppendInt(append(b, `{"enabled":`...), s.Units.Enabled)
	b = jsontext.AppendInt(append(b, `,"suspended":`...), s.Units.Suspended)
	b = jsontext.AppendInt(append(b, `,"warning":`...), s.Units.Warning)
	b = jsontext.AppendInt(append(b, `,"lockedOut":`...), s.Units.LockedOut)
	return append(b, '}')
}

func appendSubscriptionIDs(b []byte, s *sku) []byte {
	var ids []uuid.UUID
	for _, subscription := range s.image.Subscriptions {
		if subscription.SKUID == s.SKUID {
			ids = append(ids, subscription.CommerceSubscriptionID)
		}
	}
	return jsontext.AppendList(b, ids, jsontext.AppendID)
}

func skus(r *wire.Request) []sku {
	infos := r.Image.Licensing.SKUs()
	list := make([]sku, len(infos))
	for i, info := range infos {
		list[i] = sku{info, r.Image}
	}
	return list
}

// skuOrders are the keys of $orderby (P36).
var skuOrders = fold.NamesOf(map[string]func(a, b *sku) int{
	"accountId":        func(a, b *sku) int { return 0 }, // equal for all
	"accountName":      func(a, b *sku) int { return 0 },
	"appliesTo":        func(a, b *sku) int { return strings.Compare(a.appliesTo(), b.appliesTo()) },
	"capabilityStatus": func(a, b *sku) int { return strings.Compare(a.Capability, b.Capability) },
	"consumedUnits":    func(a, b *sku) int { return a.Consumed - b.Consumed },
	"id":               func(a, b *sku) int { return strings.Compare(a.id(), b.id()) },
	"skuId":            func(a, b *sku) int { return strings.Compare(a.id(), b.id()) },
	"skuPartNumber":    func(a, b *sku) int { return strings.Compare(a.partNumber(), b.partNumber()) },
})

func (s *sku) appliesTo() string {
	if s.Product == nil {
		return ""
	}
	return string(appliesTo(s.Product.AppliesTo))
}

func (s *sku) partNumber() string {
	if s.Product == nil {
		return ""
	}
	return s.Product.SKUPartNumber
}

// orderSKUs sorts by the keys of $orderby, the last key first, so that the first counts most.
func orderSKUs(r *wire.Request, list []sku) error {
	for _, key := range slices.Backward(r.Options.OrderBy) {
		compare, ok := skuOrders.Find(key.Property)
		if !ok {
			return problem.Unsupported("subscribedSkus cannot be ordered by '%s'.", key.Property)
		}
		slices.SortStableFunc(list, func(a, b sku) int {
			if key.Descending {
				return compare(&b, &a)
			}
			return compare(&a, &b)
		})
	}
	return nil
}

// ListSKUs answers GET /subscribedSkus (P36: no $filter).
func ListSKUs(r *wire.Request) error {
	if slices.Contains(r.Options.Given, "$filter") {
		return problem.Unsupported("Filtered searches against this resource are not supported.")
	}
	if err := r.Allow("$select", "$orderby"); err != nil {
		return err
	}
	fields, err := SKUFields.Selected(r)
	if err != nil {
		return err
	}
	skus := skus(r)
	if err := orderSKUs(r, skus); err != nil {
		return err
	}
	return wire.SendList(r, wire.List[sku]{
		Context: r.Selected("subscribedSkus"), Rows: skus, Count: -1,
		Write: wire.ObjectWriter(fields),
	})
}

// GetSKU answers GET /subscribedSkus/{tenantId}_{skuId}.
func GetSKU(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	fields, err := SKUFields.Selected(r)
	if err != nil {
		return err
	}
	skus := skus(r)
	at := slices.IndexFunc(skus, func(s sku) bool { return strings.EqualFold(s.id(), r.Keys[0]) })
	if at < 0 {
		return problem.NotFound(r.Keys[0])
	}
	return wire.SendEntity(r, SKUFields, http.StatusOK, "subscribedSkus", fields, &skus[at])
}

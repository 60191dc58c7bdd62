package graph

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/problem"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// sku is a SKU of a tenant.
type sku struct {
	licensing.SKUInfo
	image *tenant.Image
}

// skuFields are the properties of subscribedSku (docs/spec/licensing.md L1 to L3).
var skuFields = newFieldSet("microsoft.graph.subscribedSku", []field[sku]{
	{name: "accountId", write: func(b []byte, s *sku) []byte { return jsontext.AppendID(b, s.image.Organization.ID) }, when: directory.ByDefault},
	{name: "accountName", write: func(b []byte, s *sku) []byte { return jsontext.AppendTextOrNull(b, s.image.Organization.DisplayName) }, when: directory.ByDefault},
	{name: "appliesTo", write: appendSKUAppliesTo, when: directory.ByDefault},
	{name: "capabilityStatus", write: func(b []byte, s *sku) []byte { return jsontext.AppendText(b, s.Capability) }, when: directory.ByDefault},
	{name: "consumedUnits", write: func(b []byte, s *sku) []byte { return jsontext.AppendInt(b, s.Consumed) }, when: directory.ByDefault},
	{name: "id", write: func(b []byte, s *sku) []byte { return append(append(append(b, '"'), s.id()...), '"') }, when: directory.ByDefault},
	{name: "prepaidUnits", write: appendUnits, when: directory.ByDefault},
	{name: "servicePlans", write: func(b []byte, s *sku) []byte { return appendServicePlans(b, s.image.Licensing, s.Product, nil) }, when: directory.ByDefault},
	{name: "skuId", write: func(b []byte, s *sku) []byte { return jsontext.AppendID(b, s.SKUID) }, when: directory.ByDefault},
	{name: "skuPartNumber", write: func(b []byte, s *sku) []byte { return appendPartNumber(b, s.Product) }, when: directory.ByDefault},
	{name: "subscriptionIds", write: appendSubscriptionIDs, when: directory.ByDefault},
}).in("subscribedSkus")

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

func skus(r *request) []sku {
	infos := r.image.Licensing.SKUs()
	list := make([]sku, len(infos))
	for i, info := range infos {
		list[i] = sku{info, r.image}
	}
	return list
}

// skuOrders are the keys of $orderby (P36).
var skuOrders = fold.NamesOf(map[string]func(a, b *sku) int{
	"accountId":        func(a, b *sku) int { return 0 }, // the same of all
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
func orderSKUs(r *request, list []sku) error {
	for _, key := range slices.Backward(r.options.OrderBy) {
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

// listSubscribedSKUs answers GET /subscribedSkus (P36: no $filter).
func listSubscribedSKUs(r *request) error {
	if slices.Contains(r.options.Given, "$filter") {
		return problem.Unsupported("Filtered searches against this resource are not supported.")
	}
	if err := r.allow("$select", "$orderby"); err != nil {
		return err
	}
	fields, err := skuFields.selected(r)
	if err != nil {
		return err
	}
	skus := skus(r)
	if err := orderSKUs(r, skus); err != nil {
		return err
	}
	return sendList(r, list[sku]{
		context: r.selected("subscribedSkus"), rows: skus, count: -1,
		write: objects(fields),
	})
}

// getSubscribedSKU answers GET /subscribedSkus/{tenantId}_{skuId}.
func getSubscribedSKU(r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	fields, err := skuFields.selected(r)
	if err != nil {
		return err
	}
	skus := skus(r)
	at := slices.IndexFunc(skus, func(s sku) bool { return strings.EqualFold(s.id(), r.keys[0]) })
	if at < 0 {
		return problem.NotFound(r.keys[0])
	}
	return sendEntity(r, skuFields, http.StatusOK, "subscribedSkus", fields, &skus[at])
}

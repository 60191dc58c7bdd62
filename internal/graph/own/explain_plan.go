package own

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/fold"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
)

// planAsked returns the service plan that a request asks for with ?servicePlan=, by its id or its
// name (docs/spec/licensing.md L79); false if it asks for none.
func (x *explainer) planAsked(r *wire.Request) (plan *licensing.ServicePlan, asked bool, err error) {
	given := r.Values("servicePlan")
	if given == nil {
		return nil, false, nil
	}
	key := given[0]
	plans := x.image.Licensing.Catalog().ServicePlans
	id, isID := guid.Parse(key)
	at := slices.IndexFunc(plans, func(p licensing.ServicePlan) bool {
		return isID && p.ID == id || !isID && fold.Equal(p.Name, key)
	})
	if at < 0 {
		return nil, true, problem.Refuse("The catalog has no service plan with the id or name '%s'.", problem.Clip(key))
	}
	return &plans[at], true, nil
}

// inErrorWith returns the condition of a user's entries in error whose product has a service plan.
func (x *explainer) inErrorWith(user uint32, plan uuid.UUID) func(*licensing.Entry) bool {
	sources, _ := x.image.Licensing.PlanSources(user, plan)
	return func(e *licensing.Entry) bool {
		return e.Error != licensing.NoViolation && slices.ContainsFunc(sources, func(s licensing.PlanSource) bool {
			return s.Entry.Source == e.Source && s.Entry.SKU == e.SKU
		})
	}
}

// appendPlanExplained writes why the user has or lacks a service plan: the sources whose products
// have it, or the products of the tenant that do.
func (x *explainer) appendPlanExplained(b []byte, plan *licensing.ServicePlan) []byte {
	sources, cause := x.image.Licensing.PlanSources(x.user, plan.ID)
	b = jsontext.AppendID(append(b, `{"servicePlanId":`...), plan.ID)
	b = jsontext.AppendText(jsontext.AppendName(b, "servicePlanName"), plan.Name)
	b = jsontext.AppendText(jsontext.AppendName(b, "cause"), cause.String())
	b = jsontext.AppendText(jsontext.AppendName(b, "text"), x.planSentence(plan, sources, cause))
	b = jsontext.AppendList(jsontext.AppendName(b, "sources"), sources[:min(len(sources), MaxProblems)], x.appendPlanSource)
	if len(sources) > MaxProblems {
		b = jsontext.AppendInt(jsontext.AppendName(b, "sources@odata.count"), len(sources))
	}
	if cause == licensing.PlanMissing {
		products := x.offering([]uuid.UUID{plan.ID})
		b = appendLength(b, "products", len(products))
		products = products[:min(len(products), maxSummed)]
		b = jsontext.AppendList(jsontext.AppendName(b, "products"), products, x.appendOffer)
	}
	return append(b, '}')
}

func (x *explainer) appendPlanSource(b []byte, s licensing.PlanSource) []byte {
	b = x.appendSource(append(b, '{'), s.SKUID, s.Direct, s.Group)
	b = jsontext.AppendText(jsontext.AppendName(b, "state"), s.State)
	b = jsontext.AppendText(jsontext.AppendName(b, "error"), s.Entry.Error.String())
	b = jsontext.AppendText(jsontext.AppendName(b, "cause"), s.Cause.String())
	if s.Capability != "" {
		b = jsontext.AppendText(jsontext.AppendName(b, "capabilityStatus"), s.Capability)
	}
	return append(b, '}')
}

// appendOffer writes a product that has the plan, with the seats that could be assigned.
func (x *explainer) appendOffer(b []byte, p *licensing.Product) []byte {
	b = x.appendSKU(append(b, '{'), p.SKUID)
	for _, info := range x.image.Licensing.SKUs() {
		if info.SKUID == p.SKUID {
			b = jsontext.AppendInt(jsontext.AppendName(b, "unassigned"), max(0, info.Free()))
		}
	}
	return append(b, '}')
}

// planSentence says in words why the user has or lacks a service plan.
func (x *explainer) planSentence(
	plan *licensing.ServicePlan, sources []licensing.PlanSource, cause licensing.PlanCause,
) string {
	at := slices.IndexFunc(sources, func(s licensing.PlanSource) bool { return s.Cause == cause })
	if at < 0 {
		return x.missing(plan)
	}
	s := &sources[at]
	sku, source := x.sku(s.SKUID), x.source(s.Direct, s.Group)
	switch cause {
	case licensing.PlanHeld:
		return fmt.Sprintf("The user has %s of %s, assigned %s.", plan.Name, sku, source)
	case licensing.PlanSuspended:
		return fmt.Sprintf("The user has %s of %s, assigned %s, but all units of %s are suspended or locked out.",
			plan.Name, sku, source, sku)
	case licensing.PlanDisabled:
		return fmt.Sprintf("%s is disabled in %s, assigned %s.", plan.Name, sku, source)
	}
	text := fmt.Sprintf("%s is in %s, assigned %s, but that license is in error.", plan.Name, sku, source)
	for reason := range x.reasons.Those(x.user, func(e *licensing.Entry) bool {
		return e.Source == s.Entry.Source && e.SKU == s.Entry.SKU
	}) {
		text += " " + x.sentence(reason)
	}
	return text
}

// maxNamedProducts is the maximum number of products that a sentence names.
const maxNamedProducts = 5

// missing says which products of the tenant have a service plan that the user lacks.
func (x *explainer) missing(plan *licensing.ServicePlan) string {
	products := x.offering([]uuid.UUID{plan.ID})
	if len(products) == 0 {
		return fmt.Sprintf("No product of the tenant has %s.", plan.Name)
	}
	var names []string
	for _, p := range products[:min(len(products), maxNamedProducts)] {
		names = append(names, p.SKUPartNumber)
	}
	if more := len(products) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d others", more))
	}
	return fmt.Sprintf("No product of the user has %s. It is in %s.", plan.Name, strings.Join(names, ", "))
}

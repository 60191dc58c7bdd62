package licensing

import (
	"slices"
	"strings"

	"github.com/google/uuid"
)

// tiers are the words at the end of a plan's name that say which tier of a service it is, with or
// without a number: SHAREPOINTSTANDARD and SHAREPOINTENTERPRISE, FLOW_O365_P2 and FLOW_O365_S1.
var tiers = []string{
	"", "PLAN", "P", "E", "F", "K", "S", "FIRSTLINE", "STANDARD", "ENTERPRISE", "DESKLESS", "BASIC", "PREMIUM", "SMB", "PLUS",
}

// joined tiers also end a name without a separator.
var joinedTiers = []string{"STANDARD", "ENTERPRISE", "DESKLESS"}

// serviceName returns the name of a plan without its tier: SHAREPOINT, FLOW_O365.
func serviceName(plan string) string {
	words := strings.FieldsFunc(strings.ToUpper(plan), func(c rune) bool { return c == '_' || c == '-' || c == ' ' })
	for len(words) > 1 && slices.Contains(tiers, strings.TrimRight(words[len(words)-1], "0123456789")) {
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return ""
	}
	last := words[len(words)-1]
	if base := strings.TrimRight(last, "0123456789"); base != "" && len(last)-len(base) == 1 {
		last = base
	}
	for _, tier := range joinedTiers {
		if base, ok := strings.CutSuffix(last, tier); ok && base != "" {
			last = base
		}
	}
	words[len(words)-1] = last
	return strings.Join(words, "_")
}

// sameService reports whether two plans are tiers of one service (L81): they are the same plan,
// exclude each other, or belong to the same service and have the same name but for the tier.
func sameService(p, q *ServicePlan) bool {
	return p.ID == q.ID || excludes(p, q) ||
		p.Service == q.Service && strings.EqualFold(serviceName(p.Name), serviceName(q.Name))
}

func excludes(p, q *ServicePlan) bool {
	return slices.Contains(p.Excludes, q.ID) || slices.Contains(q.Excludes, p.ID)
}

// Corresponding returns the plans of a product to disable where it takes the place of another
// product with some disabled plans (L81). A plan that both have is disabled if it was. A plan that
// only the new one has is disabled if the old one has tiers of its service, and all are disabled.
func (img *Image) Corresponding(from, to *Product, disabled []uuid.UUID) []uuid.UUID {
	was := img.plansOf(from)
	var list []uuid.UUID
	for _, p := range img.plansOf(to) {
		off := slices.Contains(disabled, p.ID)
		if !slices.Contains(from.ServicePlanIDs, p.ID) {
			tiers := 0
			off = true
			for _, q := range was {
				if sameService(p, q) {
					tiers++
					off = off && slices.Contains(disabled, q.ID)
				}
			}
			off = off && tiers > 0
		}
		if off {
			list = append(list, p.ID)
		}
	}
	return list
}

// Conflicting returns the plans of a product that conflict with a plan of another one (L41).
func (img *Image) Conflicting(product, with *Product) (list []uuid.UUID) {
	others := img.plansOf(with)
	for _, p := range img.plansOf(product) {
		if slices.ContainsFunc(others, func(q *ServicePlan) bool { return p != q && excludes(p, q) }) {
			list = append(list, p.ID)
		}
	}
	return list
}

func (img *Image) plansOf(product *Product) (plans []*ServicePlan) {
	for _, id := range product.ServicePlanIDs {
		if p, ok := img.Plan(id); ok {
			plans = append(plans, p)
		}
	}
	return plans
}

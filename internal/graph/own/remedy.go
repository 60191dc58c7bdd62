package own

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// Change is a request of a change set: a request of Graph, or one of ours.
type Change struct {
	Method, URL string
	Body        []byte // nil: none
}

// appendChangeSet writes the requests that carry out a remedy, as a batch has them
// (docs/spec/licensing.md L80). It writes nothing if there are none.
func appendChangeSet(b []byte, changes []Change) []byte {
	if len(changes) == 0 {
		return b
	}
	b = append(jsontext.AppendName(b, "changeSet"), `{"requests":[`...)
	for i, c := range changes {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(strconv.AppendInt(append(b, `{"id":"`...), int64(i+1), 10), '"')
		b = jsontext.AppendText(jsontext.AppendName(b, "method"), c.Method)
		b = jsontext.AppendText(jsontext.AppendName(b, "url"), c.URL)
		if c.Body != nil {
			b = append(jsontext.AppendName(b, "body"), c.Body...)
		}
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// changes returns the requests that carry out a remedy for the user who is explained; nil if the
// remedy needs something that only a person knows, or would be refused.
func (x *explainer) changes(reason *licensing.Reason, m *licensing.Remedy) []Change {
	reprocess := Change{"POST", "/users/" + x.image.Directory.UserID(x.user).String() + "/reprocessLicenseAssignment", nil}
	var first Change
	ok := true
	switch m.Kind {
	case licensing.RemedyReprocess:
		return []Change{reprocess}
	case licensing.RemedyClearOther:
		return x.changesOfOther(m)
	case licensing.RemedyFreeSeats:
		first, ok = x.moreSeats(m.SKUID, m.Seats)
	case licensing.RemedyAddPlan:
		first, ok = x.addPlan(reason, m.Plans)
	case licensing.RemedyDisablePlan, licensing.RemedyRemoveLicense:
		first, ok = x.reassign(m)
	default:
		return nil
	}
	if !ok {
		return nil
	}
	return []Change{first, reprocess}
}

// changesOfOther returns the requests of the first remedy that has any of the error that another
// one results from.
func (x *explainer) changesOfOther(at *licensing.Remedy) []Change {
	for other := range x.reasons.User(x.user, false) {
		if other.SKUID != at.SKUID || other.Direct != at.Direct || other.Group != at.Group {
			continue
		}
		for i := range other.Remedies {
			if m := &other.Remedies[i]; m.Kind != licensing.RemedyClearOther {
				if list := x.changes(&other, m); list != nil {
					return list
				}
			}
		}
	}
	return nil
}

// moreSeats buys seats with an active subscription of the SKU, or with a new one.
func (x *explainer) moreSeats(skuID uuid.UUID, seats int) (Change, bool) {
	var sum int
	var best *tenant.Subscription
	for i := range x.image.Subscriptions {
		s := &x.image.Subscriptions[i]
		if s.SKUID != skuID {
			continue
		}
		sum += s.TotalLicenses
		if s.Status == tenant.StatusEnabled && (best == nil || best.IsTrial && !s.IsTrial) {
			best = s
		}
	}
	if sum+seats > tenant.MaxLicenses {
		return Change{}, false
	}
	if best != nil {
		body := jsontext.AppendInt([]byte(`{"totalLicenses":`), best.TotalLicenses+seats)
		return Change{"PATCH", ownRoot + "/subscriptions/" + best.ID.String(), append(body, '}')}, true
	}
	body := jsontext.AppendID([]byte(`{"skuId":`), skuID)
	body = jsontext.AppendInt(append(body, `,"totalLicenses":`...), seats)
	return Change{"POST", ownRoot + "/subscriptions", append(body, '}')}, true
}

// ownRoot is the beginning of URLs of our own operations in a change set; other URLs are those of
// v1.0.
const ownRoot = "/licensor/v1"

// reassign disables further plans of an assignment, or removes it, unless that would be refused.
func (x *explainer) reassign(m *licensing.Remedy) (Change, bool) {
	var add []licensing.Assign
	var remove []uuid.UUID
	if m.Kind == licensing.RemedyRemoveLicense {
		remove = []uuid.UUID{m.SKUID}
	} else {
		disabled, ok := x.disabledAt(m.SKUID, m.Direct, m.Group)
		if !ok {
			return Change{}, false
		}
		add = []licensing.Assign{{SKUID: m.SKUID, DisabledPlans: slices.Concat(disabled, m.Plans)}}
	}
	draft := x.draft()
	if m.Direct {
		return x.assignUser(add, remove), draft.AssignUser(x.user, add, remove) == nil
	}
	url := "/groups/" + x.image.Directory.GroupID(m.Group).String() + "/assignLicense"
	return Change{"POST", url, AssignBody(add, remove)}, draft.AcceptsOfGroup(m.Group, add, remove) == nil
}

// disabledAt returns the plans that an assignment disables; false if there is no such assignment.
func (x *explainer) disabledAt(skuID uuid.UUID, direct bool, group uint32) ([]uuid.UUID, bool) {
	if direct {
		for s := range x.image.Licensing.States(x.user) {
			if s.Direct && s.SKUID == skuID {
				return s.DisabledPlans, true
			}
		}
		return nil, false
	}
	for _, l := range x.image.Licensing.GroupLicenses(group) {
		if l.SKUID == skuID {
			return l.DisabledPlans, true
		}
	}
	return nil, false
}

// draft begins a change that is not kept.
func (x *explainer) draft() *licensing.Draft {
	return x.image.Licensing.Draft(x.image.Seq+1, x.image.At)
}

func (x *explainer) assignUser(add []licensing.Assign, remove []uuid.UUID) Change {
	url := "/users/" + x.image.Directory.UserID(x.user).String() + "/assignLicense"
	return Change{"POST", url, AssignBody(add, remove)}
}

// AssignBody is the body of assignLicense.
func AssignBody(add []licensing.Assign, remove []uuid.UUID) []byte {
	b := jsontext.AppendList([]byte(`{"addLicenses":`), add, func(b []byte, a licensing.Assign) []byte {
		b = jsontext.AppendID(append(b, `{"skuId":`...), a.SKUID)
		return append(jsontext.AppendList(append(b, `,"disabledPlans":`...), a.DisabledPlans, jsontext.AppendID), '}')
	})
	return append(jsontext.AppendList(append(b, `,"removeLicenses":`...), remove, jsontext.AppendID), '}')
}

// maxTried is the maximum number of products that are tried to give a user a plan.
const maxTried = 5

// addPlan assigns the user one of some plans, with as little else as possible: of the products that
// the tenant has, the one with the fewest plans that clears the error.
func (x *explainer) addPlan(reason *licensing.Reason, plans []uuid.UUID) (Change, bool) {
	tried := 0
	for _, product := range x.offering(plans) {
		for _, plan := range plans {
			if !slices.Contains(product.ServicePlanIDs, plan) {
				continue
			}
			if tried++; tried > maxTried {
				return Change{}, false
			}
			add := []licensing.Assign{x.with(product, plan)}
			if x.clears(reason, add) {
				return x.assignUser(add, nil), true
			}
		}
	}
	return Change{}, false
}

// offering returns the products for users with one of some plans that the tenant is subscribed to,
// the one with the fewest plans first.
func (x *explainer) offering(plans []uuid.UUID) (list []*licensing.Product) {
	has := func(id uuid.UUID) bool { return slices.Contains(plans, id) }
	for _, info := range x.image.Licensing.SKUs() {
		p := info.Product
		if !info.Subscribed || p == nil || p.AppliesTo == licensing.AppliesToCompany {
			continue
		}
		if slices.ContainsFunc(p.ServicePlanIDs, has) {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(p, q *licensing.Product) int {
		return cmp.Compare(len(p.ServicePlanIDs), len(q.ServicePlanIDs))
	})
	return list
}

// with returns the assignment of a product that adds one plan to what the user has.
func (x *explainer) with(product *licensing.Product, plan uuid.UUID) licensing.Assign {
	disabled, ok := x.disabledAt(product.SKUID, true, 0)
	if !ok {
		disabled = product.ServicePlanIDs
	}
	return licensing.Assign{SKUID: product.SKUID, DisabledPlans: slices.DeleteFunc(
		slices.Clone(disabled), func(id uuid.UUID) bool { return id == plan },
	)}
}

// clears reports whether an error is cleared if the user is assigned licenses and reprocessed.
func (x *explainer) clears(reason *licensing.Reason, add []licensing.Assign) bool {
	draft := x.draft()
	settings := x.image.Licensing.Settings()
	settings.AutoReprocess = false // other users do not matter here
	if err := cmp.Or(draft.SetSettings(settings), draft.AssignUser(x.user, add, nil)); err != nil {
		return false
	}
	draft.Reprocess(roaring.BitmapOf(x.user))
	next, _ := draft.Finish()
	for _, e := range next.Entries(x.user) {
		if e.Source == reason.Entry.Source && e.SKU == reason.Entry.SKU {
			return e.Error != reason.Entry.Error
		}
	}
	return true
}

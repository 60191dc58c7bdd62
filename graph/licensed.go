package graph

import (
	"iter"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/directory"
	"licensor/licensing"
)

// element is an element of a collection that comes from licensing: the text of each of its properties, in lower case.
type element map[string]string

// collection is a property of licensing, or a reference, that filters can ask about.
type collection struct {
	properties []string
	advanced   bool // only in advanced queries (P31)
	// elements yields those of a user or group.
	elements func(r *request, ordinal uint32) iter.Seq[element]
	// candidates answers a set in which all are who have an element whose properties have these values. It saves looking at everybody.
	candidates func(r *request, values element) *roaring.Bitmap
	// exact, where there is one, answers who has an element with one value, or any at all, without looking at anybody.
	exact func(r *request, values element) *roaring.Bitmap
}

// userCollections are those of a user (P30 to P32).
var userCollections = map[string]collection{
	"memberOf":           membershipsOfUsers(theseGroups, thisGroup),
	"transitiveMemberOf": membershipsOfUsers((*directory.Index).Around, (*directory.Index).Within),
	"assignedLicenses": {
		properties: []string{"skuId"},
		elements: func(r *request, user uint32) iter.Seq[element] {
			return mapped(r.image.Licensing.Held(user), func(h licensing.Held) element { return element{"skuId": h.SKUID.String()} })
		},
		candidates: func(r *request, values element) *roaring.Bitmap { return holders(r, values["skuId"], "") },
		exact: func(r *request, values element) *roaring.Bitmap {
			return roaring.AndNot(holders(r, values["skuId"], ""), r.image.Licensing.DeletedUsers())
		},
	},
	"assignedPlans": {
		properties: []string{"servicePlanId", "service", "capabilityStatus"},
		elements: func(r *request, user uint32) iter.Seq[element] {
			return func(yield func(element) bool) {
				for p := range r.image.Licensing.Plans(user, r.now) {
					if !yield(element{"servicePlanId": p.Plan.ID.String(), "service": strings.ToLower(p.Plan.Service), "capabilityStatus": strings.ToLower(p.Capability)}) {
						return
					}
				}
			}
		},
		candidates: func(r *request, values element) *roaring.Bitmap {
			if status := values["capabilityStatus"]; status == "" || status == "deleted" {
				return r.image.Licensing.Everybody()
			}
			return holders(r, "", values["servicePlanId"])
		},
	},
	"licenseAssignmentStates": {
		properties: []string{"skuId", "assignedByGroup", "state", "error"},
		elements: func(r *request, user uint32) iter.Seq[element] {
			return mapped(r.image.Licensing.States(user), r.stateElement)
		},
		candidates: func(r *request, values element) *roaring.Bitmap {
			if e := values["error"]; e != "" && e != "none" {
				return r.image.Licensing.InError()
			}
			return r.image.Licensing.Everybody()
		},
	},
}

// groupCollections are those of a group.
var groupCollections = map[string]collection{
	"assignedLicenses": {
		properties: []string{"skuId"},
		elements: func(r *request, group uint32) iter.Seq[element] {
			return func(yield func(element) bool) {
				for _, l := range r.image.Licensing.GroupLicenses(group) {
					if !yield(element{"skuId": l.SKUID.String()}) {
						return
					}
				}
			}
		},
		candidates: func(r *request, _ element) *roaring.Bitmap { return r.everyGroup() },
	},
}

func mapped[A, B any](list iter.Seq[A], to func(A) B) iter.Seq[B] {
	return func(yield func(B) bool) {
		for a := range list {
			if !yield(to(a)) {
				return
			}
		}
	}
}

func (r *request) stateElement(s licensing.State) element {
	e := element{"skuId": s.SKUID.String(), "state": strings.ToLower(s.State), "error": strings.ToLower(s.Error.String())}
	if !s.Direct {
		e["assignedByGroup"] = r.image.Directory.GroupID(s.Group).String()
	}
	return e
}

// holders are the users who hold a SKU, or one with a plan; any at all when neither is named.
func holders(r *request, skuID, planID string) *roaring.Bitmap {
	all := roaring.New()
	for _, info := range r.image.Licensing.SKUs() {
		if skuID != "" && info.SKUID.String() != skuID || planID != "" && !hasPlan(info.Product, planID) {
			continue
		}
		if some := r.image.Licensing.Holders(info.SKUID); some != nil {
			all.Or(some)
		}
	}
	return all
}

func hasPlan(p *licensing.Product, planID string) bool {
	if p == nil {
		return true // it may have had the plan
	}
	id, err := uuid.Parse(planID)
	for _, has := range p.ServicePlanIDs {
		if err == nil && has == id {
			return true
		}
	}
	return false
}

// everyGroup are the groups there are, but for deleted ones.
func (r *request) everyGroup() *roaring.Bitmap {
	all := roaring.New()
	index := r.image.Directory
	for group := range index.Groups() {
		if !index.GroupGone(group) && !index.GroupHidden(group) {
			all.Add(group)
		}
	}
	return all
}

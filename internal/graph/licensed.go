package graph

import (
	"iter"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/licensing"
)

// element is an element of a collection that comes from licensing: the text of each of its
// properties, in lower case.
type element map[string]string

// test says whether an element is one that the body of a lambda asks for.
type test func(element) bool

// collection is a property of licensing, or a reference, that filters can ask about.
type collection struct {
	name       string
	properties []string
	advanced   bool // only in advanced queries (P30, P31)
	nullable   bool // properties of elements can be compared with null
	passing    bool // elements go away by themselves, as time goes by
	// having returns the users or groups that have an element that passes; deleted ones may be among
	// them. named are the only values that the first property of such an element can have; nil when it
	// can have any.
	having func(r *request, passes test, named []string) *roaring.Bitmap
}

// userCollections are those of a user (P30 to P32).
var userCollections = collections(map[string]collection{
	"memberOf":           alsoUnits(inGroups(thisGroup, usersIn), (*directory.UnitMembers).Users),
	"transitiveMemberOf": alsoUnits(inGroups((*directory.Index).Within, usersIn), (*directory.UnitMembers).Users),
	"createdObjects": {properties: []string{"id"}, advanced: true, having: creators(func(r *request, id uuid.UUID) (uint32, bool) {
		return r.image.Directory.UserByID(id)
	})},
	"assignedLicenses": {properties: []string{"skuId"}, having: holdersOf},
	"assignedPlans": {
		properties: []string{"servicePlanId", "service", "capabilityStatus"}, advanced: true, passing: true,
		having: func(r *request, passes test, _ []string) *roaring.Bitmap {
			return r.image.Licensing.HavingPlan(func(p *licensing.ServicePlan, capability string) bool {
				return passes(element{"servicePlanId": p.ID.String(), "service": strings.ToLower(p.Service), "capabilityStatus": strings.ToLower(capability)})
			}, r.now)
		},
	},
	"provisionedPlans": {
		properties: []string{"service", "provisioningStatus", "capabilityStatus"}, advanced: true, passing: true,
		having: func(r *request, passes test, _ []string) *roaring.Bitmap {
			return r.image.Licensing.HavingPlan(func(p *licensing.ServicePlan, capability string) bool {
				return capability != licensing.Deleted && passes(element{
					"service": strings.ToLower(p.Service), "provisioningStatus": strings.ToLower(provisioning(p, false)), "capabilityStatus": strings.ToLower(capability),
				})
			}, r.now)
		},
	},
	"licenseAssignmentStates": {
		properties: []string{"skuId", "assignedByGroup", "state", "error"}, nullable: true,
		having: func(r *request, passes test, _ []string) *roaring.Bitmap {
			return r.image.Licensing.HavingState(func(s licensing.State) bool { return passes(r.stateElement(s)) })
		},
	},
})

// groupCollections are those of a group.
var groupCollections = collections(map[string]collection{
	"assignedLicenses":   {properties: []string{"skuId"}, having: groupsWith},
	"memberOf":           alsoUnits(inGroups(thisGroup, groupsIn), (*directory.UnitMembers).Groups),
	"transitiveMemberOf": alsoUnits(inGroups((*directory.Index).Within, groupsIn), (*directory.UnitMembers).Groups),
})

func collections(all map[string]collection) fold.Names[collection] {
	names := fold.Names[collection]{}
	for name, of := range all {
		of.name = name
		names.Add(name, of)
	}
	return names
}

func (r *request) stateElement(s licensing.State) element {
	e := element{"skuId": s.SKUID.String(), "state": strings.ToLower(s.State), "error": strings.ToLower(s.Error.String())}
	if !s.Direct {
		e["assignedByGroup"] = r.image.Directory.GroupID(s.Group).String()
	}
	return e
}

// holdersOf are the users who hold a SKU that passes.
func holdersOf(r *request, passes test, _ []string) *roaring.Bitmap {
	all := roaring.New()
	for _, info := range r.image.Licensing.SKUs() {
		if holders := r.image.Licensing.Holders(info.SKUID); holders != nil && passes(element{"skuId": info.SKUID.String()}) {
			all.Or(holders)
		}
	}
	return all
}

// groupsWith are the groups that have a license of a SKU that passes.
func groupsWith(r *request, passes test, _ []string) *roaring.Bitmap {
	lic, found := r.image.Licensing, roaring.New()
	known := map[string]bool{}
	for group := range uint32(lic.Groups()) {
		if !lic.GroupLicensed(group) {
			continue
		}
		for _, l := range lic.GroupLicenses(group) {
			id := l.SKUID.String()
			is, ok := known[id]
			if !ok {
				is = passes(element{"skuId": id})
				known[id] = is
			}
			if is {
				found.Add(group)
			}
		}
	}
	return found
}

// inGroups is the collection of the groups that an object is in: memberOf/any(g:g/id eq …). within
// are the groups that count as one group, members the objects of the kind that are directly in one
// of these.
func inGroups(within func(*directory.Index, uint32) []uint32, members func(r *request, inner, group uint32) *roaring.Bitmap) collection {
	having := func(r *request, passes test, named []string) *roaring.Bitmap {
		index, all := r.image.Directory, roaring.New()
		for group := range r.groupsNamed(named) {
			if index.GroupPurged(group) || index.GroupDeleted(group) || !passes(element{"id": index.GroupID(group).String()}) {
				continue
			}
			for _, inner := range within(index, group) {
				if some := members(r, inner, group); some != nil && !index.GroupDeleted(inner) {
					all.Or(some)
				}
			}
		}
		return all
	}
	return collection{properties: []string{"id"}, advanced: true, having: having}
}

func usersIn(r *request, inner, _ uint32) *roaring.Bitmap {
	return r.image.Licensing.GroupMembers(inner)
}

// groupsIn leaves out the group itself, which is not a member of itself where groups are in a
// circle.
func groupsIn(r *request, inner, group uint32) *roaring.Bitmap {
	members := roaring.BitmapOf(r.image.Directory.GroupMembersOf(inner)...)
	members.Remove(group)
	return members
}

func principalsIn(r *request, inner, _ uint32) *roaring.Bitmap {
	return r.linked(r.image.Links.From(directory.HasMember, r.image.Directory.GroupID(inner))).principals
}

// groupsNamed yields the groups with some ids; all of them for nil.
func (r *request) groupsNamed(ids []string) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		if ids == nil {
			for group := range r.image.Directory.Groups() {
				if !yield(group) {
					return
				}
			}
		}
		for _, text := range ids {
			if group, ok := groupByID(r.image, text); ok && !yield(group) {
				return
			}
		}
	}
}

func thisGroup(_ *directory.Index, group uint32) []uint32 { return []uint32{group} }

// groupsInError are those whose members have license errors (docs/spec/licensing.md L14), or those
// of whom none has.
func groupsInError(r *request, is bool) *roaring.Bitmap {
	found := roaring.New()
	for group := range r.image.Directory.Groups() {
		if errors := r.image.Licensing.GroupErrors(group); is == (errors != nil && !errors.IsEmpty()) {
			found.Add(group)
		}
	}
	return found
}

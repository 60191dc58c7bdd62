package query

import (
	"iter"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/guid"
	"licensor/internal/licensing"
)

// element is an element of a collection that comes from licensing: the text of each of its
// properties, in lower case.
type element map[string]string

// test reports whether an element satisfies the body of a lambda.
type test func(element) bool

// collection is a property of licensing, or a reference, that filters can test.
type collection struct {
	name       string
	properties []string
	advanced   bool // only in advanced queries (P30, P31)
	nullable   bool // properties of elements can be compared with null
	passing    bool // elements disappear by themselves, as time passes
	// having returns the users or groups with an element that satisfies the test, possibly
	// including deleted ones. named are the only values that the first property of such an element
	// can have; nil if it can have any.
	having func(s Scope, passes test, named []string) *roaring.Bitmap
}

// userCollections are the collections of a user (P30 to P32).
var userCollections = collections(map[string]collection{
	"memberOf":           alsoUnits(inGroups(thisGroup, usersIn), (*directory.UnitMembers).Users),
	"transitiveMemberOf": alsoUnits(inGroups((*directory.Index).Within, usersIn), (*directory.UnitMembers).Users),
	"createdObjects": {properties: []string{"id"}, advanced: true, having: creators(func(s Scope, id uuid.UUID) (uint32, bool) {
		return s.Image.Directory.UserByID(id)
	})},
	"assignedLicenses": {properties: []string{"skuId"}, having: holdersOf},
	"assignedPlans": {
		properties: []string{"servicePlanId", "service", "capabilityStatus"}, advanced: true, passing: true,
		having: func(s Scope, passes test, _ []string) *roaring.Bitmap {
			return s.Image.Licensing.HavingPlan(func(p *licensing.ServicePlan, capability string) bool {
				return passes(element{
					"servicePlanId": p.ID.String(), "service": strings.ToLower(p.Service),
					"capabilityStatus": strings.ToLower(capability),
				})
			}, s.Now)
		},
	},
	"provisionedPlans": {
		properties: []string{"service", "provisioningStatus", "capabilityStatus"}, advanced: true, passing: true,
		having: func(s Scope, passes test, _ []string) *roaring.Bitmap {
			return s.Image.Licensing.HavingPlan(func(p *licensing.ServicePlan, capability string) bool {
				return capability != licensing.Deleted && passes(element{
					"service":            strings.ToLower(p.Service),
					"provisioningStatus": strings.ToLower(p.Provisioning(false)),
					"capabilityStatus":   strings.ToLower(capability),
				})
			}, s.Now)
		},
	},
	"licenseAssignmentStates": {
		properties: []string{"skuId", "assignedByGroup", "state", "error"}, nullable: true,
		having: func(s Scope, passes test, _ []string) *roaring.Bitmap {
			return s.Image.Licensing.HavingState(func(state licensing.State) bool {
				return passes(s.stateElement(state))
			})
		},
	},
})

// groupCollections are the collections of a group.
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

func (s Scope) stateElement(state licensing.State) element {
	e := element{
		"skuId": state.SKUID.String(), "state": strings.ToLower(state.State), "error": strings.ToLower(state.Error.String()),
	}
	if !state.Direct {
		e["assignedByGroup"] = s.Image.Directory.GroupID(state.Group).String()
	}
	return e
}

// holdersOf returns the users who hold a SKU that satisfies the test.
func holdersOf(s Scope, passes test, _ []string) *roaring.Bitmap {
	all := roaring.New()
	for _, info := range s.Image.Licensing.SKUs() {
		holders := s.Image.Licensing.Holders(info.SKUID)
		if holders != nil && passes(element{"skuId": info.SKUID.String()}) {
			all.Or(holders)
		}
	}
	return all
}

// groupsWith returns the groups with a license of a SKU that satisfies the test.
func groupsWith(s Scope, passes test, _ []string) *roaring.Bitmap {
	lic, found := s.Image.Licensing, roaring.New()
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
// returns the groups that count as one group, and members the direct members of that kind of these.
func inGroups(
	within func(*directory.Index, uint32) []uint32,
	members func(s Scope, inner, group uint32) *roaring.Bitmap,
) collection {
	having := func(s Scope, passes test, named []string) *roaring.Bitmap {
		index, all := s.Image.Directory, roaring.New()
		for group := range s.groupsNamed(named) {
			if index.GroupPurged(group) || index.GroupDeleted(group) ||
				!passes(element{"id": index.GroupID(group).String()}) {
				continue
			}
			for _, inner := range within(index, group) {
				if some := members(s, inner, group); some != nil && !index.GroupDeleted(inner) {
					all.Or(some)
				}
			}
		}
		return all
	}
	return collection{properties: []string{"id"}, advanced: true, having: having}
}

func usersIn(s Scope, inner, _ uint32) *roaring.Bitmap {
	return s.Image.Licensing.GroupMembers(inner)
}

// groupsIn omits the group itself, which is not a member of itself in a cycle of groups.
func groupsIn(s Scope, inner, group uint32) *roaring.Bitmap {
	members := roaring.BitmapOf(s.Image.Directory.GroupMembersOf(inner)...)
	members.Remove(group)
	return members
}

func principalsIn(s Scope, inner, _ uint32) *roaring.Bitmap {
	members := roaring.New()
	for id := range s.Image.Links.From(directory.RelationHasMember, s.Image.Directory.GroupID(inner)) {
		if principal, ok := s.Image.Principals.ByID(id); ok {
			members.Add(principal)
		}
	}
	return members
}

// groupsNamed yields the groups with some ids; all of them for nil.
func (s Scope) groupsNamed(ids []string) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		if ids == nil {
			for group := range s.Image.Directory.Groups() {
				if !yield(group) {
					return
				}
			}
		}
		for _, text := range ids {
			if group, ok := byID(s.Image.Directory.GroupCollection(), text); ok && !yield(group) {
				return
			}
		}
	}
}

func thisGroup(_ *directory.Index, group uint32) []uint32 { return []uint32{group} }

// groupsInError returns the groups whose members have license errors (docs/spec/licensing.md L14),
// or those without.
func groupsInError(s Scope, is bool) *roaring.Bitmap {
	found := roaring.New()
	for group := range s.Image.Directory.Groups() {
		if inError := s.Image.Licensing.GroupErrors(group); is == (inError != nil && !inError.IsEmpty()) {
			found.Add(group)
		}
	}
	return found
}

// creators returns the users, or the service principals, who have created an object that satisfies
// the test: createdObjects/any(c:c/id eq …).
func creators(find func(Scope, uuid.UUID) (uint32, bool)) func(s Scope, passes test, named []string) *roaring.Bitmap {
	return func(s Scope, passes test, named []string) *roaring.Bitmap {
		found := roaring.New()
		add := func(l directory.Link) {
			if creator, ok := find(s, l.To); ok && passes(element{"id": l.From.String()}) {
				found.Add(creator)
			}
		}
		if named == nil {
			for l := range s.Image.Links.OfKind(directory.RelationCreatedBy) {
				add(l)
			}
		}
		for _, text := range named {
			if id, ok := guid.Parse(text); ok {
				for l := range s.Image.Links.LinksFrom(directory.RelationCreatedBy, id) {
					add(l)
				}
			}
		}
		return found
	}
}

// principalCollections are the collections of a service principal.
var principalCollections = collections(map[string]collection{
	"memberOf":           inGroups(thisGroup, principalsIn),
	"transitiveMemberOf": inGroups((*directory.Index).Within, principalsIn),
	"createdObjects": {properties: []string{"id"}, advanced: true, having: creators(func(s Scope, id uuid.UUID) (uint32, bool) {
		return s.Image.Principals.ByID(id)
	})},
})

// alsoUnits adds the administrative units that users, or groups, are in to a collection of the
// groups they are in. It checks all units; there are few.
func alsoUnits(groups collection, members func(*directory.UnitMembers, uint32) *roaring.Bitmap) collection {
	having := groups.having
	groups.having = func(s Scope, passes test, named []string) *roaring.Bitmap {
		all := having(s, passes, named)
		for ordinal, u := range s.Image.Units.All() {
			if some := members(s.Image.UnitMembers, ordinal); some != nil && passes(element{"id": u.ID.String()}) {
				all.Or(some)
			}
		}
		return all
	}
	return groups
}

package graph

import (
	"iter"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/directory"
)

// membershipsOfUsers makes a collection of the groups that users are in: memberOf/any(g:g/id eq …). around answers those around the groups a user
// is directly in, within those whose members are in a group.
func membershipsOfUsers(around func(*directory.Index, []uint32) []uint32, within func(*directory.Index, uint32) []uint32) collection {
	inGroup := func(r *request, group uint32) *roaring.Bitmap {
		members := roaring.New()
		for _, inner := range within(r.image.Directory, group) {
			if some := r.image.Licensing.GroupMembers(inner); some != nil && !r.image.Directory.GroupHidden(inner) {
				members.Or(some)
			}
		}
		members.AndNot(r.image.Licensing.DeletedUsers())
		return members
	}
	exact := func(r *request, values element) *roaring.Bitmap {
		if values["id"] == "" { // any group
			all := roaring.New()
			for it := r.everyGroup().Iterator(); it.HasNext(); {
				all.Or(inGroup(r, it.Next()))
			}
			return all
		}
		id, _ := parseGUID(values["id"])
		if group, ok := r.image.Directory.GroupByID(id); ok && !r.image.Directory.GroupHidden(group) {
			return inGroup(r, group)
		}
		return roaring.New()
	}
	return collection{
		properties: []string{"id"}, advanced: true, exact: exact, candidates: exact,
		elements: func(r *request, user uint32) iter.Seq[element] {
			return func(yield func(element) bool) {
				index := r.image.Directory
				for _, group := range around(index, index.MemberOf(user)) {
					if !index.GroupHidden(group) && !yield(element{"id": index.GroupID(group).String()}) {
						return
					}
				}
			}
		},
	}
}

// Directly, a user is in the groups themselves.
func theseGroups(_ *directory.Index, groups []uint32) []uint32 { return groups }
func thisGroup(_ *directory.Index, group uint32) []uint32      { return []uint32{group} }

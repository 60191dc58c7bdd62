package graph

import (
	"errors"
	"iter"
	"net/http"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory/column"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/licenses"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/tenant"
)

// The expansions, by name.
var (
	userExpansions        = map[string]wire.Expansion[user]{}
	groupExpansions       = map[string]wire.Expansion[group]{}
	applicationExpansions = map[string]wire.Expansion[application]{}
	principalExpansions   = map[string]wire.Expansion[application]{}
	unitExpansions        = map[string]wire.Expansion[unit]{}
	roleExpansions        = map[string]wire.Expansion[directoryRole]{}
)

func init() { // they refer to the fields that they are shown among
	userExpansions["memberOf"] = relatedTo(userSubject, membershipsOfUser.all)
	userExpansions["transitiveMemberOf"] = relatedTo(userSubject, allMembershipsOfUser.all)
	userExpansions["manager"] = expandManager
	userExpansions["directReports"] = relatedTo(userSubject, reportsOfUser)
	userExpansions["transitiveReports"] = relatedTo(userSubject, allReportsOfUser)
	userExpansions["ownedObjects"] = relatedTo(userSubject, ownedByUser)
	userExpansions["createdObjects"] = relatedTo(userSubject, createdByUser)
	userExpansions["sponsors"] = relatedTo(userSubject, sponsorsOfUser)
	userExpansions["licenseDetails"] = wire.ExpandRows(licenses.DetailFields, licensesOf)
	userExpansions["appRoleAssignments"] = expandAssignments(userSubject, assignmentsOfUser)
	userExpansions["appRoleAssignedResources"] = relatedTo(userSubject, resourcesOfUser)
	userExpansions["oauth2PermissionGrants"] = wire.ExpandRows(grantFields, grantsOfUser)
	userExpansions["registeredDevices"] = relatedTo(userSubject, nothing)
	groupExpansions["members"] = relatedTo(groupSubject, membersOfGroup)
	groupExpansions["transitiveMembers"] = relatedTo(groupSubject, allMembersOfGroup)
	groupExpansions["membersWithLicenseErrors"] = relatedTo(groupSubject, membersInError)
	groupExpansions["owners"] = relatedTo(groupSubject, ownersOfGroup)
	groupExpansions["memberOf"] = relatedTo(groupSubject, membershipsOfGroup.all)
	groupExpansions["transitiveMemberOf"] = relatedTo(groupSubject, allMembershipsOfGroup.all)
	groupExpansions["appRoleAssignments"] = expandAssignments(groupSubject, assignmentsOfGroup)
	applicationExpansions["owners"] = relatedTo(applicationSubject, ownersOfApplication)
	applicationExpansions["federatedIdentityCredentials"] = wire.ExpandRows(federatedFields, federatedOf)
	principalExpansions["owners"] = relatedTo(principalSubject, ownersOfPrincipal)
	principalExpansions["memberOf"] = relatedTo(principalSubject, membershipsOfPrincipal.all)
	principalExpansions["transitiveMemberOf"] = relatedTo(principalSubject, allMembershipsOfPrincipal.all)
	principalExpansions["ownedObjects"] = relatedTo(principalSubject, ownedByPrincipal)
	principalExpansions["createdObjects"] = relatedTo(principalSubject, createdByPrincipal)
	principalExpansions["appRoleAssignments"] = expandAssignments(principalSubject, assignmentsOf)
	principalExpansions["appRoleAssignedTo"] = expandAssignments(principalSubject, assignedTo)
	principalExpansions["oauth2PermissionGrants"] = wire.ExpandRows(grantFields, grantsOfPrincipal)
	unitExpansions["members"] = relatedTo(unitSubject, membersOfUnit)
	roleExpansions["members"] = relatedTo(roleSubject, membersOfRole)
	wire.AddExpandedLists(operations, userFields, "/users/{user}", userExpansions)
	wire.AddExpandedLists(operations, groupFields, "/groups/{group}", groupExpansions)
	wire.AddExpandedLists(operations, applicationFields, "/applications/{application}", applicationExpansions)
	wire.AddExpandedLists(operations, principalFields, "/servicePrincipals/{servicePrincipal}", principalExpansions)
	wire.AddExpandedLists(operations, unitFields, edm.UnitsRoot+"/{unit}", unitExpansions)
	wire.AddExpandedLists(operations, roleFields, "/directoryRoles/{role}", roleExpansions)
}

func licensesOf(_ *wire.Request, u *user) iter.Seq[licenses.Detail] {
	return licenses.DetailsOf(u.image, u.ordinal)
}

// mayExpandObjects refuses relations that some directory object has but that are not supported
// (P29), in lists of objects of several types.
func mayExpandObjects(r *wire.Request) error {
	for _, e := range r.Options.Expand {
		if !canExpand(e.Name) && isObjectLink(e.Name) {
			return wire.UnservedExpansion(e, edm.Namespace+"directoryObject")
		}
	}
	return nil
}

// subject is the object whose relations are expanded, in the form of a path.
type subject struct {
	path  string
	id    uuid.UUID
	image *tenant.Image
}

func userSubject(u *user) subject {
	return subject{"/users/{user}", u.image.Directory.UserID(u.ordinal), u.image}
}

func groupSubject(g *group) subject {
	return subject{"/groups/{group}", g.image.Directory.GroupID(g.ordinal), g.image}
}

func applicationSubject(a *application) subject {
	return subject{"/applications/{application}", a.ID, a.image}
}

func principalSubject(a *application) subject {
	return subject{"/servicePrincipals/{servicePrincipal}", a.Principal.ID, a.image}
}

func roleSubject(d *directoryRole) subject { return subject{"/directoryRoles/{role}", d.id, d.image} }

func unitSubject(u *unit) subject { return subject{edm.UnitsRoot + "/{unit}", u.ID, u.image} }

// relatedTo returns the expansion of a relation: it shows the first few objects of its list.
func relatedTo[T any](of func(*T) subject, rel relation) wire.Expansion[T] {
	return func(r *wire.Request, e odata.Expansion) (func([]byte, *T) ([]byte, error), error) {
		inner := r.Within(e)
		w, err := newObjectWriter(inner)
		if err != nil {
			return nil, err
		}
		return func(b []byte, object *T) ([]byte, error) {
			r.Work.Doing("$expand")
			if err := r.Work.Yield(); err != nil {
				return b, err
			}
			subject := of(object)
			ask(inner, subject)
			related, err := rel(inner)
			if isNotFound(err) { // it is deleted
				return append(b, "[]"...), nil
			}
			if err != nil {
				return b, err
			}
			b, err = wire.AppendRows(r, append(b, '['), firstObjects(inner, related, w), w.write)
			return append(b, ']'), err
		}, nil
	}
}

// nothing is the relation to objects that are not stored here.
func nothing(*wire.Request) (sets, error) { return sets{}, nil }

// ask makes the request one about an object in an image.
func ask(r *wire.Request, s subject) {
	r.Op = &wire.Operation{Path: s.path, Need: r.Op.Need}
	r.Me, r.Keys, r.Image = false, []string{s.id.String()}, s.image
}

func isNotFound(err error) bool {
	p, ok := errors.AsType[*tenant.CommandError](err)
	q, graph := errors.AsType[*problem.ResponseError](err)
	return ok && p.Kind == tenant.ProblemNotFound || graph && q.Status == http.StatusNotFound
}

// mayExpandSome is Request.MayExpand for objects of several types: the caller must be allowed to
// list the relation for at least one of them. It is not shown in the others.
func mayExpandSome(r *wire.Request) error {
	for _, e := range r.Options.Expand {
		var refused error
		for typeName, lists := range wire.ExpandedLists {
			if _, ok := lists[e.Name]; !ok {
				continue
			}
			if refused = r.MayExpand(typeName, e.Name); refused == nil {
				break
			}
		}
		if refused != nil {
			return refused
		}
	}
	return nil
}

// firstObjects yields the first few live objects.
func firstObjects(r *wire.Request, of sets, w *objectWriter) wire.Source[object] {
	var sources []wire.Source[object]
	room := wire.MaxExpanded
	for _, kind := range objectKinds {
		if some := firstLive(r, kind.of(of), kind, room); len(some) > 0 {
			sources = append(sources, kind.read(r, some, nil, w))
			room -= len(some)
		}
	}
	roles := of.roles[:min(len(of.roles), room)]
	return wire.OneAfterAnother(append(sources, readRoles(r, roles))...)
}

// firstLive returns the first n objects of a kind that are not deleted.
func firstLive(r *wire.Request, set *roaring.Bitmap, kind *objectKind, n int) (live []uint32) {
	if set == nil {
		return nil
	}
	table := kind.In(r.Image).Columns()
	for ordinal := range roaring.Values(set) {
		if len(live) == n {
			break
		}
		among := table.Live(int(ordinal / column.BlockRows))
		if ordinal < table.Rows() && among.Has(int(ordinal%column.BlockRows)) {
			live = append(live, ordinal)
		}
	}
	return live
}

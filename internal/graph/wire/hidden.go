package wire

import (
	"slices"

	"licensor/internal/graph/odata"
	"licensor/internal/identity"
)

// Hides reports whether a degree of access hides a property of the type.
func (s *FieldSet[T]) Hides(access identity.Access) func(name string) bool {
	return func(name string) bool {
		return access != identity.AccessFull && (access != identity.AccessBasic || !s.isBasic(name))
	}
}

// AsksHidden reports whether $filter, $search or $orderby name a property that the caller may not
// see: the objects of the response and their order would reveal it.
func (r *Request) AsksHidden(isHidden func(name string) bool) bool {
	o := r.Options
	return o.Filter != nil && names(o.Filter.Root, isHidden) || o.Search != nil && searches(o.Search, isHidden) ||
		slices.ContainsFunc(o.OrderBy, func(by odata.Order) bool { return isHidden(by.Property) })
}

// names reports whether a part of a filter names a property that satisfies a condition. Within a
// lambda these are properties of elements.
func names(n odata.Node, is func(name string) bool) bool {
	within := func(n odata.Node) bool { return names(n, is) }
	switch n := n.(type) {
	case *odata.Logic:
		return slices.ContainsFunc(n.Args, within)
	case *odata.Not:
		return within(n.Arg)
	case *odata.Compare:
		return within(n.Left) || within(n.Right)
	case *odata.In:
		return within(n.Left)
	case *odata.Call:
		return slices.ContainsFunc(n.Args[:], within)
	case *odata.Lambda:
		return within(n.Path)
	case *odata.Path:
		return is(n.Names[0])
	}
	return false
}

// searches is names for a $search.
func searches(s *odata.Search, is func(name string) bool) bool {
	if s.Op == 0 {
		return is(s.Property)
	}
	return slices.ContainsFunc(s.Args, func(arg *odata.Search) bool { return searches(arg, is) })
}

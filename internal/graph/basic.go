package graph

import (
	"slices"

	"licensor/internal/graph/odata"
	"licensor/internal/identity"
	"licensor/internal/store"
)

// asksHidden says whether $filter, $search or $orderby name a property of a kind of objects that a
// caller with a degree of access does not see: which objects an answer has, and their order, would
// show it.
func (r *request) asksHidden(kind store.Kind, access identity.Access) bool {
	o := r.options
	return o.Filter != nil && hides(kind, access, o.Filter.Root) || o.Search != nil && searchHides(kind, access, o.Search) ||
		slices.ContainsFunc(o.OrderBy, func(by odata.Order) bool { return isHidden(kind, access, by.Property) })
}

// isHidden says whether a caller with a degree of access does not see a property.
func isHidden(kind store.Kind, access identity.Access, name string) bool {
	switch {
	case access == identity.AccessFull:
		return false
	case access == identity.AccessBasic && kind == store.KindUser:
		return !userFields.isBasic(name)
	case access == identity.AccessBasic && kind == store.KindGroup:
		return !groupFields.isBasic(name)
	}
	return true
}

// hides is isHidden for the properties that a part of a filter names. Within a lambda they are
// those of elements.
func hides(kind store.Kind, access identity.Access, n odata.Node) bool {
	hidden := func(n odata.Node) bool { return hides(kind, access, n) }
	switch n := n.(type) {
	case *odata.Logic:
		return slices.ContainsFunc(n.Args, hidden)
	case *odata.Not:
		return hidden(n.Arg)
	case *odata.Compare:
		return hidden(n.Left) || hidden(n.Right)
	case *odata.In:
		return hidden(n.Left)
	case *odata.Call:
		return slices.ContainsFunc(n.Args[:], hidden)
	case *odata.Lambda:
		return hidden(n.Path)
	case *odata.Path:
		return isHidden(kind, access, n.Names[0])
	}
	return false
}

func searchHides(kind store.Kind, access identity.Access, s *odata.Search) bool {
	if s.Op == 0 {
		return isHidden(kind, access, s.Property)
	}
	return slices.ContainsFunc(s.Args, func(arg *odata.Search) bool { return searchHides(kind, access, arg) })
}
